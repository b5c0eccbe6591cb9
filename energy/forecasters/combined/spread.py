"""Bands: quantiles around the combined middle, from what its issued forecasts erred.

Errors are measured in the scale of their cell (`scale`), pooled by hour and kind of day (`pools`), read off at each
level and put back into the scale of the day ahead, around a middle that is shifted to the median (`shift`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.adapt import wider
from energy.forecasters.combined.book import reach
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.pools import RECENT_HALF_LIFE, pools, quantiles
from energy.forecasters.combined.scale import scale_of
from energy.forecasters.combined.shift import shift_of
from energy.forecasters.combined.told import Told
from energy.forecasters.limits import NET_SHARE, NIGHT_DAYS, NIGHT_SHARE
from energy.model.forecast import LEVELS, Target

Floats = NDArray[np.float64]

CHANGE_DAYS = 28  # of which the changes from day to day say how far off a first forecast may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What differs between targets."""

    other_kinds: float = 0.5  # what an error on another kind of day counts
    neighbours: int = 3  # hours on each side that err alike
    bell_hours: float = 0.5  # over which the size of errors is averaged


HABITS = {Target.BASE_LOAD: Habit(other_kinds=0.2, neighbours=0, bell_hours=0.15), Target.PV: Habit(other_kinds=1.0)}


def quantiles_of(days: Days, told: Told) -> Floats:
    """(levels, rows ahead, slots a day): the quantiles of the rows ahead at each of `LEVELS`."""
    habit = HABITS.get(days.target, Habit())
    rows = np.minimum(told.issues[:, None] + np.arange(told.ahead)[None, :], days.rows - 1)
    drivers = [values[rows] for values in days.drivers.values()]
    scale = scale_of(
        told, drivers, prior=change_by_day(days), other_kinds=habit.other_kinds, bell_hours=habit.bell_hours
    )
    shift = shift_of(told, scale)
    standard = (told.errors - shift) / scale
    added = np.zeros((len(LEVELS), told.ahead, told.slots))
    for ahead in range(told.ahead):
        for pool in pools(told, standard, ahead, neighbours=habit.neighbours):
            kind = told.kind[:, ahead, pool.slots.start]
            by_issue = told.recency(RECENT_HALF_LIFE) * np.where(kind == kind[-1], 1.0, habit.other_kinds)
            added[:, ahead, pool.slots] = quantiles(pool, by_issue)[:, None]
    middle = told.middle[-1] + shift[-1]
    return within_limits(days, np.sort(middle + added * (scale[-1] * wider(told)), axis=0))


def change_by_day(days: Days) -> Floats:
    """(slots): the mean change from a day to the next at each time of day: how far off a forecast may be before any
    error of it is known. With one day of history it is what that day strays from its own mean."""
    seen = days.y[max(0, days.issue - CHANGE_DAYS) : days.issue]
    changes = np.abs(np.diff(seen, axis=0))
    known = ~np.isnan(changes)
    if not known.any():
        strays = np.abs(seen - np.nanmean(seen))
        return np.full(days.slots, float(np.nanmean(strays)))
    of_all = float(changes[known].mean())
    by_slot: Floats = (np.where(known, changes, 0.0).sum(axis=0) + 2.0 * of_all) / (known.sum(axis=0) + 2.0)
    return by_slot


def within_limits(days: Days, quantiles: Floats) -> Floats:
    """Quantiles (levels, rows ahead, slots a day) within what can be: no load or carbon below zero, no sun at night and
    no more than the roof ever gave. Prices may be negative, and a net load too; but nothing runs away."""
    known = days.y[~np.isnan(days.y)]
    quantiles = np.clip(quantiles, np.median(known) - reach(days), np.median(known) + reach(days))
    if days.target is Target.PRICE:
        return quantiles
    if days.target is not Target.BASE_LOAD or (known < 0).mean() <= NET_SHARE:
        quantiles = np.maximum(quantiles, 0.0)
    if days.target is Target.PV:
        rows = days.y[max(0, days.issue - NIGHT_DAYS) : days.issue]
        lit = np.where(np.isnan(rows), 0.0, rows).max(axis=0) > NIGHT_SHARE * max(0.0, float(known.max()))
        night = ~np.isnan(rows).all(axis=0) & ~lit
        quantiles = np.minimum(np.where(night, 0.0, quantiles), float(known.max()))
    return quantiles
