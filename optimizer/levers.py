"""What could be eased: for each rule of the plant that is tight in a plan, the same problem with a little more room."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import Limit, Placement, Problem, ProblemJob, Resource, ShiftHours, Use
from energy.planning.plant_words import clock, day_clock, machine_name
from energy.planning.price import choice_of, whole
from energy.planning.price_flow import feeder_load_kw, load_by_machine_kw
from optimizer import easing
from optimizer.starts import Rows, Whole

MORE = 1.1  # of a limit


@dataclass(frozen=True, slots=True)
class Lever:
    """One rule with a little more room: in words, and the problem as it would be."""

    kind: str
    words: str
    problem: Problem


def levers(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """All that is tight, machines first."""
    yield from _machines(problem, plan)
    yield from _closed(problem, plan)
    yield from _people(problem, plan)
    yield from _moves(problem, plan)
    yield from _limits(problem, plan)
    yield from _feeders(problem, plan)
    yield from _resources(problem, plan)


def busy_slots(problem: Problem, plan: Plan, machine: str) -> set[int]:
    """The slots in which a machine runs jobs."""
    jobs = {job.id: job for job in problem.jobs}
    return {k for p in plan.placements if p.machine == machine for k in jobs[p.job].busy(p)}


def _machines(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """A machine that several jobs of ours share."""
    for machine in problem.machines:
        here = [job for job in problem.jobs if job.fixed is None and _may_run(job, machine.id)]
        if len(here) > 1 and machine.capacity is not None and busy_slots(problem, plan, machine.id):
            words = f"a second machine like {machine.name or machine.id}"
            yield Lever("machine", words, easing.with_twin(machine.id, None, problem))


def _closed(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """A closed span that a run stands against: one hour less of it."""
    hour = 60 // problem.step_minutes
    for i, machine in enumerate(problem.machines):
        busy = busy_slots(problem, plan, machine.id)
        for j, span in enumerate(machine.closed):
            if span.end - span.start < 1:
                continue
            sides = []
            if span.end in busy and 0 < span.end < problem.slots:
                sides.append((replace(span, end=max(span.start, span.end - hour)), "earlier", span.end - hour))
            if span.start - 1 in busy and 0 < span.start < problem.slots:
                sides.append((replace(span, start=min(span.end, span.start + hour)), "longer", span.start))
            for less, how, first in sides:
                closed = (*machine.closed[:j], *((less,) if less.end > less.start else ()), *machine.closed[j + 1 :])
                opened = replace(machine, closed=closed)
                at = max(0, first)
                until = clock(problem, at + hour, at)
                yield Lever(
                    "closed",
                    f"{machine_name(problem, machine.id)} open one hour {how} ({day_clock(problem, at)} to {until})",
                    replace(problem, machines=(*problem.machines[:i], opened, *problem.machines[i + 1 :])),
                )


def _people(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """A skill of which all who are there are busy at some time of a shift: one person more in it."""
    for row, roster in enumerate(problem.rosters):
        used, there = people_used(problem, plan.placements, roster.skill), np.asarray(roster.people)
        asked = max((n.people for j in problem.jobs for n in j.needs if n.skill == roster.skill), default=0)
        for name, slots in _shifts(problem):
            mask = slots & (there > 0)
            if asked and (mask & (used > 0) & (used + asked > there)).any():
                people = tuple(np.where(mask, there + 1, there).tolist())
                hours = float(mask.sum()) * problem.step_hours
                words = f"one more {roster.skill} {name}".rstrip() + f" ({hours:g} h)"
                rosters = (*problem.rosters[:row], replace(roster, people=people), *problem.rosters[row + 1 :])
                yield Lever("crew", words, replace(problem, rosters=rosters))


def people_used(problem: Problem, placements: tuple[Placement, ...], skill: str) -> Whole:
    """How many people of a skill a plan needs in each slot."""
    used = np.zeros(problem.slots, dtype=np.int64)
    jobs = {job.id: job for job in problem.jobs}
    for place in placements:
        job = jobs[place.job]
        for need in job.needs:
            if need.skill == skill:
                slots = {k for k in _attended(need.attended, job, place) if 0 <= k < problem.slots}
                used[sorted(slots)] += need.people
    return used


def _attended(attended: Attended, job: ProblemJob, place: Placement) -> tuple[int, ...]:
    busy = job.busy(place)
    return {Attended.RUN: busy, Attended.START: (place.start,), Attended.ENDS: (place.start, job.end(place) - 1)}[
        attended
    ]


def _shifts(problem: Problem) -> list[tuple[str, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]]:
    """The shifts by name with their slots; the whole horizon where there are none."""
    slots = np.arange(problem.slots)
    if not problem.shifts:
        return [("", slots >= 0)]
    return [(f"in the shift {s.name}", (slots >= s.start) & (slots < s.end)) for s in problem.shifts]


def _moves(problem: Problem, plan: Plan) -> Iterator[Lever]:
    for i, shift in enumerate(problem.shifts):
        if shift.max_moves is not None and _moved_in(problem, plan, shift) >= shift.max_moves:
            more = replace(shift, max_moves=shift.max_moves + 1)
            shifts = (*problem.shifts[:i], more, *problem.shifts[i + 1 :])
            yield Lever("moves", f"one more moved job in the shift {shift.name}", replace(problem, shifts=shifts))


def _moved_in(problem: Problem, plan: Plan, shift: ShiftHours) -> int:
    places = {place.job: place for place in plan.placements}
    return sum(
        1
        for job in problem.jobs
        if job.fixed is None
        and job.id in places
        and job.is_moved(places[job.id], job.in_force)
        and any(shift.start <= k < shift.end for k in (places[job.id].start, job.in_force.start))
    )


def _limits(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """Import limits that have no room for the largest job."""
    imported, largest = np.asarray(plan.import_kw), _largest_kw(problem)
    if float(imported.max(initial=0.0)) + largest > problem.import_limit_kw:
        more = problem.import_limit_kw * MORE
        words = f"10 % more import limit ({more:,.0f} kW)"
        yield Lever("import limit", words, replace(problem, import_limit_kw=more))
    for i, limit in enumerate(problem.limits):
        there = imported[max(0, limit.start) : max(0, limit.end)]
        if len(there) and float(there.max()) + largest > limit.limit_kw:
            eased: Limit = replace(limit, limit_kw=limit.limit_kw * MORE)
            words = f"10 % more under {limit.name} ({eased.limit_kw:,.0f} kW)"
            yield Lever("limit", words, replace(problem, limits=(*problem.limits[:i], eased, *problem.limits[i + 1 :])))


def _feeders(problem: Problem, plan: Plan) -> Iterator[Lever]:
    if not problem.feeders:
        return
    by_machine = load_by_machine_kw(problem, whole(problem, choice_of(plan)))
    for i, feeder in enumerate(problem.feeders):
        load = feeder_load_kw(problem, feeder, by_machine)
        if float(load.max(initial=0.0)) + _largest_kw(problem, set(feeder.machines)) > feeder.limit_kw:
            eased = replace(feeder, limit_kw=feeder.limit_kw * MORE)
            words = f"10 % more on {feeder.name or feeder.id} ({eased.limit_kw:,.0f} kW)"
            feeders = (*problem.feeders[:i], eased, *problem.feeders[i + 1 :])
            yield Lever("feeder", words, replace(problem, feeders=feeders))


def _largest_kw(problem: Problem, machines: set[str] | None = None) -> float:
    return max(
        (
            max(option.power_kw, default=0.0)
            for job in problem.jobs
            if job.fixed is None
            for option in job.options
            if machines is None or machines & set(option.machines)
        ),
        default=0.0,
    )


def _resources(problem: Problem, plan: Plan) -> Iterator[Lever]:
    """A resource of the site, or of a machine, that some run could not find: one more of it."""
    for i, resource in enumerate(problem.resources):
        if _scarce(problem, plan, resource, ""):
            resources = (*problem.resources[:i], _one_more(resource), *problem.resources[i + 1 :])
            yield Lever("resource", f"one more {resource.name}", replace(problem, resources=resources))
    for i, machine in enumerate(problem.machines):
        for j, resource in enumerate(machine.resources):
            if _scarce(problem, plan, resource, machine.id):
                own = (*machine.resources[:j], _one_more(resource), *machine.resources[j + 1 :])
                machines = (*problem.machines[:i], replace(machine, resources=own), *problem.machines[i + 1 :])
                words = f"one more {resource.name} at {machine.name or machine.id}"
                yield Lever("resource", words, replace(problem, machines=machines))


def _one_more(resource: Resource) -> Resource:
    return replace(resource, amount=tuple(amount + 1.0 for amount in resource.amount))


def _scarce(problem: Problem, plan: Plan, resource: Resource, machine: str) -> bool:
    """Whether there is a slot in which what is left is too little for the smallest use of it."""
    own = {m.id for m in problem.machines if any(r.name == resource.name for r in m.resources)}
    jobs = {job.id: job for job in problem.jobs}
    used: Rows = np.zeros(problem.slots)
    least = np.inf
    for place in plan.placements:
        job = jobs[place.job]
        if place.machine != machine if machine else place.machine in own:
            continue
        for use in job.option(place.machine, place.mode).uses:
            if use.resource == resource.name and use.amount > 0.0:
                used[sorted({k for k in _holds(use, job, place) if 0 <= k < problem.slots})] += use.amount
                least = min(least, use.amount)
    amount = np.broadcast_to(np.asarray(resource.amount), used.shape)
    return bool(((used > 0.0) & (used + least > amount + 1e-9)).any())


def _holds(use: Use, job: ProblemJob, place: Placement) -> list[int]:
    held = list(_attended(use.attended, job, place))
    last = max(held, default=place.start)
    return [*held, *range(last + 1, last + 1 + use.after_slots)]


def _may_run(job: ProblemJob, machine: str) -> bool:
    return any(machine in option.machines for option in job.options)
