"""What keeps a job from standing somewhere for the sake of its machine: full, not up yet, not set up, and things of which
there is only so much."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.problem import Placement, Problem, ProblemJob, ProblemMachine, Use
from energy.planning.plant_words import clock, name_of, span
from energy.planning.price_setups import setups_on, setups_without_time
from energy.planning.price_states import route, soonest

Places = Mapping[str, Placement]

SLACK = 1e-6


def machines(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """Everything of that in the way, with the job there and the others as they are."""
    machine = next((m for m in problem.machines if m.id == place.machine), None)
    if machine is not None:
        yield from _full(problem, machine, job, place, others)
        yield from _not_up(problem, machine, job, place)
        yield from _not_set_up(problem, machine, place, others)
        yield from _resources(problem, machine, job, place, others)


def _full(
    problem: Problem, machine: ProblemMachine, job: ProblemJob, place: Placement, others: Places
) -> Iterator[str]:
    """A machine that runs several jobs at a time already has as many. (One at a time is looked at elsewhere.)"""
    if machine.capacity in {None, 1} or machine.batch is not None:
        return
    there = [(other, others[other.id]) for other in problem.jobs if other.id in others]
    on = {other.id: (other, set(other.busy(at))) for other, at in there if at.machine == machine.id}
    for slot in job.busy(place):
        here = [other for other, busy in on.values() if slot in busy]
        if len(here) >= (machine.capacity or 0):
            names = ", ".join(name_of(other) for other in here)
            yield f"{machine.name or machine.id} runs {names} at {clock(problem, slot, place.start)}"
            return


def _not_up(problem: Problem, machine: ProblemMachine, job: ProblemJob, place: Placement) -> Iterator[str]:
    """A machine with states needs time to come up, and to go down by the end."""
    states, busy = machine.states, [k for k in job.busy(place) if 0 <= k < problem.slots]
    if states is None or not busy:
        return
    ups = [state.name for state in states.states if state.runs_jobs]
    needs = [
        sum(t.slots for t in way) for name in ups if (way := route(states, states.at_start, name, soonest)) is not None
    ]
    name = machine.name or machine.id
    if not needs:
        yield f"{name} cannot be up at all"
    elif busy[0] < min(needs):
        yield f"{name} is up at {clock(problem, min(needs), place.start)} at the earliest"
    if states.at_end is not None:
        ways = [way for up in ups if (way := route(states, up, states.at_end, soonest)) is not None]
        down = min((sum(t.slots for t in way) for way in ways), default=problem.slots)
        if busy[-1] + 1 + down > problem.slots:
            end = clock(problem, problem.slots, place.start)
            yield f"{name} could not be {states.at_end} at {end}"


def _not_set_up(problem: Problem, machine: ProblemMachine, place: Placement, others: Places) -> Iterator[str]:
    """The machine has no time to be made ready for it, or for the next one after it."""
    if not machine.setups:
        return
    before = setups_without_time(problem, tuple(others.values()), machine)
    together = (*others.values(), place)
    lacking = setups_without_time(problem, together, machine)
    name = machine.name or machine.id
    for change in setups_on(problem, together, machine):
        missing = lacking.get(change.job, ())
        if len(missing) > len(before.get(change.job, ())):
            takes = span(change.setup.slots * problem.step_minutes)
            ready = f"{name} must be set up for {change.setup.to_family} in the {takes} before"
            at = clock(problem, change.done, place.start)
            whom = "it" if change.job == place.job else f"{name_of(problem.job(change.job))} at {at}"
            yield f"{ready} {whom}, and is not free at {clock(problem, missing[0], place.start)}"


def _resources(
    problem: Problem, machine: ProblemMachine, job: ProblemJob, place: Placement, others: Places
) -> Iterator[str]:
    """Others hold what it needs, or there is never as much then."""
    for use in job.option(place.machine, place.mode).uses:
        own = any(resource.name == use.resource for resource in machine.resources)
        where = machine.resources if own else problem.resources
        amount = next((resource.amount for resource in where if resource.name == use.resource), (0.0,))
        there = np.broadcast_to(np.asarray(amount, dtype=np.float64), problem.slots)
        held, who = _held_by_others(problem, machine if own else None, use.resource, others)
        for slot in _slots(problem, job, place, use):
            if held[slot] + use.amount > there[slot] + SLACK:
                at = clock(problem, slot, place.start)
                if use.amount > there[slot] + SLACK:
                    yield f"there is too little of {use.resource} at {at} ({there[slot]:g}, it needs {use.amount:g})"
                else:
                    names = ", ".join(name for name, slots in who if slot in slots)
                    yield f"{use.resource} is held by {names} at {at}"
                break


def _held_by_others(
    problem: Problem, machine: ProblemMachine | None, name: str, others: Places
) -> tuple[NDArray[np.float64], list[tuple[str, list[int]]]]:
    """What others hold of a resource (of a machine; None: of the site) in each slot, and who when."""
    held = np.zeros(problem.slots)
    who: list[tuple[str, list[int]]] = []
    own = {m.id: {resource.name for resource in m.resources} for m in problem.machines}
    for other in problem.jobs:
        there = others.get(other.id)
        if there is None or (there.machine != machine.id if machine else name in own.get(there.machine, ())):
            continue
        for use in other.option(there.machine, there.mode).uses:
            if use.resource == name:
                slots = _slots(problem, other, there, use)
                held[slots] += use.amount
                who.append((name_of(other), slots))
    return held, who


def _slots(problem: Problem, job: ProblemJob, place: Placement, use: Use) -> list[int]:
    """The slots of the horizon in which a run holds what it uses."""
    busy = list(job.busy(place))
    if not busy:
        return []
    after = range(busy[-1] + 1, busy[-1] + 1 + use.after_slots)
    if use.attended is Attended.START:
        busy, after = busy[:1], range(busy[0] + 1, busy[0] + 1 + use.after_slots)
    elif use.attended is Attended.ENDS:
        busy = sorted({busy[0], busy[-1]})
    return [k for k in (*busy, *after) if 0 <= k < problem.slots]
