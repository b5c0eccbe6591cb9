"""Energy price: what an imported kWh costs, all fees in it."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ h · import[k] · import price[k]."""
    price = model.problem.import_price
    model.cost("energy", model.total((model.import_kw[k], model.hours * price[k]) for k in model.slots))
