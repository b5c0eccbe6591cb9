"""Tiers: a part of the price of import by its amount."""

from energy.model.problem import Tier
from optimizer.model import Model


def add(model: Model) -> None:
    """beyond = max(0, Σ h · import[k] − room), room = above − so far (at least 0);  cost: extra per kWh · beyond

    Where more costs more (extra > 0) it is enough that beyond ≥ Σ h · import − room. Where more costs less, a program
    would choose beyond as large as it may, so that it must be told whether the edge is passed (b is 0 or 1):

    beyond ≤ most · b          beyond ≤ Σ h · import − room + room · (1 − b)
    """
    for tier in model.problem.tiers:
        if tier.extra_per_kwh:
            _tier(model, tier)


def _tier(model: Model, tier: Tier) -> None:
    name, hours = f"tier {tier.name}", model.hours
    room_kwh = max(0.0, tier.above_kwh - tier.so_far_kwh)
    if room_kwh == 0.0:
        model.cost(name, model.total((kw, hours * tier.extra_per_kwh) for kw in model.import_kw))
        return
    most_kwh = float(model.most_import_kw.sum()) * hours - room_kwh
    if most_kwh <= 0.0:
        return
    imported = model.total((kw, hours) for kw in model.import_kw)
    if tier.extra_per_kwh > 0.0:
        beyond = model.variable()
        model.require(beyond - imported >= -room_kwh, f"{name} counts from {room_kwh:g} kWh on")
    else:
        beyond, passed = model.variable(0.0, most_kwh), model.variable(0.0, 1.0, whole=True)
        model.require(beyond - most_kwh * passed <= 0.0, f"{name} is reached")
        model.require(beyond - imported + room_kwh * passed <= 0.0, f"{name} counts from {room_kwh:g} kWh on")
    model.cost(name, tier.extra_per_kwh * beyond)
