"""Large neighbourhoods: a few jobs are set free, the rest stays where the best plan has it, and the small program that
is left is solved in a moment.

It asks nothing of the rules: whatever blocks the program is made of, the columns of the starts that stay are put in as
numbers, and rows in which nothing is open any more fall away. So it serves every problem, also those whose rules the
search in numpy does not know. How many jobs are freed follows from how it went: more where the small program was solved
to its end, fewer where it was not. The choice comes from a seeded generator, and effort can be counted in nodes instead
of seconds, so that the same work finds the same plan on every machine.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.handover import Options, loaded, lp_of
from optimizer.model import Model
from optimizer.starts import LEFT_OUT, Chosen, Mask, Rows, Whole

FEWEST, FIRST_SIZE = 3, 9  # jobs set free: at least, and to begin with
GROWS, SHRINKS = 1.2, 0.8
SECONDS_EACH = 1.0  # a small program that takes longer was too large
NODES_EACH = 60
LEAST_GAIN = 1e-6
PRECISE: Options = {"mip_rel_gap": 1e-5, "mip_abs_gap": 1e-6, "mip_feasibility_tolerance": 1e-7}
MOST_STARTS = 600  # of all jobs set free: those that the relaxation finds cheapest


@dataclass(frozen=True, slots=True, eq=False)
class Better:
    """A better plan: the starts, and the value of every column."""

    chosen: Chosen
    values: Rows
    cost: float


class Neighbourhoods:
    """The best plan of a program, and small programs around it."""

    def __init__(self, model: Model, chosen: Chosen, *, seed: int = 0) -> None:
        self.model, self.plant = model, model.plant
        self.chosen: Chosen = np.array(chosen)
        self.values: Rows | None = None  # of every column, once a small program has been solved
        self.cost = math.inf
        self.tried = 0
        self._rng = np.random.default_rng(seed)
        self._program = _Program(model)
        self._others: Mask = np.ones(model.size[0], dtype=np.bool_)
        for columns in model.start:
            self._others[columns] = False
        self._movable = np.array([row for row, columns in enumerate(model.start) if len(columns) > 1], dtype=np.int64)
        self._size = float(FIRST_SIZE)
        self._kinds: tuple[Callable[[int], Whole], ...] = (self._any, self._near_in_time, self._on_machines, self._peak)
        self._worth = np.ones(len(self._kinds))

    def once(self, *, until: float = math.inf) -> Better | None:
        """One neighbourhood; its seconds are counted only where there is an end (of `time.monotonic`)."""
        if not len(self._movable):
            return None
        kind = int(self._rng.choice(len(self._kinds), p=self._worth / self._worth.sum()))
        size = min(int(self._size), len(self._movable))
        free = np.unique(self._kinds[kind](size))
        self.tried += 1
        ended, found = self._free(free, until)
        self._size = max(FEWEST, min(len(self._movable), self._size * (GROWS if ended else SHRINKS)))
        self._worth[kind] = max(0.1, 0.9 * self._worth[kind] + (0.5 if found is not None else 0.0))
        return found

    def take(self, chosen: Chosen, cost: float, values: Rows | None = None) -> None:
        """Go on from this plan, whoever has found it. Infinite: what it costs in this program is not known yet."""
        self.chosen, self.values, self.cost = np.array(chosen), values, cost

    def _free(self, free: Whole, until: float) -> tuple[bool, Better | None]:
        """Solve with these jobs set free: whether it was solved to its end, and a better plan."""
        limits: Options = {"mip_max_nodes": NODES_EACH}
        if until < math.inf:
            limits["time_limit"] = max(0.05, min(SECONDS_EACH, until - time.monotonic()))
        opened, fixed = self._open(free), self._values_of(self.chosen)
        relaxed = self._program.relax(opened, fixed, limits)
        if relaxed is None:
            return False, None
        bound, dearer, used = relaxed
        if bound >= self.cost - LEAST_GAIN:
            return True, None
        opened &= self._worthwhile(dearer, used, self.cost - bound)
        opened |= self._others | (fixed > 0.0)
        solved = self._program.solve(opened, fixed, self.values, limits)
        if solved.values is None or solved.cost >= self.cost - LEAST_GAIN:
            return solved.ended, None
        before, self.chosen = self.chosen, chosen_of(self.model, solved.values)
        self.values, self.cost = solved.values, solved.cost
        return solved.ended, Better(self.chosen, self.values, self.cost) if (before != self.chosen).any() else None

    def _worthwhile(self, dearer: Rows, used: Rows, gain: float) -> Mask:
        """The columns that a plan better by up to `gain` may use, and of those the few that the relaxation finds
        cheapest; what it uses itself in any case."""
        order = np.where(self._others, np.inf, dearer - 1e6 * (used > 1e-6))
        most = min(MOST_STARTS, len(order) - 1)
        limit = min(gain, float(np.partition(order, most)[most]))
        return np.asarray(order <= limit, dtype=np.bool_)

    def _values_of(self, chosen: Chosen) -> Rows:
        """One for the column of each chosen start; the other columns are open in any case."""
        values = np.zeros(self.model.size[0])
        for columns, number in zip(self.model.start, chosen.tolist(), strict=True):
            if number != LEFT_OUT:
                values[columns[number]] = 1.0
        return values

    def _open(self, free: Whole) -> Mask:
        """All columns that are no starts, and the starts of the jobs set free."""
        opened: Mask = self._others.copy()
        for row in free.tolist():
            opened[self.model.start[row]] = True
        return opened

    # --- which jobs are set free

    def _any(self, size: int) -> Whole:
        return np.asarray(self._rng.choice(self._movable, size=size, replace=False))

    def _near_in_time(self, size: int) -> Whole:
        """Jobs around a moment, with some chance for those a little farther."""
        start, end = self._spans()
        moment = self._rng.integers(0, self.plant.slots)
        away = np.maximum(0, np.maximum(start - moment, moment - end)) + self._rng.random(len(start)) * 4
        return self._movable[np.argsort(away, kind="stable")[:size]]

    def _on_machines(self, size: int) -> Whole:
        """Jobs of one machine near each other in time, then those of the next that any of them could use."""
        machines, (start, _) = self._machines(), self._spans()
        one = int(self._rng.integers(len(machines)))
        away = np.abs(start - start[one]) + self._rng.random(len(start)) * 4
        other = int(self._rng.choice(machines))
        away = away + self.plant.slots * (~np.isin(machines, (machines[one], other)))
        return self._movable[np.argsort(away, kind="stable")[:size]]

    def _peak(self, size: int) -> Whole:
        """Jobs that run where most is drawn, and as many others that could take their places."""
        load = self.plant.load_kw(self.chosen) + np.asarray(self.plant.problem.base_load_kw)
        load = load - np.asarray(self.plant.problem.pv_kw)
        slots = {s for window in self.plant.problem.demand for s in window.slots} or set(range(self.plant.slots))
        counted = np.array(sorted(slots))
        highest = counted[np.argsort(-load[counted], kind="stable")[: max(1, len(counted) // 12)]]
        slot = int(self._rng.choice(highest))
        start, end = self._spans()
        there = self._movable[(start <= slot) & (slot < end)]
        others = self._movable[~np.isin(self._movable, there)]
        here = self._rng.permutation(there)[: max(1, (2 * size) // 3)]
        rest = self._rng.permutation(others)[: max(0, size - len(here))]
        return np.concatenate([here, rest])

    def _spans(self) -> tuple[Whole, Whole]:
        """(start, end) of each movable job in the best plan; one that is left out stands nowhere."""
        start, end = np.zeros(len(self._movable), dtype=np.int64), np.zeros(len(self._movable), dtype=np.int64)
        for at, row in enumerate(self._movable.tolist()):
            number = max(0, int(self.chosen[row]))
            start[at], end[at] = self.plant.starts[row].slot[number], self.plant.starts[row].end[number]
        return start, end

    def _machines(self) -> Whole:
        return np.array(
            [self.plant.starts[row].machine[max(0, int(self.chosen[row]))] for row in self._movable.tolist()]
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Small:
    """What a small program has found; `ended`: solved to its end."""

    values: Rows | None
    cost: float
    ended: bool


class _Program:
    """A program of which columns can be put in as numbers."""

    def __init__(self, model: Model) -> None:
        self.starts, self.column, self.factor = model.matrix()
        self.row = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        self.lower, self.upper, self.whole = model.bounds()
        self.row_lower, self.row_upper = model.row_bounds()
        self.cost, self.offset = model.objective(), model.offset

    def relax(self, opened: Mask, fixed: Rows, limits: Options) -> tuple[float, Rows, Rows] | None:
        """Of what is open beside what is fixed: the bound, and what each column costs beyond it and is used."""
        options: Options = {
            "solve_relaxation": True,
            "solver": "simplex",
            "time_limit": limits.get("time_limit", math.inf),
        }
        highs = loaded(self._cut(opened, fixed), options)
        highs.run()
        if highs.modelStatusToString(highs.getModelStatus()) != "Optimal":
            return None
        dearer, used = np.full(len(opened), np.inf), fixed.copy()
        dearer[opened] = np.asarray(highs.getSolution().col_dual)
        used[opened] = np.asarray(highs.getSolution().col_value)
        return float(highs.getInfo().objective_function_value), dearer, used

    def solve(self, opened: Mask, fixed: Rows, values: Rows | None, limits: Options) -> _Small:
        """Solve what is open beside what is fixed; `values`, where known, is a plan to start from."""
        highs = loaded(self._cut(opened, fixed), PRECISE | limits)
        self._warm(highs, opened, fixed, values)
        highs.run()
        return self._read(highs, opened, fixed)

    def _cut(self, opened: Mask, fixed: Rows) -> Any:
        """The program of what is open: the rest is put in as numbers, and rows without open columns fall away."""
        there = opened[self.column]
        given = np.bincount(
            self.row[~there], self.factor[~there] * fixed[self.column[~there]], minlength=len(self.row_lower)
        )
        row, column, factor = self.row[there], self.column[there], self.factor[there]
        kept = np.zeros(len(self.row_lower), dtype=np.bool_)
        kept[row] = True
        number = np.cumsum(kept) - 1
        place = np.cumsum(opened) - 1
        return lp_of(
            self.cost[opened],
            self.offset + float(self.cost[~opened] @ fixed[~opened]),
            (self.lower[opened], self.upper[opened], self.whole[opened]),
            (self.row_lower[kept] - given[kept], self.row_upper[kept] - given[kept]),
            (np.searchsorted(number[row], np.arange(int(kept.sum()) + 1)), place[column], factor),
        )

    def _warm(self, highs: Any, opened: Mask, fixed: Rows, values: Rows | None) -> None:
        told = np.flatnonzero(opened) if values is not None else np.flatnonzero(opened & (self.whole & (fixed >= 0)))
        known = fixed if values is None else values
        place = np.cumsum(opened) - 1
        highs.setSolution(len(told), place[told].astype(np.int32), known[told])

    def _read(self, highs: Any, opened: Mask, fixed: Rows) -> _Small:
        info = highs.getInfo()
        ended = highs.modelStatusToString(highs.getModelStatus()) == "Optimal"
        if info.primal_solution_status != 2 or not math.isfinite(info.objective_function_value):
            return _Small(None, math.inf, ended)
        values = fixed.copy()
        values[opened] = np.asarray(highs.getSolution().col_value)
        return _Small(values, float(self.cost @ values) + self.offset, ended)


def chosen_of(model: Model, values: NDArray[np.float64]) -> Chosen:
    """The start of each job in the values of a solution."""
    chosen = np.full(len(model.start), LEFT_OUT, dtype=np.int64)
    for row, columns in enumerate(model.start):
        if len(columns) and values[columns].max() > 0.5:
            chosen[row] = int(np.argmax(values[columns]))
    return chosen
