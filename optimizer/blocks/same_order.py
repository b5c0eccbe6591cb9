"""Same order: pieces pass all stages in one order, none overtakes another."""

import numpy as np

from energy.model.problem import SameOrder
from optimizer.model import Model
from optimizer.starts import Whole


def add(model: Model) -> None:
    """For each two pieces one is first at every stage:  start[a, stage] ≤ start[b, stage] + M · (1 − first)   and
    start[b, stage] ≤ start[a, stage] + M · first,  with M as large as the starts need it.

    A job that is left out is in nobody's way. Two jobs that are given out of order may stay so together.
    """
    for same in model.problem.same_order:
        for i in range(len(same.pieces)):
            for j in range(i + 1, len(same.pieces)):
                _pair(model, same, i, j)


def _pair(model: Model, same: SameOrder, i: int, j: int) -> None:
    first = model.columns(1, 0.0, 1.0, whole=True)
    stages = [
        (model.plant.job_row[a], model.plant.job_row[b]) for a, b in zip(same.pieces[i], same.pieces[j], strict=True)
    ]
    given = [(model.plant.given[a].slot, model.plant.given[b].slot) for a, b in stages]
    swapped = any(a < b for a, b in given) and any(a > b for a, b in given)
    name = f"{same.name}: {same.pieces[i][0]} and {same.pieces[j][0]}"
    for a, b in stages:
        kept = _both_given(model, a, b) if swapped else np.zeros(0, dtype=np.int64)
        _not_after(model, a, b, first, kept, first_counts=True, name=name)
        _not_after(model, b, a, first, kept, first_counts=False, name=name)


def _not_after(model: Model, one: int, other: int, first: Whole, kept: Whole, *, first_counts: bool, name: str) -> None:
    """start[one] − start[other] ≤ M · (1 − first)  (or M · first)  + M · (1 − Σ x[other]) + M · kept."""
    a, b = model.plant.starts[one], model.plant.starts[other]
    if not len(a) or not len(b):
        return
    most = float(max(0, int(a.slot.max()) - int(b.slot.min())))
    if not most:
        return
    sign = 1.0 if first_counts else -1.0
    columns = np.concatenate([model.start[one], model.start[other], first, kept])
    base = float(b.slot.min())
    factors = np.concatenate([a.slot - base, most - (b.slot - base), [sign * most], np.full(len(kept), -most)])
    upper = most + (most if first_counts else 0.0)
    model.rows(np.zeros(len(columns)), columns, factors, upper=upper, name=name, count=1)


def _both_given(model: Model, a: int, b: int) -> Whole:
    """A column that is at most one, and only where two jobs both keep their given start."""
    both = model.columns(1, 0.0, 1.0)
    for row in (a, b):
        starts = model.plant.starts[row]
        columns = np.concatenate([both, model.start[row][starts.given]])
        factors = np.concatenate([[1.0], np.full(len(columns) - 1, -1.0)])
        model.rows(np.zeros(len(columns)), columns, factors, upper=0.0, name="given out of order", count=1)
    return both
