"""The problem laid out for planning: which starts each job may have, and what stands in the way, as rows of numbers.

A job may start wherever its machine is open, its material is there, its people exist and it ends in time. Its given
place (fixed, else in force) is always among its starts, also where it breaks a rule: what production has planned may
stay as it is. Where that is a matter of fact (machine closed, material late, end too late) staying is loudly priced, so
that the job moves if it can; where jobs given by production are in each other's way, staying is free, but an overfull
slot takes nobody new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.problem import CrewNeed, Option, Placement, Problem, ProblemJob

BROKEN_RULE_PRICE = 5000.0  # for a job that stays where a fact forbids it; below a mandatory limit, above a late order

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Start:
    """One way to place a job: an option from a slot on, with the prices that hang on it alone."""

    option: Option
    slot: int
    given: bool
    late: float = 0.0
    moving: float = 0.0
    broken: float = 0.0

    @property
    def end(self) -> int:
        """The slot after the last one of the run."""
        return self.slot + self.option.slots

    @property
    def price(self) -> float:
        return self.late + self.moving + self.broken

    def placement(self, job: str) -> Placement:
        return Placement(job=job, machine=self.option.machine, start=self.slot, mode=self.option.mode)


def attended_slots(need: CrewNeed, first: int, end: int, slots: int) -> tuple[int, ...]:
    """The slots of the horizon in which a run [first, end) needs its people."""
    if need.attended is Attended.RUN:
        return tuple(range(max(0, first), min(end, slots)))
    ends = (first,) if need.attended is Attended.START else (first, end - 1)
    return tuple(sorted({slot for slot in ends if 0 <= slot < slots}))


def given_place(job: ProblemJob) -> Placement:
    """Where the job stands before any planning: fixed, else in force."""
    return job.fixed or job.in_force


class Plant:
    """A problem with everything worked out that greedy and MILP both need."""

    def __init__(self, problem: Problem, *, stay: bool = False) -> None:
        """`stay`: every job keeps its given place, only the dispatch is open."""
        self.problem = problem
        self.slots = problem.slots
        self.hours = problem.step_hours
        self.stay = stay
        self.own_schedule: tuple[Rows, Rows] | None = None  # of a self-consumption battery, taken as given
        self.machine_row = {machine.id: row for row, machine in enumerate(problem.machines)}
        self.skill_row = {
            skill: row
            for row, skill in enumerate(
                sorted({r.skill for r in problem.rosters} | {n.skill for job in problem.jobs for n in job.needs})
            )
        }
        self.job_row = {job.id: row for row, job in enumerate(problem.jobs)}
        self.closed = self._closed()
        self.people = self._people()
        self.given = tuple(self._given(job) for job in problem.jobs)
        self._find_overfull()
        self.starts: tuple[tuple[Start, ...], ...] = tuple(
            self._starts(job, given) for job, given in zip(problem.jobs, self.given, strict=True)
        )

    def _closed(self) -> NDArray[np.bool_]:
        closed = np.zeros((len(self.problem.machines), self.slots), dtype=np.bool_)
        for row, machine in enumerate(self.problem.machines):
            for span in machine.closed:
                closed[row, max(0, span.start) : max(0, span.end)] = True
        return closed

    def _people(self) -> NDArray[np.int64]:
        people = np.zeros((len(self.skill_row), self.slots), dtype=np.int64)
        for roster in self.problem.rosters:
            people[self.skill_row[roster.skill]] += np.asarray(roster.people, dtype=np.int64)
        return people

    def _given(self, job: ProblemJob) -> Start:
        place = given_place(job)
        start = Start(job.option(place.machine, place.mode), place.start, True)
        return Start(
            start.option,
            start.slot,
            True,
            self._late(job, start.end),
            self._moving(job, place),
            0.0 if self._kept(job) else BROKEN_RULE_PRICE * self._breaks_fact(job, start),
        )

    def _late(self, job: ProblemJob, end: int) -> float:
        return 0.0 if job.due is None else max(0, end - job.due) * self.hours * job.late_per_hour

    @staticmethod
    def _moving(job: ProblemJob, place: Placement) -> float:
        price = 0.0
        if place != job.in_force:
            price += job.move_price + (job.break_accepted_price if job.accepted else 0.0)
        if job.offered is not None and place != job.offered:
            price += job.change_offer_price
        return price

    def _kept(self, job: ProblemJob) -> bool:
        """Whether the job is not ours to move: fixed, running, or ending beyond the horizon."""
        place = given_place(job)
        end = place.start + job.option(place.machine, place.mode).slots
        return self.stay or job.fixed is not None or place.start < 0 or end > self.slots

    def _breaks_fact(self, job: ProblemJob, start: Start) -> bool:
        row = self.machine_row[start.option.machine]
        too_late = job.must_end is not None and start.end > job.must_end
        return bool(too_late or start.slot < job.earliest or self.closed[row, max(0, start.slot) : start.end].any())

    def _find_overfull(self) -> None:
        """The slots in which the given places already ask for more than there is of a machine or of people."""
        self.machine_overfull = self.machine_use(self.given) > 1
        self.crew_overfull = self.crew_use(self.given) > self.people

    def machine_use(self, chosen: Sequence[Start]) -> NDArray[np.int64]:
        """How many jobs each machine runs in each slot."""
        use = np.zeros((len(self.machine_row), self.slots), dtype=np.int64)
        for start in chosen:
            use[self.machine_row[start.option.machine], max(0, start.slot) : max(0, start.end)] += 1
        return use

    def crew_use(self, chosen: Sequence[Start]) -> NDArray[np.int64]:
        """How many people of each skill the jobs need in each slot."""
        use = np.zeros((len(self.skill_row), self.slots), dtype=np.int64)
        for job, start in zip(self.problem.jobs, chosen, strict=True):
            for row, slots, people in self.crew_of(job, start):
                use[row, slots] += people
        return use

    def crew_of(self, job: ProblemJob, start: Start) -> list[tuple[int, list[int], int]]:
        """(skill row, slots, people) of each need of a job that starts there."""
        return [
            (self.skill_row[need.skill], list(attended_slots(need, start.slot, start.end, self.slots)), need.people)
            for need in job.needs
        ]

    def _starts(self, job: ProblemJob, given: Start) -> tuple[Start, ...]:
        if self._kept(job):
            return (given,)
        starts = [given]
        for option in job.options:
            blocked = self._blocked(option)
            last = min(self.slots, self.slots if job.must_end is None else job.must_end) - option.slots
            for slot in range(max(0, job.earliest), last + 1):
                if blocked[slot + option.slots] != blocked[slot]:
                    continue
                place = Placement(job=job.id, machine=option.machine, start=slot, mode=option.mode)
                if place != given_place(job) and self._staffed(job, option, slot):
                    late = self._late(job, slot + option.slots)
                    starts.append(Start(option, slot, False, late, self._moving(job, place)))
        return tuple(starts)

    def _blocked(self, option: Option) -> NDArray[np.int64]:
        """How many slots before each one the machine cannot be used in by anybody new, summed up."""
        row = self.machine_row[option.machine]
        return np.concatenate([[0], np.cumsum(self.closed[row] | self.machine_overfull[row])])

    def _staffed(self, job: ProblemJob, option: Option, slot: int) -> bool:
        for need in job.needs:
            row = self.skill_row[need.skill]
            slots = list(attended_slots(need, slot, slot + option.slots, self.slots))
            if (self.people[row, slots] < need.people).any() or self.crew_overfull[row, slots].any():
                return False
        return True

    def load_kw(self, chosen: Sequence[Start]) -> Rows:
        """The load of the jobs in each slot of the horizon."""
        load = np.zeros(self.slots)
        for start in chosen:
            first, end = max(0, start.slot), min(self.slots, start.end)
            if first < end:
                load[first:end] += start.option.power_kw[first - start.slot : end - start.slot]
        return load

    def placements(self, chosen: Sequence[Start]) -> tuple[Placement, ...]:
        return tuple(start.placement(job.id) for job, start in zip(self.problem.jobs, chosen, strict=True))

    @cached_property
    def order(self) -> tuple[tuple[int, int, int, int | None], ...]:
        """(job, its predecessor, least lag, greatest lag) in rows of the problem's jobs."""
        return tuple(
            (row, self.job_row[rule.job], rule.min_slots, rule.max_slots)
            for row, job in enumerate(self.problem.jobs)
            for rule in job.after
        )

    @cached_property
    def moves_allowed(self) -> tuple[tuple[int, int, int], ...]:
        """(first slot, end, most moves) of each crew shift that limits them."""
        return tuple((s.start, s.end, s.max_moves) for s in self.problem.shifts if s.max_moves is not None)

    def moves_in(self, row: int, start: Start, first: int, end: int) -> bool:
        """Whether placing a job there counts as a move in the shift [first, end): its old or new start lies in it."""
        if start.given:
            return False
        return first <= self.given[row].slot < end or first <= start.slot < end
