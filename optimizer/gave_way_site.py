"""Which promises of the site had to give: levels of stores, reserves and the end of the battery, the carbon limit."""

from collections.abc import Iterator

import numpy as np

from energy.clock import local
from energy.model.plan import GaveWay, Plan
from energy.model.problem import Problem
from optimizer.reckoning import LOUD_PER_KWH
from optimizer.site_rules import ROUNDED, SEEN, end_lack_kwh, lack, reserve_lack, store_lack
from optimizer.starts import Rows


def site_gave_way(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    """What gave way, by how much, at what price."""
    yield from _stores(problem, plan)
    yield from _battery(problem, plan)
    over_kg = _over_kg(problem, plan)
    if over_kg and problem.carbon_limit_kg is not None:
        by = f"{over_kg:.1f} kg above {problem.carbon_limit_kg:.1f} kg"
        yield GaveWay(rule="the carbon limit", by=by, price=LOUD_PER_KWH * over_kg)


def site_lack(problem: Problem, plan: Plan) -> float:
    """All of it in units of the loud price."""
    stores = {row.store: np.asarray(row.power_kw) for row in plan.stores}
    charge, discharge = np.asarray(plan.charge_kw), np.asarray(plan.discharge_kw)
    return lack(problem, stores, charge, discharge) + _over_kg(problem, plan)


def _stores(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    rows = {row.store: row.power_kw for row in plan.stores}
    for store in problem.stores:
        lacks = store_lack(problem, store, rows.get(store.id, store.as_is_kw))
        name, loud = store.name or store.id, LOUD_PER_KWH / store.level_per_kwh
        for row, word, limit in ((lacks.short, "below", store.least), (lacks.excess, "above", store.most)):
            if row.any():
                by = f"up to {row.max():.4g} {store.unit} {word} {limit:g} {_span(problem, row)}"
                price = loud * problem.step_hours * float(row.sum())
                yield GaveWay(rule=f"the level of {name}", by=by, price=price)
        if lacks.missing:
            by = f"{lacks.missing:.4g} {store.unit} less than {store.end:g}"
            yield GaveWay(rule=f"the level of {name} at the end", by=by, price=loud * lacks.missing)


def _battery(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    battery = problem.battery
    if battery is None:
        return
    charge, discharge = np.asarray(plan.charge_kw), np.asarray(plan.discharge_kw)
    for row, unit in zip(reserve_lack(problem, charge, discharge), ("kWh", "kW"), strict=True):
        if row.any():
            worst = int(np.argmax(row))
            asked = [
                r.name for r in battery.reserves if r.start - 1 <= worst < r.end and (r.kwh if unit == "kWh" else r.kw)
            ]
            by = f"up to {row.max():.4g} {unit} short {_span(problem, row)}"
            price = LOUD_PER_KWH * problem.step_hours * float(row.sum())
            yield GaveWay(rule=f"the reserve for {' and '.join(asked)}", by=by, price=price)
    missing = end_lack_kwh(problem, charge, discharge)
    if missing:
        by = f"{missing:.4g} kWh less than {battery.end_kwh:g}"
        yield GaveWay(rule="the energy in the battery at the end", by=by, price=LOUD_PER_KWH * missing)


def _over_kg(problem: Problem, plan: Plan) -> float:
    limit_kg = problem.carbon_limit_kg
    if limit_kg is None:
        return 0.0
    over = plan.bill.carbon_kg - limit_kg
    return over if over > max(SEEN, ROUNDED * limit_kg) else 0.0


def _span(problem: Problem, row: Rows) -> str:
    lacking = np.flatnonzero(row)
    first, last = int(lacking[0]), int(lacking[-1])
    begins = local(problem.horizon.time_of(first), problem.zone)
    ends = local(problem.horizon.time_of(last + 1), problem.zone)
    return f"from {begins:%a %H:%M} to {ends:%a %H:%M}"
