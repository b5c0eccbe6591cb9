"""Lateness: a job should end by its due time, and each hour later costs."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] · late per hour · hours from due to the end. Ending by `must_end` is hard: later starts do not exist.

    A job that stays where a fact forbids it (machine closed, material late) costs a loud price here too.
    """
    for variables, starts in zip(model.start, model.plant.starts, strict=True):
        late = [(x, s.late + s.broken) for x, s in zip(variables, starts, strict=True) if s.late or s.broken]
        if late:
            model.cost("late", model.total(late))
