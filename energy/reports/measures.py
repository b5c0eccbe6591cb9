"""Before and after for production: what a planner compares, reckoned from as-is and from the plan with all offers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from energy.clock import local
from energy.model.calendar import Attended
from energy.model.horizon import Interval
from energy.model.job import Job, Planned
from energy.model.problem import Problem, ProblemJob
from energy.planning.slots import planned_at
from energy.reports.pages import Measure
from energy.reports.standing import Places, Standing

NIGHT = (22, 6)  # local hours


def before_after(standing: Standing, jobs: Mapping[str, Job], until: datetime) -> tuple[Measure, ...]:
    """As-is against the plan with the open and accepted offers, for the jobs that start before `until`."""
    problem = standing.problem
    as_is = {job.id: job.as_is for job in problem.jobs}
    looked = [job for job in problem.jobs if planned_at(problem, job.as_is).start < until]
    if not looked:
        return ()
    was = {job.id: planned_at(problem, as_is[job.id]) for job in looked}
    now = {job.id: planned_at(problem, standing.with_offers[job.id]) for job in looked}
    end = max(until, *(place.end for place in (*was.values(), *now.values())))
    span = Interval(problem.horizon.start, end)

    def both(name: str, unit: str, better: str, value: object) -> Measure:
        assert callable(value)
        return Measure(name=name, before=value(was), after=value(now), unit=unit, better=better)

    def people(places: Mapping[str, Planned]) -> float:
        return sum(person_hours(problem, job, places[job.id]) for job in looked)

    def unsocial(places: Mapping[str, Planned]) -> float:
        return sum(person_hours(problem, job, places[job.id], unsocial_only=True) for job in looked)

    return (
        both("On-time delivery", "%", "higher", lambda places: on_time(places, jobs)),
        both("Tardiness", "h", "lower", lambda places: tardiness(places, jobs)),
        both("Makespan", "h", "lower", lambda places: makespan(places, span.start)),
        both("Machine use", "%", "", lambda places: machine_use(problem, places, span)),
        both("Product changes on machines", "", "lower", lambda places: changes(places, jobs)),
        both("Crew hours", "h", "lower", people),
        both("of these at night or on Sundays", "h", "lower", unsocial),
        Measure(
            name="Moves in the busiest crew shift",
            before=0.0,
            after=float(moves_per_shift(problem, as_is, standing.with_offers)),
            unit="",
            better="lower",
        ),
    )


def on_time(places: Mapping[str, Planned], jobs: Mapping[str, Job]) -> float | None:
    """The share of jobs that end by their due time, %."""
    kept = [place.end <= jobs[id].due for id, place in places.items() if id in jobs]
    return 100.0 * sum(kept) / len(kept) if kept else None


def tardiness(places: Mapping[str, Planned], jobs: Mapping[str, Job]) -> float:
    """All hours that jobs end after their due times."""
    late = (place.end - jobs[id].due for id, place in places.items() if id in jobs)
    return sum(max(0.0, one.total_seconds() / 3600.0) for one in late)


def makespan(places: Mapping[str, Planned], start: datetime) -> float:
    """Hours until the last of the jobs has ended."""
    return (max(place.end for place in places.values()) - start).total_seconds() / 3600.0


def machine_use(problem: Problem, places: Mapping[str, Planned], span: Interval) -> float | None:
    """The share of the open machine time in which a job runs, %."""
    horizon = problem.horizon
    last = min(horizon.slots, horizon.slot_edge(span.end))
    free = {m.id: [True] * last for m in problem.machines}
    for machine in problem.machines:
        for shut in machine.closed:
            free[machine.id][shut.start : min(last, shut.end)] = [False] * max(0, min(last, shut.end) - shut.start)
    used = sum(
        max(0, min(last, horizon.slot_edge(place.end)) - max(0, horizon.slot_of(place.start)))
        for place in places.values()
    )
    whole = sum(sum(row) for row in free.values())
    return 100.0 * used / whole if whole else None


def changes(places: Mapping[str, Planned], jobs: Mapping[str, Job]) -> float:
    """How often a machine goes on with another product."""
    rows: dict[str, list[tuple[datetime, str]]] = {}
    for id, place in places.items():
        if id in jobs:
            rows.setdefault(place.machine, []).append((place.start, jobs[id].product))
    ordered = [[product for _, product in sorted(row)] for row in rows.values()]
    return float(sum(a != b for row in ordered for a, b in pairwise(row)))


def person_hours(problem: Problem, job: ProblemJob, place: Planned, *, unsocial_only: bool = False) -> float:
    """The hours that people must be at a job; with `unsocial_only` those at night or on a Sunday."""
    step = timedelta(minutes=problem.step_minutes)
    slots = round((place.end - place.start) / step)
    total = 0.0
    for need in job.needs:
        attended = {Attended.RUN: range(slots), Attended.START: range(min(1, slots)), Attended.ENDS: {0, slots - 1}}
        for slot in attended[need.attended]:
            wall = local(place.start + slot * step, problem.zone)
            if not unsocial_only or wall.hour >= NIGHT[0] or wall.hour < NIGHT[1] or wall.weekday() == 6:
                total += need.people * problem.step_hours
    return total


def moves_per_shift(problem: Problem, old: Places, new: Places) -> int:
    """How many moves the busiest crew shift has, into or out of it."""
    moved = [(old[id].start, new[id].start) for id in new if new[id] != old[id]]
    counts = [
        sum(any(shift.start <= start < shift.end for start in pair) for pair in moved) for shift in problem.shifts
    ]
    return max(counts, default=0)
