"""Interrupted runs: each time a run goes on after a pause costs something."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] · restarts of the way that s runs · restart cost.

    A run that may pause has a start for each pattern of pauses (see `optimizer.ways`), which holds its machine and crew
    only while it works; so nothing else is to be said of it here.
    """
    for columns, starts in zip(model.start, model.plant.starts, strict=True):
        paid = starts.restarts != 0.0
        model.price("restarts", columns[paid], starts.restarts[paid])
