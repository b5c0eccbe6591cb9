"""Why each job stands where it does, and where else it could: the facts behind `loadstone why`."""

from dataclasses import dataclass

from energy.model.plan import GaveWay, Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.conflict import conflict_of
from energy.planning.elsewhere import Span, best
from energy.planning.explain import Reason, reasons
from energy.planning.plant_words import day_clock, machine_name, money, name_of
from optimizer.competing import competing
from optimizer.competing_cures import competing_cures
from optimizer.cures import cures_of, stuck_in
from optimizer.plant import Plant

NOTHING = 0.005  # currency: less is nothing
COMPETING_SHARE = 0.4  # of the time, to find what contradicts itself; the rest prices the cures


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """Why a job does not move: one sentence; `would_gain` is what its best free place would gain before the price of
    moving there, `moving_costs` that price."""

    job: str
    sentence: str
    best: Placement | None = None
    would_gain: float = 0.0
    moving_costs: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """A contradiction that a plan could only meet by leaving a job against a fact, and what would cure it."""

    job: str
    sentence: str
    cures: tuple[GaveWay, ...]


def why_each(problem: Problem, plan: Plan) -> tuple[list[Reason], list[Stays]]:
    """A reason for each job, moved or not."""
    moved = reasons(problem, plan)
    return list(moved.values()), [stays(problem, plan, job) for job in problem.jobs if job.id not in moved]


def stays(problem: Problem, plan: Plan, job: ProblemJob) -> Stays:
    """Why this job stays in its place in force, or is left out."""
    name, where = name_of(job), day_clock(problem, max(0, job.in_force.start))
    place = next((p for p in plan.placements if p.job == job.id), None)
    if place is not None and (job.fixed is not None or place.start < 0):
        why = "it has begun" if place.start < 0 else "it is fixed there"
        return Stays(job=job.id, sentence=f"{name} stays at {where}: {why}")
    verb = f"stays at {where}" if place is not None else "is left out"
    free = best(problem, plan, job)
    if free is None or free.costs_more is None:
        return Stays(job=job.id, sentence=f"{name} {verb}: no other place is free")
    at = Placement(job=job.id, machine=free.machine, start=free.first, mode=free.mode)
    moving = 0.0 if place is None else _price_of_moving(job)
    gain = moving - free.costs_more
    there = f"the best free place ({place_words(problem, at)})"
    if gain <= NOTHING:
        why = "no free place is cheaper"
    elif gain <= moving + NOTHING:
        why = f"{there} would gain {money(problem, gain)}, and moving costs {money(problem, moving)}"
    else:
        rest = f", and moving costs {money(problem, moving)}" if moving else ""
        why = f"though {there} would gain {money(problem, gain)}{rest}; longer planning may find that"
    return Stays(job=job.id, sentence=f"{name} {verb}: {why}", best=at, would_gain=gain, moving_costs=moving)


def _price_of_moving(job: ProblemJob) -> float:
    return job.move_price + (job.break_accepted_price if job.accepted else 0.0)


def place_words(problem: Problem, place: Placement) -> str:
    """A place with its day, and its machine and mode where the plant has several."""
    mode = f" {place.mode}" if place.mode else ""
    return f"{day_clock(problem, max(0, place.start))} on {machine_name(problem, place.machine)}{mode}"


def span_of(problem: Problem, span: Span) -> str:
    """The starts of a span."""
    first = day_clock(problem, span.first)
    return first if span.first == span.last else f"{first} to {day_clock(problem, span.last)}"


def against(problem: Problem, plan: Plan, *, seconds: float, process: bool = True) -> list[Against]:
    """What keeps jobs against facts: a job's own rules, or jobs that need the same."""
    held = stuck_in(Plant(problem), plan)
    found = []
    places = {place.job: place for place in plan.placements}
    for job in held:
        conflict = conflict_of(problem, job, places)
        if conflict is not None:
            cure = cures_of(problem, plan, conflict)
            found.append(Against(job=job.id, sentence=conflict.sentence, cures=cure))
    together = competing(problem, plan, seconds=COMPETING_SHARE * seconds) if held else []
    for one in together:
        share = (1.0 - COMPETING_SHARE) * seconds / len(together)
        cure = competing_cures(problem, plan, one, seconds=share, process=process)
        found.append(Against(job=one.job, sentence=one.sentence, cures=cure))
    return found
