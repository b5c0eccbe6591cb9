"""What would cure it: the least relaxations for jobs that a plan keeps against a fact, because their own rules leave them
no place. Each is priced by the bill with the job at its relaxed place, all else as in the plan."""

from energy.model.plan import GaveWay, LineKind, Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.model.site import BatteryRule
from energy.planning.conflict import Conflict, conflict_of
from energy.planning.price import price_plan
from optimizer.plant import Plant
from optimizer.starts import Chosen


def stuck(plant: Plant, chosen: Chosen) -> list[ProblemJob]:
    """The jobs that stay in their given place against a fact."""
    return [plant.problem.jobs[row] for row, start in plant.chosen_starts(chosen) if start.broken]


def cures(plant: Plant, chosen: Chosen, plan: Plan, *, only: str | None = None) -> tuple[GaveWay, ...]:
    """For each stuck job that can stand nowhere by its own rules: what would have to give, and what that would cost in
    lateness and on the bill. `only`: of this job."""
    places = {place.job: place for place in plan.placements}
    found = []
    for job in stuck(plant, chosen):
        if only is not None and job.id != only:
            continue
        conflict = conflict_of(plant.problem, job, places)
        if conflict is not None:
            found += _priced(plant.problem, plan, conflict)
    return tuple(found)


def _priced(problem: Problem, plan: Plan, conflict: Conflict) -> list[GaveWay]:
    return [
        GaveWay(rule=each.rule, by=each.by, price=price_of(with_job_at(problem, plan, each.placement)) - price_of(plan))
        for each in conflict.relaxations
    ]


def price_of(plan: Plan) -> float:
    """What a plan costs but for the price of moving: the bill, and lateness."""
    return plan.bill.total - plan.bill.amount(LineKind.MOVE)


def with_job_at(problem: Problem, plan: Plan, place: Placement) -> Plan:
    """A plan with one job elsewhere and all else as it was; the machines that the job leaves and enters follow their own
    rule."""
    left = next((p.machine for p in plan.placements if p.job == place.job), place.machine)
    ours = problem.battery is not None and problem.battery.rule is BatteryRule.PLANNED
    return price_plan(
        problem,
        [p for p in plan.placements if p.job != place.job] + [place],
        charge_kw=plan.charge_kw if ours else None,
        discharge_kw=plan.discharge_kw if ours else None,
        curtailed_kw=plan.curtailed_kw if problem.curtailable else None,
        states={row.machine: row.states for row in plan.states if row.machine not in {left, place.machine}},
        stores={row.store: row.power_kw for row in plan.stores},
        how=plan.how,
    )
