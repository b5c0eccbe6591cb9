"""Precedence: a job starts only so long after another has ended, and not too long after."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Mask, Rows, Starts, Whole


def add(model: Model) -> None:
    """For B after A with at least `least` and at most `most` slots between, in each slot k:

    Σ (x[B, s]: s ≤ k)  +  Σ (x[A, s]: end of A + least > k)  ≤ 1       not too early
    Σ (x[B, s]: s > k)  +  Σ (x[A, s]: end of A + most ≤ k)   ≤ 1       not too late

    Two jobs that production gave in the wrong order may stay so together: then each counts one half.
    """
    plant = model.plant
    for after, before, least, most in plant.order:
        a, b = plant.starts[before], plant.starts[after]
        if not len(a) or not len(b):
            continue  # one of the two is left out
        given_a, given_b = plant.given[before], plant.given[after]
        first, last = int(b.slot.min()), int(b.slot.max())
        name = f"{model.problem.jobs[after].id} after {model.problem.jobs[before].id}"
        wrong = given_a.end + least > given_b.slot
        k = np.arange(first, min(last, int(a.end.max()) + least - 1) + 1)[:, None]
        early = (before, a.end + least > k, _weight(a, wrong)), (after, b.slot <= k, _weight(b, wrong))
        _at_most_one(model, k, early, f"{name}, not before slot {{}}", 1)
        if most is not None:
            wrong = given_b.slot > given_a.end + most
            k = np.arange(int(a.end.min()) + most, last)[:, None]
            late = (before, a.end + most <= k, _weight(a, wrong)), (after, b.slot > k, _weight(b, wrong))
            _at_most_one(model, k, late, f"{name}, at the latest in slot {{}}", 0)


def _at_most_one(model: Model, k: Whole, parts: tuple[tuple[int, Mask, Rows], ...], name: str, shown: int) -> None:
    """One row for each k: of these starts of two jobs at most one."""
    rows, columns, weights = [], [], []
    for job, counts, weight in parts:
        row, start = np.nonzero(counts)
        rows.append(row)
        columns.append(model.start[job][start])
        weights.append(weight[start])
    row, column, weight = np.concatenate(rows), np.concatenate(columns), np.concatenate(weights)
    model.rows(row, column, weight, upper=1.0, name=lambda row: name.format(int(k[row, 0]) + shown), count=len(k))


def _weight(starts: Starts, half: bool) -> Rows:
    return np.where(starts.given & half, 0.5, 1.0)
