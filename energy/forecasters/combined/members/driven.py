"""What drivers move: the part of each day that weather and the like explain, beyond the usual of its time of day."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.known import mean

Floats = NDArray[np.float64]

FEW = 8  # values: a driver that takes no more of them is a plan (shifts, a type of day), not a quantity
PART_HOURS = 2  # of the day that share one slope a driver
LATE_DAYS = 90  # that slopes are learned from
LEAST_SCALE = 0.05  # of a driver's whole spread: what varies less at a time of day (the sun at night) says little
MOST_SCALES = 4.0  # no slope is told further out than that
DAMPING = 0.02  # of the ridge, as a share of the rows


def is_plan(values: Floats) -> bool:
    """Whether a driver takes few values."""
    known = values[~np.isnan(values)]
    return bool(len(known)) and len(np.unique(known[: FEW * 500])) <= FEW and len(np.unique(known)) <= FEW


def quantities(days: Days) -> Mapping[str, Floats]:
    return {name: values for name, values in days.drivers.items() if not is_plan(values)}


def driven_part(days: Days, issue: int, first: int, rows: Floats) -> Floats:
    """What drivers move in each cell of the rows from `first` to the end of what is forecast at an issue: slopes by
    part of the day, from the rows before the issue. Zero where there are no such drivers, or where one is unknown.

    `days` has no other drivers than quantities; `rows` are the values of the days from `first` to the issue.
    """
    end = min(issue + days.ahead, days.rows)
    moved = np.zeros((end - first, days.slots))
    drivers = [values[first:end] for values in days.drivers.values()]
    if not drivers or len(rows) < 10:
        return moved
    known_rows = len(rows)
    late = slice(max(0, known_rows - LATE_DAYS), known_rows)
    parts = max(1, PART_HOURS * 60 // days.step_minutes)
    kinds = days.kind[first:issue]
    usual = apart_by_kind(rows, kinds)
    around = [driver - mean(driver[late], axis=0) for driver in drivers]
    sizes = [spread_of(driver[late]) for driver in drivers]
    for start in range(0, days.slots, parts):
        here = slice(start, start + parts)
        x = np.stack([each[:, here] / size for each, size in zip(around, sizes, strict=True)], axis=-1)
        moved[:, here] = slopes_times(x, usual[:, here], late)
    return moved


def apart_by_kind(rows: Floats, kinds: NDArray[np.int64]) -> Floats:
    """Each cell less the mean of its kind of day at that time."""
    apart = np.full(rows.shape, np.nan)
    for kind in np.unique(kinds):
        here = kinds == kind
        own = np.where(here, rows, np.nan)
        apart = np.where(here, rows - mean(own, axis=0), apart)
    return apart


def slopes_times(x: Floats, y: Floats, late: slice) -> Floats:
    """The ridge of `y` on `x` (rows, slots, drivers) over the late rows, told for all rows of `x`."""
    flat, target = x[late].reshape(-1, x.shape[-1]), y[late].ravel()
    known = ~(np.isnan(flat).any(axis=1) | np.isnan(target))
    if known.sum() < 10 * x.shape[-1]:
        return np.zeros(x.shape[:2])
    scale = np.maximum(flat[known].std(axis=0), LEAST_SCALE)
    a, b = flat[known] / scale, target[known]
    slopes = np.linalg.solve(a.T @ a + DAMPING * len(a) * np.eye(a.shape[1]), a.T @ b)
    told: Floats = np.clip(np.nan_to_num(x / scale), -MOST_SCALES, MOST_SCALES) @ slopes
    return told


def spread_of(driver: Floats) -> float:
    known = driver[~np.isnan(driver)]
    return max(float(known.std()), 1e-12) if len(known) else 1e-12
