"""What one day's carbon intensity is told from: the mix that is forecast, how such forecasts erred, the days before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.carbon.mix import intensity, shares, sources
from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_SHARE = 0.02  # of the median: intensities are told by their logarithm, and none is nothing
FIRST = 8  # rows before it have no week behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How the intensity of a series stands to that of its mix, and what counts as none."""

    least: float  # in the unit of the series
    apart: float  # logarithm of the intensity less that of the mix; the unit is in it, and how factors differ

    @classmethod
    def of(cls, y: Floats, drivers: Mapping[str, Floats]) -> "Level":
        known = y[~np.isnan(y)]
        least = max(LEAST_SHARE * float(np.median(known)), 1e-9) if len(known) else 1e-9
        grams = intensity(drivers)
        if grams is None:
            return cls(least=least, apart=0.0)
        apart = np.log(np.maximum(y, least)) - np.log(np.maximum(grams, 1.0))
        both = apart[~np.isnan(apart)]
        return cls(least=least, apart=float(np.median(both)) if len(both) else 0.0)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Told:
    """Logarithms, (rows, slots): of the intensity as it was, gaps as the day before, and of what the mix would have."""

    came: Floats
    mix: Floats | None
    drivers: Mapping[str, Floats]

    @classmethod
    def of(cls, y: Floats, drivers: Mapping[str, Floats], level: Level) -> "Told":
        grams = intensity(drivers)
        mix = None if grams is None else np.log(np.maximum(grams, 1.0)) + level.apart
        return cls(came=with_gaps_filled(np.log(np.maximum(y, level.least))), mix=mix, drivers=drivers)

    @classmethod
    def late(cls, days: Days, row: int, names: Sequence[str], level: Level) -> "Told":
        """Of the last rows alone, the one that is asked for being the last: what one day is told from."""
        last = slice(max(0, row - FIRST), row + 1)
        return cls.of(days.y[last], {name: days.drivers[name][last] for name in names}, level)

    def base(self, rows: Ints) -> Floats:
        """What a model tells deviations from: the mix, or the mean of the week before."""
        if self.mix is not None:
            return self.mix[rows]
        week: Floats = np.mean([self.came[rows - day] for day in range(1, 8)], axis=0)
        return week

    def columns(self, rows: Ints) -> Floats:
        """(rows, slots, columns): what is known of each cell before its day begins."""
        made = [*self.of_the_days_before(rows), *self.of_the_mix(rows)]
        of_sources = sources(self.drivers)
        for name, values in shares(self.drivers).items():
            made += [values[rows], values[rows] - values[rows - 1]] if name in of_sources else []
        if of_sources:
            made.append(np.log(np.maximum(sum(np.maximum(self.drivers[name][rows], 0.0) for name in of_sources), 1.0)))
        for name, values in self.drivers.items():
            if name not in of_sources or self.mix is None:
                made += [values[rows], day_mean(values[rows])]
        shape = (len(rows), self.came.shape[1])
        return np.stack([np.broadcast_to(each, shape) for each in made], axis=-1)

    def of_the_days_before(self, rows: Ints) -> list[Floats]:
        y = self.came
        before = y[rows - 1]
        week = np.mean([y[rows - day] for day in range(1, 8)], axis=0)
        return [before, before[:, -1:], day_mean(before), y[rows - 2], y[rows - 7], week]

    def of_the_mix(self, rows: Ints) -> list[Floats]:
        if self.mix is None:
            return []
        mix, erred = self.mix, self.came - self.mix
        here, last = mix[rows], erred[rows - 1]
        beside = [here[:, np.clip(np.arange(here.shape[1]) + by, 0, here.shape[1] - 1)] for by in (-2, 2)]
        ends = [last[:, -hours:].mean(axis=1, keepdims=True) for hours in (1, 4, 12)]
        return [here, day_mean(here), *beside, last, day_mean(last), *ends, day_mean(erred[rows - 2]),
                day_mean(erred[rows - 7])]  # fmt: skip


def day_mean(values: Floats) -> Floats:
    mean: Floats = values.mean(axis=1, keepdims=True)
    return mean


def with_gaps_filled(values: Floats) -> Floats:
    """Each gap as the last day that knows that time; nothing is filled from later."""
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], 0), axis=0)
    filled: Floats = np.take_along_axis(values, last, axis=0)
    return filled
