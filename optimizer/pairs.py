"""Rows that keep two jobs in order: what several rules of the plant say of pairs of jobs."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Rows, Starts, Whole

NOTHING: Whole = np.zeros(0, dtype=np.int64)


def keep_apart(model: Model, before: int, after: int, lag: int, *, name: str, unless: Whole = NOTHING) -> None:
    """One job starts at least `lag` slots after the start of another (negative: at most so many before it), unless one of
    some columns is chosen; in each slot k:

    Σ (x[after, s]: s ≤ k)  +  Σ (x[before, s]: s + lag > k)  −  Σ unless  ≤ 1

    Two jobs that are given in the wrong order may stay so together: then each counts one half. Not so where something
    may come between them: as given nothing is wrong between these two.
    """
    one, other = model.plant.starts[before], model.plant.starts[after]
    if not len(one) or not len(other):
        return  # one of the two is left out
    given_one, given_other = model.plant.given[before], model.plant.given[after]
    wrong = given_other.slot < given_one.slot + lag and not len(unless)
    last = min(int(other.slot.max()), int(one.slot.max()) + lag - 1)
    k = np.arange(int(other.slot.min()), last + 1)[:, None]
    row_a, a = np.nonzero(one.slot + lag > k)
    row_b, b = np.nonzero(other.slot <= k)
    row_c = np.repeat(np.arange(len(k)), len(unless))
    model.rows(
        np.concatenate([row_a, row_b, row_c]),
        np.concatenate([model.start[before][a], model.start[after][b], np.tile(unless, len(k))]),
        np.concatenate([_weight(one, wrong)[a], _weight(other, wrong)[b], np.full(len(row_c), -1.0)]),
        upper=1.0,
        name=name,
        count=len(k),
    )


def _weight(starts: Starts, half: bool) -> Rows:
    return np.where(starts.given & half, 0.5, 1.0)
