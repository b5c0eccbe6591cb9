"""Moves per crew shift: a crew is asked to bear only so many moved jobs."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] over starts that move a job out of or into the shift ≤ its greatest number of moves."""
    for shift in model.problem.shifts:
        if shift.max_moves is None:
            continue
        moved = [
            (x, 1.0)
            for row, starts in enumerate(model.plant.starts)
            for x, start in zip(model.start[row], starts, strict=True)
            if model.plant.moves_in(row, start, shift.start, shift.end)
        ]
        if len(moved) > shift.max_moves:
            model.require(model.total(moved) <= shift.max_moves, f"moves in {shift.name}")
