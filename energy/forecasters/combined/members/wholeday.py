"""What a whole day is told from: all slots of the days before, the drivers of the day and of days before, the weekday.

Prices are standardised by the median and the median deviation of the days that are learned from, and their peaks drawn
in by asinh, so that one winter's spikes do not decide what an ordinary day looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.days import DayKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAGS = (1, 2, 3, 7)
DRIVER_LAGS = (1, 7)
LEVEL_DAYS = 7
REACH = 8  # rows before a row that its description reaches back to
LEAST_ROWS = 20  # days to learn from
KNOWN_SHARE = 0.75  # of a day, from which on it is learned from
GAUSS = 1.4826  # the deviation of a bell curve over its median absolute deviation


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """How values are brought to one scale, and back."""

    middle: float
    spread: float

    @classmethod
    def of(cls, values: Floats) -> "Standard":
        known = values[~np.isnan(values)]
        if not len(known):
            raise MemberError("nothing is known of the past")
        middle = float(np.median(known))
        spread = GAUSS * float(np.median(np.abs(known - middle))) or float(np.std(known))
        return cls(middle=middle, spread=spread if spread > 1e-9 * max(1.0, abs(middle)) else 1.0)

    def scaled(self, values: Floats) -> Floats:
        drawn: Floats = np.arcsinh((values - self.middle) / self.spread)
        return drawn

    def back(self, scaled: Floats, *, at_most: float = 8.0) -> Floats:
        """In the unit again. Beyond `at_most`, which is 1500 spreads, a model does not know what it says."""
        unit: Floats = np.sinh(np.clip(scaled, -at_most, at_most)) * self.spread + self.middle
        return unit


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Described:
    """Days as blocks of columns, each block one thing (yesterday's prices, today's wind …), and the level they had."""

    blocks: tuple[Floats, ...]  # each (rows, columns)
    level: Floats  # (rows, 1) mean of the last week, on the standard scale


def described(days: Days, drivers: Sequence[str], standard: Standard, rows: Ints) -> Described:
    """What is known of each row before it begins. `rows` follow one another."""
    first = max(0, int(rows[0]) - REACH)
    here = rows - first
    z = standard.scaled(filled(days.y[first : int(rows[-1]) + 1]))
    level = np.stack([z[here - lag].mean(axis=1) for lag in range(1, LEVEL_DAYS + 1)]).mean(axis=0)[:, None]
    blocks = [z[here - lag] for lag in LAGS]
    for name in drivers:
        values = filled(days.drivers[name][first : int(rows[-1]) + 1])
        blocks += [values[here], *(values[here] - values[here - lag] for lag in DRIVER_LAGS)]
    return Described(blocks=(*blocks, weekdays(days, rows)), level=level)


def weekdays(days: Days, rows: Ints) -> Floats:
    """(rows, 7): the weekday as one of seven; a holiday is a Sunday."""
    weekday = np.where(days.kind[rows, 0] == DayKind.CLOSED, 6, days.weekday[rows, 0])
    return np.eye(7)[weekday]


def learned_rows(days: Days, drivers: Sequence[str], most: int) -> tuple[Ints, Ints]:
    """The rows that are described, and which of them are learned from: days known well enough, drivers included."""
    rows = np.arange(max(REACH, days.issue - most), days.issue)
    known = ~np.isnan(days.y)
    good = known[rows].mean(axis=1) >= KNOWN_SHARE if len(rows) else np.zeros(0, dtype=bool)
    for name in drivers:
        good &= (~np.isnan(days.drivers[name][rows])).mean(axis=1) >= KNOWN_SHARE
    if good.sum() < LEAST_ROWS:
        raise MemberError(f"{int(good.sum())} whole days to learn from, {LEAST_ROWS} needed")
    return rows, np.flatnonzero(good)


def useful_drivers(days: Days, drivers: Sequence[str], most: int) -> tuple[str, ...]:
    """The drivers that are known on at least half of the days that could be learned from."""
    rows = slice(max(0, days.issue - most), days.issue)
    return tuple(name for name in drivers if (~np.isnan(days.drivers[name][rows])).mean() >= 0.5)


def filled(values: Floats) -> Floats:
    """Values without gaps: the same slot of the day before, else of the day after, else the middle of what is known."""
    if not np.isnan(values).any():
        return values
    forth = carried(values)
    both = np.where(np.isnan(forth), carried(forth[::-1])[::-1], forth)
    known = values[~np.isnan(values)]
    return np.where(np.isnan(both), np.median(known) if len(known) else 0.0, both)


def carried(values: Floats) -> Floats:
    """Each gap filled with the last known value above it."""
    place = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    found: Floats = np.take_along_axis(values, np.maximum.accumulate(place, axis=0), axis=0)
    return found
