"""Bands: quantiles around the combined middle, from what its issued forecasts erred at that time of day."""

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.limits import NET_SHARE, NIGHT_DAYS, NIGHT_SHARE
from energy.model.forecast import LEVELS, Target

Floats = NDArray[np.float64]


def spread_of(days: Days, middle: Floats, errors: Floats) -> Floats:
    """(levels, rows ahead, slots a day): what is added to the middle at each of `LEVELS`.

    `errors` (issues, rows ahead, slots a day) are what came less what the combined forecast said, oldest first.
    """
    added = np.zeros((len(LEVELS), *middle.shape))
    hours = days.minute // 60
    for ahead in range(middle.shape[0]):
        for hour in np.unique(hours):
            here = hours == hour
            pool = errors[:, ahead, here]
            pool = pool[~np.isnan(pool)]
            if len(pool):
                added[:, ahead, here] = np.quantile(pool, LEVELS)[:, None]
    return added


def within_limits(days: Days, quantiles: Floats) -> Floats:
    """Quantiles (levels, rows ahead, slots a day) within what can be: no load or carbon below zero, no sun at night and
    no more than the roof ever gave. Prices may be negative, and a net load too."""
    if days.target is Target.PRICE:
        return quantiles
    known = days.y[~np.isnan(days.y)]
    if days.target is not Target.BASE_LOAD or (known < 0).mean() <= NET_SHARE:
        quantiles = np.maximum(quantiles, 0.0)
    if days.target is Target.PV:
        rows = days.y[max(0, days.issue - NIGHT_DAYS) : days.issue]
        lit = np.where(np.isnan(rows), 0.0, rows).max(axis=0) > NIGHT_SHARE * max(0.0, float(known.max()))
        night = ~np.isnan(rows).all(axis=0) & ~lit
        quantiles = np.minimum(np.where(night, 0.0, quantiles), float(known.max()))
    return quantiles
