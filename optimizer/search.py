"""Remove and reinsert: a plan at once, and a better one by moving jobs while that pays.

The search starts from the given plan and only ever takes what is cheaper, so it is never worse. First each job in turn
is taken out and put back where the whole plan is cheapest; then small groups of jobs are taken out together, which
lowers a peak that no single job can. The groups come from a seeded generator: the same problem gives the same plan, as
long as the time limit does not cut in.
"""

import time
from collections.abc import Callable

import numpy as np

from optimizer.plant import Plant
from optimizer.reckoning import Reckoning
from optimizer.resources import SLACK
from optimizer.starts import LEFT_OUT, Chosen, Mask, Rows, Starts, Whole

LEAST_GAIN = 1e-7  # cheaper by less is a tie, and ties move nothing
SEED = 20260101


class Search:
    """The plan so far, and what is free beside it."""

    def __init__(self, plant: Plant, reckoning: Reckoning, chosen: Chosen | None = None) -> None:
        self.plant = plant
        self.reckoning = reckoning
        self.chosen: Chosen = np.array(plant.as_given if chosen is None else chosen)
        self.jobs = plant.problem.jobs
        self.movable = [row for row, starts in enumerate(plant.starts) if len(starts) > 1]
        self._neighbours: dict[int, list[tuple[int, bool, int, int | None]]] = {}
        for row, before, least, most in plant.order:
            self._neighbours.setdefault(row, []).append((before, True, least, most))
            self._neighbours.setdefault(before, []).append((row, False, least, most))
        self._load = plant.load_kw(self.chosen)
        self._machines = plant.machine_use(self.chosen)
        self._crews = plant.crew_use(self.chosen)
        self._held = plant.resource_use(self.chosen)
        self._uses: dict[int, tuple[Whole, Whole, Rows]] = {}
        self._out: set[int] = set()
        self._moved: dict[tuple[int, int, int], Mask] = {}
        self.cost = reckoning.total(self.chosen)

    def run(self, *, until: float, groups: int, told: Callable[[float], None] | None = None, seed: int = 0) -> Chosen:
        """Search until a time (of `time.monotonic`) or so many groups have been tried in vain."""
        if not self.movable:
            return self.chosen
        self._sweep(until, told)
        rng = np.random.default_rng(SEED + seed)
        vain = 0
        while vain < groups and time.monotonic() < until:
            better = self._rebuild(self._group(rng), until)
            vain = 0 if better else vain + 1
            if better and told is not None:
                told(self.cost)
        self._sweep(until, told)
        return self.chosen

    def _sweep(self, until: float, told: Callable[[float], None] | None) -> None:
        """Each job in turn, the largest energy first, until none can be put better."""
        order = sorted(self.movable, key=lambda row: -self._energy(row))
        better = True
        while better and time.monotonic() < until:
            better = False
            for row in order:
                better |= self._rebuild([row], until)
                if time.monotonic() > until:
                    break
            if better and told is not None:
                told(self.cost)

    def _group(self, rng: np.random.Generator) -> list[int]:
        """A few jobs to take out together, half of the time those that run in the slot of the highest load."""
        size = min(len(self.movable), int(rng.integers(2, 6)))
        pool = self.movable
        if rng.random() < 0.5:
            slot = int(rng.choice(self._peak_slots()))
            there = [row for row in self.movable if self._holds(row, slot)]
            pool = there if len(there) >= 2 else pool
        picked = rng.choice(len(pool), size=min(size, len(pool)), replace=False)
        return [pool[int(i)] for i in picked]

    def _energy(self, row: int) -> float:
        starts = self.plant.starts[row]
        return float(starts.ways[int(starts.way[max(0, int(self.chosen[row]))])].power_kw.sum())

    def _holds(self, row: int, slot: int) -> bool:
        """Whether a job runs in a slot."""
        starts, number = self.plant.starts[row], int(self.chosen[row])
        return number != LEFT_OUT and bool(starts.slot[number] <= slot < starts.end[number])

    def _peak_slots(self) -> Whole:
        slots = sorted({s for w in self.plant.problem.demand for s in w.slots}) or list(range(self.plant.slots))
        net = (self._load + self.reckoning.before_kw)[slots]
        return np.asarray(slots)[np.argsort(-net)[: max(1, len(slots) // 20)]]

    def _rebuild(self, rows: list[int], until: float) -> bool:
        """Take jobs out and put them back one by one; keep it where the plan gets cheaper."""
        old = {row: int(self.chosen[row]) for row in rows}
        for row in rows:
            self._take_out(row)
        for row in rows:
            start = self._best(row)
            if start is None or time.monotonic() > until + 1.0:
                self._restore(old)
                return False
            self._put_in(row, start)
        if all(self.chosen[row] == start for row, start in old.items()):
            return False
        cost = self.reckoning.total(self.chosen)
        if cost < self.cost - LEAST_GAIN:
            self.cost = cost
            return True
        self._restore(old)
        return False

    def _restore(self, old: dict[int, int]) -> None:
        for row in old:
            if row not in self._out:
                self._take_out(row)
        for row, start in old.items():
            self._put_in(row, start)

    def _best(self, row: int) -> int | None:
        """The cheapest feasible start of a job that is out; on a tie the given one, then the earliest listed."""
        starts = self.plant.starts[row]
        free = np.flatnonzero(self._feasible(row, starts))
        if not len(free):
            return None
        costs = self._costs(starts, free) + starts.price[free]
        return int(free[int(np.argmax(costs <= np.min(costs) + LEAST_GAIN))])

    def _costs(self, starts: Starts, free: Whole) -> Rows:
        """What the plan costs with the job at each of these starts."""
        costs = np.empty(len(free))
        for number, way in enumerate(starts.ways):
            same = starts.way[free] == number
            if not same.any():
                continue
            slot = starts.slot[free[same]]
            if self.reckoning.is_local:
                costs[same] = self.reckoning.beside(self._load, slot, way.power_kw)
            else:
                load_kw = np.tile(self._load, (len(slot), 1))
                run = slot[:, None] + np.arange(way.slots)
                np.add.at(load_kw, (np.arange(len(slot))[:, None], run), way.power_kw)
                costs[same] = self.reckoning.costs(load_kw)
        return costs

    def _feasible(self, row: int, starts: Starts) -> Mask:
        """Which starts leave every rule whole. The given place is feasible beside jobs that stay given themselves."""
        free = self._machine_free(starts)
        free[0] = self._given_fits(row)
        self._drop_unstaffed(row, free)
        self._drop_without_resources(row, starts, free)
        self._drop_disordered(row, starts, free)
        self._drop_too_many_moves(row, free)
        return free

    def _machine_free(self, starts: Starts) -> Mask:
        """Which starts find their machine free in each slot in which they hold it."""
        taken = np.concatenate([np.zeros((len(self._machines), 1)), np.cumsum(self._full, axis=1)], axis=1)
        free: Mask = taken[starts.machine, starts.end] == taken[starts.machine, starts.slot]
        for number, way in enumerate(starts.ways):
            if not way.busy.all():
                same = np.flatnonzero(starts.way == number)
                held = starts.slot[same][:, None] + np.flatnonzero(way.busy)
                free[same] = ~self._full[way.machine][held].any(axis=1)
        return free

    @property
    def _full(self) -> Mask:
        """Where a machine runs as many jobs as it can."""
        full: Mask = self._machines >= self.plant.capacity[:, None]
        return full

    def _given_fits(self, row: int) -> bool:
        """Whether the given place's slots hold nobody but those who were given there too."""
        given = self.plant.given[row]
        held = given.slot + np.flatnonzero(given.way.busy)
        if not self._full[given.way.machine, held].any():
            return True
        span = range(given.slot, given.end)
        for other, start in self.plant.chosen_starts(self.chosen):
            if other == row or other in self._out or start.given or start.way.machine != given.way.machine:
                continue
            if start.slot < span.stop and span.start < start.end:
                there = start.slot + np.flatnonzero(start.way.busy)
                if np.isin(there, held).any():
                    return False
        return True

    def _drop_unstaffed(self, row: int, free: Mask) -> None:
        starts = self.plant.starts[row]
        for need in self.jobs[row].needs:
            skill = self.plant.skill_row[need.skill]
            short = self._crews[skill] + need.people > self.plant.people[skill]
            if short.any():
                start, slot = starts.attended_slots(need.attended, self.plant.slots)
                given = starts.given[start]
                lacks = short[slot] & ~(given & self.plant.crew_overfull[skill][slot])
                free[start[lacks]] = False

    def _drop_without_resources(self, row: int, starts: Starts, free: Mask) -> None:
        start, place, amount = self._uses_of(row)
        if len(start):
            resources, overfull = self.plant.resources, self.plant.resource_overfull.ravel()
            wanted = self._held.ravel()[place] + amount
            there = resources.amount.ravel()[place]
            lacks = (wanted > there + SLACK * np.maximum(1.0, there)) & ~(starts.given[start] & overfull[place])
            free[start[lacks]] = False

    def _uses_of(self, row: int) -> tuple[Whole, Whole, Rows]:
        """(start, place, amount) of what the starts of a job hold."""
        if row not in self._uses:
            self._uses[row] = self.plant.resources.held(self.plant.starts[row])
        return self._uses[row]

    def _drop_disordered(self, row: int, starts: Starts, free: Mask) -> None:
        for other, is_before, least, most in self._neighbours.get(row, []):
            number = int(self.chosen[other])
            if other in self._out or number == LEFT_OUT:
                continue
            there = self.plant.starts[other]
            lag = starts.slot - there.end[number] if is_before else there.slot[number] - starts.end
            fits = lag >= least
            if most is not None:
                fits &= lag <= most
            if there.given[number]:
                fits[0] = True  # as production gave the two
            free &= fits

    def _drop_too_many_moves(self, row: int, free: Mask) -> None:
        for first, end, most in self.plant.moves_allowed:
            moved = sum(
                bool(self._moves_in(other, first, end)[number])
                for other, number in enumerate(self.chosen.tolist())
                if other != row and other not in self._out and number != LEFT_OUT
            )
            if moved >= most:
                free &= ~self._moves_in(row, first, end)

    def _moves_in(self, row: int, first: int, end: int) -> Mask:
        key = row, first, end
        if key not in self._moved:
            self._moved[key] = self.plant.moves_in(row, first, end)
        return self._moved[key]

    def _take_out(self, row: int) -> None:
        self._count(row, int(self.chosen[row]), -1)
        self._out.add(row)

    def _put_in(self, row: int, number: int) -> None:
        self.chosen[row] = number
        self._count(row, number, 1)
        self._out.discard(row)

    def _count(self, row: int, number: int, sign: int) -> None:
        if number == LEFT_OUT:
            return
        starts = self.plant.starts[row]
        way, span = starts.ways[int(starts.way[number])], slice(int(starts.slot[number]), int(starts.end[number]))
        self._load[span] += sign * way.power_kw
        self._machines[way.machine, span] += sign * way.busy
        for skill, slots, people in self.plant.crew_of(row, number):
            self._crews[skill, slots] += sign * people
        start, place, amount = self._uses_of(row)
        mine = start == number
        self._held.ravel()[place[mine]] += sign * amount[mine]
