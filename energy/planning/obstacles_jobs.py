"""What keeps a job from standing somewhere for the sake of others: its orders, the rows and the pieces it belongs to."""

from collections.abc import Iterator, Mapping

from energy.model.problem import Placement, Problem, ProblemJob, Recurring, SameOrder
from energy.planning.plant_words import clock, money, name_of, span

Places = Mapping[str, Placement]


def order_dates(problem: Problem, job: ProblemJob, place: Placement) -> Iterator[str]:
    """Orders that would not be ready when they must be."""
    for order in problem.orders:
        ready = job.end(place) + order.rest_slots
        if order.must_end is not None and ready > order.must_end and any(peg.job == job.id for peg in order.pegs):
            by = clock(problem, order.must_end, place.start)
            yield f"order {order.name or order.id} would be ready at {clock(problem, ready, place.start)}, and must by {by}"


def together(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """Recurring jobs that would come too soon or too late, and pieces that would overtake each other."""
    for rule in problem.recurring:
        if job.id in rule.jobs:
            yield from _recurring(problem, rule, job, place, others)
    for same in problem.same_order:
        yield from _overtaken(problem, same, job, place, others)


def _recurring(problem: Problem, rule: Recurring, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    here = rule.jobs.index(job.id)
    before = [id for id in rule.jobs[:here] if id in others][-1:]
    after = [id for id in rule.jobs[here + 1 :] if id in others][:1]
    for other, sign in (*((id, 1) for id in before), *((id, -1) for id in after)):
        lag = sign * (place.start - others[other].start)
        starts = f"{name_of(problem.job(other))} starts at {clock(problem, others[other].start, place.start)}"
        if lag < rule.least_slots:
            least = span(rule.least_slots * problem.step_minutes)
            yield f"{rule.name}: {starts}, and at least {least} must lie between"
        if rule.most_slots is not None and lag > rule.most_slots:
            most = span(rule.most_slots * problem.step_minutes)
            yield f"{rule.name}: {starts}, and at most {most} may lie between"


def _overtaken(problem: Problem, same: SameOrder, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """Pieces that are before the one of the job at one stage and after it at another."""
    mine = next((piece for piece in same.pieces if job.id in piece), None)
    if mine is None:
        return
    starts = {id: there.start for id, there in others.items()} | {job.id: place.start}
    for piece in same.pieces:
        both = [(a, b) for a, b in zip(mine, piece, strict=True) if a in starts and b in starts]
        lags = [starts[b] - starts[a] for a, b in both]
        if lags and min(lags) < 0 < max(lags):
            at = piece[mine.index(job.id)]
            there = clock(problem, starts[at], place.start) if at in starts else "another time"
            yield f"{same.name}: {at} starts at {there}, and no piece may overtake another"
            return


def late_order(problem: Problem, job: ProblemJob, place: Placement) -> str:
    """The price of an order that would be late, where the job is pegged to one."""
    for order in problem.orders:
        late = job.end(place) + order.rest_slots - (problem.slots if order.due is None else order.due)
        if order.due is not None and late > 0 and any(peg.job == job.id for peg in order.pegs):
            price = late * problem.step_hours * order.late_per_hour * order.priority
            minutes = late * problem.step_minutes
            name = order.name or order.id
            return f"order {name} is ready {span(minutes)} after its due time (allowed, costs {money(problem, price)})"
    return ""
