"""Where else a job could stand: the horizon walked slot by slot, told in spans of starts with one and the same obstacle,
and with what each free span would cost more than the planned place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.around import Around
from energy.planning.obstacles import why_not

ALLOWED = "(allowed"  # what `why_not` says of a place that only costs something
TIE = 1e-9  # currency
_AMOUNTS = re.compile(
    r"(\b[A-Z][a-z]{2} )?\b\d\d:\d\d\b|\b\d+ h( \d\d)?\b|\b\d+ min\b|\b[\d.,]+ k[Wg]\b|costs [\d.,]+ \w+"
)  # what an obstacle says of its time and size


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
    asked = _Asked(problem, plan, job)
    return [span for option in job.options for machine in option.machines for span in asked.walk(machine, option.mode)]


def at_place(problem: Problem, plan: Plan, job: ProblemJob, place: Placement) -> Span:
    """One place alone."""
    return _Asked(problem, plan, job).look(place)


def best(problem: Problem, plan: Plan, job: ProblemJob) -> Span | None:
    """The cheapest free place but the planned one; None where no other is free."""
    asked = _Asked(problem, plan, job)
    ranked = sorted(
        ((asked.around.dearer(place), n, place) for n, place in enumerate(asked.within())), key=lambda r: r[:2]
    )
    looked = (asked.look(place) for _, _, place in ranked)
    return next((span for span in looked if span.free and not span.planned), None)


class _Asked:
    """One job, asked where else it could stand beside all others as planned."""

    def __init__(self, problem: Problem, plan: Plan, job: ProblemJob) -> None:
        self.problem, self.plan, self.job = problem, plan, job
        self.places = {placement.job: placement for placement in plan.placements}
        self.planned = self.places.get(job.id)
        self.around = Around(problem, plan, job, self.planned)

    def walk(self, machine: str, mode: str) -> Iterator[Span]:
        """The starts on a machine, in spans."""
        so_far: Span | None = None
        for start in range(self.problem.slots - self.job.option(machine, mode).slots + 1):
            here = self.look(Placement(job=self.job.id, machine=machine, start=start, mode=mode))
            if so_far is not None and _kind(so_far) != _kind(here):
                yield so_far
                so_far = None
            so_far = here if so_far is None else _joined(so_far, here)
        if so_far is not None:
            yield so_far

    def within(self) -> Iterator[Placement]:
        """The places that the job's own window leaves it, and the one where it is in force."""
        job = self.job
        for option in job.options:
            last = min(self.problem.slots, self.problem.slots if job.must_end is None else job.must_end) - option.slots
            last = last if job.latest_start is None else min(last, job.latest_start)
            for machine in option.machines:
                for start in range(max(0, job.earliest), last + 1):
                    yield Placement(job=job.id, machine=machine, start=start, mode=option.mode)
        if job.in_force.start >= 0:
            yield job.in_force

    def look(self, place: Placement) -> Span:
        """One start."""
        planned = self.planned is not None and not self.job.is_moved(place, self.planned)
        words = "" if planned else self._why_not(place)
        free = not words or ALLOWED in words
        return Span(
            machine=place.machine,
            mode=place.mode,
            first=place.start,
            last=place.start,
            planned=planned,
            obstacle="" if free else words,
            note=words if free else "",
            cheapest=place.start if free else None,
            costs_more=None if not free else 0.0 if planned else self.around.dearer(place),
        )

    def _why_not(self, place: Placement) -> str:
        return why_not(
            self.problem, self.job, place.machine, place.start, mode=place.mode, places=self.places, plan=self.plan
        )


def _kind(span: Span) -> tuple[bool, bool, str]:
    """What makes two places alike: the obstacle, whatever times and amounts it names."""
    return span.planned, span.free, _AMOUNTS.sub("", span.obstacle or span.note)


def _joined(one: Span, other: Span) -> Span:
    dearer = one.costs_more is None or other.costs_more is None or other.costs_more > one.costs_more - TIE
    best = one if dearer else other
    return replace(one, last=other.last, cheapest=best.cheapest, costs_more=best.costs_more)
