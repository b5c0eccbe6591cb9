"""Is the risk of a plan what it says? Each scenario of the problem reckoned again, one slot at a time.

Scenarios that were drawn from bands cannot be drawn here without the same generator: of those only what must hold for
any draw is looked at.
"""

from collections.abc import Iterator
from dataclasses import replace

from energy.model.plan import Plan, Risk, Violation
from energy.model.problem import DemandWindow, Problem, Scenario
from energy.model.site import BatteryRule
from energy.planning.check_bill import expected_lines, near

FINEST = 1e-6  # kW


def check_risk(problem: Problem, plan: Plan) -> list[Violation]:
    """The risk that a plan states, if any."""
    return [] if plan.risk is None else list(_differences(problem, plan, plan.risk))


def _differences(problem: Problem, plan: Plan, risk: Risk) -> Iterator[Violation]:
    bands = (problem.base_load_band, problem.pv_band, problem.import_price_band)
    if not problem.scenarios and all(band is None for band in bands):
        yield _say("the plan states a risk, but nothing in the problem is uncertain")
        return
    if not risk.cost_p10 <= risk.cost_p50 <= risk.cost_p90:
        yield _say(f"P10, P50 and P90 ({risk.cost_p10:g}, {risk.cost_p50:g}, {risk.cost_p90:g}) are not in their order")
    if [peak.window for peak in risk.peaks] != [window.name for window in problem.demand]:
        yield _say("the peaks at risk are not those of the demand windows")
        return
    for window, peak in zip(problem.demand, risk.peaks, strict=True):
        start = max(window.so_far_kw, window.target_kw, window.least_billed_kw)
        if not near(peak.above_kw, start) or not 0.0 <= peak.chance <= 1.0:
            yield _say(f"{window.name}: {peak.chance:g} above {peak.above_kw:g} kW; its peak starts from {start:g} kW")
    if problem.scenarios:
        yield from _scenarios(problem, plan, risk)
    elif risk.scenarios < 1:
        yield _say("the risk rests on no scenario")


def _scenarios(problem: Problem, plan: Plan, risk: Risk) -> Iterator[Violation]:
    if risk.scenarios != len(problem.scenarios):
        yield _say(f"the risk rests on {risk.scenarios} scenarios; the problem has {len(problem.scenarios)}")
    costs: list[tuple[float, float]] = []
    broken = [0.0] * len(problem.demand)
    weight = 0.0
    for scenario in problem.scenarios:
        as_it_comes, comes = _comes(problem, plan, scenario)
        lines = expected_lines(as_it_comes, comes, as_is_chain=False)
        costs.append((sum(line.amount for line in lines.values()), scenario.weight))
        weight += scenario.weight
        for i, window in enumerate(problem.demand):
            if _highest(window, comes) > risk.peaks[i].above_kw + FINEST:
                broken[i] += scenario.weight
    costs.sort()
    for name, share, said in (("P10", 0.1, risk.cost_p10), ("P50", 0.5, risk.cost_p50), ("P90", 0.9, risk.cost_p90)):
        is_ = _quantile(costs, share * weight)
        if not near(said, is_):
            yield _say(f"{name} of the cost says {said:.6f} {problem.currency}; it is {is_:.6f}", abs(said - is_))
    for i, window in enumerate(problem.demand):
        chance = broken[i] / weight
        if not near(risk.peaks[i].chance, chance):
            what = f"the chance to break the peak of {window.name} says {risk.peaks[i].chance:g}; it is {chance:g}"
            yield _say(what, abs(risk.peaks[i].chance - chance))


def _comes(problem: Problem, plan: Plan, scenario: Scenario) -> tuple[Problem, Plan]:
    """Problem and plan as they are where a scenario comes true: what is not ours to steer answers it."""
    base, pv = scenario.base_load_kw or problem.base_load_kw, scenario.pv_kw or problem.pv_kw
    battery, hours = problem.battery, problem.step_hours
    own = battery is not None and battery.rule is BatteryRule.SELF_CONSUMPTION
    stored = battery.start_kwh if battery is not None else 0.0
    charge, discharge = list(plan.charge_kw), list(plan.discharge_kw)
    imported, exported = [], []
    for k in range(problem.slots):
        changed = (base[k] - problem.base_load_kw[k]) - (pv[k] - problem.pv_kw[k])
        curtailed = min(plan.curtailed_kw[k], pv[k])
        before = plan.import_kw[k] - plan.export_kw[k] - plan.charge_kw[k] + plan.discharge_kw[k]
        before += changed + curtailed - plan.curtailed_kw[k]
        if battery is not None and own:
            room = (battery.capacity_kwh - stored) / battery.charge_efficiency / hours
            left = (stored - battery.min_kwh) * battery.discharge_efficiency / hours
            charge[k] = max(0.0, min(-before, battery.charge_kw, room))
            discharge[k] = max(0.0, min(before, battery.discharge_kw, left))
            stored += (charge[k] * battery.charge_efficiency - discharge[k] / battery.discharge_efficiency) * hours
        net = before + charge[k] - discharge[k]
        if problem.curtailable and -net > problem.export_limit_kw:
            net += min(-net - problem.export_limit_kw, pv[k] - curtailed)
        imported.append(max(0.0, net))
        exported.append(max(0.0, -net))
    as_it_comes = replace(
        problem,
        import_price=scenario.import_price or problem.import_price,
        demand=tuple(replace(window, guard=None) for window in problem.demand),
    )
    comes = replace(
        plan,
        charge_kw=tuple(charge),
        discharge_kw=tuple(discharge),
        import_kw=tuple(imported),
        export_kw=tuple(exported),
    )
    return as_it_comes, comes


def _highest(window: DemandWindow, plan: Plan) -> float:
    highest = 0.0
    for first in range(0, len(window.slots), window.interval_slots):
        interval = window.slots[first : first + window.interval_slots]
        highest = max(highest, sum(plan.import_kw[k] for k in interval) / len(interval))
    return highest


def _quantile(costs: list[tuple[float, float]], weight: float) -> float:
    """The least cost up to which so much weight lies; costs in rising order."""
    reached = 0.0
    for cost, each in costs:
        reached += each
        if reached >= weight * (1 - 1e-9):
            return cost
    return costs[-1][0]


def _say(what: str, size: float = 1.0) -> Violation:
    return Violation(rule="risk", subject="risk", slot=None, what=what, size=size)
