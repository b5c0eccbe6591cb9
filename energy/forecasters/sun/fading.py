"""What it gives just now says something of the next hours: the last error of a forecast, carried on and fading away."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAST_HOURS = 1.0  # of which the error is the mean


def with_last_error(told: Floats, said_before: Floats, came: Floats, issues: Sequence[int], *, hours: float) -> Floats:
    """`told` (issues, rows ahead, slots) and what is known of its error before each issue, e times less after `hours`.

    `said_before` (issues, 1, slots) is what would have been told of the row before each issue, had it been asked then;
    its error is the mean of the last hour.
    """
    slots = came.shape[1]
    last = max(1, round(LAST_HOURS * slots / 24))
    lead = np.arange(told.shape[1] * slots).reshape(told.shape[1], slots) * 24.0 / slots
    fading = np.exp(-(lead + 0.5 * LAST_HOURS) / hours)
    put = told.copy()
    for place, issue in enumerate(issues):
        errors = came[issue - 1, -last:] - said_before[place, 0, -last:]
        known = errors[~np.isnan(errors)]
        if issue > 1 and len(known):
            put[place] += float(known.mean()) * fading
    return put
