"""Export: what the plant is paid for a kWh that it sends out."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """− Σ h · export[k] · export price[k]."""
    price = np.asarray(model.problem.export_price)
    model.price("export", model.columns_of(model.export_kw), -model.hours * price)
