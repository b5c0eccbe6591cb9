"""What a fine day gives at each time of day: a high quantile of the days around, smoothed over neighbouring slots."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FINE = 0.9  # a day in ten is finer than this


def envelope(values: Floats, *, smooth: float, quantile: float = FINE) -> Floats:
    """(slots): of days (days, slots); NaN where no day knows a slot. `smooth` is in slots."""
    known = ~np.isnan(values).all(axis=0)
    high = np.full(values.shape[1], np.nan)
    if known.any():
        high[known] = np.nanquantile(values[:, known], quantile, axis=0)
    return blurred(high, smooth)


def blurred(values: Floats, smooth: float) -> Floats:
    """Values along the last axis drawn together by a bell of so many slots; unknown ones say nothing and stay unknown."""
    if smooth <= 0:
        return values
    reach = max(1, round(3 * smooth))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / smooth) ** 2)
    known = ~np.isnan(values)
    flat = np.where(known, values, 0.0).reshape(-1, values.shape[-1])
    there = known.reshape(flat.shape).astype(np.float64)
    total = np.array([np.convolve(row, bell)[reach:-reach] for row in flat])
    weight = np.array([np.convolve(row, bell)[reach:-reach] for row in there])
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn: Floats = np.where(known, (total / weight).reshape(values.shape), np.nan)
    return drawn
