"""Carbon limit: what the import of the whole horizon may emit."""

from optimizer.model import Model


def add(model: Model) -> None:
    """Σ h · import[k] · kg CO2e per kWh[k] ≤ limit + over; over has the price of a mandatory limit, a kg like a kWh."""
    limit_kg = model.problem.carbon_limit_kg
    if limit_kg is None:
        return
    kg = model.problem.carbon_kg_per_kwh
    over_kg = model.variable()
    emitted = model.total((model.import_kw[k], model.hours * kg[k]) for k in model.slots)
    model.require(emitted - over_kg <= limit_kg, "carbon limit")
    model.cost("beyond the carbon limit", model.loud_per_kwh * over_kg)
