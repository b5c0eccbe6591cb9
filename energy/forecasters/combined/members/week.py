"""The copy of last week: the same wall time seven days before, or a whole number of weeks where that is not known yet."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]


class WeekBefore:
    name = "week"
    least_days = 7

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        for place, issue in enumerate(issues):
            for ahead in range(days.ahead):
                row = issue + ahead - 7 * (ahead // 7 + 1)
                if row >= 0:
                    said[place, ahead] = days.y[row]
        return said
