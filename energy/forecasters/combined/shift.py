"""How far the combined middle is to be shifted, so that it is the median of what comes: what its issued errors say of it.

Two things shift it, both drawn towards nothing: what errors had in common with the members' own opinions and with the
level (a member that keeps being right against the others), and what remained at that time of day lately.
"""

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.scale import LEVEL_HALF_LIFE, USUAL_HALF_LIFE, by_hour, faded
from energy.forecasters.combined.told import Told, near_in_day

Floats = NDArray[np.float64]

RIDGE_HOURS = 1000.0
HALF_LIFE = 60.0
ENOUGH_DAYS = 14  # of errors, before anything is shifted
MOST = 3.0  # times the scale: an outlier counts no more
HOURLY_HALF_LIFE = 15.0
HOURLY_SHARE = 0.4  # of what remained at a time of day that is corrected
HOURLY_DAYS = 5.0  # days of errors that draw it to nothing
HOURLY_BELL = 1.0  # hours


def opinions(told: Told, scale: Floats) -> Floats:
    """What each member says against the middle, and how far the middle is from its usual level, in scales."""
    off = told.middle - faded(told, told.middle, LEVEL_HALF_LIFE)
    level = off / (faded(told, np.abs(off), USUAL_HALF_LIFE) + 1e-9)
    against = (told.members - told.middle) / scale
    opinions: Floats = np.clip(np.nan_to_num(np.concatenate([against, level[None]])), -MOST, MOST)
    return opinions


def shift_of(told: Told, scale: Floats) -> Floats:
    """(issues, rows ahead, slots): what is added to the middle."""
    errors = np.clip(told.errors / scale, -MOST, MOST)
    known = ~np.isnan(errors)
    if known.any(axis=(1, 2)).sum() < ENOUGH_DAYS:
        return np.zeros_like(errors)
    x = opinions(told, scale)
    counts = np.broadcast_to(told.recency(HALF_LIFE)[:, None, None], errors.shape)[known] / told.slots_an_hour
    weighed = x[:, known] * counts
    slope = np.linalg.solve(weighed @ x[:, known].T + RIDGE_HOURS * np.eye(len(x)), weighed @ errors[known])
    shift: Floats = np.tensordot(slope, x, 1)
    return (shift + at_time_of_day(told, errors - shift)) * scale


def at_time_of_day(told: Told, errors: Floats) -> Floats:
    """The part of what remains at a time of day that lasts, in scales: (rows ahead, slots)."""
    near = near_in_day(told.slots, told.slots_an_hour, HOURLY_BELL)
    known = ~np.isnan(errors)
    counts = told.recency(HOURLY_HALF_LIFE)[:, None, None] * known
    total = (counts * np.where(known, np.clip(errors, -1.0, 1.0), 0.0)).sum(axis=0) @ near.T
    days = counts.sum(axis=0) @ near.T
    return by_hour(told, HOURLY_SHARE * total / (days + HOURLY_DAYS))
