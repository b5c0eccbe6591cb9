"""What keeps a job from standing somewhere, in the plant's words: closed machines, other jobs, crews, order, dates."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import CrewNeed, Option, Placement, Problem, ProblemJob
from energy.planning.obstacles_flow import flows
from energy.planning.obstacles_jobs import late_order, order_dates, together
from energy.planning.obstacles_machines import machines
from energy.planning.obstacles_site import site_limits
from energy.planning.plant_words import clock, machine_name, money, name_of, span

Places = Mapping[str, Placement]


def why_not(
    problem: Problem,
    job: ProblemJob | str,
    machine: str,
    start: int,
    *,
    mode: str = "",
    places: Places | None = None,
    plan: Plan | None = None,
) -> str:
    """What keeps a job from starting there, beside the others as in `places` (by default the plan in force). With a plan
    (in which the others stand so) the limits of the site are looked at too: battery, stores and all else stay as planned.

    "" where nothing does. A text with "(allowed, …)" names a price and no obstacle.
    """
    asked = problem.job(job) if isinstance(job, str) else job
    done = [j for j in problem.jobs if places is None or j.value is None or j.id in places]  # others are left out
    others = {j.id: j.fixed or j.in_force for j in done} | dict(places or {})
    others.pop(asked.id, None)
    option = _option(asked, machine, mode)
    if option is None:
        on = f"{machine_name(problem, machine)} {mode}".rstrip()
        return f"{name_of(asked)} cannot run on {on}"
    place = _place(asked, option, machine, start)
    found = next(_obstacles(problem, asked, place, others), "")
    if not found and plan is not None:
        found = next(site_limits(problem, asked, place, plan), "")
    return found or _price_of_being_late(problem, asked, place)


def _obstacles(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """Everything in the way, the firmest first."""
    yield from _window(problem, job, place)
    yield from order_dates(problem, job, place)
    yield from _closed(problem, job, place)
    yield from _busy(problem, job, place, others)
    yield from _order(problem, job, place, others)
    yield from together(problem, job, place, others)
    yield from _people(problem, job, place, others)
    yield from machines(problem, job, place, others)
    yield from flows(problem, job, place, others)
    yield from _moves(problem, job, place, others)


def _window(problem: Problem, job: ProblemJob, place: Placement) -> Iterator[str]:
    end = job.end(place)
    if job.fixed is not None and job.is_moved(place, job.fixed):
        yield f"{name_of(job)} is fixed at {clock(problem, job.fixed.start, place.start)}"
    if not job.is_moved(place, job.in_force):
        return
    if place.start < 0:
        yield f"{clock(problem, place.start, place.start)} has passed"
    if place.start < job.earliest:
        yield f"{name_of(job)} can start at {clock(problem, job.earliest, place.start)} at the earliest"
    if job.latest_start is not None and place.start > job.latest_start:
        yield f"{name_of(job)} must start by {clock(problem, job.latest_start, place.start)}"
    if job.must_end is not None and end > job.must_end:
        must = clock(problem, job.must_end, place.start)
        yield f"{name_of(job)} would end at {clock(problem, end, place.start)}, and must end by {must}"
    if end > problem.slots:
        yield f"{name_of(job)} would end after the planned time ({clock(problem, problem.slots, place.start)})"


def _closed(problem: Problem, job: ProblemJob, place: Placement) -> Iterator[str]:
    busy = job.busy(place)
    for machine in problem.machines:
        for shut in machine.closed if machine.id == place.machine else ():
            if any(shut.start <= k < shut.end for k in busy):
                until = clock(problem, shut.end, place.start)
                if shut.why == "maintenance":
                    yield f"{machine.name or machine.id} is in maintenance until {until}"
                else:
                    why = f" ({shut.why})" if shut.why else ""
                    yield f"{machine.name or machine.id} is closed until {until}{why}"


def _busy(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    if any(m.id == place.machine and (m.batch is not None or m.capacity != 1) for m in problem.machines):
        return
    busy, ends = set(job.busy(place)), job.end(place)
    for other in problem.jobs:
        there = others.get(other.id)
        if there is None or there.machine != place.machine:
            continue
        end = other.end(there)
        if there.start < ends and place.start < end and not busy.isdisjoint(other.busy(there)):
            until = clock(problem, end, place.start)
            yield f"{machine_name(problem, place.machine)} runs {name_of(other)} until {until}"


def _order(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    by_id = {j.id: j for j in problem.jobs}
    for rule in job.after:
        if rule.job in others:
            before, there = by_id[rule.job], others[rule.job]
            ready = before.end(there) + rule.min_slots
            if place.start < ready:
                yield f"it follows {name_of(before)}, and may start from {clock(problem, ready, place.start)}"
            if rule.max_slots is not None and place.start > ready - rule.min_slots + rule.max_slots:
                last = clock(problem, ready - rule.min_slots + rule.max_slots, place.start)
                yield f"it follows {name_of(before)}, and must start by {last}"
    end = job.end(place)
    for other in problem.jobs:
        for rule in other.after:
            if rule.job == job.id and other.id in others:
                lag = others[other.id].start - end
                starts = clock(problem, others[other.id].start, place.start)
                if lag < rule.min_slots:
                    yield f"{name_of(other)} follows it, and starts at {starts}"
                if rule.max_slots is not None and lag > rule.max_slots:
                    yield f"{name_of(other)} must follow sooner, and starts at {starts}"


def _people(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    for need in job.needs:
        there = _roster(problem, need.skill)
        asked = _attended(problem, need, job, place)
        for slot in asked:
            if there[slot] < need.people:
                yield _nobody(problem, need, slot, there, place.start)
                break
        else:
            used = _used(problem, need.skill, others)
            for slot in asked:
                if used[slot] + need.people > there[slot]:
                    when = clock(problem, slot, place.start)
                    busy = ", ".join(_who(problem, need.skill, others, slot))
                    yield f"the {need.skill} crew is busy at {when} with {busy}"
                    break


def _nobody(problem: Problem, need: CrewNeed, slot: int, there: NDArray[np.int64], near: int) -> str:
    later = np.flatnonzero(there[slot:] >= need.people)
    people = f"{need.people} people of the " if need.people > 1 and there[slot] else ""
    if len(later):
        return f"no {people}{need.skill} crew before {clock(problem, slot + int(later[0]), near)}"
    return f"no {people}{need.skill} crew at {clock(problem, slot, near)}"


def _roster(problem: Problem, skill: str) -> NDArray[np.int64]:
    there = np.zeros(problem.slots, dtype=np.int64)
    for roster in problem.rosters:
        if roster.skill == skill:
            there += np.asarray(roster.people, dtype=np.int64)
    return there


def _attended(problem: Problem, need: CrewNeed, job: ProblemJob, place: Placement) -> list[int]:
    run = {
        Attended.RUN: job.busy(place),
        Attended.START: (place.start,),
        Attended.ENDS: (place.start, job.end(place) - 1),
    }[need.attended]
    return sorted({slot for slot in run if 0 <= slot < problem.slots})


def _used(problem: Problem, skill: str, others: Places) -> NDArray[np.int64]:
    used = np.zeros(problem.slots, dtype=np.int64)
    for job, need, slots in _attending(problem, skill, others):
        del job
        used[slots] += need.people
    return used


def _who(problem: Problem, skill: str, others: Places, slot: int) -> list[str]:
    return [name_of(job) for job, _, slots in _attending(problem, skill, others) if slot in slots]


def _attending(problem: Problem, skill: str, others: Places) -> Iterator[tuple[ProblemJob, CrewNeed, list[int]]]:
    for job in problem.jobs:
        there = others.get(job.id)
        for need in job.needs if there is not None else ():
            if need.skill == skill and there is not None:
                yield job, need, _attended(problem, need, job, there)


def _moves(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    if job.fixed is not None or not job.is_moved(place, job.in_force):
        return
    for shift in problem.shifts:
        if shift.max_moves is None or not _touches(job, place, shift.start, shift.end):
            continue
        moved = sum(
            1
            for other in problem.jobs
            if other.id in others
            and other.fixed is None
            and other.is_moved(others[other.id], other.in_force)
            and _touches(other, others[other.id], shift.start, shift.end)
        )
        if moved >= shift.max_moves:
            bears = "no moved job" if not shift.max_moves else f"at most {shift.max_moves} moved jobs"
            yield f"shift {shift.name} bears {bears}"


def _touches(job: ProblemJob, place: Placement, first: int, end: int) -> bool:
    return first <= place.start < end or first <= job.in_force.start < end


def _price_of_being_late(problem: Problem, job: ProblemJob, place: Placement) -> str:
    end = job.end(place)
    if job.due is None or end <= job.due:
        return late_order(problem, job, place)
    minutes = (end - job.due) * problem.step_minutes
    price = minutes / 60.0 * job.late_per_hour * job.priority
    return f"ends {span(minutes)} after its due time (allowed, costs {money(problem, price)})"


def _option(job: ProblemJob, machine: str, mode: str) -> Option | None:
    there = [option for option in job.options if machine in option.machines]
    return next((option for option in there if option.mode == mode), there[0] if there and not mode else None)


def _place(job: ProblemJob, option: Option, machine: str, start: int) -> Placement:
    """The place that is asked about: as given, with its pauses, where it is that one; else run straight through."""
    for given in (job.fixed, job.in_force):
        if given is not None and (given.machine, given.mode, given.start) == (machine, option.mode, start):
            return given
    return Placement(job=job.id, machine=machine, start=start, mode=option.mode)
