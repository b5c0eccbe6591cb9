"""As-is where nobody planned it, the conflicts that the production plan has by itself, and the plan in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from energy.model.calendar import Attended, Calendar
from energy.model.horizon import Horizon
from energy.model.job import Job, Mode, Planned
from energy.model.plan import How, HowFound, Violation
from energy.model.problem import Placement, Problem
from energy.planning.check import check
from energy.planning.price import price_plan
from energy.planning.roster import closed_slots, rosters

# What binds a proposal, but not production in its own plan.
NOT_PRODUCTIONS = frozenset({"fixed", "moves per shift"})


def assume_starts(
    jobs: Sequence[Job],
    horizon: Horizon,
    calendar: Calendar,
    zone: str,
    *,
    fixed: Mapping[str, Planned] | None = None,
    others: Sequence[Job] = (),
) -> dict[str, Planned]:
    """Where the plant would run orders that have no planned start: in the order of release (when the job may start at
    the earliest; then urgency, then due time, then as listed), each as soon as it can, on the machine that is free
    first and has its crew; never before a job that it follows.

    `fixed` says where all other jobs stand; they hold their machines, and their crews where `others` gives the jobs.
    A job that finds no place in the horizon is missing from the answer. The caller asks once and keeps the answer:
    asked again later it would be another plan, and no saving may come of that.
    """
    floor = _Floor.empty(horizon, calendar, zone, [*jobs, *others])
    known = {job.id: job for job in others}
    ends: dict[str, datetime] = {}
    for id, place in (fixed or {}).items():
        ends[id] = place.end
        floor.take(known.get(id), place)
    found: dict[str, Planned] = {}
    waiting = _by_release(jobs, horizon)
    ours = {job.id for job in jobs}
    while (job := _next_ready(waiting, ours - set(found), ends)) is not None:
        waiting.remove(job)
        soonest = _soonest(job, floor, ends)
        if soonest is not None:
            found[job.id] = soonest
            ends[job.id] = soonest.end
            floor.take(job, soonest)
    return found


def conflicts(problem: Problem) -> list[Violation]:
    """The rules that the production plan itself breaks. They are reported; that a plan cures one is not a saving."""
    as_is = price_plan(problem, [job.as_is for job in problem.jobs], how=How(found=HowFound.AS_GIVEN), as_is_chain=True)
    return [v for v in check(problem, as_is, as_is_chain=True) if v.rule not in NOT_PRODUCTIONS]


def in_force(as_is: Sequence[Placement], accepted: Mapping[str, Placement]) -> tuple[Placement, ...]:
    """The plan in force: as-is with the accepted shifts, by job."""
    return tuple(accepted.get(place.job, place) for place in as_is)


@dataclass
class _Floor:
    """Which machine is taken, and how many people are left, in each slot."""

    horizon: Horizon
    taken: dict[str, set[int]]
    people: dict[str, list[int]]
    closed: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def empty(cls, horizon: Horizon, calendar: Calendar, zone: str, jobs: Sequence[Job]) -> "_Floor":
        machines = {mode.machine for job in jobs for mode in job.modes}
        closed = {
            m: {k for c in closed_slots(m, calendar, horizon, zone) for k in range(c.start, c.end)} for m in machines
        }
        people = {roster.skill: list(roster.people) for roster in rosters(calendar, horizon, zone)}
        return cls(horizon, {m: set() for m in machines}, people, closed)

    def take(self, job: Job | None, place: Planned) -> None:
        first, end = self.horizon.slot_of(place.start), self.horizon.slot_edge(place.end)
        self.taken.setdefault(place.machine, set()).update(range(first, end))
        for skill, slot, people in _needs(job, first, end) if job is not None else ():
            if 0 <= slot < self.horizon.slots and skill in self.people:
                self.people[skill][slot] -= people

    def has_room(self, job: Job, mode: Mode, first: int, end: int) -> bool:
        run = set(range(first, end))
        return (
            end <= self.horizon.slots
            and not run & self.taken[mode.machine]
            and not run & self.closed.get(mode.machine, set())
            and all(
                self.people.get(skill, [0] * end)[slot] >= people for skill, slot, people in _needs(job, first, end)
            )
        )


def _needs(job: Job, first: int, end: int) -> Iterator[tuple[str, int, int]]:
    """(skill, slot, people) of a run in the slots [first, end)."""
    for need in job.needs:
        slots = {Attended.RUN: range(first, end), Attended.START: (first,), Attended.ENDS: sorted({first, end - 1})}
        for slot in slots[need.attended]:
            yield need.skill, slot, need.people


def _by_release(jobs: Sequence[Job], horizon: Horizon) -> list[Job]:
    def key(numbered: tuple[int, Job]) -> tuple[datetime, int, datetime, int]:
        number, job = numbered
        return max(job.earliest or horizon.start, horizon.start), -job.priority, job.due, number

    return [job for _, job in sorted(enumerate(jobs), key=key)]


def _next_ready(waiting: Sequence[Job], unplaced: set[str], ends: Mapping[str, datetime]) -> Job | None:
    """The first job that waits for no other unplaced one. A predecessor that is neither here nor fixed is over."""
    for job in waiting:
        if not any(f.job in unplaced and f.job not in ends for f in job.follows):
            return job
    return None


def _soonest(job: Job, floor: _Floor, ends: Mapping[str, datetime]) -> Planned | None:
    """The place where the job ends first among those where it can start first."""
    horizon = floor.horizon
    earliest, latest = job.earliest or horizon.start, None
    for follows in job.follows:
        if follows.job in ends:
            earliest = max(earliest, ends[follows.job] + timedelta(minutes=follows.at_least_minutes))
            if follows.at_most_minutes is not None:
                limit = ends[follows.job] + timedelta(minutes=follows.at_most_minutes)
                latest = limit if latest is None else min(latest, limit)
    first = max(0, horizon.slot_edge(earliest))
    last = horizon.slots - 1 if latest is None else min(horizon.slots - 1, horizon.slot_of(latest))
    modes = [m for m in job.modes if job.planned_machine in (None, m.machine)]
    for slot in range(first, last + 1):
        start = horizon.time_of(slot)
        fitting = [
            (start + timedelta(minutes=mode.minutes), number, mode)
            for number, mode in enumerate(modes)
            if floor.has_room(job, mode, slot, horizon.slot_edge(start + timedelta(minutes=mode.minutes)))
        ]
        if fitting:
            end, _, mode = min(fitting, key=lambda found: found[:2])
            return Planned(job=job.id, machine=mode.machine, start=start, end=end, mode=mode.name)
    return None
