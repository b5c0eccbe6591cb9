"""Energy price: what an imported kWh costs, all fees in it."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ h · import[k] · import price[k]."""
    price = np.asarray(model.problem.import_price)
    model.price("energy", model.columns_of(model.import_kw), model.hours * price)
