"""Can the machines bear that? Jobs at once, and what they hold of things of which there is only so much, slot by slot."""

from collections.abc import Iterable, Iterator, Mapping

from energy.model.calendar import Attended
from energy.model.plan import Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob, Use
from energy.planning.check_words import runs_of, span, when

SLACK = 1e-6  # of a resource: what adding up amounts may be off

Held = tuple[int, int, float, str]  # from a slot to before a slot, how much, by which job


def check_machines(problem: Problem, placed: Mapping[str, tuple[ProblemJob, Placement, Option]]) -> list[Violation]:
    """The rules of machines that run several jobs at once, and of resources."""
    return [*_capacity(problem, placed), *_resources(problem, placed)]


def _capacity(problem: Problem, placed: Mapping[str, tuple[ProblemJob, Placement, Option]]) -> Iterator[Violation]:
    """A machine runs no more jobs at a time than its capacity. (One at a time is looked at pair by pair elsewhere.)"""
    many = {m.id: m for m in problem.machines if m.capacity not in {None, 1} and m.batch is None}
    held: dict[str, list[Held]] = {}
    for job, place, option in placed.values():
        if place.machine in many:
            held.setdefault(place.machine, []).extend((a, b, 1.0, job.id) for a, b in _working(place, option))
    for id, runs in held.items():
        machine = many[id]
        most = float(machine.capacity or 0)
        for first, sizes in runs_of(_beyond(problem, runs, [most] * problem.slots)):
            who = _who(runs, first)
            what = (
                f"{', '.join(who)} are on {machine.name or id} {when(problem, first)}: {len(who)} jobs, it runs "
                f"{machine.capacity} at a time; too many for {span(problem, len(sizes))}"
            )
            yield Violation(
                rule="machine capacity", subject=id, slot=first, what=what, size=max(sizes), unit="jobs", by_slot=sizes
            )


def _resources(problem: Problem, placed: Mapping[str, tuple[ProblemJob, Placement, Option]]) -> Iterator[Violation]:
    """In each slot the jobs hold no more of a resource than there is. A machine's own one goes before one of the site
    with the same name; what nobody has is not there at all."""
    there = {("", r.name): r.amount for r in problem.resources}
    for machine in problem.machines:
        for resource in machine.resources:
            there[machine.id, resource.name] = resource.amount
    held: dict[tuple[str, str], list[Held]] = {}
    for job, place, option in placed.values():
        for use in option.uses:
            key = (place.machine, use.resource) if (place.machine, use.resource) in there else ("", use.resource)
            held.setdefault(key, []).extend(
                (first, end, use.amount, job.id) for first, end in _held(use, place, option)
            )
    for (machine_id, name), runs in held.items():
        amount = there.get((machine_id, name), (0.0,))
        row = [amount[0]] * problem.slots if len(amount) == 1 else list(amount)
        for first, sizes in runs_of(_beyond(problem, runs, row)):
            subject = f"{name} on {machine_id}" if machine_id else name
            needed = sum(much for a, b, much, _ in runs if a <= first < b)
            what = (
                f"{subject} {when(problem, first)}: {needed:g} held (by {', '.join(_who(runs, first))}), "
                f"{row[first]:g} there; short for {span(problem, len(sizes))}"
            )
            yield Violation(
                rule="resource", subject=subject, slot=first, what=what, size=max(sizes), unit="units", by_slot=sizes
            )


def _working(place: Placement, option: Option) -> list[tuple[int, int]]:
    """The spans [first, end) in which a run works: one, or those between the pauses of one that may be interrupted."""
    powers = place.power_kw or option.power_kw
    if option.interruptible is None:
        return [(place.start, place.start + len(powers))]
    spans: list[tuple[int, int]] = []
    for k, kw in enumerate(powers, start=place.start):
        if kw > 0.0:
            if spans and spans[-1][1] == k:
                spans[-1] = (spans[-1][0], k + 1)
            else:
                spans.append((k, k + 1))
    return spans


def _held(use: Use, place: Placement, option: Option) -> list[tuple[int, int]]:
    """The spans in which a run holds what it uses: while attended, and so much longer after the last such slot."""
    spans = _working(place, option)
    if not spans:
        return []
    first, last = spans[0][0], spans[-1][1] - 1
    if use.attended is Attended.START:
        spans = [(first, first + 1)]
    elif use.attended is Attended.ENDS:
        spans = [(first, first + 1), (last, last + 1)] if last > first else [(first, first + 1)]
    return [*spans[:-1], (spans[-1][0], spans[-1][1] + use.after_slots)]


def _beyond(problem: Problem, runs: Iterable[Held], there: list[float]) -> list[float]:
    """By how much more is held in each slot than is there."""
    change = [0.0] * (problem.slots + 1)
    for first, end, much, _ in runs:
        if first < problem.slots and end > 0:
            change[max(0, first)] += much
            change[min(problem.slots, end)] -= much
    over, level = [], 0.0
    for k in range(problem.slots):
        level += change[k]
        over.append(level - there[k] if level > there[k] + SLACK * max(1.0, there[k]) else 0.0)
    return over


def _who(runs: Iterable[Held], slot: int) -> list[str]:
    return sorted({job for first, end, _, job in runs if first <= slot < end})
