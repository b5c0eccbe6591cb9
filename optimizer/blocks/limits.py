"""Limits: what the plant has promised or been told to import at most."""

from optimizer.model import Model


def add(model: Model) -> None:
    """import[k] ≤ limit + over[k]; cost: penalty · Σ h · over[k].

    A mandatory limit has the loudest price of all instead of a penalty, so that there is a plan also on the worst day.
    """
    for limit in model.problem.limits:
        per_kwh = model.loud_per_kwh if limit.penalty_per_kwh is None else limit.penalty_per_kwh
        for k in range(max(0, limit.start), min(limit.end, model.plant.slots)):
            over = model.variable()
            model.require(model.import_kw[k] - over <= limit.limit_kw, f"{limit.name} in slot {k}")
            model.cost(f"limit {limit.name}", per_kwh * model.hours * over)
