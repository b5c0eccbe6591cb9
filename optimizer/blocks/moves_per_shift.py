"""Moves per crew shift: a crew is asked to bear only so many moved jobs."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] over starts that move a job out of or into the shift ≤ its greatest number of moves."""
    if not model.start:
        return
    for shift in model.problem.shifts:
        if shift.max_moves is None:
            continue
        moved = np.concatenate(
            [columns[model.plant.moves_in(row, shift.start, shift.end)] for row, columns in enumerate(model.start)]
        )
        if len(moved) > shift.max_moves:
            name = f"moves in {shift.name}"
            model.rows(np.zeros(len(moved)), moved, 1.0, upper=float(shift.max_moves), name=name, count=1)
