"""Labour: people cost a premium at night, on Sundays and holidays, for those whom jobs need then."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ x[job, s] · Σ people · h · premium[k] over the slots k in which the run needs them."""
    for columns, starts in zip(model.start, model.plant.starts, strict=True):
        paid = starts.labour != 0.0
        model.price("labour", columns[paid], starts.labour[paid])
