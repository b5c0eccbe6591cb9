"""Can the site do that? Rows, balance, grid connection, limits and battery, recomputed slot by slot."""

from collections.abc import Iterator, Sequence
from math import isfinite

from energy.model.plan import Plan, Violation
from energy.model.problem import Problem, ProblemBattery
from energy.model.site import BatteryRule
from energy.planning.check_load import before_battery_kw
from energy.planning.check_stores import check_reserves, check_store_rows, check_stores
from energy.planning.check_words import SLACK, over, slots_over, when

ROWS = ("charge_kw", "discharge_kw", "import_kw", "export_kw", "curtailed_kw")


def check_rows(problem: Problem, plan: Plan) -> list[Violation]:
    """Every row has one finite value of at least 0 for each slot."""
    found = []
    for name in ROWS:
        row: tuple[float, ...] = getattr(plan, name)
        if len(row) != problem.slots:
            what = f"{name} has {len(row)} values; the horizon has {problem.slots} slots"
            found.append(Violation(rule="rows", subject=name, slot=None, what=what, size=abs(len(row) - problem.slots)))
            continue
        for k, value in enumerate(row):
            if not isfinite(value) or value < -SLACK:
                what = f"{name} is {value:g} kW {when(problem, k)}"
                found.append(Violation(rule="rows", subject=name, slot=k, what=what, size=1.0))
                break
    return found + check_store_rows(problem, plan)


def check_site(problem: Problem, plan: Plan) -> list[Violation]:
    """The rules of the grid connection, the battery and the PV plant, slot by slot."""
    before_kw = before_battery_kw(problem, plan)
    return [
        *_balance(problem, plan, before_kw),
        *_connection(problem, plan),
        *_mandatory(problem, plan),
        *_curtailment(problem, plan),
        *_battery(problem, plan, before_kw),
        *check_reserves(problem, plan),
        *check_stores(problem, plan),
        *_carbon(problem, plan),
    ]


def _balance(problem: Problem, plan: Plan, before_kw: Sequence[float]) -> Iterator[Violation]:
    off, both = [], []
    for k in range(problem.slots):
        said = plan.import_kw[k] - plan.export_kw[k]
        is_ = before_kw[k] + plan.charge_kw[k] - plan.discharge_kw[k]
        off.append(over(abs(said - is_), 0.0))
        both.append(over(min(plan.import_kw[k], plan.export_kw[k]), 0.0))
    yield from slots_over(problem, "balance", "site", off, "the plan's import − export is not what the site does")
    yield from slots_over(problem, "both ways", "site", both, "the site imports and exports at once")


def _connection(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for name, row, limit in (
        ("import", plan.import_kw, problem.import_limit_kw),
        ("export", plan.export_kw, problem.export_limit_kw),
    ):
        above = [over(kw, limit) for kw in row]
        yield from slots_over(problem, f"{name} limit", "grid connection", above, f"{name} is above {limit:g} kW")


def _mandatory(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for limit in problem.limits:
        if limit.penalty_per_kwh is None:
            above = [
                over(kw, limit.limit_kw) if limit.start <= k < limit.end else 0.0 for k, kw in enumerate(plan.import_kw)
            ]
            said = f"import is above the {limit.limit_kw:g} kW of {limit.name}"
            yield from slots_over(problem, "mandatory limit", limit.name, above, said)


def _carbon(problem: Problem, plan: Plan) -> Iterator[Violation]:
    if problem.carbon_limit_kg is None:
        return
    kg = 0.0
    for k in range(problem.slots):
        kg += plan.import_kw[k] * problem.step_hours * problem.carbon_kg_per_kwh[k]
    beyond = kg - problem.carbon_limit_kg
    if beyond > max(SLACK, 1e-6 * problem.carbon_limit_kg):
        what = f"the import emits {kg:.1f} kg CO2e; {problem.carbon_limit_kg:.1f} kg are allowed"
        yield Violation(rule="carbon limit", subject="site", slot=None, what=what, size=beyond, unit="kg")


def _curtailment(problem: Problem, plan: Plan) -> Iterator[Violation]:
    if not problem.curtailable:
        above = [over(kw, 0.0) for kw in plan.curtailed_kw]
        yield from slots_over(problem, "curtailment", "PV", above, "PV is curtailed, which nobody may here")
    else:
        above = [over(plan.curtailed_kw[k], problem.pv_kw[k]) for k in range(problem.slots)]
        yield from slots_over(problem, "curtailment", "PV", above, "more is curtailed than PV gives")


def _battery(problem: Problem, plan: Plan, before_kw: Sequence[float]) -> Iterator[Violation]:
    battery = problem.battery
    if battery is None:
        used = [over(max(plan.charge_kw[k], plan.discharge_kw[k]), 0.0) for k in range(problem.slots)]
        yield from slots_over(problem, "battery power", "battery", used, "the plant has no battery")
        return
    for name, row, most in (
        ("charge", plan.charge_kw, battery.charge_kw),
        ("discharge", plan.discharge_kw, battery.discharge_kw),
    ):
        above = [over(kw, most) for kw in row]
        yield from slots_over(problem, "battery power", name, above, f"battery {name} is above {most:g} kW")
    both = [over(min(plan.charge_kw[k], plan.discharge_kw[k]), 0.0) for k in range(problem.slots)]
    yield from slots_over(problem, "battery both ways", "battery", both, "the battery charges and discharges at once")
    yield from _stored(problem, plan, battery)
    if battery.rule is BatteryRule.SELF_CONSUMPTION:
        yield from _own_rule(problem, plan, battery, before_kw)


def _stored(problem: Problem, plan: Plan, battery: ProblemBattery) -> Iterator[Violation]:
    """The battery holds neither more than it can, nor less than it may; but what it held at the start is a fact."""
    stored = battery.start_kwh
    least, most = min(battery.min_kwh, battery.start_kwh), max(battery.capacity_kwh, battery.start_kwh)
    above, below = [], []
    for k in range(problem.slots):
        stored += plan.charge_kw[k] * battery.charge_efficiency * problem.step_hours
        stored -= plan.discharge_kw[k] / battery.discharge_efficiency * problem.step_hours
        above.append(over(stored, most))
        below.append(over(least, stored))
    yield from slots_over(problem, "battery full", "battery", above, f"more than {most:g} kWh stored", unit="kWh")
    yield from slots_over(problem, "battery empty", "battery", below, f"less than {least:g} kWh stored", unit="kWh")
    missing = over(battery.end_kwh, stored)
    if battery.rule is BatteryRule.PLANNED and missing:
        what = f"the battery ends with {stored:.1f} kWh; agreed are {battery.end_kwh:.1f} kWh"
        yield Violation(
            rule="battery end", subject="battery", slot=problem.slots - 1, what=what, size=missing, unit="kWh"
        )


def _own_rule(problem: Problem, plan: Plan, battery: ProblemBattery, before_kw: Sequence[float]) -> Iterator[Violation]:
    """What the plant steers itself does what the plant's controller does: surplus in, need out, as far as it can."""
    stored, off = battery.start_kwh, []
    for k in range(problem.slots):
        into = out = 0.0
        if before_kw[k] < 0:
            room = (battery.capacity_kwh - stored) / battery.charge_efficiency / problem.step_hours
            into = max(0.0, min(-before_kw[k], battery.charge_kw, room))
        else:
            left = (stored - battery.min_kwh) * battery.discharge_efficiency / problem.step_hours
            out = max(0.0, min(before_kw[k], battery.discharge_kw, left))
        stored += (into * battery.charge_efficiency - out / battery.discharge_efficiency) * problem.step_hours
        off.append(over(max(abs(plan.charge_kw[k] - into), abs(plan.discharge_kw[k] - out)), 0.0))
    yield from slots_over(
        problem, "battery rule", "battery", off, "the battery does not do what its own controller would"
    )
