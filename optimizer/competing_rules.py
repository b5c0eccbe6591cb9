"""The rules among which a contradiction is looked for: each can be dropped from a problem, and eased by steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from energy.model.plan import Plan
from energy.model.problem import Closed, Precedence, Problem, ProblemJob
from energy.planning.plant_words import day_clock, machine_name, name_of, span
from optimizer import easing
from optimizer.levers import people_used

MOST_PEOPLE = 4  # that are tried in addition
MOST_UNITS = 4
MOST_MOVES = 3

By = Callable[[Problem, int, Plan], str]


@dataclass(frozen=True, slots=True, eq=False)
class Ease:
    """One way in which a rule may give: by 1, 2, … at most `most` steps, and how that is told of a plan that uses it."""

    most: int
    apply: Callable[[Problem, int], Problem]
    by: By


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule of the plant in its own words; `about` is the job, machine or skill that it is about."""

    kind: str
    about: str
    words: str
    dropped: Callable[[Problem], Problem]
    eases: tuple[Ease, ...] = ()


def rules_of(problem: Problem) -> list[Rule]:
    """Every rule that these jobs meet. What a planner would rather not hear of stands first, since that is dropped first
    where either of two would do."""
    return [
        *_moves(problem),
        *_crews(problem),
        *_resources(problem),
        *_order(problem),
        *_together(problem),
        *_made_ready(problem),
        *_fixed(problem),
        *_windows(problem),
        *_order_ends(problem),
        *_closed(problem),
        *_machines(problem),
    ]


def _moves(problem: Problem) -> Iterator[Rule]:
    for shift in problem.shifts:
        if shift.max_moves is not None:
            change = partial(easing.moves, shift.name)
            words = f"shift {shift.name} bears at most {shift.max_moves} moved jobs"
            yield Rule("moves", shift.name, words, partial(change, more=None), (Ease(MOST_MOVES, change, _more),))


def _crews(problem: Problem) -> Iterator[Rule]:
    for skill in sorted({need.skill for job in problem.jobs for need in job.needs}):
        most = max((max(r.people, default=0) for r in problem.rosters if r.skill == skill), default=0)
        change = partial(easing.people, skill)
        words = f"at most {most} of the {skill} crew {'is' if most == 1 else 'are'} there"
        eases = (Ease(MOST_PEOPLE, change, partial(_more_people, skill)),)
        yield Rule("crew", skill, words, partial(change, more=None), eases)


def _resources(problem: Problem) -> Iterator[Rule]:
    for name in sorted({use.resource for job in problem.jobs for o in job.options for use in o.uses}):
        change = partial(easing.resource, name)
        words = f"there is only so much {name}"
        yield Rule("resource", name, words, partial(change, more=None), (Ease(MOST_UNITS, change, _more),))


def _order(problem: Problem) -> Iterator[Rule]:
    names = {job.id: name_of(job) for job in problem.jobs}
    for job in problem.jobs:
        for rule in (rule for rule in job.after if rule.job in names):
            eases = []
            if rule.min_slots:
                eases.append(
                    Ease(rule.min_slots, partial(easing.sooner_after, job.id, rule.job), partial(_by, "sooner"))
                )
            if rule.max_slots is not None:
                eases.append(Ease(problem.slots, partial(easing.later_after, job.id, rule.job), partial(_by, "later")))
            words = f"{names[job.id]} follows {names[rule.job]}{_lag(problem, rule)}"
            yield Rule("order", job.id, words, partial(easing.unordered, job.id, rule.job), tuple(eases))


def _together(problem: Problem) -> Iterator[Rule]:
    """Jobs that come again and again, and pieces that pass stages in one order."""
    for rule in problem.recurring:
        least, most = _minutes(problem, rule.least_slots), rule.most_slots
        to = "" if most is None else f" to {_minutes(problem, most)}"
        words = f"{rule.name} comes again after {least}{to}"
        eases = [Ease(rule.least_slots, partial(easing.recurs_sooner, rule.name), _earlier)] if rule.least_slots else []
        if most is not None:
            eases.append(Ease(problem.slots, partial(easing.recurs_later, rule.name), _later))
        yield Rule("recurring", rule.name, words, partial(easing.not_recurring, rule.name), tuple(eases))
    for same in problem.same_order:
        words = f"{same.name} keeps one order at every stage"
        yield Rule("same order", same.name, words, partial(easing.any_order, same.name))


def _made_ready(problem: Problem) -> Iterator[Rule]:
    """What machines need beside the runs: setups, heating up, room in a batch."""
    ours = {machine for job in problem.jobs for option in job.options for machine in option.machines}
    for machine in (machine for machine in problem.machines if machine.id in ours):
        name = machine_name(problem, machine.id)
        if machine.setups:
            yield Rule(
                "setups", machine.id, f"{name} is set up between families", partial(easing.no_setups, machine.id)
            )
        if machine.states is not None:
            words = f"{name} stands in {machine.states.at_start!r} at first and has to come up"
            yield Rule("states", machine.id, words, partial(easing.always_up, machine.id))
        if machine.batch is not None:
            words = f"{name} holds {machine.batch.capacity:g} at a time"
            yield Rule("batch", machine.id, words, partial(easing.any_fill, machine.id))


def _fixed(problem: Problem) -> Iterator[Rule]:
    for job in problem.jobs:
        if job.fixed is not None:
            change = partial(easing.unfixed, job.id)
            words = f"{name_of(job)} is fixed at {day_clock(problem, job.fixed.start)}"
            yield Rule("fixed", job.id, words, change, (Ease(1, change, partial(_stands, job.id)),))


def _windows(problem: Problem) -> Iterator[Rule]:
    for job in (job for job in problem.jobs if job.fixed is None):
        name, slots = name_of(job), problem.slots
        if job.earliest > 0:
            words = f"{name} can start at {day_clock(problem, job.earliest)} at the earliest"
            change = partial(easing.sooner, job.id, "earliest", job.earliest)
            ease = Ease(job.earliest, change, partial(_until, "sooner", job.earliest, -1))
            yield Rule("earliest", job.id, words, partial(easing.no_window, job.id, "earliest"), (ease,))
        for edge, at, verb in (("latest_start", job.latest_start, "start"), ("must_end", job.must_end, "end")):
            if at is not None and at <= slots:
                words = f"{name} must {verb} by {day_clock(problem, at)}"
                ease = Ease(slots - at, partial(easing.window, job.id, edge, at), partial(_until, "later", at, 1))
                yield Rule(edge, job.id, words, partial(easing.no_window, job.id, edge), (ease,))


def _order_ends(problem: Problem) -> Iterator[Rule]:
    for order in problem.orders:
        if order.must_end is not None:
            change = partial(easing.order_end, order.id)
            words = f"{order.name or order.id} must be ready by {day_clock(problem, order.must_end)}"
            ease = Ease(problem.slots + order.rest_slots, change, partial(_until, "later", order.must_end, 1))
            yield Rule("order end", order.id, words, partial(change, more=None), (ease,))


def _closed(problem: Problem) -> Iterator[Rule]:
    """Each closed span of the machines that these jobs may run on."""
    ours = {machine for job in problem.jobs for option in job.options for machine in option.machines}
    for machine in problem.machines:
        for closed in machine.closed if machine.id in ours else ():
            words = f"{machine_name(problem, machine.id)} is {_state(problem, closed)}"
            long = closed.end - closed.start
            eases = (
                Ease(long, partial(easing.ends_sooner, machine.id, closed), partial(_shorter, closed, True)),
                Ease(long, partial(easing.begins_later, machine.id, closed), partial(_shorter, closed, False)),
            )
            yield Rule("closed", machine.id, words, partial(easing.opened, machine.id, closed), eases)


def _state(problem: Problem, closed: Closed) -> str:
    state = "in maintenance" if closed.why == "maintenance" else "closed"
    why = f" ({closed.why})" if closed.why and state == "closed" else ""
    return f"{state} from {day_clock(problem, closed.start)} to {day_clock(problem, closed.end)}{why}"


def _machines(problem: Problem) -> Iterator[Rule]:
    """One job at a time."""
    for machine in problem.machines:
        here = [job for job in problem.jobs if any(machine.id in option.machines for option in job.options)]
        if len(here) > 1 and machine.capacity is not None:
            number = "one job" if machine.capacity == 1 else f"{machine.capacity} jobs"
            does = f"runs {number}" if machine.batch is None else "treats one batch"
            words = f"{machine_name(problem, machine.id)} {does} at a time"
            eases = tuple(
                Ease(1, partial(easing.with_twin, machine.id, frozenset({job.id})), partial(_twin, job, machine.id))
                for job in here
                if job.fixed is None
            )
            yield Rule("machine", machine.id, words, partial(easing.apart, machine.id), eases)


# --- how it is told that a rule gave


def _more(problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001  (all of these are asked alike)
    return "one more" if n == 1 else f"{n} more"


def _more_people(skill: str, problem: Problem, n: int, plan: Plan) -> str:
    """With the time for which the plan needs more people than there are."""
    there = np.zeros(problem.slots, dtype=np.int64)
    for roster in problem.rosters:
        if roster.skill == skill:
            there += np.asarray(roster.people, dtype=np.int64)
    short = np.flatnonzero(people_used(problem, plan.placements, skill) > there)
    if not len(short):
        return _more(problem, n, plan)
    begins, ends = day_clock(problem, int(short[0])), day_clock(problem, int(short[-1]) + 1)
    return f"{_more(problem, n, plan)} for {_minutes(problem, len(short))} between {begins} and {ends}"


def _by(word: str, problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    return f"{_minutes(problem, n)} {word} after it"


def _earlier(problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    return f"{_minutes(problem, n)} sooner"


def _later(problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    return f"{_minutes(problem, n)} later"


def _until(word: str, at: int, sign: int, problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    return f"{_minutes(problem, n)} {word}, at {day_clock(problem, at + sign * n)}"


def _shorter(closed: Closed, at_end: bool, problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    if n >= closed.end - closed.start:
        return "at another time"
    edge = (
        f"until {day_clock(problem, closed.end - n)}" if at_end else f"from {day_clock(problem, closed.start + n)} on"
    )
    return f"{_minutes(problem, n)} shorter, {edge}"


def _stands(job: str, problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    place = next((p for p in plan.placements if p.job == job), None)
    return "left out" if place is None else f"at {day_clock(problem, place.start)} instead"


def _twin(job: ProblemJob, machine: str, problem: Problem, n: int, plan: Plan) -> str:  # noqa: ARG001
    return f"{name_of(job)} on another machine like {machine_name(problem, machine)}"


def _lag(problem: Problem, rule: Precedence) -> str:
    parts = [f"at least {_minutes(problem, rule.min_slots)}"] if rule.min_slots else []
    parts += [] if rule.max_slots is None else [f"at most {_minutes(problem, rule.max_slots)}"]
    return f" by {' and '.join(parts)}" if parts else ""


def _minutes(problem: Problem, slots: int) -> str:
    return span(slots * problem.step_minutes)
