"""Carbon price: what the plant itself puts on a kg CO2e of its import."""

from optimizer.model import Model


def add(model: Model) -> None:
    """carbon price · Σ h · import[k] · kg CO2e per kWh[k]."""
    per_kg = model.problem.carbon_price_per_kg * model.hours
    if per_kg:
        kg = model.problem.carbon_kg_per_kwh
        model.cost("carbon", model.total((model.import_kw[k], per_kg * kg[k]) for k in model.slots))
