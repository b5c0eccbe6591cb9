"""What would cure it: the least relaxations for jobs that a plan keeps against a fact, because their own rules leave them
no place. Each is priced by the bill with the job at its relaxed place, all else as in the plan."""

from collections.abc import Iterable

from energy.model.plan import GaveWay, LineKind, Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.model.site import BatteryRule
from energy.planning.conflict import Conflict, conflict_of
from energy.planning.price import price_plan
from optimizer.plant import Plant
from optimizer.starts import LEFT_OUT, Chosen


def stuck_in(plant: Plant, plan: Plan) -> list[ProblemJob]:
    """The same of any plan, also of one with places that the plant would not choose itself."""
    chosen = plant.as_given
    for row, job in enumerate(plant.problem.jobs):
        place = next((p for p in plan.placements if p.job == job.id), None)
        if place is None or job.is_moved(place, plant.given[row].placement(job.id)):
            chosen[row] = LEFT_OUT
    return stuck(plant, chosen)


def stuck(plant: Plant, chosen: Chosen) -> list[ProblemJob]:
    """The jobs that stay in their given place against a fact."""
    return [plant.problem.jobs[row] for row, start in plant.chosen_starts(chosen) if start.broken]


def cures(plant: Plant, chosen: Chosen, plan: Plan) -> tuple[GaveWay, ...]:
    """For each stuck job that can stand nowhere by its own rules: what would have to give, and what that would cost in
    lateness and on the bill."""
    places = {place.job: place for place in plan.placements}
    conflicts = (conflict_of(plant.problem, job, places) for job in stuck(plant, chosen))
    return tuple(
        cure for conflict in conflicts if conflict is not None for cure in cures_of(plant.problem, plan, conflict)
    )


def cures_of(problem: Problem, plan: Plan, conflict: Conflict) -> tuple[GaveWay, ...]:
    """The cures of one conflict, priced."""
    return tuple(
        GaveWay(rule=each.rule, by=each.by, price=price_of(with_job_at(problem, plan, each.placement)) - price_of(plan))
        for each in conflict.relaxations
    )


def price_of(plan: Plan) -> float:
    """What a plan costs but for the price of moving: the bill, and lateness."""
    return plan.bill.total - plan.bill.amount(LineKind.MOVE)


def costs_more_at(problem: Problem, plan: Plan, place: Placement) -> float:
    """What a plan would cost more, in all lines of its bill, with one job at a place and all else as it is."""
    planned = next((p for p in plan.placements if p.job == place.job), None)
    now = plan if planned is None else with_job_at(problem, plan, planned, {place.machine})
    return with_job_at(problem, plan, place).bill.total - now.bill.total


def with_job_at(problem: Problem, plan: Plan, place: Placement, touched: Iterable[str] = ()) -> Plan:
    """A plan with one job elsewhere and all else as it was; the machines that the job leaves and enters (and others that
    are touched) follow their own rule, and so does a battery that has one."""
    left = next((p.machine for p in plan.placements if p.job == place.job), place.machine)
    free = {left, place.machine, *touched}
    ours = problem.battery is not None and problem.battery.rule is BatteryRule.PLANNED
    return price_plan(
        problem,
        [p for p in plan.placements if p.job != place.job] + [place],
        charge_kw=plan.charge_kw if ours else None,
        discharge_kw=plan.discharge_kw if ours else None,
        curtailed_kw=plan.curtailed_kw if problem.curtailable else None,
        states={row.machine: row.states for row in plan.states if row.machine not in free},
        stores={row.store: row.power_kw for row in plan.stores},
        how=plan.how,
    )
