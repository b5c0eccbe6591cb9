"""What the meter of a plan says and costs in every scenario at once: rows of scenarios × slots.

The same rules as `energy.planning.risk` keeps for one scenario after the other; here only the money that differs from
scenario to scenario, so that the gain of one plan over another is known in each of them within milliseconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.plan import Plan
from energy.model.problem import DemandWindow, Problem, ProblemBattery
from energy.model.site import BatteryRule
from energy.planning.price_site import by_amount_of
from energy.planning.risk import Paths

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """Import and export (kW), and what the battery costs besides, in every scenario."""

    import_kw: Floats
    export_kw: Floats
    battery: Floats


def money_in_each(problem: Problem, plan: Plan, paths: Paths) -> Floats:
    """What is paid in each scenario, less what is the same in all: energy, export, demand, tiers, reductions, battery."""
    rows = metered_in_each(problem, plan, paths)
    hours = problem.step_hours
    paid = (rows.import_kw * paths.import_price - rows.export_kw * np.asarray(problem.export_price)).sum(axis=1) * hours
    for window in problem.demand:
        paid = paid + _demand(window, rows.import_kw)
    if problem.tiers or problem.reductions:
        paid = paid + np.array([by_amount_of(problem, row) for row in rows.import_kw])
    return np.asarray(paid + rows.battery, dtype=np.float64)


def metered_in_each(problem: Problem, plan: Plan, paths: Paths) -> Metered:
    """What the meter says in each scenario, the jobs and what is dispatched as planned."""
    charge, discharge, curtailed = (np.asarray(row) for row in (plan.charge_kw, plan.discharge_kw, plan.curtailed_kw))
    net = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
    plant = net - charge + discharge - curtailed - np.asarray(problem.base_load_kw) + np.asarray(problem.pv_kw)
    still = np.minimum(curtailed, paths.pv_kw)
    before = paths.base_load_kw + plant - paths.pv_kw + still
    costs = np.zeros(len(before))
    if problem.battery is not None and problem.battery.rule is BatteryRule.SELF_CONSUMPTION:
        draws, costs = _own_battery(problem.battery, before, problem.step_hours)
        net_kw = before + draws
    else:
        net_kw = before + charge - discharge
    if problem.curtailable:
        net_kw = net_kw + np.minimum(np.maximum(-net_kw - problem.export_limit_kw, 0.0), paths.pv_kw - still)
    return Metered(import_kw=np.maximum(net_kw, 0.0), export_kw=np.maximum(-net_kw, 0.0), battery=costs)


def _own_battery(battery: ProblemBattery, before_kw: Floats, hours: float) -> tuple[Floats, Floats]:
    """(charge less discharge in each slot, wear and missing energy at the end) of a battery that follows its own rule."""
    stored = np.full(len(before_kw), battery.start_kwh)
    draws, discharged = np.empty_like(before_kw), np.zeros(len(before_kw))
    for k in range(before_kw.shape[1]):
        room = np.maximum(battery.capacity_kwh - stored, 0.0) / (battery.charge_efficiency * hours)
        left = np.maximum(stored - battery.min_kwh, 0.0) * battery.discharge_efficiency / hours
        charge = np.minimum(np.minimum(np.maximum(-before_kw[:, k], 0.0), battery.charge_kw), room)
        out = np.minimum(np.minimum(np.maximum(before_kw[:, k], 0.0), battery.discharge_kw), left)
        stored = stored + (charge * battery.charge_efficiency - out / battery.discharge_efficiency) * hours
        draws[:, k], discharged = charge - out, discharged + out * hours
    return draws, discharged * battery.wear_per_kwh + (battery.end_kwh - stored) * battery.end_value_per_kwh


def _demand(window: DemandWindow, import_kw: Floats) -> Floats:
    """What a demand charge costs in each scenario, as it is metered."""
    if not window.slots:
        return np.zeros(len(import_kw))
    intervals = import_kw[:, list(window.slots)].reshape(len(import_kw), -1, window.interval_slots)
    peaks = intervals.mean(axis=2).max(axis=1)
    amount = window.per_kw * np.maximum(0.0, peaks - window.floor_kw)
    if window.ratchet is not None:
        above = np.maximum(0.0, peaks - max(window.floor_kw, window.ratchet.highest_kw))
        amount = amount + window.ratchet.per_kw * above
    return np.asarray(amount, dtype=np.float64)
