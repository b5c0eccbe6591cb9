"""Battery: what it takes in, gives back and keeps."""

from typing import Any

import numpy as np

from energy.model.problem import ProblemBattery
from energy.model.site import BatteryRule
from optimizer.model import Model
from optimizer.reckoning import own_rule

ROUNDING = 1e-6  # kWh


def add(model: Model) -> None:
    """Stored energy follows charge and discharge, within the limits of power and energy.

    stored[k] = stored[k−1] + h · (charge[k] · η_in − discharge[k] / η_out)     min ≤ stored ≤ capacity
    cost: wear · Σ h · discharge + end value · (agreed end − stored at the end)

    A planned battery ends with at least the agreed energy (missing kWh are loudly priced) and never charges and
    discharges at once where burning energy would pay.

    A self-consumption battery is not ours to steer; `_own_rule` says how the model stands to it.
    """
    battery = model.problem.battery
    if battery is None:
        return
    if battery.rule is BatteryRule.SELF_CONSUMPTION:
        _own_rule(model, battery)
    else:
        _planned(model, battery)


def _planned(model: Model, battery: ProblemBattery) -> None:
    stored: Any = battery.start_kwh
    burning_pays = _burning_pays(model)
    for k in model.slots:
        model.charge_kw[k] = model.variable(0.0, battery.charge_kw)
        model.discharge_kw[k] = model.variable(0.0, battery.discharge_kw)
        least, most = min(battery.min_kwh, battery.start_kwh), max(battery.capacity_kwh, battery.start_kwh)
        stored = _keeps(model, battery, k, stored, model.variable(least, most))
        model.stored_kwh.append(stored)
        if burning_pays[k]:
            _one_way(model, battery, k)
    missing = model.variable(0.0)
    model.require(stored + missing >= battery.end_kwh, "stored at the end")
    model.cost("missing at the end", model.loud_per_kwh * missing)
    _costs(model, battery, stored)


def _own_rule(model: Model, battery: ProblemBattery) -> None:
    """The plant's own controller: charge from what would be exported, discharge whenever the site would import.

    Relaxed to what a linear program can say. It charges at most what PV exceeds base load by, the site exports no more
    than that, and in each slot it stores no more than it would without any job, and no less than it would if every job
    ran in every slot that it could (the rule stores less where the site draws more). Every schedule of the real rule is
    allowed here, so the bound holds; a plan's real cost comes from simulating the rule.

    Once a good plan is known, its simulated schedule may be taken as given (`plant.own_schedule`): plans found that way
    are simulated again, and prove no bound.
    """
    if model.plant.own_schedule is not None:
        charge_kw, discharge_kw = model.plant.own_schedule
        model.charge_kw = [float(kw) for kw in charge_kw]
        model.discharge_kw = [float(kw) for kw in discharge_kw]
        return
    least_kwh, most_kwh = _reach(model, battery)
    stored: Any = battery.start_kwh
    for k in model.slots:
        surplus_kw = max(0.0, model.problem.pv_kw[k] - model.problem.base_load_kw[k])
        model.export_most_kw[k] = surplus_kw
        model.charge_kw[k] = model.variable(0.0, min(battery.charge_kw, surplus_kw))
        model.discharge_kw[k] = model.variable(0.0, battery.discharge_kw)
        stored = _keeps(model, battery, k, stored, model.variable(least_kwh[k] - ROUNDING, most_kwh[k] + ROUNDING))
    _costs(model, battery, stored)


def _reach(model: Model, battery: ProblemBattery) -> tuple[list[float], list[float]]:
    """The least and the most that the rule may have stored after each slot, whatever the jobs do."""
    problem, hours = model.problem, model.hours
    before = np.asarray(problem.base_load_kw) - np.asarray(problem.pv_kw)
    heaviest = before + model.most_load_kw + [model.extra_most_kw(k) for k in model.slots]
    if problem.curtailable:
        heaviest = heaviest + np.asarray(problem.pv_kw)
    charge, discharge = own_rule(battery, np.vstack([heaviest, before]), hours)
    change = hours * (charge * battery.charge_efficiency - discharge / battery.discharge_efficiency)
    stored = battery.start_kwh + np.cumsum(change, axis=1)
    return stored[0].tolist(), stored[1].tolist()


def _keeps(model: Model, battery: ProblemBattery, k: int, before: Any, after: Any) -> Any:
    """Stored energy from one slot to the next."""
    into, out = model.hours * battery.charge_efficiency, model.hours / battery.discharge_efficiency
    flows = into * model.charge_kw[k] - out * model.discharge_kw[k]
    model.require(after == before + flows, f"stored after slot {k}")
    return after


def _costs(model: Model, battery: ProblemBattery, stored: Any) -> None:
    wear = battery.wear_per_kwh * model.hours
    if wear:
        model.cost("wear", model.total((kw, wear) for kw in model.discharge_kw))
    model.cost("stored", battery.end_value_per_kwh * (battery.end_kwh - stored))


def _burning_pays(model: Model) -> list[bool]:
    """The slots in which energy may be worth less than nothing."""
    problem = model.problem
    worth = np.minimum(model.least_taking, problem.export_price)
    too_much = np.asarray(problem.pv_kw) - np.asarray(problem.base_load_kw) > problem.export_limit_kw
    pays: list[bool] = ((worth <= 0.0) | too_much).tolist()
    return pays


def _one_way(model: Model, battery: ProblemBattery, k: int) -> None:
    charging = model.variable(0.0, 1.0, whole=True)
    model.require(model.charge_kw[k] <= battery.charge_kw * charging, f"charges in slot {k}")
    model.require(
        model.discharge_kw[k] + battery.discharge_kw * charging <= battery.discharge_kw, f"discharges in slot {k}"
    )
