"""Export: what the plant is paid for a kWh that it sends out."""

from optimizer.model import Model


def add(model: Model) -> None:
    """− Σ h · export[k] · export price[k]."""
    price = model.problem.export_price
    model.cost("export", model.total((model.export_kw[k], -model.hours * price[k]) for k in model.slots))
