"""Year and peaks: maxima by charge and month against targets, when they came, who made them, and what they will cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import local, local_date, wall_to_utc
from energy.model.horizon import Horizon
from energy.model.meter import Meter
from energy.model.savings import DaySavings
from energy.model.series import SITE_IMPORT, Series
from energy.model.tariff import DemandRate, Window
from energy.planning.tariff import MIDNIGHT, in_window
from energy.reports.meter_state import running
from energy.reports.month import accounts_of_year
from energy.reports.pages import Header, PeakLine, WorstInterval, YearPage
from energy.reports.picture import run_loads
from energy.reports.situation import Rules
from energy.savings.peaks import peak_savings
from energy.store import Store

WEEKS, HOURS = 53, 168
WORST = 10
APART = timedelta(hours=2)  # of one peak only the highest quarter hour is shown
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Row = NDArray[np.float64]


def year_page(store: Store, rules: Rules, header: Header, year: int | None = None) -> YearPage:
    """The page of a year, by default the running one."""
    now, zone = header.now, rules.site.zone
    today = local_date(now, zone)
    shown = year or today.year
    accounts = accounts_of_year(store, shown, today)
    imported = import_of_year(store, rules, shown, now)
    charges = charge_lines(rules, accounts, shown, now)
    cells = calendar_cells(imported.horizon, zone)
    return YearPage(
        header=header,
        running=running(store, rules, now),
        year=shown,
        charges=charges,
        monthly_max=monthly_max(imported, accounts, cells, shown),
        heat=heat(imported, cells),
        windows_heat=windows_heat(rules, shown),
        worst=worst(store, rules, imported, now),
        hours_of_use=hours_of_use(imported),
        bill_at_this_rate=bill(charges),
        energy_kwh=float(np.nansum(imported.values) * imported.horizon.step_hours) if imported.known.any() else None,
        machines=rules.site.machines,
    )


def import_of_year(store: Store, rules: Rules, year: int, now: datetime) -> Series:
    """The import of a year so far, a mean a slot; NaN where nobody knows."""
    zone = rules.site.zone
    start = wall_to_utc(date(year, 1, 1), MIDNIGHT, zone)
    end = max(start, min(wall_to_utc(date(year + 1, 1, 1), MIDNIGHT, zone), now))
    step = timedelta(minutes=rules.site.step_minutes)
    horizon = Horizon(start, int((end - start) / step), rules.site.step_minutes)
    return store.series.get(SITE_IMPORT, horizon)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Day (ordinal), month, ISO week (from 0) and hour of the week of each slot of a row; days at the year's edge that
    belong to a week of another year count to the first and the last week."""

    day: NDArray[np.int64]
    month: NDArray[np.int64]
    week: NDArray[np.int64]
    hour: NDArray[np.int64]


def calendar_cells(horizon: Horizon, zone: str) -> Cells:
    """The calendar of a row, reckoned once an hour: clocks change on the hour."""
    per_hour = max(1, 60 // horizon.step_minutes)
    hours = -(-horizon.slots // per_hour)
    walls = [local(horizon.start + timedelta(hours=n), zone) for n in range(hours)]
    weeks = [week_of(wall.date()) for wall in walls]

    def row(values: Sequence[int]) -> NDArray[np.int64]:
        return np.repeat(np.array(values, dtype=np.int64), per_hour)[: horizon.slots]

    return Cells(
        day=row([wall.toordinal() for wall in walls]),
        month=row([wall.month for wall in walls]),
        week=row(weeks),
        hour=row([wall.weekday() * 24 + wall.hour for wall in walls]),
    )


def week_of(day: date) -> int:
    """The row of the heat map: the ISO week from 0, the first or last one where the week belongs to another year."""
    year, week, _ = day.isocalendar()
    if year < day.year:
        return 0
    return WEEKS - 1 if year > day.year else week - 1


def monthly_max(
    imported: Series, accounts: Sequence[DaySavings], cells: Cells, year: int
) -> tuple[tuple[str, float | None, float | None], ...]:
    """(month, highest measured mean, the same as-is), kW. On days without an account as-is is what was measured."""
    found: list[tuple[str, float | None, float | None]] = []
    accounted = np.isin(cells.day, [account.day.toordinal() for account in accounts])
    for month in range(1, 13):
        real = highest(imported.values[cells.month == month])
        told = [a.counterfactual_peak_kw for a in accounts if a.day.month == month]
        told.append(highest(imported.values[(cells.month == month) & ~accounted]))
        as_is = max((kw for kw in told if kw is not None), default=None)
        found.append((f"{year}-{month:02d}", real, as_is))
    return tuple(found) if any(real is not None for _, real, _ in found) else ()


def highest(values: Row) -> float | None:
    return float(np.nanmax(values)) if len(values) and not np.isnan(values).all() else None


def heat(imported: Series, cells: Cells) -> tuple[tuple[float | None, ...], ...]:
    """The highest mean of each hour of each week; None where nobody knows."""
    if not imported.known.any():
        return ()
    top = np.full((WEEKS, HOURS), -np.inf)
    np.maximum.at(top, (cells.week, cells.hour), np.where(imported.known, imported.values, -np.inf))
    return tuple(tuple(None if np.isinf(kw) else float(kw) for kw in row) for row in top)


def windows_heat(rules: Rules, year: int) -> tuple[tuple[int, int], ...]:
    """(week, hour of week) inside a window of a demand charge that looks at some hours only."""
    rates = [rate for rate in rules.tariff.demand if rate.windows]
    holidays = frozenset(rules.calendar.holidays)
    found: dict[tuple[int, int], None] = {}
    day = date(year, 1, 1)
    while rates and day.year == year:
        near = [w for rate in rates for w in rate.windows if may_touch(w, day)]
        for hour in range(24) if near else ():
            quarters = [datetime.combine(day, time(hour, minute)) for minute in (0, 15, 30, 45)]
            if any(in_window(window, wall, holidays) for wall in quarters for window in near):
                found[week_of(day), day.weekday() * 24 + hour] = None
        day += timedelta(days=1)
    return tuple(found)


def may_touch(window: Window, day: date) -> bool:
    """A cheap look whether a window can have an hour on a day (or the night that began the day before)."""
    days = (day, day - timedelta(days=1))
    return any(
        (not window.months or d.month in window.months) and (not window.weekdays or d.weekday() in window.weekdays)
        for d in days
    )


def worst(store: Store, rules: Rules, imported: Series, now: datetime) -> tuple[WorstInterval, ...]:
    """The ten highest quarter hours, of each peak only its top, with what made them."""
    order = np.argsort(np.where(imported.known, -imported.values, np.inf), kind="stable")
    gap = max(1, int(APART / imported.horizon.step))
    taken: list[int] = []
    for slot in order[: 40 * WORST].tolist():
        if len(taken) == WORST or not imported.known[slot]:
            break
        if all(abs(slot - other) >= gap for other in taken):
            taken.append(slot)
    found, meters = [], store.meters()
    for slot in taken:
        start = imported.horizon.time_of(slot)
        kw = float(imported.values[slot])
        found.append(WorstInterval(start=start, kw=kw, culprits=culprits(store, rules, meters, start, kw, now)))
    return tuple(found)


def culprits(
    store: Store, rules: Rules, meters: Sequence[Meter], start: datetime, kw: float, now: datetime
) -> tuple[tuple[str, float], ...]:
    """What drew power in a slot: the jobs by machine, and the rest as base load (less what PV gave)."""
    horizon = Horizon(start, 1, rules.site.step_minutes)
    runs, loads = run_loads(store, rules, meters, horizon, now)
    by_machine: dict[str, float] = {}
    for run, load in zip(runs, loads, strict=True):
        if load[0] > 0.5:
            by_machine[run.machine] = by_machine.get(run.machine, 0.0) + float(load[0])
    base = kw - sum(by_machine.values())
    rows = sorted(by_machine.items(), key=lambda item: -item[1])
    return (("base load", base), *rows) if base > 0.5 else tuple(rows)


def charge_lines(rules: Rules, accounts: Sequence[DaySavings], year: int, now: datetime) -> tuple[PeakLine, ...]:
    """Each demand charge and period of the year that is known, by charge."""
    zone, today = rules.site.zone, local_date(now, rules.site.zone)
    rates = {rate.name: rate for rate in rules.tariff.demand}
    savings = peak_savings(accounts, rules.tariff, today, zone, rules.calendar.holidays)
    return tuple(
        PeakLine(saving=saving, rate_name=saving.charge, windows=window_words(rates[saving.charge]))
        for saving in sorted(savings, key=lambda s: (list(rates).index(s.charge), s.period))
        if saving.period.startswith(f"{year}")
    )


def window_words(rate: DemandRate) -> str:
    """ "Dec to Feb, Mon to Fri 16:30 to 19:30", or "all year"."""
    if not rate.windows:
        return "all year"
    return "; ".join(one_window(window) for window in rate.windows)


def one_window(window: Window) -> str:
    parts = [run_words(window.months, MONTHS, first=1), run_words(window.weekdays, DAYS, first=0)]
    hours = "all day" if window.start == window.end else f"{window.start:%H:%M} to {window.end:%H:%M}"
    days = " ".join(part for part in (parts[1], hours) if part)
    return ", ".join(part for part in (parts[0], days) if part)


def run_words(numbers: Sequence[int], names: Sequence[str], *, first: int) -> str:
    """A run of months or days by its ends, also over the turn of the year; else each by name."""
    if not numbers:
        return ""
    size = len(names)
    there = {number - first for number in numbers}
    starts = [n for n in there if (n - 1) % size not in there]
    if len(starts) == 1 and len(there) > 1:
        return f"{names[starts[0]]} to {names[(starts[0] + len(there) - 1) % size]}"
    return ", ".join(names[n] for n in sorted(there))


def hours_of_use(imported: Series) -> float | None:
    """The year's energy at this rate over its maximum, h; None before anything is measured."""
    known = imported.values[imported.known]
    if not len(known) or np.max(known) <= 0:
        return None
    return float(np.mean(known) / np.max(known) * 8760)


def bill(charges: Sequence[PeakLine]) -> float | None:
    """What the demand charges of the year come to at what was reached so far; each period pays at least its target."""
    if not charges:
        return None
    return sum(line.saving.per_kw * max(line.saving.real_kw, line.saving.target_kw) for line in charges)
