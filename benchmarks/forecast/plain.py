"""Plain conformal bands: what the bands of the combined forecast are held against.

Around the same middle, at each hour of the day, stand the quantiles of the errors of the last 60 issued forecasts at that
hour, at the conformal level of so many days (k = a (n + 1) of n sorted errors). Nothing else: no kind of day, no adapting, no
scale. Scored are the days that have at least 20 before them, for both bands alike.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.answers import Answer
from energy.forecasters.score import coverage, crps, percentiles_of

Floats = NDArray[np.float64]

WINDOW, FEWEST = 60, 20  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The score of plain bands and of the issued ones on the same days."""

    plain_crps: float
    own_crps: float
    plain_coverage: float
    days: int

    @property
    def lead(self) -> float:
        """By how much the CRPS is smaller, as a share."""
        return 1 - self.own_crps / self.plain_crps


def compared(answer: Answer) -> Compared:
    """Plain bands around the middle of a back-test beside its own."""
    middle, came, levels = answer.middle, answer.came, answer.levels
    told = plain(middle, came, answer.hours, levels)
    days = slice(FEWEST, None)
    y = came[days].ravel()
    low, high = (told[levels.index(level), days].ravel() for level in (0.1, 0.9))
    return Compared(
        plain_crps=crps(percentiles_of(levels, told[:, days].reshape(len(levels), -1)), y),
        own_crps=crps(percentiles_of(levels, answer.quantiles[:, days].reshape(len(levels), -1)), y),
        plain_coverage=coverage(low, high, y),
        days=max(0, len(came) - FEWEST),
    )


def plain(middle: Floats, came: Floats, hours: NDArray[np.int64], levels: tuple[float, ...]) -> Floats:
    """(levels, days, slots): plain conformal quantiles; NaN on days with too few before them."""
    errors = came - middle
    told = np.full((len(levels), *middle.shape), np.nan)
    for day in range(FEWEST, len(middle)):
        past = errors[max(0, day - WINDOW) : day]
        for hour in np.unique(hours):
            here = hours == hour
            pool = past[:, here]
            pool = pool[~np.isnan(pool)]
            if len(pool):
                days = len(past)
                at = [min(1.0, max(0.0, (level * (days + 1) - 0.5) / days)) for level in levels]
                told[:, day, here] = middle[day, here] + np.quantile(pool, at, method="hazen")[:, None]
    return told
