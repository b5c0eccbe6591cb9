"""Price of moving: leaving the plan in force, an open offer or an accepted shift costs a little; ties move nothing."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] · (move price where s leaves `in_force` (and the price of breaking it, where a planner has accepted
    that place), change price where s leaves `offered`)."""
    for columns, starts in zip(model.start, model.plant.starts, strict=True):
        moves = starts.moving != 0.0
        model.price("moving", columns[moves], starts.moving[moves])
