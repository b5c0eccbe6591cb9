"""Similar days: the mean of the last days of the same kind at the same local wall time, with a band from its own past.

What every other forecaster is held against, and what it falls back to.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.bands import Band, banded, error_band
from energy.forecasters.days import DayKind, LocalSlots, closed_days, local_slots
from energy.forecasters.limits import kept_within
from energy.model.forecast import Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

# The sun knows no weekend, and wind and water as little: on these targets all days are of one kind.
EVERY_DAY_ALIKE = (Target.PV, Target.CARBON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How many days count, and how far back they may lie."""

    alike: int = 5  # the last days of the same kind
    any_kind: int = 7  # the last days where all are alike
    history: int = 70  # days looked back, and days of own errors that make the band


@dataclass(frozen=True, eq=False, slots=True)
class DayTable:
    """A series as one row a local day and one column a slot of the wall clock; NaN is unknown.

    A wall time that a clock change repeats holds the mean of both, one that it skips is unknown.
    """

    values: Floats
    kinds: NDArray[np.int64]  # of each row
    first: int  # ordinal of the first row's date
    step_minutes: int

    @classmethod
    def of(cls, values: Floats, slots: LocalSlots, step_minutes: int) -> "DayTable":
        first, last = int(slots.day[0]), int(slots.day[-1])
        shape = (last - first + 1, 24 * 60 // step_minutes)
        place = (slots.day - first, slots.minute // step_minutes)
        total, count = np.zeros(shape), np.zeros(shape)
        known = ~np.isnan(values)
        where = (place[0][known], place[1][known])
        np.add.at(total, where, values[known])
        np.add.at(count, where, 1.0)
        kinds = np.zeros(shape[0], dtype=np.int64)
        kinds[place[0]] = slots.kind
        with np.errstate(invalid="ignore"):
            return cls(np.where(count > 0, total / count, np.nan), kinds, first, step_minutes)

    def similar(self, before: int, kind: int, depth: Depth, *, alike: bool) -> tuple[Floats, bool]:
        """The mean of the last similar days that lie before a day (an ordinal), slot by slot, each slot from the last
        days that know it; and whether days of other kinds had to help out."""
        rows = self.values[: max(0, before - self.first)][-depth.history :]
        kinds = self.kinds[: max(0, before - self.first)][-depth.history :]
        if alike:
            return last_mean(rows, depth.any_kind), False
        own = last_mean(rows[kinds == kind], depth.alike)
        if not np.isnan(own).any():
            return own, False
        others = last_mean(rows, depth.any_kind)
        return np.where(np.isnan(own), others, own), bool((np.isnan(own) & ~np.isnan(others)).any())


def last_mean(rows: Floats, count: int) -> Floats:
    """The mean of the last `count` known values of each column; NaN where a column knows none."""
    known = ~np.isnan(rows)
    from_the_end = np.cumsum(known[::-1], axis=0)[::-1]
    taken = known & (from_the_end <= count)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(taken, rows, 0.0).sum(axis=0) / taken.sum(axis=0)
    return means


def forecast_similar_days(
    target: Target, past: Past, horizon: Horizon, depth: Depth, *, source: str, flags: tuple[str, ...] = ()
) -> Forecast:
    """The forecast of similar days. Always answers; where nothing at all is known yet, with unknown values, said so."""
    seen = seen_before(past, horizon, depth.history)
    both = Horizon.between(min(seen.horizon.start, horizon.start), horizon.end, horizon.step_minutes)
    closed, unsure = closed_days(past, range(both.start.year - 1, both.end.year + 2))
    slots = local_slots(both, past.zone, closed)
    ahead = slots.cut(both.slots - horizon.slots, both.slots)
    if seen.known.any():
        table = DayTable.of(seen.values, slots.cut(0, seen.horizon.slots), horizon.step_minutes)
        band, notes = from_table(target, table, ahead, depth)
    else:
        band, notes = from_afar(target, past, horizon, depth)
    said = (*flags, *unsure, *notes)
    return banded(
        band, target=target, issued_at=past.known_at, horizon=horizon, unit=past.target.unit, source=source, flags=said
    )


def from_afar(target: Target, past: Past, horizon: Horizon, depth: Depth) -> tuple[Band, list[str]]:
    """The band where nothing is known of the last days: how all spreads that is known of others, or nothing at all."""
    known = past.target.values[past.target.known]
    if not len(known):
        unknown = np.full(horizon.slots, np.nan)
        return Band(unknown, unknown, unknown), [f"nothing is known of {target.value} yet"]
    low, middle, high = (np.full(horizon.slots, each) for each in np.quantile(known, (0.1, 0.5, 0.9)))
    return Band(low, middle, high), [
        f"nothing is known of the last {depth.history} days: all that is known stands there"
    ]


def from_table(target: Target, table: DayTable, ahead: LocalSlots, depth: Depth) -> tuple[Band, list[str]]:
    """The band of similar days from a table in which something is known, and what there is to say about it."""
    alike = target in EVERY_DAY_ALIKE
    middle, helped = by_similar_days(table, ahead, depth, alike=alike)
    notes = shortness(table, helped)
    if np.isnan(middle).any():
        notes.append("some times of day were never measured: the median of all that is known stands there")
        middle = np.where(np.isnan(middle), float(np.nanmedian(table.values)), middle)
    band, thin = error_band(middle, ahead, own_errors(table, depth, alike=alike), table, alike=alike)
    if thin:
        notes.append("too few days for a band from own errors: the band is the spread of what was measured")
    return kept_within(target, band, ahead, table), notes


def seen_before(past: Past, horizon: Horizon, days: int) -> Series:
    """The past that a forecast of a horizon may see: on its step, ending at its start at the latest, so many days."""
    target = at_step(past.target, horizon)
    end = min(target.horizon.end, horizon.start)
    first = max(target.horizon.start, end - days * 24 * 60 // horizon.step_minutes * horizon.step)
    slots = max(0, (end - first) // horizon.step)
    return target.over(Horizon(end - slots * horizon.step, slots, horizon.step_minutes))


def at_step(series: Series, horizon: Horizon) -> Series:
    """A series on the slots of a horizon's step: an hour gives its value to each quarter, quarters make the mean of their
    hour (of those that are known)."""
    step, own = horizon.step_minutes, series.horizon.step_minutes
    apart = int((horizon.start - series.horizon.start).total_seconds() // 60)
    if step == own and apart % step == 0:
        return series
    grain = math.gcd(step, own, apart)
    fine, times = np.repeat(series.values, own // grain), step // grain
    skip = apart // grain % times
    count = max(0, (len(fine) - skip) // times)
    start = series.horizon.start + timedelta(minutes=skip * grain)
    if times == 1:
        return Series(Horizon(start, count, step), fine, series.unit)
    blocks = fine[skip : skip + count * times].reshape(count, times)
    known = ~np.isnan(blocks)
    with np.errstate(invalid="ignore"):
        means = np.where(known, blocks, 0.0).sum(axis=1) / known.sum(axis=1)
    return Series(Horizon(start, count, step), means, series.unit)


def by_similar_days(table: DayTable, ahead: LocalSlots, depth: Depth, *, alike: bool) -> tuple[Floats, bool]:
    """The similar-day mean of each slot ahead, and whether days of other kinds had to help out."""
    middle, helped = np.full(len(ahead.day), np.nan), False
    for day in np.unique(ahead.day):
        here = ahead.day == day
        # A day that has begun is not its own example: its morning says nothing of its evening.
        mean, helped_here = table.similar(int(day), int(ahead.kind[here][0]), depth, alike=alike)
        middle[here] = mean[ahead.minute[here] // table.step_minutes]
        helped |= helped_here
    return middle, helped


def own_errors(table: DayTable, depth: Depth, *, alike: bool, lead_days: int = 1) -> Floats:
    """What came less what similar days would have said, had they been asked on each past day; one row a day."""
    errors = np.full(table.values.shape, np.nan)
    for row in range(1, len(table.values)):
        said, helped = table.similar(table.first + row + 1 - lead_days, int(table.kinds[row]), depth, alike=alike)
        if not helped:
            errors[row] = table.values[row] - said
    return errors


def shortness(table: DayTable, helped: bool) -> list[str]:
    """What a short past is missing, in words."""
    days = int((~np.isnan(table.values)).any(axis=1).sum())
    said = [f"only {days} day{'s' if days > 1 else ''} of history"] if days < 14 else []
    if helped:
        kinds = {DayKind(int(kind)) for kind in table.kinds}
        missing = [kind.words for kind in DayKind if kind not in kinds]
        said.append(f"no {' and no '.join(missing)} measured yet: other days stand in" if missing
                    else "too few days of the same kind at some times: other days stand in")  # fmt: skip
    return said
