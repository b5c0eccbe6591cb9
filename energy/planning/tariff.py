"""The contract laid over a horizon: what a kWh costs in each slot, and which slots a demand charge looks at.

A slot is in a window if the local wall time of its start is. Windows know weekdays, months and holidays of the site's
zone, so a local day of 92 or 100 slots is covered as its clock shows it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from energy.clock import local, wall_to_utc
from energy.model.horizon import Horizon, Interval
from energy.model.problem import DemandWindow
from energy.model.series import Series
from energy.model.tariff import DemandRate, Period, Tariff, Window

MIDNIGHT = wall_time(0, 0)

PeriodKey = tuple[str, str]  # (name of the rate, "2026-05" or "2026")


def import_price(tariff: Tariff, market: Series, zone: str, holidays: Collection[date] = ()) -> Series:
    """The price of an imported kWh: market price × factor (or the fixed price) + every rate in force at that time.
    Where the market price is unknown and needed, so is this."""
    horizon = market.horizon
    if tariff.fixed_per_kwh is None:
        price = market.values * tariff.market_factor
    else:
        price = np.full(horizon.slots, tariff.fixed_per_kwh)
    walls = _walls(horizon, zone)
    for rate in tariff.rates:
        price = price + rate.per_kwh * _mask(rate.windows, walls, holidays)
    return Series(horizon, price, market.unit)


def export_price(
    tariff: Tariff,
    market: Series,
    zone: str = "",  # noqa: ARG001
    holidays: Collection[date] = (),  # noqa: ARG001
) -> Series:
    """What is paid for an exported kWh: the agreed price, or the market price without factor and fees. Neither zone
    nor holidays matter to it today; they are there so that both prices are asked for alike."""
    if tariff.export_per_kwh is None:
        return market
    return Series.constant(market.horizon, tariff.export_per_kwh, market.unit)


def window_mask(
    windows: Sequence[Window], horizon: Horizon, zone: str, holidays: Collection[date] = ()
) -> NDArray[np.bool_]:
    """Whether each slot lies in one of the windows; no windows mean always."""
    return _mask(windows, _walls(horizon, zone), holidays)


def in_window(window: Window, wall: datetime, holidays: Collection[date] = ()) -> bool:
    """Whether a local wall time lies in a window. One that runs over midnight belongs to the day it began on: its
    weekday, month and holiday count. Equal start and end mean the whole day round."""
    now = wall.time()
    ends_at_midnight = window.end == MIDNIGHT
    if window.start < window.end or ends_at_midnight:
        inside, day = window.start <= now and (ends_at_midnight or now < window.end), wall.date()
    else:
        after_midnight = now < window.end
        inside = now >= window.start or after_midnight
        day = wall.date() - timedelta(days=1) if after_midnight and now < window.start else wall.date()
    return (
        inside
        and (not window.weekdays or day.weekday() in window.weekdays)
        and (not window.months or day.month in window.months)
        and (window.on_holidays or day not in holidays)
    )


def period_key(rate: DemandRate, t: datetime, zone: str) -> str:
    """The name of the billing period that an instant belongs to: "2026-05" or "2026", by local date."""
    return _key(rate, local(t, zone))


def period_bounds(rate: DemandRate, t: datetime, zone: str) -> Interval:
    """The billing period that an instant belongs to, from local midnight to local midnight."""
    day = local(t, zone).date()
    if rate.period is Period.YEAR:
        first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    else:
        first = day.replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
    return Interval(wall_to_utc(first, MIDNIGHT, zone), wall_to_utc(after, MIDNIGHT, zone))


def demand_name(rate: DemandRate, key: str) -> str:
    """How a demand charge of one billing period is called on a bill: "annual peak 2026"."""
    return f"{rate.name} {key}"


def demand_windows(
    tariff: Tariff,
    horizon: Horizon,
    zone: str,
    holidays: Collection[date] = (),
    so_far: Mapping[PeriodKey, tuple[float, float]] | None = None,
) -> tuple[DemandWindow, ...]:
    """One demand window for each charge and each billing period that has a metered interval in the horizon.

    `so_far` gives the (real, as-is) peak of a period so far. An interval that the horizon cuts, or that lies only
    partly in the windows, is left out: its mean cannot be known from these slots."""
    reached = so_far or {}
    found = []
    for rate in tariff.demand:
        for key, slots in _metered_slots(rate, horizon, zone, holidays).items():
            real_kw, as_is_kw = reached.get((rate.name, key), (0.0, 0.0))
            found.append(
                DemandWindow(
                    name=demand_name(rate, key),
                    per_kw=rate.per_kw,
                    slots=tuple(slots),
                    interval_slots=_interval_slots(rate, horizon),
                    so_far_kw=real_kw,
                    as_is_so_far_kw=as_is_kw,
                    target_kw=rate.target_kw,
                )
            )
    return tuple(found)


def peaks_of(tariff: Tariff, import_kw: Series, zone: str, holidays: Collection[date] = ()) -> dict[PeriodKey, float]:
    """The highest metered mean, kW, of each (charge, billing period) that a metered profile says something of."""
    return {
        (rate.name, key): kw
        for rate in tariff.demand
        for key, (kw, _) in metered_peaks(rate, import_kw, zone, holidays).items()
    }


def metered_peaks(
    rate: DemandRate, import_kw: Series, zone: str, holidays: Collection[date] = ()
) -> dict[str, tuple[float, datetime]]:
    """The highest metered mean of each billing period in a metered profile, and the start of its interval, by period
    key. Intervals with a gap are unknown and cannot be a peak; a period without a known one is missing."""
    peaks: dict[str, tuple[float, datetime]] = {}
    size = _interval_slots(rate, import_kw.horizon)
    for key, slots in _metered_slots(rate, import_kw.horizon, zone, holidays).items():
        means = import_kw.values[slots].reshape(-1, size).mean(axis=1)
        if not np.isnan(means).all():
            best = int(np.nanargmax(means))
            peaks[key] = (float(means[best]), import_kw.horizon.time_of(slots[best * size]))
    return peaks


def _metered_slots(rate: DemandRate, horizon: Horizon, zone: str, holidays: Collection[date]) -> dict[str, list[int]]:
    """The slots of each billing period, whole metered intervals one after the other. Intervals start at whole
    multiples of the rate's minutes since local midnight, as meters count them."""
    walls = _walls(horizon, zone)
    mask = _mask(rate.windows, walls, holidays)
    size = _interval_slots(rate, horizon)
    minutes = size * horizon.step_minutes
    slots: dict[str, list[int]] = {}
    for first in range(horizon.slots - size + 1):
        wall = walls[first]
        if (wall.hour * 60 + wall.minute) % minutes == 0 and mask[first : first + size].all():
            slots.setdefault(_key(rate, wall), []).extend(range(first, first + size))
    return slots


def _interval_slots(rate: DemandRate, horizon: Horizon) -> int:
    """How many slots make one metered interval; one where the meter is finer than the slots."""
    if rate.minutes <= horizon.step_minutes:
        return 1
    if rate.minutes % horizon.step_minutes:
        raise ValueError(f"{rate.name}: {rate.minutes} min are no whole number of slots of {horizon.step_minutes} min")
    return rate.minutes // horizon.step_minutes


def _key(rate: DemandRate, wall: datetime) -> str:
    return f"{wall.year:04}-{wall.month:02}" if rate.period is Period.MONTH else f"{wall.year:04}"


@lru_cache(maxsize=8)
def _walls(horizon: Horizon, zone: str) -> tuple[datetime, ...]:
    """The local wall time of each slot's start; every rate of a tariff asks for the same ones."""
    return tuple(local(t, zone) for t in horizon.times())


def _mask(windows: Sequence[Window], walls: Sequence[datetime], holidays: Collection[date]) -> NDArray[np.bool_]:
    closed = frozenset(holidays)
    return np.fromiter(
        (not windows or any(in_window(window, wall, closed) for window in windows) for wall in walls),
        dtype=np.bool_,
        count=len(walls),
    )
