"""Lateness: a job should end by its due time, and each hour later costs."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] · late per hour · hours from due to the end. Ending by `must_end` is hard: later starts do not exist.

    A job that stays where a fact forbids it (machine closed, material late) costs a loud price here too.
    """
    for columns, starts in zip(model.start, model.plant.starts, strict=True):
        late = starts.late + starts.broken
        model.price("late", columns[late != 0.0], late[late != 0.0])
