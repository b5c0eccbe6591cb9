"""The problem laid out for planning: which starts each job may have, and what stands in the way, as rows of numbers.

A job may start wherever its machine is open, its material is there, its people exist and it ends in time. Its given
place (fixed, else in force) is always the first of its starts, also where it breaks a rule: what production has planned
may stay as it is. Where that is a matter of fact (machine closed, material late, end too late) staying is loudly priced,
so that the job moves if it can; where jobs given by production are in each other's way, staying is free, but an overfull
slot takes nobody new.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from energy.model.calendar import Attended
from energy.model.problem import Placement, Problem, ProblemJob, Use
from energy.planning.price_setups import setups_powers_kw
from optimizer import flow
from optimizer.given_setups import GivenSetups, given_setups
from optimizer.given_states import given_states
from optimizer.resources import SLACK, Resources, offsets
from optimizer.starts import LEFT_OUT, Chosen, Mask, Rows, Start, Starts, Way, Whole
from optimizer.ways import MOST_PATTERNS, given_way, patterns_of, ways_of

ANY_NUMBER = 1_000_000  # of jobs at a time on a machine that has no capacity of its own
BROKEN_RULE_PRICE = 5000.0  # for a job that stays where a fact forbids it; below a mandatory limit, above a late order


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
        self.order_ends = _order_ends(problem)
        self.closed = self._closed()
        self.people = self._people()
        self.premium = self._premium()
        self.capacity = self._capacity()
        self.resources = Resources(problem)
        self.ways: tuple[tuple[Way, ...], ...] = tuple(tuple(self._ways(job)) for job in problem.jobs)
        self.starts: tuple[Starts, ...] = tuple(self._given(row) for row in range(len(problem.jobs)))
        self.given_use = self.machine_use(self.as_given)
        self.machine_overfull = self.given_use > self.capacity[:, None]
        self.resource_overfull = self.resources.beyond(self.resource_use(self.as_given))
        self.crew_overfull = self.crew_use(self.as_given) > self.people
        self.starts = tuple(self._starts(row) for row in range(len(problem.jobs)))
        self.optional: Mask = np.array(
            [job.value is not None and not self._kept(row) for row, job in enumerate(problem.jobs)], dtype=np.bool_
        )

    @property
    def as_given(self) -> Chosen:
        """The choice that leaves every job where it stands."""
        return np.zeros(len(self.problem.jobs), dtype=np.int64)

    @cached_property
    def given(self) -> tuple[Start, ...]:
        """The given place of each job."""
        return tuple(starts.at(0) for starts in self.starts)

    @property
    def search_knows(self) -> bool:
        """Whether the search and its yardstick know every rule of this problem; else only the program does."""
        optional = any(job.value is not None for job in self.problem.jobs)
        return self.search_keeps and not (self.adjusts or optional or self.problem.orders or self.has_states)

    @property
    def search_keeps(self) -> bool:
        """Whether what the search finds keeps every rule, though it may cost something else than the search thinks: runs
        with their own powers, optional jobs all done, orders with as much as they are given."""
        problem = self.problem
        rows = {self.job_row[peg.job] for order in problem.orders for peg in order.pegs}
        sized = any(len({way.option.quantity for way in self.ways[row]}) > 1 for row in rows)
        together = problem.recurring or problem.same_order or any(machine.setups for machine in problem.machines)
        return not (sized or together or self.has_states or flow.concerns(problem))

    @property
    def opens(self) -> bool:
        """Whether more than battery and curtailment is open once the jobs stand: stores, states, powers."""
        return self.adjusts or self.has_states

    @cached_property
    def adjusts(self) -> bool:
        """Whether the power of any run is ours to choose."""
        return any(option.adjustable is not None for job in self.problem.jobs for option in job.options)

    @cached_property
    def left_out_price(self) -> Rows:
        """Of each job, what it costs to leave it out: its value, and what leaving its place costs."""
        return np.array([_left_out_price(job) for job in self.problem.jobs], dtype=np.float64)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What was not looked at, in words."""
        found = []
        for job in self.problem.jobs:
            for option in job.options:
                every = 1 if option.interruptible is None else patterns_of(option.slots, option.interruptible)
                if every > MOST_PATTERNS:
                    said = f"of {every} patterns of pauses of {job.name or job.id} on {option.machine}"
                    found.append(f"{said} the {MOST_PATTERNS} simplest are tried; the bound holds for those")
        return tuple(found)

    @property
    def has_states(self) -> bool:
        """Whether any machine has states that may be switched."""
        return any(machine.states is not None for machine in self.problem.machines)

    @cached_property
    def _given_states(self) -> tuple[Mask, frozenset[int]]:
        return given_states(self.problem, self.given_placements)

    @property
    def not_up(self) -> Mask:
        """The slots in which a machine with states cannot be up although production has a job there."""
        return self._given_states[0]

    @property
    def not_down(self) -> frozenset[int]:
        """The rows of machines that production keeps so long that they cannot end as they must."""
        return self._given_states[1]

    @cached_property
    def given_setups(self) -> dict[int, GivenSetups]:
        """How each machine with setups (by its row) stands to them as given."""
        places = self.given_placements
        machines = self.problem.machines
        return {row: given_setups(self.problem, places, m) for row, m in enumerate(machines) if m.setups}

    @cached_property
    def frozen_machines(self) -> frozenset[int]:
        """The rows of machines that nothing leaves and nothing enters: those with setups that production has double-booked,
        where no order of runs means anything."""
        machines = self.problem.machines
        return frozenset(r for r, m in enumerate(machines) if m.setups and self.machine_overfull[r].any())

    @property
    def given_placements(self) -> tuple[Placement, ...]:
        """Where every job stands before any planning."""
        return tuple(given_place(job) for job in self.problem.jobs)

    def chosen_starts(self, chosen: Chosen) -> Iterator[tuple[int, Start]]:
        """(job row, start) of each job that runs."""
        for row, number in enumerate(chosen.tolist()):
            if number != LEFT_OUT:
                yield row, self.starts[row].at(number)

    def placements(self, chosen: Chosen) -> tuple[Placement, ...]:
        """The places of the jobs that run."""
        return tuple(start.placement(self.problem.jobs[row].id) for row, start in self.chosen_starts(chosen))

    def chosen_of(self, placements: Iterable[Placement]) -> Chosen:
        """The choice that placements name; a job that none of them names is left out."""
        chosen = np.full(len(self.problem.jobs), LEFT_OUT, dtype=np.int64)
        for placement in placements:
            row = self.job_row[placement.job]
            chosen[row] = self.starts[row].number_of(placement)
        return chosen

    def price(self, chosen: Chosen) -> float:
        """What hangs on the chosen places alone: late, moved, against a fact, left out."""
        return float(
            sum(
                self.left_out_price[row] if number == LEFT_OUT else self.starts[row].price[number]
                for row, number in enumerate(chosen.tolist())
            )
        )

    def machine_use(self, chosen: Chosen) -> Whole:
        """How many jobs each machine runs in each slot."""
        use = np.zeros((len(self.machine_row), self.slots), dtype=np.int64)
        for _, start in self.chosen_starts(chosen):
            first, end = max(0, start.slot), min(self.slots, start.end)
            if first < end:
                use[start.way.machine, first:end] += start.way.busy[first - start.slot : end - start.slot]
        return use

    def resource_use(self, chosen: Chosen) -> Rows:
        """How much of each resource the jobs hold in each slot."""
        use = np.zeros_like(self.resources.amount)
        for row, number in enumerate(chosen.tolist() if len(use) else ()):
            if number != LEFT_OUT and any(way.option.uses for way in self.ways[row]):
                use += self.resources.use(self.starts[row], number)
        return use

    def crew_use(self, chosen: Chosen) -> Whole:
        """How many people of each skill the jobs need in each slot."""
        use = np.zeros((len(self.skill_row), self.slots), dtype=np.int64)
        for job, number in enumerate(chosen.tolist()):
            if number != LEFT_OUT:
                for row, slots, people in self.crew_of(job, number):
                    use[row, slots] += people
        return use

    def crew_of(self, row: int, number: int) -> list[tuple[int, Whole, int]]:
        """(skill row, slots, people) of each need of a job at one of its starts."""
        needs = self.problem.jobs[row].needs
        if not needs:
            return []
        only = self.starts[row].pick([number])
        return [
            (self.skill_row[need.skill], only.attended_slots(need.attended, self.slots)[1], need.people)
            for need in needs
        ]

    def load_kw(self, chosen: Chosen) -> Rows:
        """The load of the jobs in each slot of the horizon, and of what machines are set up for them."""
        load = np.zeros(self.slots)
        for _, first, powers in setups_powers_kw(self.problem, self.placements(chosen)) if self.given_setups else ():
            begin, end = max(0, first), max(0, first + len(powers))
            load[begin:end] += powers[begin - first :]
        for starts, number in zip(self.starts, chosen.tolist(), strict=True):
            if number != LEFT_OUT:
                slot, power_kw = int(starts.slot[number]), starts.ways[int(starts.way[number])].power_kw
                first, end = max(0, slot), min(self.slots, slot + len(power_kw))
                if first < end:
                    load[first:end] += power_kw[first - slot : end - slot]
        return load

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

    def moves_in(self, row: int, first: int, end: int) -> Mask:
        """Which starts of a job count as a move in the shift [first, end): its old or new start lies in it."""
        starts = self.starts[row]
        moved: Mask = ~starts.given & (starts.slot >= first) & (starts.slot < end)
        return ~starts.given if first <= self.given[row].slot < end else moved

    def _closed(self) -> Mask:
        closed = np.zeros((len(self.problem.machines), self.slots), dtype=np.bool_)
        for row, machine in enumerate(self.problem.machines):
            for span in machine.closed:
                closed[row, max(0, span.start) : max(0, span.end)] = True
        return closed

    def _people(self) -> Whole:
        people = np.zeros((len(self.skill_row), self.slots), dtype=np.int64)
        for roster in self.problem.rosters:
            people[self.skill_row[roster.skill]] += np.asarray(roster.people, dtype=np.int64)
        return people

    def _capacity(self) -> Whole:
        """How many jobs each machine runs at a time; of a batch machine its batches are looked at instead."""
        machines = self.problem.machines
        most = [m.capacity if m.capacity is not None and m.batch is None else ANY_NUMBER for m in machines]
        return np.array(most, dtype=np.int64)

    def _premium(self) -> dict[str, Rows]:
        """By skill, what an hour's slot of one of its people costs more than usual, where that is ever anything."""
        return {
            roster.skill: self.hours * np.asarray(roster.premium_per_hour, dtype=np.float64)
            for roster in self.problem.rosters
            if any(roster.premium_per_hour)
        }

    def _ways(self, job: ProblemJob) -> list[Way]:
        """How the job can run; at last the way of its given place, where no other is that one."""
        ways = [way for option in job.options for way in ways_of(option, self.machine_row, self.slots)]
        place = given_place(job)
        powers = job.powers_kw(place)
        if not any(way.is_of(place) and tuple(way.power_kw.tolist()) == powers for way in ways):
            option = job.option(place.machine, place.mode)
            ways.append(given_way(option, self.machine_row[place.machine], place))
        return ways

    def _way_of(self, row: int, place: Placement) -> int:
        """The way of a given place: the last of those it is, since its own comes last."""
        return max(number for number, way in enumerate(self.ways[row]) if way.is_of(place))

    def _given(self, row: int) -> Starts:
        """The given place of a job alone."""
        place = given_place(self.problem.jobs[row])
        way, slot = np.array([self._way_of(row, place)]), np.array([place.start])
        return self._priced(row, way, slot, given=np.ones(1, dtype=np.bool_))

    def _starts(self, row: int) -> Starts:
        """The given place, and every other one that no rule about the job itself forbids."""
        only = self.starts[row]
        if self._kept(row):
            return only
        ways, slots = [only.way], [only.slot]
        place = given_place(self.problem.jobs[row])
        for number, option_way in enumerate(self.ways[row]):
            if option_way.given_only:
                continue
            free = self._free(row, number)
            if option_way.is_of(place):
                free = free[free != only.slot[0]]
            ways.append(np.full(len(free), number))
            slots.append(free)
        way, slot = np.concatenate(ways), np.concatenate(slots)
        return self._priced(row, way, slot, given=np.arange(len(slot)) == 0)

    def _free(self, row: int, number: int) -> Whole:
        """The slots in which a way may start: machine open, people there, within the window of the job."""
        job, way = self.problem.jobs[row], self.ways[row][number]
        last = min(self.slots, self._last_end(row)) - way.slots
        last = last if job.latest_start is None else min(last, job.latest_start)
        slot = np.arange(max(0, job.earliest), last + 1)
        fits = self._all_busy(self._usable[way.machine], way, slot)
        for need in job.needs:
            there = self._staffed(self.skill_row[need.skill], need.people)
            if need.attended is Attended.RUN:
                fits &= self._all_busy(there, way, slot)
            else:
                fits &= there[slot]
                if need.attended is Attended.ENDS:
                    fits &= there[slot + way.slots - 1]
        for use in way.option.uses:
            fits &= self._there(way, use, slot)
        return slot[fits]

    def _last_end(self, row: int) -> int:
        """The slot by which a job must have ended, for itself and for its orders."""
        job = self.problem.jobs[row]
        by_itself = self.slots if job.must_end is None else job.must_end
        return min(by_itself, self.order_ends.get(job.id, by_itself))

    def _there(self, way: Way, use: Use, slot: Whole) -> Mask:
        """From which of these slots a run would find what it uses, others apart. What it holds after the horizon is
        nobody's concern."""
        row = self.resources.row_of(way.machine, use.resource)
        lacks = (self.resources.amount[row] < use.amount - SLACK) | self.resource_overfull[row]
        lacks = np.append(lacks, False)
        held = np.minimum(slot[:, None] + offsets(way, use), self.slots)
        fits: Mask = ~lacks[held].any(axis=1)
        return fits

    @cached_property
    def _usable(self) -> Mask:
        """The slots in which anybody new may use a machine."""
        usable: Mask = ~(self.closed | self.machine_overfull)
        usable[sorted(self.frozen_machines)] = False
        return usable

    def _staffed(self, skill: int, people: int) -> Mask:
        """The slots in which anybody new may find so many people."""
        staffed: Mask = (self.people[skill] >= people) & ~self.crew_overfull[skill]
        return staffed

    @staticmethod
    def _all_busy(there: Mask, way: Way, slot: Whole) -> Mask:
        """Whether a resource is there in each busy slot of a run from each of these slots."""
        if way.busy.all():
            lacking = np.concatenate([[0], np.cumsum(~there)])
            through: Mask = lacking[slot + way.slots] == lacking[slot]
            return through
        fits: Mask = there[slot[:, None] + np.flatnonzero(way.busy)].all(axis=1)
        return fits

    def _kept(self, row: int) -> bool:
        """Whether the job is not ours to move: fixed, running, or ending beyond the horizon."""
        given = self.starts[row]
        ours = given.slot[0] >= 0 and given.end[0] <= self.slots
        frozen = int(given.machine[0]) in self.frozen_machines
        return self.stay or self.problem.jobs[row].fixed is not None or not ours or frozen

    def _priced(self, row: int, way: Whole, slot: Whole, *, given: Mask) -> Starts:
        """Places with what hangs on each of them alone."""
        ways, job = self.ways[row], self.problem.jobs[row]
        nothing = np.zeros(len(slot))
        restarts = np.array([_restart_price(way) for way in ways])[way]
        made = Starts(ways, way, slot, given=given, late=nothing, moving=nothing, broken=nothing, restarts=restarts)
        if job.due is not None:
            made.late = np.maximum(0, made.end - job.due) * self.hours * job.late_per_hour * job.priority
        made.moving = self._moving(row, made)
        made.labour = self._labour(row, made)
        made.broken = np.where(given, self._broken(row, made), 0.0)
        return made

    def _labour(self, row: int, made: Starts) -> Rows:
        """The premiums of the people whom the runs need."""
        price = np.zeros(len(made))
        for need in self.problem.jobs[row].needs if self.premium else ():
            if need.skill in self.premium:
                start, slot = made.attended_slots(need.attended, self.slots)
                price += np.bincount(start, need.people * self.premium[need.skill][slot], minlength=len(made))
        return price

    def _moving(self, row: int, made: Starts) -> Rows:
        job = self.problem.jobs[row]
        leaves = job.move_price + (job.break_accepted_price if job.accepted else 0.0)
        moving = np.where(self._at(row, made, job.in_force), 0.0, leaves)
        if job.offered is not None:
            moving = moving + np.where(self._at(row, made, job.offered), 0.0, job.change_offer_price)
        return np.asarray(moving, dtype=np.float64)

    def _at(self, row: int, made: Starts, place: Placement) -> Mask:
        """Which of the starts are this place."""
        named = [way.is_of(place) for way in self.ways[row]]
        there: Mask = np.array(named)[made.way] & (made.slot == place.start)
        return there

    def _broken(self, row: int, made: Starts) -> float:
        """The price of staying at the given place, where a fact forbids it and the job is ours to move."""
        job, given = self.problem.jobs[row], made.at(0)
        kept = self.stay or job.fixed is not None or given.slot < 0 or given.end > self.slots
        if kept:
            return 0.0
        shut = self.closed[given.way.machine, given.slot : given.end] & given.way.busy
        too_late = given.end > self._last_end(row) or (job.latest_start is not None and given.slot > job.latest_start)
        return BROKEN_RULE_PRICE if too_late or given.slot < job.earliest or shut.any() else 0.0


def _order_ends(problem: Problem) -> dict[str, int]:
    """By job, the slot by which it must have ended for its orders to be ready when they must."""
    ends: dict[str, int] = {}
    for order in problem.orders:
        for peg in order.pegs if order.must_end is not None else ():
            last = (order.must_end or 0) - order.rest_slots
            ends[peg.job] = min(last, ends.get(peg.job, last))
    return ends


def _left_out_price(job: ProblemJob) -> float:
    """The value that is lost, and the price of leaving the place in force, an offer or an accepted place."""
    if job.value is None:
        return 0.0
    leaves = job.move_price + (job.break_accepted_price if job.accepted else 0.0)
    return job.value + leaves + (job.change_offer_price if job.offered is not None else 0.0)


def _restart_price(way: Way) -> float:
    """What the restarts of a run cost."""
    may = way.option.interruptible
    return 0.0 if may is None else way.restarts * may.restart_cost
