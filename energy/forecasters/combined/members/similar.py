"""The mean of the last days of the same kind, slot by slot; for what the sun and the wind make, of all last days."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.similar import EVERY_DAY_ALIKE, Depth, last_mean

Floats = NDArray[np.float64]


class SimilarDays:
    name = "similar"
    least_days = 3

    def __init__(self, depth: Depth | None = None) -> None:
        self._depth = depth or Depth()

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        alike = days.target in EVERY_DAY_ALIKE
        for place, issue in enumerate(issues):
            seen = days.y[max(0, issue - self._depth.history) : issue]
            kinds = days.kind[max(0, issue - self._depth.history) : issue]
            for ahead in range(min(days.ahead, days.rows - issue)):
                kind = days.kind[issue + ahead]
                own = seen if alike else np.where(kinds == kind[None, :], seen, np.nan)
                mean = last_mean(own, self._depth.any_kind if alike else self._depth.alike)
                others = last_mean(seen, self._depth.any_kind)
                said[place, ahead] = np.where(np.isnan(mean), others, mean)
        return said
