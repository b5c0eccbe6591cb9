"""Why a job can stand nowhere: the smallest set of its rules that contradict each other, and the least that would have to
give, with its price. Found without solving: only the job's own rules are looked at, not the other jobs.

Every place that the horizon holds is tried against each rule; a set of rules contradicts itself where no place passes all
of them, and the smallest such set is told. For each rule of that set the least relaxation is the place that all other
rules allow and that oversteps this one least, if there is one where no other job of a plan is in the way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.plan import GaveWay
from energy.model.problem import CrewNeed, Option, Placement, Problem, ProblemJob, Use
from energy.planning.plant_words import clock, machine_name, name_of, span

Mask = NDArray[np.bool_]

LITTLE = 1e-9  # amounts that differ by less are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """The least by which one rule would have to give so that the job fits, where it would then stand, and what that
    costs beside the plan as it is: lateness, and what the bill says (None where it was not priced)."""

    rule: str
    by: str
    placement: Placement
    late: float = 0.0

    def gave_way(self, bill_change: float = 0.0) -> GaveWay:
        """As a rule that would give, with its price."""
        return GaveWay(rule=self.rule, by=self.by, price=self.late + bill_change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A job that its own rules leave no place: one sentence, and what would cure it."""

    job: str
    sentence: str
    relaxations: tuple[Relaxation, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule of the job, tried on every place: by how much each oversteps it (0: allowed), and its words."""

    name: str
    reason: str
    over: NDArray[np.int64]

    @property
    def allows(self) -> Mask:
        allowed: Mask = self.over == 0
        return allowed


def conflicts(problem: Problem) -> list[Conflict]:
    """The jobs that are ours to place and can stand nowhere by their own rules."""
    found = (conflict_of(problem, job) for job in problem.jobs if job.fixed is None and job.value is None)
    return [conflict for conflict in found if conflict is not None]


def conflict_of(problem: Problem, job: ProblemJob, beside: Mapping[str, Placement] | None = None) -> Conflict | None:
    """Why this job can stand nowhere; None where it can, or where it is longer than the horizon. `beside`: where a plan
    has the other jobs."""
    places = list(_places(problem, job))
    if not places:
        return None
    rules = list(_rules(problem, job, places))
    clash = _smallest(rules)
    if clash is None:
        return None
    return Conflict(
        job=job.id,
        sentence=_sentence(problem, job, clash),
        relaxations=tuple(_relaxations(problem, job, places, rules, clash, _free(problem, job, places, beside or {}))),
    )


Place = tuple[Option, Placement]


def _places(problem: Problem, job: ProblemJob) -> Iterator[Place]:
    for option in job.options:
        for machine in option.machines:
            for start in range(problem.slots - option.slots + 1):
                yield option, Placement(job=job.id, machine=machine, start=start, mode=option.mode)


def _rules(problem: Problem, job: ProblemJob, places: Sequence[Place]) -> Iterator[_Rule]:
    start = np.array([place.start for _, place in places])
    end = start + np.array([option.slots for option, _ in places])
    if job.must_end is not None:
        yield _Rule("must end", "", np.maximum(0, end - job.must_end))
    yield _Rule("earliest", _from(problem, job), np.maximum(0, job.earliest - start))
    if job.latest_start is not None:
        last = clock(problem, job.latest_start, 0)
        yield _Rule("latest start", f"it must start by {last}", np.maximum(0, start - job.latest_start))
    for order in problem.orders:
        if order.must_end is not None and any(peg.job == job.id for peg in order.pegs):
            by = f"order {order.name or order.id} must be ready by {clock(problem, order.must_end, 0)}"
            rests = f" and rests {span(order.rest_slots * problem.step_minutes)}" if order.rest_slots else ""
            yield _Rule(by, by + rests, np.maximum(0, end + order.rest_slots - order.must_end))
    pausing = np.array([option.interruptible is not None for option, _ in places])
    for machine in problem.machines:
        if machine.closed and any(place.machine == machine.id for _, place in places):
            shut = np.zeros(problem.slots, dtype=np.int64)
            for closed in machine.closed:
                shut[max(0, closed.start) : max(0, closed.end)] = 1
            here = np.array([place.machine == machine.id for _, place in places])
            closed_for = _inside(shut, start, end)
            yield _Rule(machine.id, "", np.where(here & ~pausing, closed_for, 0))
    for need in job.needs:
        short = _missing(problem, need, start, end)
        yield _Rule(f"{need.skill} crew", "", np.where(pausing & (need.attended is Attended.RUN), 0, short))
    for name in sorted({use.resource for option, _ in places for use in option.uses}):
        lacks = np.array([_lacking(problem, option, place, name) for option, place in places], dtype=np.int64)
        if lacks.any():
            yield _Rule(f"resource {name}", f"there is too little {name} for it", lacks)


def _lacking(problem: Problem, option: Option, place: Placement, name: str) -> int:
    """In how many slots a run would hold more of a resource than there is, whatever the other jobs do."""
    machine = next((m for m in problem.machines if m.id == place.machine), None)
    own = [r for r in (machine.resources if machine else ()) if r.name == name]
    there = [r.amount for r in (*own, *problem.resources) if r.name == name][:1]
    lacking: set[int] = set()
    for use in option.uses if there else ():
        if use.resource == name:
            amount = there[0] if len(there[0]) > 1 else there[0] * problem.slots
            lacking |= {k for k in _held(problem, option, use, place.start) if amount[k] < use.amount - LITTLE}
    return len(lacking)


def _held(problem: Problem, option: Option, use: Use, start: int) -> list[int]:
    """The slots of the horizon in which a run holds what it uses."""
    end = start + option.slots
    spans = {
        Attended.RUN: [(start, end + use.after_slots)],
        Attended.START: [(start, start + 1 + use.after_slots)],
        Attended.ENDS: [(start, start + 1), (end - 1, end + use.after_slots)],
    }[use.attended]
    return [k for first, last in spans for k in range(max(0, first), min(problem.slots, last))]


def _free(problem: Problem, job: ProblemJob, places: Sequence[Place], beside: Mapping[str, Placement]) -> Mask:
    """The places whose machine no other job of the plan holds meanwhile; all of them where a machine bears several."""
    taken = {
        machine.id: np.zeros(problem.slots, dtype=np.int64)
        for machine in problem.machines
        if machine.capacity == 1 and machine.batch is None
    }
    for other in problem.jobs:
        there = beside.get(other.id)
        if there is not None and other.id != job.id and there.machine in taken:
            busy = [k for k in other.busy(there) if 0 <= k < problem.slots]
            taken[there.machine][busy] = 1
    return np.array(
        [p.machine not in taken or not taken[p.machine][p.start : p.start + o.slots].any() for o, p in places],
        dtype=np.bool_,
    )


def _from(problem: Problem, job: ProblemJob) -> str:
    return f"it can start at {clock(problem, job.earliest, 0)} at the earliest"


def _inside(row: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of a row over [start, end) of each place."""
    summed = np.concatenate([[0], np.cumsum(row)])
    return np.asarray(summed[end] - summed[start], dtype=np.int64)


def _missing(problem: Problem, need: CrewNeed, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """People · slots that are not there when each place needs them."""
    there = np.zeros(problem.slots, dtype=np.int64)
    for roster in problem.rosters:
        if roster.skill == need.skill:
            there += np.asarray(roster.people, dtype=np.int64)
    short = np.maximum(0, need.people - there)
    if need.attended is Attended.RUN:
        return _inside(short, start, end)
    ends = np.where(end - 1 > start, short[end - 1], 0) if need.attended is Attended.ENDS else 0
    return np.asarray(short[start] + ends, dtype=np.int64)


def _smallest(rules: Sequence[_Rule]) -> list[_Rule] | None:
    """The smallest set of rules that no place passes."""
    if not np.logical_or.reduce([rule.over > 0 for rule in rules]).all():
        return None
    for size in range(1, len(rules) + 1):
        for some in combinations(rules, size):
            if not np.logical_and.reduce([rule.allows for rule in some]).any():
                return list(some)
    return list(rules)


def _sentence(problem: Problem, job: ProblemJob, clash: Sequence[_Rule]) -> str:
    names = {rule.name for rule in clash}
    machines = sorted({machine for option in job.options for machine in option.machines})
    who = machine_name(problem, machines[0]) if len(machines) == 1 else "none of its machines"
    what = f"{who} cannot run {name_of(job)}"
    if "must end" in names and job.must_end is not None:
        what = f"{who} cannot finish {name_of(job)} by {clock(problem, job.must_end, 0)}"
    last = min(job.must_end or 0, problem.slots) if "must end" in names else problem.slots
    reasons = [reason for rule in clash for reason in _reasons(problem, job, rule, last)]
    shortest = span(min(option.slots for option in job.options) * problem.step_minutes)
    alone = len(machines) == 1
    needs = f"needs {shortest}" if alone else f"needs {shortest} at least"
    reasons.append(needs if alone and reasons and reasons[-1].startswith("it ") else f"it {needs}")
    return f"{what}: {' and '.join(reasons)}"


def _reasons(problem: Problem, job: ProblemJob, rule: _Rule, last: int) -> Iterator[str]:
    if rule.reason:
        yield rule.reason
        return
    for machine in problem.machines:
        if machine.id == rule.name:
            alone = len({m for option in job.options for m in option.machines}) == 1
            for closed in machine.closed:
                if closed.start < last and closed.end > job.earliest:
                    it = "it" if alone else machine.name or machine.id
                    state = f"in {closed.why}" if closed.why == "maintenance" else "closed"
                    why = f" ({closed.why})" if closed.why and state == "closed" else ""
                    begins = f"from {clock(problem, closed.start, 0)} " if closed.start > job.earliest else ""
                    yield f"{it} is {state} {begins}until {clock(problem, closed.end, 0)}{why}"
    for need in job.needs:
        if rule.name == f"{need.skill} crew":
            yield _short_of(problem, need, job.earliest, last)


def _short_of(problem: Problem, need: CrewNeed, first: int, last: int) -> str:
    there = np.zeros(problem.slots, dtype=np.int64)
    for roster in problem.rosters:
        if roster.skill == need.skill:
            there += np.asarray(roster.people, dtype=np.int64)
    enough = np.flatnonzero(there[first:last] >= need.people)
    people = f"{need.people} people of the " if need.people > 1 else ""
    if not len(enough):
        return f"no {people}{need.skill} crew is there before {clock(problem, last, 0)}"
    begins, ends = first + int(enough[0]), first + int(enough[-1]) + 1
    return (
        f"{people or 'a '}{need.skill} crew is there only from {clock(problem, begins, 0)} to {clock(problem, ends, 0)}"
    )


def _relaxations(
    problem: Problem,
    job: ProblemJob,
    places: Sequence[Place],
    rules: Sequence[_Rule],
    clash: Sequence[_Rule],
    beside: Mask,
) -> Iterator[Relaxation]:
    """For each rule of the clash the place that all others allow and that oversteps it least; the earliest on a tie."""
    for rule in clash:
        others = [other.allows for other in rules if other is not rule]
        allowed: Mask = np.logical_and.reduce(others) if others else np.ones(len(places), dtype=np.bool_)
        free = np.flatnonzero(allowed & beside if (allowed & beside).any() else allowed)
        if not len(free):
            continue
        best = int(free[int(np.argmin(rule.over[free]))])
        option, place = places[best]
        end = place.start + option.slots
        late = max(0, end - job.due) * problem.step_hours if job.due is not None else 0.0
        yield Relaxation(
            rule=_rule_words(problem, job, rule.name),
            by=_by(problem, rule, int(rule.over[best]), place, end),
            placement=place,
            late=late * job.late_per_hour * job.priority,
        )


def _rule_words(problem: Problem, job: ProblemJob, name: str) -> str:
    words = {
        "must end": f"{name_of(job)} must end by {clock(problem, job.must_end or 0, 0)}",
        "earliest": f"{name_of(job)} can start at {clock(problem, job.earliest, 0)} at the earliest",
        "latest start": f"{name_of(job)} must start by {clock(problem, job.latest_start or 0, 0)}",
    }
    known = {machine.id for machine in problem.machines}
    return words.get(name) or (f"{machine_name(problem, name)} is closed" if name in known else name)


def _by(problem: Problem, rule: _Rule, over: int, place: Placement, end: int) -> str:
    amount = span(over * problem.step_minutes)
    start = clock(problem, place.start, 0)
    if rule.name == "must end":
        return f"{amount} later, at {clock(problem, end, 0)}"
    if rule.name == "earliest":
        return f"{amount} sooner, at {start}"
    if rule.name.startswith("order "):
        return f"{amount} later, with the end at {clock(problem, end, 0)}"
    if rule.name == "latest start":
        return f"{amount} later, at {start}"
    if rule.name.endswith(" crew"):
        return f"one person more for {amount}, for a start at {start}"
    if rule.name.startswith("resource "):
        return f"more of it for {amount}, for a start at {start}"
    return f"open for {amount} of it, for a run from {start} to {clock(problem, end, 0)}"
