"""What came when it looked like this: the weighted median of past cells whose weather, time of day and date are near.

A plant is not asked for its size, its tilt or its shading: all of that is in what it gave under such a sky. The median,
not the mean, since it has the least absolute error and does not mind an odd day; and no more than was ever given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Feature:
    """One thing in which cells may be near: `examples` (rows, slots) as it was, `asked` (issues, rows ahead, slots) as it
    was known at each issue. Two cells a `width` apart, times the asked cell's `scale`, count one standard deviation."""

    examples: Floats
    asked: Floats
    width: float
    scale: Floats | None = None  # of the shape of `asked`


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How far examples may lie in time."""

    hours: float  # of the day, one standard deviation
    days: float  # back, one standard deviation
    most_days: int = 100


def median_of_like(
    came: Floats, features: Sequence[Feature], issues: Sequence[int], ahead: int, nearness: Nearness
) -> Floats:
    """(issues, rows ahead, slots): for each cell the weighted median of what came (rows, slots; NaN is no example) in
    rows before the issue. NaN where a feature of the cell is unknown, or where there is no example."""
    rows, slots = came.shape
    told = np.full((len(issues), ahead, slots), np.nan)
    reach = max(1, round(2 * nearness.hours * slots / 24))
    around = np.arange(-reach, reach + 1)
    days = np.arange(max(0, min(issues) - nearness.most_days), max(issues))
    issue = np.repeat(np.asarray(issues), ahead)
    asked_row = issue + np.tile(np.arange(ahead), len(issues))
    for slot in range(slots):
        cells = (days[:, None] * slots + slot + around[None, :]).ravel()
        hours = np.tile(around * 24.0 / slots, len(days))
        usable = (cells >= 0) & (cells < max(issues) * slots)
        cells, hours = cells[usable], hours[usable]
        usable = ~np.isnan(came.ravel()[cells])
        for feature in features:
            usable &= ~np.isnan(feature.examples.ravel()[cells])
        cells, hours = cells[usable], hours[usable]
        if not len(cells):
            continue
        order = np.argsort(came.ravel()[cells], kind="stable")
        cells, hours = cells[order], hours[order]
        back = np.maximum(asked_row[:, None] - cells[None, :] // slots, 0)
        far = (hours[None, :] / nearness.hours) ** 2 + (back / nearness.days) ** 2
        for feature in features:
            far += apart(feature, cells, slot)
        before = cells[None, :] < issue[:, None] * slots
        told[:, :, slot] = weighted_median(came.ravel()[cells], far, before).reshape(len(issues), ahead)
    told[(asked_row >= rows).reshape(len(issues), ahead)] = np.nan
    return told


def apart(feature: Feature, cells: Ints, slot: int) -> Floats:
    """(asked, examples): how far apart, squared, in standard deviations; NaN where the asked one is unknown."""
    asked = feature.asked[:, :, slot].ravel()
    by = 1.0 / feature.width if feature.scale is None else feature.scale[:, :, slot].ravel()[:, None] / feature.width
    far: Floats = ((feature.examples.ravel()[cells][None, :] - asked[:, None]) * by) ** 2
    return far


def weighted_median(rising: Floats, far: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """The median of rising values for each row of distances; the nearer, the heavier, by a bell."""
    far = np.where(allowed, far, np.inf)
    nearest = far.min(axis=1, keepdims=True)
    there = np.isfinite(nearest[:, 0])
    weight = np.exp(-0.5 * (far - np.where(np.isfinite(nearest), nearest, 0.0)))
    summed = np.cumsum(weight, axis=1)
    place = (summed < 0.5 * summed[:, -1:]).sum(axis=1)
    median: Floats = np.where(there, rising[np.minimum(place, len(rising) - 1)], np.nan)
    return median


def as_known(
    driver: Floats, view: Callable[[Floats], Floats], issues: Sequence[int], ahead: int
) -> tuple[Floats, Floats]:
    """A view of a driver (smoothed, moved) as examples have it, and as it was at each issue, when the driver was known
    no further than over the rows ahead: (rows, slots) and (issues, rows ahead, slots)."""
    rows, slots = driver.shape
    asked = np.full((len(issues), ahead, slots), np.nan)
    for place, issue in enumerate(issues):
        first, end = max(0, issue - 2), min(rows, issue + ahead)
        asked[place, : end - issue] = view(driver[first:end])[issue - first :]
    return view(driver[: max(issues)]), asked
