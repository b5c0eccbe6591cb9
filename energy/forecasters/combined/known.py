"""Means, deviations and medians of what is known."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mean(values: Floats, axis: int) -> Floats:
    """The mean of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)
    return found


def deviation(rows: Floats) -> Floats:
    """The standard deviation of each column over what is known, NaN where nothing is."""
    return np.sqrt(mean(np.square(rows - mean(rows, axis=0)), axis=0))


def median(rows: Floats) -> Floats:
    """The median of each column over what is known, NaN where nothing is."""
    known = (~np.isnan(rows)).sum(axis=0)
    ordered = np.sort(rows, axis=0)  # NaN last
    columns = np.arange(rows.shape[1])
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    found: Floats = (ordered[low, columns] + ordered[np.minimum(high, len(rows) - 1), columns]) / 2
    return np.where(known > 0, found, np.nan)
