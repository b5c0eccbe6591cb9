"""Machines: one job at a time."""

from collections import defaultdict
from typing import Any

from optimizer.model import Model


def add(model: Model) -> None:
    """In each slot a machine runs at most one job.

    Σ (x[job, s] whose run holds slot k on the machine) ≤ 1

    Closed slots are no start of anybody (see `optimizer.plant`). A slot that production has double-booked takes nobody
    new, and those given there may stay.
    """
    runs: dict[tuple[int, int], list[tuple[Any, float]]] = defaultdict(list)
    for variables, starts in zip(model.start, model.plant.starts, strict=True):
        for x, start in zip(variables, starts, strict=True):
            row = model.plant.machine_row[start.option.machine]
            for slot in range(max(0, start.slot), min(start.end, model.plant.slots)):
                runs[row, slot].append((x, 1.0))
    for (row, slot), terms in runs.items():
        if len(terms) > 1 and not model.plant.machine_overfull[row, slot]:
            model.require(model.total(terms) <= 1, f"{model.problem.machines[row].id} runs one job in slot {slot}")
