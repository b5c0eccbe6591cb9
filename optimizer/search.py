"""Remove and reinsert: a plan at once, and a better one by moving jobs while that pays.

The search starts from the given plan and only ever takes what is cheaper, so it is never worse. First each job in turn
is taken out and put back where the whole plan is cheapest; then small groups of jobs are taken out together, which
lowers a peak that no single job can. The groups come from a seeded generator: the same problem gives the same plan, as
long as the time limit does not cut in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.plant import Plant, Rows, Start
from optimizer.reckoning import Reckoning

LEAST_GAIN = 1e-7  # cheaper by less is a tie, and ties move nothing
SEED = 20260101


@dataclass(frozen=True, slots=True)
class _Job:
    """The starts of a movable job as arrays."""

    slot: NDArray[np.int64]
    end: NDArray[np.int64]
    machine: NDArray[np.int64]
    option: NDArray[np.int64]
    price: Rows


class Search:
    """The plan so far, and what is free beside it."""

    def __init__(self, plant: Plant, reckoning: Reckoning, chosen: Sequence[Start] | None = None) -> None:
        self.plant = plant
        self.reckoning = reckoning
        self.chosen: list[Start] = list(chosen or plant.given)
        self.jobs = plant.problem.jobs
        self.movable = [row for row, starts in enumerate(plant.starts) if len(starts) > 1]
        self._arrays: dict[int, _Job] = {}
        self._neighbours: dict[int, list[tuple[int, bool, int, int | None]]] = {}
        for row, before, least, most in plant.order:
            self._neighbours.setdefault(row, []).append((before, True, least, most))
            self._neighbours.setdefault(before, []).append((row, False, least, most))
        self._load = plant.load_kw(self.chosen)
        self._machines = plant.machine_use(self.chosen)
        self._crews = plant.crew_use(self.chosen)
        self._out: set[int] = set()
        self.cost = reckoning.total(self.chosen)

    def run(self, *, until: float, groups: int, told: Callable[[float], None] | None = None) -> list[Start]:
        """Search until a time (of `time.monotonic`) or so many groups have been tried in vain."""
        if not self.movable:
            return self.chosen
        self._sweep(until, told)
        rng = np.random.default_rng(SEED)
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
        order = sorted(self.movable, key=lambda row: -sum(self.chosen[row].option.power_kw))
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
            there = [row for row in self.movable if self.chosen[row].slot <= slot < self.chosen[row].end]
            pool = there if len(there) >= 2 else pool
        picked = rng.choice(len(pool), size=min(size, len(pool)), replace=False)
        return [pool[int(i)] for i in picked]

    def _peak_slots(self) -> NDArray[np.int64]:
        slots = sorted({s for w in self.plant.problem.demand for s in w.slots}) or list(range(self.plant.slots))
        net = (self._load + self.reckoning.before_kw)[slots]
        return np.asarray(slots)[np.argsort(-net)[: max(1, len(slots) // 20)]]

    def _rebuild(self, rows: list[int], until: float) -> bool:
        """Take jobs out and put them back one by one; keep it where the plan gets cheaper."""
        old = {row: self.chosen[row] for row in rows}
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

    def _restore(self, old: dict[int, Start]) -> None:
        for row in old:
            if row not in self._out:
                self._take_out(row)
        for row, start in old.items():
            self._put_in(row, start)

    def _best(self, row: int) -> Start | None:
        """The cheapest feasible start of a job that is out; on a tie the given one, then the earliest listed."""
        arrays = self._of(row)
        free = np.flatnonzero(self._feasible(row, arrays))
        if not len(free):
            return None
        costs = self._costs(row, arrays, free) + arrays.price[free]
        return self.plant.starts[row][int(free[int(np.argmax(costs <= np.min(costs) + LEAST_GAIN))])]

    def _costs(self, row: int, arrays: _Job, free: NDArray[np.int64]) -> Rows:
        """What the plan costs with the job at each of these starts."""
        costs = np.empty(len(free))
        for number, option in enumerate(self.jobs[row].options):
            same = arrays.option[free] == number
            if not same.any():
                continue
            slot, power_kw = arrays.slot[free[same]], np.asarray(option.power_kw)
            if self.reckoning.is_local:
                costs[same] = self.reckoning.beside(self._load, slot, power_kw)
            else:
                load_kw = np.tile(self._load, (len(slot), 1))
                run = slot[:, None] + np.arange(len(power_kw))
                np.add.at(load_kw, (np.arange(len(slot))[:, None], run), power_kw)
                costs[same] = self.reckoning.costs(load_kw)
        return costs

    def _of(self, row: int) -> _Job:
        if row not in self._arrays:
            starts = self.plant.starts[row]
            self._arrays[row] = _Job(
                slot=np.array([s.slot for s in starts]),
                end=np.array([s.end for s in starts]),
                machine=np.array([self.plant.machine_row[s.option.machine] for s in starts]),
                option=np.array([self.jobs[row].options.index(s.option) for s in starts]),
                price=np.array([s.price for s in starts]),
            )
        return self._arrays[row]

    def _feasible(self, row: int, arrays: _Job) -> NDArray[np.bool_]:
        """Which starts leave every rule whole. The given place is feasible beside jobs that stay given themselves."""
        busy = np.concatenate([np.zeros((len(self._machines), 1)), np.cumsum(self._machines > 0, axis=1)], axis=1)
        free: NDArray[np.bool_] = busy[arrays.machine, arrays.end] == busy[arrays.machine, arrays.slot]
        free[0] = self._given_fits(row)
        self._drop_unstaffed(row, free)
        self._drop_disordered(row, arrays, free)
        self._drop_too_many_moves(row, free)
        return free

    def _given_fits(self, row: int) -> bool:
        """Whether the given place's slots hold nobody but those who were given there too."""
        given = self.plant.given[row]
        machine = self.plant.machine_row[given.option.machine]
        span = slice(given.slot, given.end)
        if not self._machines[machine, span].any():
            return True
        return all(
            other == row
            or other in self._out
            or self.plant.machine_row[start.option.machine] != machine
            or start.end <= given.slot
            or start.slot >= given.end
            or start.given
            for other, start in enumerate(self.chosen)
        )

    def _drop_unstaffed(self, row: int, free: NDArray[np.bool_]) -> None:
        job = self.jobs[row]
        for need in job.needs:
            skill = self.plant.skill_row[need.skill]
            short = self._crews[skill] + need.people > self.plant.people[skill]
            if not short.any():
                continue
            for number in np.flatnonzero(free):
                start = self.plant.starts[row][number]
                for need_row, slots, _ in self.plant.crew_of(job, start):
                    bad = short & ~self.plant.crew_overfull[skill] if start.given else short
                    if need_row == skill and bad[slots].any():
                        free[number] = False

    def _drop_disordered(self, row: int, arrays: _Job, free: NDArray[np.bool_]) -> None:
        for other, is_before, least, most in self._neighbours.get(row, []):
            if other in self._out:
                continue
            there = self.chosen[other]
            lag = arrays.slot - there.end if is_before else there.slot - arrays.end
            fits = lag >= least
            if most is not None:
                fits &= lag <= most
            if there.given:
                fits[0] = True  # as production gave the two
            free &= fits

    def _drop_too_many_moves(self, row: int, free: NDArray[np.bool_]) -> None:
        for first, end, most in self.plant.moves_allowed:
            moved = sum(
                self.plant.moves_in(other, start, first, end)
                for other, start in enumerate(self.chosen)
                if other != row and other not in self._out
            )
            if moved >= most:
                for number in np.flatnonzero(free):
                    if self.plant.moves_in(row, self.plant.starts[row][number], first, end):
                        free[number] = False

    def _take_out(self, row: int) -> None:
        self._count(row, self.chosen[row], -1)
        self._out.add(row)

    def _put_in(self, row: int, start: Start) -> None:
        self.chosen[row] = start
        self._count(row, start, 1)
        self._out.discard(row)

    def _count(self, row: int, start: Start, sign: int) -> None:
        span = slice(start.slot, start.end)
        self._load[span] += sign * np.asarray(start.option.power_kw)
        self._machines[self.plant.machine_row[start.option.machine], span] += sign
        for skill, slots, people in self.plant.crew_of(self.jobs[row], start):
            self._crews[skill, slots] += sign * people
