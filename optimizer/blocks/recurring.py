"""Recurring jobs: from one start to the next not too little and not too much time goes by."""

import numpy as np

from energy.model.problem import Recurring
from optimizer.model import Model
from optimizer.pairs import keep_apart


def add(model: Model) -> None:
    """start[next] − start[one] ≥ least        start[next] − start[one] ≤ most

    for each two of the jobs in their order that have only optional ones between them, if none of those is done.
    """
    for rule in model.problem.recurring:
        rows = [model.plant.job_row[id] for id in rule.jobs]
        for first in range(len(rows)):
            for then in range(first + 1, len(rows)):
                _apart(model, rule, rows[first], rows[first + 1 : then], rows[then])
                if not model.plant.optional[rows[then]]:
                    break


def _apart(model: Model, rule: Recurring, one: int, between: list[int], other: int) -> None:
    name = f"{rule.name}: {model.problem.jobs[other].id} after {model.problem.jobs[one].id}"
    done = np.concatenate([np.zeros(0, dtype=np.int64), *(model.start[row] for row in between)])
    keep_apart(model, one, other, rule.least_slots, name=name, unless=done)
    if rule.most_slots is not None:
        keep_apart(model, other, one, -rule.most_slots, name=name, unless=done)
