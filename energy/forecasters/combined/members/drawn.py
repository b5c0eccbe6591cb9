"""A Prophet for each hour, on prices whose peaks are drawn in: one winter's spikes would bend its lines for years."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import NotItsKindError
from energy.forecasters.combined.members.hourly import Hourly
from energy.forecasters.combined.members.wholeday import Standard

Floats = NDArray[np.float64]

SCALE_DAYS = 728  # of which the middle and the spread are taken


class HourlyPrices:
    name = "hourly_prices"
    least_days = Hourly.least_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        """The last issue on the scale of today, those before it on that of the first of them."""
        if hardly_changes(days):
            raise NotItsKindError("each day is as the day before: the noise that a Prophet measures itself by is none")
        earlier = list(issues[:-1])
        parts = [drawn_in(days, earlier)] if earlier else []
        return np.concatenate([*parts, drawn_in(days, [days.issue])])


def hardly_changes(days: Days) -> bool:
    """Whether most prices are those of the day before, to the last digit."""
    seen = days.y[max(0, days.issue - SCALE_DAYS) : days.issue]
    change = np.abs(np.diff(seen, axis=0))
    change = change[~np.isnan(change)]
    return len(change) > 0 and float(np.median(change)) <= 1e-9 * float(np.nanmax(np.abs(seen)))


def drawn_in(days: Days, issues: Sequence[int]) -> Floats:
    standard = Standard.of(days.y[max(0, issues[0] - SCALE_DAYS) : issues[0]])
    seen = days.as_of(issues[-1])
    told = Hourly().forecast(replace(seen, y=standard.scaled(seen.y)), issues)
    said = np.full((len(issues), days.ahead, days.slots), np.nan)
    said[:, : told.shape[1]] = standard.back(told)
    return said
