"""Do the runs together make what was ordered, in time and in their order? In plain loops, from the places alone."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from energy.model.plan import Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob, ProblemOrder, Recurring, SameOrder
from energy.planning.check_words import end_of, name_of, span, when

Placed = Mapping[str, tuple[ProblemJob, Placement, Option]]
SLACK = 1e-6  # of a quantity, relative


def check_orders(problem: Problem, placed: Placed) -> list[Violation]:
    """The rules that hold for several jobs together."""
    found: list[Violation] = []
    for order in problem.orders:
        found += _order(problem, order, placed)
    for rule in problem.recurring:
        found += _recurring(problem, rule, placed)
    for same in problem.same_order:
        found += _same_order(same, placed)
    return found


def _order(problem: Problem, order: ProblemOrder, placed: Placed) -> Iterator[Violation]:
    """The runs of an order make enough, and the last of them ends in time."""
    name = order.name or order.id
    made, end = 0.0, None
    for peg in order.pegs:
        if peg.job in placed:
            _, place, option = placed[peg.job]
            made += peg.share * option.quantity
            ends = end_of(place, option) + order.rest_slots
            end = ends if end is None else max(end, ends)
    if made < order.quantity - SLACK * max(1.0, order.quantity):
        what = f"the runs for order {name} make {made:g}; it needs {order.quantity:g}"
        yield _say("order quantity", order.id, None, what, order.quantity - made)
    if end is not None and order.must_end is not None and end > order.must_end:
        what = f"order {name} is ready {when(problem, end)}, but must be by {when(problem, order.must_end)}"
        yield _say("order must end", order.id, None, what, end - order.must_end, "slots")


def _recurring(problem: Problem, rule: Recurring, placed: Placed) -> Iterator[Violation]:
    """From each start to the next of those that are placed neither too little nor too much time goes by."""
    there = [placed[id] for id in rule.jobs if id in placed]
    for (one, before, _), (other, after, _) in pairwise(there):
        lag = after.start - before.start
        subject = f"{rule.name}: {other.id} after {one.id}"
        said = f"{rule.name}: {name_of(other)} starts {when(problem, after.start)}, {name_of(one)} "
        said += f"{when(problem, before.start)}"
        if lag < rule.least_slots:
            what = f"{said}; at least {span(problem, rule.least_slots)} must lie between"
            yield _say("recurs too soon", subject, after.start, what, rule.least_slots - lag, "slots")
        if rule.most_slots is not None and lag > rule.most_slots:
            what = f"{said}; at most {span(problem, rule.most_slots)} may lie between"
            yield _say("recurs too late", subject, after.start, what, lag - rule.most_slots, "slots")


def _same_order(same: SameOrder, placed: Placed) -> Iterator[Violation]:
    """No piece overtakes another between two stages."""
    starts = [tuple(placed[id][1].start if id in placed else None for id in piece) for piece in same.pieces]
    if _in_step(starts):
        return
    for i, one in enumerate(starts):
        for j in range(i + 1, len(starts)):
            first = _stage(one, starts[j])
            then = _stage(starts[j], one)
            if first is not None and then is not None:
                a, b = (" and ".join((same.pieces[n][first], same.pieces[n][then])) for n in (i, j))
                what = f"{same.name}: of the pieces with {a} and with {b} each is before the other at one stage"
                subject = f"{same.name}: {same.pieces[i][0]} and {same.pieces[j][0]}"
                yield _say("same order", subject, one[first], what)


def _in_step(starts: list[tuple[int | None, ...]]) -> bool:
    """Whether pieces that are all placed keep one order: sorted by their starts, no stage goes back."""
    whole = [tuple(k for k in row if k is not None) for row in starts]
    if any(len(kept) < len(row) for kept, row in zip(whole, starts, strict=True)):
        return False
    whole.sort()
    return all(before <= after for one, other in pairwise(whole) for before, after in zip(one, other, strict=True))


def _stage(one: tuple[int | None, ...], other: tuple[int | None, ...]) -> int | None:
    """The first stage at which one piece starts before the other; None where there is none."""
    for stage, (a, b) in enumerate(zip(one, other, strict=True)):
        if a is not None and b is not None and a < b:
            return stage
    return None


def _say(rule: str, subject: str, slot: int | None, what: str, size: float = 1.0, unit: str = "") -> Violation:
    return Violation(rule=rule, subject=subject, slot=slot, what=what, size=float(size), unit=unit)
