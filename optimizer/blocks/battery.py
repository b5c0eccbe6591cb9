"""Battery: what it takes in, gives back and keeps."""

from typing import Any

from energy.model.problem import ProblemBattery
from energy.model.site import BatteryRule
from optimizer.model import Model


def add(model: Model) -> None:
    """Stored energy follows charge and discharge, within the limits of power and energy.

    stored[k] = stored[k−1] + h · (charge[k] · η_in − discharge[k] / η_out)     min ≤ stored ≤ capacity
    cost: wear · Σ h · discharge + end value · (agreed end − stored at the end)

    A planned battery ends with at least the agreed energy (missing kWh are loudly priced) and never charges and
    discharges at once where burning energy would pay.

    A self-consumption battery is not ours to steer. The model relaxes its rule: it charges at most what PV exceeds base
    load by, and the site exports no more than that, so that what it discharges is used inside. Every schedule of the
    real rule is allowed here, so the bound holds; the plan's real cost comes from simulating the rule afterwards.
    """
    battery = model.problem.battery
    if battery is None:
        return
    own_rule = battery.rule is BatteryRule.SELF_CONSUMPTION
    stored: Any = battery.start_kwh
    for k in model.slots:
        surplus_kw = max(0.0, model.problem.pv_kw[k] - model.problem.base_load_kw[k])
        charge = model.variable(0.0, min(battery.charge_kw, surplus_kw) if own_rule else battery.charge_kw)
        discharge = model.variable(0.0, battery.discharge_kw)
        model.charge_kw[k], model.discharge_kw[k] = charge, discharge
        after = model.variable(min(battery.min_kwh, battery.start_kwh), max(battery.capacity_kwh, battery.start_kwh))
        into, out = model.hours * battery.charge_efficiency, model.hours / battery.discharge_efficiency
        model.require(after == stored + into * charge - out * discharge, f"stored after slot {k}")
        stored = after
        if own_rule:
            model.export_most_kw[k] = surplus_kw
        elif _burning_pays(model, k):
            _one_way(model, battery, k)
    if model.problem.slots:
        _end(model, battery, stored, own_rule)


def _burning_pays(model: Model, k: int) -> bool:
    problem = model.problem
    taking = problem.import_price[k] + problem.carbon_price_per_kg * problem.carbon_kg_per_kwh[k]
    too_much = problem.pv_kw[k] - problem.base_load_kw[k] > problem.export_limit_kw
    return min(taking, problem.export_price[k]) <= 0.0 or too_much


def _one_way(model: Model, battery: ProblemBattery, k: int) -> None:
    charging = model.variable(0.0, 1.0, whole=True)
    model.require(model.charge_kw[k] <= battery.charge_kw * charging, f"charges in slot {k}")
    model.require(
        model.discharge_kw[k] + battery.discharge_kw * charging <= battery.discharge_kw, f"discharges in slot {k}"
    )


def _end(model: Model, battery: ProblemBattery, stored: Any, own_rule: bool) -> None:
    if not own_rule:
        missing = model.variable(0.0)
        model.require(stored + missing >= battery.end_kwh, "stored at the end")
        model.cost("missing at the end", model.loud_per_kwh * missing)
    for k in model.slots:
        if battery.wear_per_kwh:
            model.cost("wear", battery.wear_per_kwh * model.hours * model.discharge_kw[k])
    model.cost("stored", battery.end_value_per_kwh * (battery.end_kwh - stored))
