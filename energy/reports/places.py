"""Other places for a job of an offer: checked against the plan in force, priced, and said why not where they cannot be."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from energy.model.job import Planned
from energy.model.plan import Plan
from energy.model.problem import Option, Placement, Problem, ProblemJob
from energy.model.proposal import LoadShift, Offer
from energy.planning.bundles import places_of
from energy.planning.check import check_placements, new_violations
from energy.planning.explain import why_not
from energy.planning.gain_risk import gain_between
from energy.planning.slots import slot_near
from energy.reports.pages import Place

Price = Callable[[Problem, Sequence[Placement]], Plan]
SHOWN = 6
PRICED = 16  # the nearest feasible places that are priced, to show the best of them
UNKNOWN = float("nan")


def places(problem: Problem, offer: Offer, job: str, price: Price) -> tuple[Place, ...]:
    """The nearest feasible places for a job of an offer, all else of the offer as offered; best first."""
    shift = shift_of(offer, job)
    if shift is None or any(s.job not in places_of(problem) for s in offer.shifts):
        return ()
    free = freed(problem, offer)
    posed, others = free.job(job), with_others(free, offer, job)
    wanted = slot_near(free.horizon, shift.new.start)
    standing = [places_of(free)[j.id] for j in free.jobs]
    before, known = price(free, standing), check_placements(free, standing)
    found: list[Place] = []
    for place in nearest(free, posed, wanted):
        if len(found) == PRICED:
            break
        if place == posed.in_force or why_not(free, posed, place.machine, place.start, mode=place.mode, places=others):
            continue
        after = [place if j.id == job else others[j.id] for j in free.jobs]
        if not new_violations(known, check_placements(free, after)):
            found.append(priced(free, place, before, price(free, after)))
    return tuple(sorted(found, key=lambda p: (-round(p.money, 2), abs(p.planned.start - shift.new.start)))[:SHOWN])


def place(problem: Problem, offer: Offer, job: str, start: datetime, machine: str, price: Price) -> Place:
    """A place of the planner's own, checked and priced; why not, where it is not possible. A place that is possible at a
    price (late) is priced."""
    shift = shift_of(offer, job)
    if shift is None or job not in places_of(problem):
        return impossible(shift, job, start, machine, f"job {job} is no longer open in the production plan")
    free = freed(problem, offer)
    posed, others = free.job(job), with_others(free, offer, job)
    option = option_on(posed, machine, shift.new.mode)
    slot = slot_near(free.horizon, start)
    if option is None:
        return impossible(shift, job, start, machine, why_not(free, posed, machine, slot, places=others))
    there = Placement(job=job, machine=machine, start=slot, mode=option.mode)
    words = why_not(free, posed, machine, slot, mode=option.mode, places=others)
    standing = [places_of(free)[j.id] for j in free.jobs]
    after = [there if j.id == job else others[j.id] for j in free.jobs]
    if not words or "(allowed" in words:
        broken = new_violations(check_placements(free, standing), check_placements(free, after))
        words = broken[0].what if broken else ""
    end = free.horizon.time_of(slot + option.slots)
    planned = Planned(job=job, machine=machine, start=free.horizon.time_of(slot), end=end, mode=option.mode)
    if words:
        return Place(planned=planned, money=UNKNOWN, carbon_kg=UNKNOWN, why_not=words)
    return priced(free, there, price(free, standing), price(free, after))


def shift_of(offer: Offer, job: str) -> LoadShift | None:
    return next((shift for shift in offer.shifts if shift.job == job), None)


def freed(problem: Problem, offer: Offer) -> Problem:
    """The problem with the jobs of an offer free to move: they are open to the planner."""
    asked = set(offer.jobs)
    return replace(problem, jobs=tuple(replace(j, fixed=None) if j.id in asked else j for j in problem.jobs))


def with_others(problem: Problem, offer: Offer, job: str) -> dict[str, Placement]:
    """The plan in force with the other jobs of the offer at their offered places."""
    stands = places_of(problem)
    for shift in offer.shifts:
        if shift.job != job and shift.job in stands:
            new = shift.new
            start = slot_near(problem.horizon, new.start)
            stands[shift.job] = Placement(job=shift.job, machine=new.machine, start=start, mode=new.mode)
    return stands


def nearest(problem: Problem, job: ProblemJob, wanted: int) -> list[Placement]:
    """Every place of a job within the horizon, nearest to a slot first."""
    every = [
        Placement(job=job.id, machine=option.machine, start=start, mode=option.mode)
        for option in job.options
        for start in range(max(0, job.earliest), problem.slots - option.slots + 1)
    ]
    return sorted(every, key=lambda p: (abs(p.start - wanted), p.start, p.machine, p.mode))


def option_on(job: ProblemJob, machine: str, mode: str) -> Option | None:
    """The way to run on a machine: in the offered mode if there is one, else the first."""
    there = [option for option in job.options if option.machine == machine]
    return next((option for option in there if option.mode == mode), there[0] if there else None)


def priced(problem: Problem, place: Placement, before: Plan, after: Plan) -> Place:
    option = problem.job(place.job).option(place.machine, place.mode)
    horizon = problem.horizon
    gain = gain_between(problem, before, after)
    return Place(
        planned=Planned(
            job=place.job,
            machine=place.machine,
            start=horizon.time_of(place.start),
            end=horizon.time_of(place.start + option.slots),
            mode=place.mode,
        ),
        money=gain.money,
        carbon_kg=gain.carbon_kg,
    )


def impossible(shift: LoadShift | None, job: str, start: datetime, machine: str, why: str) -> Place:
    length = shift.new.end - shift.new.start if shift is not None else timedelta(0)
    planned = Planned(job=job, machine=machine, start=start, end=start + length)
    return Place(planned=planned, money=UNKNOWN, carbon_kg=UNKNOWN, why_not=why)
