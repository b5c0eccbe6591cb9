"""Optional jobs: one that is not worth its cost is left out, and its value is lost."""

from optimizer.model import Model


def add(model: Model) -> None:
    """(value + price of leaving its place) · (1 − Σ_s x[job, s])."""
    for columns, job, price in zip(model.start, model.problem.jobs, model.plant.left_out_price.tolist(), strict=True):
        if job.value is not None:
            model.cost("left out", price)
            model.price("left out", columns, -price)
