"""What runs cost beside their energy: orders that are late, optional jobs that are left out, restarts after pauses."""

from collections.abc import Sequence
from itertools import pairwise

from energy.model.plan import BillLine, LineKind
from energy.model.problem import Interruptible, Placement, Problem, ProblemJob

RESTARTS = "restarts"


def late_orders(problem: Problem, placements: Sequence[Placement]) -> list[BillLine]:
    """One line for each order whose last run ends, and has rested, after its due time."""
    jobs = {job.id: job for job in problem.jobs} if problem.orders else {}
    ends = {place.job: jobs[place.job].end(place) for place in placements} if problem.orders else {}
    lines = []
    for order in problem.orders:
        ready = max((ends[peg.job] + order.rest_slots for peg in order.pegs if peg.job in ends), default=None)
        if order.due is not None and ready is not None and ready > order.due:
            hours = (ready - order.due) * problem.step_hours
            amount = hours * order.late_per_hour * order.priority
            lines.append(BillLine(kind=LineKind.LATE, name=order.id, quantity=hours, unit="h", amount=amount))
    return lines


def left_out_lines(problem: Problem, placements: Sequence[Placement]) -> list[BillLine]:
    """One line for each optional job that is not done."""
    placed = {place.job for place in placements}
    return [
        BillLine(kind=LineKind.LEFT_OUT, name=job.id, quantity=1.0, unit="jobs", amount=job.value)
        for job in problem.jobs
        if job.value is not None and job.id not in placed
    ]


def restart_lines(problem: Problem, placements: Sequence[Placement]) -> list[BillLine]:
    """The restarts of all interrupted runs in one line."""
    jobs = {job.id: job for job in problem.jobs if any(option.interruptible for option in job.options)}
    count, amount = 0, 0.0
    for place in placements:
        rule = interruption_of(jobs[place.job], place) if place.job in jobs else None
        if rule is not None:
            restarts = restarts_of(jobs[place.job].powers_kw(place))
            count += restarts
            amount += restarts * rule.restart_cost
    if not count:
        return []
    return [BillLine(kind=LineKind.START, name=RESTARTS, quantity=float(count), unit="restarts", amount=amount)]


def interruption_of(job: ProblemJob, place: Placement) -> Interruptible | None:
    """How the run of a job may pause at a place."""
    return job.option(place.machine, place.mode).interruptible


def restarts_of(power_kw: Sequence[float]) -> int:
    """How often a run goes on after a pause."""
    return sum(1 for before, kw in pairwise(power_kw) if kw > 0.0 and before <= 0.0)
