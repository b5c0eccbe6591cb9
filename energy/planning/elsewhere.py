"""Where else a job could stand: the horizon walked slot by slot, told in spans of starts with one and the same obstacle,
and with what each free span would cost more than the planned place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.around import Around
from energy.planning.obstacles import why_not

ALLOWED = "(allowed"  # what `why_not` says of a place that only costs something
TIE = 1e-9  # currency
_TIMES = re.compile(r"(\b[A-Z][a-z]{2} )?\b\d\d:\d\d\b|\b\d+ h( \d\d)?\b|\b\d+ min\b|costs [\d.,]+ \w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Starts in a row on one machine that the same thing keeps the job from; `obstacle` is "" where they are free, and
    then `cheapest` and `costs_more` say which is best and what the plan would cost more (less: negative) with it there,
    all else as planned, the price of moving included."""

    machine: str
    mode: str
    first: int
    last: int
    planned: bool = False
    obstacle: str = ""
    note: str = ""
    cheapest: int | None = None
    costs_more: float | None = None

    @property
    def free(self) -> bool:
        return not self.obstacle


def spans(problem: Problem, plan: Plan, job: ProblemJob) -> list[Span]:
    """All spans of a job, option by option, in the order of time; the planned start is a span of its own."""
    places = {placement.job: placement for placement in plan.placements}
    planned = places.get(job.id)
    around = Around(problem, plan, job, planned)
    found: list[Span] = []
    for option in job.options:
        for machine in option.machines:
            found += _walk(problem, job, places, around, machine, option.mode)
    return found


def at_place(problem: Problem, plan: Plan, job: ProblemJob, place: Placement) -> Span:
    """One place alone."""
    places = {placement.job: placement for placement in plan.placements}
    around = Around(problem, plan, job, places.get(job.id))
    return _look(problem, job, places, around, place)


def _walk(
    problem: Problem, job: ProblemJob, places: Mapping[str, Placement], around: Around, machine: str, mode: str
) -> Iterator[Span]:
    slots = len(job.option(machine, mode).power_kw)
    so_far: Span | None = None
    for start in range(max(0, problem.slots - slots + 1)):
        place = Placement(job=job.id, machine=machine, start=start, mode=mode)
        here = _look(problem, job, places, around, place)
        if so_far is None or _kind(so_far) != _kind(here):
            if so_far is not None:
                yield so_far
            so_far = here
        else:
            so_far = _joined(so_far, here)
    if so_far is not None:
        yield so_far


def _look(problem: Problem, job: ProblemJob, places: Mapping[str, Placement], around: Around, place: Placement) -> Span:
    planned = places.get(job.id)
    here = planned is not None and not job.is_moved(place, planned)
    words = "" if here else why_not(problem, job, place.machine, place.start, mode=place.mode, places=places)
    free = not words or ALLOWED in words
    return Span(
        machine=place.machine,
        mode=place.mode,
        first=place.start,
        last=place.start,
        planned=here,
        obstacle="" if free else words,
        note=words if free else "",
        cheapest=place.start if free else None,
        costs_more=None if not free else 0.0 if here else around.dearer(place),
    )


def _kind(span: Span) -> tuple[bool, bool, str]:
    """What makes two places alike: the obstacle, whatever times it names."""
    return span.planned, span.free, _TIMES.sub("", span.obstacle or span.note)


def _joined(one: Span, other: Span) -> Span:
    dearer = one.costs_more is None or other.costs_more is None or other.costs_more > one.costs_more - TIE
    best = one if dearer else other
    return replace(one, last=other.last, cheapest=best.cheapest, costs_more=best.costs_more)
