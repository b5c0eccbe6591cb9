"""Carbon price: what the plant itself puts on a kg CO2e of its import."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """carbon price · Σ h · import[k] · kg CO2e per kWh[k]."""
    per_kg = model.problem.carbon_price_per_kg * model.hours
    if per_kg:
        kg = np.asarray(model.problem.carbon_kg_per_kwh)
        model.price("carbon", model.columns_of(model.import_kw), per_kg * kg)
