"""Meters: who answers, how old each value is, what it says, and whether its counter and its power agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from energy.clock import day_bounds, floor_to, local_date
from energy.errors import LoadstoneError
from energy.metering.tree import settlement
from energy.model.horizon import Horizon, Interval
from energy.model.meter import IntervalEnergy, Measures, Meter, Quality, Reading, ReadingQuality, Role
from energy.model.series import Series
from energy.reports.billing import BilledDay, billed_days
from energy.reports.collector import collector_state
from energy.reports.edges import edge_states
from energy.reports.meter_state import MeterState, meter_states
from energy.reports.pages import Header, MeterPage, MeterRow, MetersPage
from energy.reports.situation import Rules
from energy.reports.tree import meter_tree
from energy.reports.words import moment
from energy.store import Store

LATE_AFTER = timedelta(minutes=2)
DAY = timedelta(hours=24)
ENOUGH = timedelta(hours=2)
BILLED = timedelta(days=31)
RECENT = timedelta(minutes=5)  # over which reads per minute are counted
LISTED = timedelta(hours=1)  # readings and faults that are listed
COMPARED = timedelta(hours=3)  # counter against power
AT_MOST = 200  # readings shown
WORST = {"silent": 0, "suspect": 1, "rejected": 2, "late": 3, "released": 4, "good": 5}


def meters_page(store: Store, rules: Rules, header: Header) -> MetersPage:
    """All meters, worst first."""
    now = header.now
    energies = store.intervals.of_each([meter.id for meter in store.meters()], span_of(rules, now))
    counts = store.readings.counts(just_now(now))
    states = meter_states(store, now)
    rows = [row_of(rules, state, energies[state.meter.id], counts, now) for state in states]
    return MetersPage(
        header=header,
        rows=tuple(sorted(rows, key=lambda row: WORST[row.state])),
        readings_last_hour=store.readings.count(Interval(now - timedelta(hours=1), now)),
        balance_kwh=balance(store.meters(), energies, day_bounds(local_date(now, rules.site.zone), rules.site.zone)[0]),
        tree=tuple(meter_tree(store, span_today(rules, now))),
        billed=tuple(reversed(billed_lately(store, rules, now))),
        edges=edge_states(store, rules, now),
        collector=collector_state(store, states, now),
    )


def span_today(rules: Rules, now: datetime) -> Interval:
    """The local day so far; in its first hours, when it says little yet, the day before with it."""
    today = day_bounds(local_date(now, rules.site.zone), rules.site.zone)[0]
    return Interval(today if now - today >= ENOUGH else today - DAY, now)


def billed_lately(store: Store, rules: Rules, now: datetime) -> list[BilledDay]:
    """The days of the last weeks that the network operator has billed, oldest first."""
    today = local_date(now, rules.site.zone)
    return billed_days(store, store.meters(), rules.site.zone, today - BILLED, today)


def meter_page(store: Store, rules: Rules, header: Header, meter: str) -> MeterPage:
    """One meter. LoadstoneError names the known ones."""
    now = header.now
    state = next((s for s in meter_states(store, now) if s.meter.id == meter), None)
    if state is None:
        known = ", ".join(m.id for m in store.meters()) or "none"
        raise LoadstoneError(f"there is no meter {meter!r}; known: {known}")
    recent = store.readings.of(meter, Interval(now - COMPARED, now + timedelta(seconds=1)))
    listed = [r for r in recent if r.taken_at > now - LISTED]
    faults = Counter(r.note or str(r.quality) for r in listed if not r.quality.counts)
    horizon = whole(now - COMPARED, now, rules.site.step_minutes)
    power = mean_power(recent, horizon)
    counter = net(state.meter, store, horizon)
    return MeterPage(
        header=header,
        row=row_of(
            rules, state, store.intervals.of(meter, span_of(rules, now)), store.readings.counts(just_now(now)), now
        ),
        readings=tuple(reversed(listed))[:AT_MOST],
        faults=tuple(faults.most_common()),
        power=power if power.known.any() else None,
        counter_power=counter if counter.known.any() else None,
    )


def span_of(rules: Rules, now: datetime) -> Interval:
    """The last 24 hours, and the whole local day."""
    today = day_bounds(local_date(now, rules.site.zone), rules.site.zone)[0]
    return Interval(min(today, now - DAY - timedelta(hours=1)), now)


def just_now(now: datetime) -> Interval:
    """The time over which reads per minute are counted."""
    return Interval(now - RECENT, now + timedelta(seconds=1))


def row_of(
    rules: Rules, state: MeterState, energies: Sequence[IntervalEnergy], counts: Mapping[str, int], now: datetime
) -> MeterRow:
    """One line of the table."""
    meter, zone = state.meter, rules.site.zone
    begun = day_bounds(local_date(now, zone), zone)[0]
    today = [e for e in energies if e.start >= begun]
    word, detail = judged(state, zone, now)
    newest = state.good
    return MeterRow(
        meter=meter,
        reading=state.reading,
        last_good=newest,
        age_seconds=state.age.total_seconds() if state.age is not None else None,
        silent=state.silent,
        state=word,
        detail=detail,
        energy_today_kwh=energy(meter, today),
        day_kw=day_power(meter, energies, rules.site.step_minutes, now),
        qualities=tuple(Counter(e.quality for e in today).most_common()),
        reads_per_minute=counts.get(meter.id, 0) / (RECENT.total_seconds() / 60.0)
        if state.reading is not None
        else None,
        source=" · ".join(part for part in (meter.profile, meter.confidence) if part),
        single_source=meter.single_source,
    )


def judged(state: MeterState, zone: str, now: datetime) -> tuple[str, str]:
    """(state, in words): silent, suspect, rejected, late, released or good."""
    reading = state.reading
    note = f" ({reading.note})" if reading is not None and reading is not state.good and reading.note else ""
    if state.silent:
        since = "no data yet" if state.good is None else f"no data since {moment(state.good.taken_at, zone, now)}"
        return "silent", since + note
    if reading is not None and reading.quality is ReadingQuality.SUSPECT:
        return "suspect", f"newest value not used{note}"
    if reading is not None and reading.quality is ReadingQuality.REJECTED:
        return "rejected", f"newest value not used{note}"
    if state.age is not None and state.age > LATE_AFTER:
        return "late", note.strip(" ()")
    if reading is not None and reading.quality is ReadingQuality.RELEASED:
        return "released", reading.note
    return "good", ""


def flow(meter: Meter, one: IntervalEnergy) -> float | None:
    """What counts of a meter: what PV generated, what anything else took."""
    return one.export_kwh if meter.measures is Measures.PV else one.import_kwh


def energy(meter: Meter, energies: Sequence[IntervalEnergy]) -> float | None:
    """The energy of these intervals, kWh; unknown intervals are left out, None where all are unknown."""
    known = [kwh for one in energies if (kwh := flow(meter, one)) is not None]
    return sum(known) if known else None


def day_power(meter: Meter, energies: Sequence[IntervalEnergy], step_minutes: int, now: datetime) -> Series | None:
    """Mean power of each slot of the last 24 hours, import positive, generation positive for PV."""
    horizon = whole(now - DAY, now, step_minutes)
    values = np.full(horizon.slots, np.nan)
    for one in energies:
        slot = horizon.slot_of(one.start)
        if 0 <= slot < horizon.slots and one.net_kw is not None:
            values[slot : slot + max(1, one.minutes // step_minutes)] = one.net_kw
    if np.isnan(values).all():
        return None
    return Series(horizon, 0.0 - values if meter.measures is Measures.PV else values, "kW")


def whole(start: datetime, end: datetime, step_minutes: int) -> Horizon:
    """The whole slots between two times."""
    step = timedelta(minutes=step_minutes)
    return Horizon.between(floor_to(start, step), floor_to(end, step), step_minutes)


def mean_power(readings: Sequence[Reading], horizon: Horizon) -> Series:
    """The mean of what a meter's power register said in each slot."""
    sums, counts = np.zeros(horizon.slots), np.zeros(horizon.slots)
    for reading in readings:
        slot = horizon.slot_of(reading.taken_at)
        if reading.power_kw is not None and reading.quality.counts and 0 <= slot < horizon.slots:
            sums[slot] += reading.power_kw
            counts[slot] += 1
    mean = np.divide(sums, counts, out=np.full(horizon.slots, np.nan), where=counts > 0)
    return Series(horizon, mean, "kW")


def net(meter: Meter, store: Store, horizon: Horizon) -> Series:
    """Mean power from the counters, import positive."""
    taken, given = store.intervals.power(meter.id, horizon)
    known = ~(np.isnan(taken.values) & np.isnan(given.values))
    values = np.where(known, np.nan_to_num(taken.values) - np.nan_to_num(given.values), np.nan)
    return Series(horizon, values, "kW")


def balance(
    meters: Sequence[Meter], energies: dict[str, list[IntervalEnergy]], today: datetime
) -> tuple[float, float] | None:
    """(import of the settlement meter, the same from the parts: consumers + charge − discharge − generation + export),
    kWh, over the intervals of today that all of them know. None without parts."""
    grid = settlement(meters)
    parts = [m for m in meters if m.role in {Role.SUB, Role.VIRTUAL} and m.measures is not Measures.GRID]
    if grid is None or not parts:
        return None
    known: dict[datetime, float] = {
        one.start: one.import_kwh for one in energies[grid.id] if one.start >= today and one.import_kwh is not None
    }
    export = {one.start: one.export_kwh or 0.0 for one in energies[grid.id]}
    rows = [{one.start: one for one in energies[m.id] if one.quality is not Quality.MISSING} for m in parts]
    common = [t for t in known if all(t in row for row in rows)]
    if not common:
        return None
    explained = sum(signed(m, row[t]) for m, row in zip(parts, rows, strict=True) for t in common)
    return sum(known[t] for t in common), explained + sum(export[t] for t in common)


def signed(meter: Meter, one: IntervalEnergy) -> float:
    """What a part adds to the import of the site."""
    taken, given = one.import_kwh or 0.0, one.export_kwh or 0.0
    return -given if meter.measures is Measures.PV else taken - given
