"""What was read from a file of interval data, as the house keeps it: interval energy of a meter, or a stored series."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from enum import StrEnum
from itertools import groupby

import numpy as np

from energy.clock import day_bounds, local_date, wall_to_utc
from energy.errors import Mistake
from energy.exchange.readings import ReadResult, factor_to
from energy.model.horizon import Horizon
from energy.model.meter import IntervalEnergy, Meter, Quality
from energy.model.series import Series

ABOVE_CONNECTION = 1.05  # of what the connection can carry; more than that is a wrong unit or a wrong meter
DAY_AHEAD_KNOWN = wall_time(12, 45)  # local, on the day before: when European day-ahead prices are out


class KnownAt(StrEnum):
    """The rule by which an imported value is taken to have been known. All but NOW are assumed, and marked so."""

    DAY_AHEAD = "day-ahead"  # 12:45 local on the day before its local day
    DAY_END = "day-end"  # when its local day ended
    NOW = "now"  # when it is imported


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRows:
    """The intervals of a meter, and the rows that cannot be right."""

    intervals: tuple[IntervalEnergy, ...]
    bad: tuple[Mistake, ...]


def as_intervals(read: ReadResult, meter: Meter, *, unit: str, columns: tuple[str, ...], net: bool) -> MeterRows:
    """The interval energy that rows say; columns are import and (if there is one) export, or with `net` import less
    export in one. An empty row stays a gap. Raises ValueError where the unit is no energy or power."""
    hours = read.step_minutes / 60
    factor = factor_to(unit, "kWh", hours)
    if factor is None:
        raise ValueError(f"{unit!r} is no energy or power; known: Wh, kWh, MWh per interval, W, kW, MW mean of it")
    at_most = meter.connection_kw * hours * ABOVE_CONNECTION
    good, bad = [], []
    for row in read.rows:
        energies = [None if value is None else value * factor for value in row.values]
        why = next((w for energy in energies if energy is not None and (w := wrong(energy, at_most, net))), "")
        if why:
            bad.append(Mistake(f"line {row.line}, column {columns[0]}", why))
        elif any(energy is not None for energy in energies):
            imported, exported = (
                split(energies[0]) if net else (energies[0], energies[1] if len(energies) > 1 else None)
            )
            good.append(
                IntervalEnergy(
                    meter=meter.id,
                    start=row.start,
                    minutes=read.step_minutes,
                    import_kwh=imported,
                    export_kwh=exported,
                    quality=Quality.IMPORTED,
                )
            )
    return MeterRows(intervals=tuple(good), bad=tuple(bad))


def wrong(energy_kwh: float, at_most_kwh: float, net: bool) -> str:
    """Why an energy cannot be right; empty where it can."""
    if energy_kwh < 0 and not net:
        return f"{energy_kwh:g} kWh is negative; if the column is import less export, say --net"
    if abs(energy_kwh) > at_most_kwh:
        return f"{energy_kwh:g} kWh is more than the connection can carry ({at_most_kwh:g} kWh); is the unit right?"
    return ""


def split(net_kwh: float | None) -> tuple[float | None, float | None]:
    """Import and export of a net energy."""
    return (None, None) if net_kwh is None else (max(net_kwh, 0.0), max(-net_kwh, 0.0))


def stored_unit(key: str, currency: str, unit: str) -> str:
    """The unit in which a series of that key is kept; its own where the house has no rule for it."""
    kept = {"price": f"{currency}/kWh", "carbon": "kg CO2e/kWh", "load": "kW", "pv": "kW", "site": "kW"}
    exact = {"weather.temperature": "degC", "weather.irradiance": "W/m2"}
    return exact.get(key) or kept.get(key.partition(".")[0], unit)


def as_series(read: ReadResult, *, unit: str, kept_unit: str) -> Series:
    """The first column as one series from the first row to the last; what no row says is a gap."""
    factor = factor_to(unit, kept_unit, read.step_minutes / 60)
    if factor is None:
        raise ValueError(f"{unit!r} cannot be turned into {kept_unit!r}, in which that series is kept")
    step = timedelta(minutes=read.step_minutes)
    horizon = Horizon.between(read.rows[0].start, read.rows[-1].start + step, read.step_minutes)
    values = np.full(horizon.slots, np.nan)
    for row in read.rows:
        if row.values[0] is not None:
            values[horizon.slot_of(row.start)] = row.values[0] * factor
    return Series(horizon, values, kept_unit)


def by_known_at(series: Series, rule: KnownAt, zone: str, now: datetime) -> Iterator[tuple[Series, datetime]]:
    """A series in parts that were known at the same time: local days, oldest first."""
    if rule is KnownAt.NOW:
        yield series, now
        return
    days = groupby(range(series.horizon.slots), lambda slot: local_date(series.horizon.time_of(slot), zone))
    for day, slots in days:
        numbers = list(slots)
        part = Horizon(series.horizon.time_of(numbers[0]), len(numbers), series.horizon.step_minutes)
        yield series.over(part), known_at(day, rule, zone)


def known_at(day: date, rule: KnownAt, zone: str) -> datetime:
    """When the values of a local day are taken to have been known."""
    if rule is KnownAt.DAY_AHEAD:
        return wall_to_utc(day - timedelta(days=1), DAY_AHEAD_KNOWN, zone)
    return day_bounds(day, zone)[1]
