"""A plan made better by changing its order: two jobs trade places, or a few that stand together go elsewhere.

Each order is timed at its best. What the first p runs cost with at most x slots of rest before them, and what the runs
from p on cost after x slots of rest, are kept for the order at hand; a change then needs its own part of the order
anew, and nothing else. Many changes are looked at at once, a row each, those of short parts first.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.one_machine.runs import Rows, Table, Whole

TOGETHER = 3  # so many runs go elsewhere at most
AT_ONCE = 60_000  # cells (changes × slots of rest) looked at at once
WORK = 60_000_000  # cells timed before it is enough
LEAST_GAIN = 1e-9  # relative


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Some changes, a row each: the part of the order [first, end) holds what stood at `places` (-1: nothing more)."""

    first: Whole
    end: Whole
    places: NDArray[np.int64]


class Exchange:
    """Orders of the runs of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        late = np.full((len(table.job), 1), np.inf)  # a run that starts after the last slot
        nothing = np.zeros((1, table.slots + 1))  # the run of no job
        self.cost = np.concatenate([np.concatenate([table.cost, late], axis=1), nothing])
        self.length = np.concatenate([table.length, [0]])

    def better(self, row: Whole, start: Whole, *, until: float) -> tuple[Whole, Whole]:
        """Rows and starts by job of the best plan that step by step changes lead to."""
        order = row[np.argsort(start, kind="stable")]
        rest = self.table.slots - int(self.table.length[order].sum())
        parts = _parts(len(order), max(16, AT_ONCE // (rest + 1)))
        timed = self._timed(order, rest)
        vain, work = 0, 0
        while vain < len(parts) and work < WORK and time.monotonic() < until:
            changes = parts[0]
            costs = self._costs(timed, changes)
            best = int(np.argmin(costs))
            if costs[best] < timed.cost - LEAST_GAIN * abs(timed.cost):
                timed, vain = self._timed(_changed(timed.order, changes, best), rest), 0
            else:
                parts, vain = parts[1:] + parts[:1], vain + 1
            work += changes.places.size * (rest + 1)
        return self._placed(timed)

    def _timed(self, order: Whole, rest: int) -> "_Timed":
        count = len(order)
        begun = np.concatenate([[0], np.cumsum(self.length[order])])
        so_far, to_come = np.zeros((count + 1, rest + 1)), np.zeros((count + 1, rest + 1))
        cost = self.cost[order[:, None], begun[:-1, None] + np.arange(rest + 1)]
        for place in range(count):
            so_far[place + 1] = np.minimum.accumulate(so_far[place] + cost[place])
            last = count - 1 - place
            to_come[last] = np.minimum.accumulate((to_come[last + 1] + cost[last])[::-1])[::-1]
        return _Timed(order, begun, so_far, to_come)

    def _costs(self, timed: "_Timed", changes: _Changes) -> Rows:
        """What the order costs with each of the changes."""
        rests = np.arange(timed.so_far.shape[1])
        rows = np.append(timed.order, len(self.table.job))[changes.places]
        begun, value = timed.begun[changes.first], timed.so_far[changes.first]
        for place in range(rows.shape[1]):
            there = rows[:, place]
            value = np.minimum.accumulate(value + self.cost[there[:, None], begun[:, None] + rests], axis=1)
            begun = begun + self.length[there]
        costs: Rows = (value + timed.to_come[changes.end]).min(axis=1)
        return costs

    def _placed(self, timed: "_Timed") -> tuple[Whole, Whole]:
        """The best starts of an order, by job."""
        row, start = np.empty(self.table.jobs, dtype=np.int64), np.empty(self.table.jobs, dtype=np.int64)
        left = timed.so_far.shape[1] - 1
        for place in range(len(timed.order) - 1, -1, -1):
            value = timed.so_far[place + 1]
            left = int(np.argmax(value[: left + 1] <= value[left]))
            job = self.table.job[timed.order[place]]
            row[job], start[job] = timed.order[place], timed.begun[place] + left
        return row, start


@dataclass(frozen=True, slots=True, eq=False)
class _Timed:
    """An order of runs: where each begins without rest, and the least cost before and after each place by rest."""

    order: Whole
    begun: Whole
    so_far: Rows
    to_come: Rows

    @property
    def cost(self) -> float:
        return float(self.so_far[-1, -1])


def _changed(order: Whole, changes: _Changes, number: int) -> Whole:
    first, end = int(changes.first[number]), int(changes.end[number])
    made = order.copy()
    made[first:end] = order[changes.places[number, : end - first]]
    return made


def _parts(jobs: int, size: int) -> list[_Changes]:
    """All changes, those of short parts of the order first, in parts of at most `size`."""
    every = sorted([*_swaps(jobs), *_moves(jobs)], key=lambda change: (len(change[1]), change[0]))
    parts = []
    for at in range(0, len(every), size):
        some = every[at : at + size]
        first = np.array([first for first, _ in some])
        places = np.full((len(some), len(some[-1][1])), -1, dtype=np.int64)
        for number, (_, part) in enumerate(some):
            places[number, : len(part)] = part
        parts.append(_Changes(first, first + np.array([len(part) for _, part in some]), places))
    return parts


def _swaps(jobs: int) -> Iterator[tuple[int, list[int]]]:
    """(first place, the old places of what then stands from there on) of every swap."""
    for one in range(jobs):
        for other in range(one + 1, jobs):
            yield one, [other, *range(one + 1, other), one]


def _moves(jobs: int) -> Iterator[tuple[int, list[int]]]:
    """The same of every move of a few runs that stand together. A block that goes a shorter way than it is long is seen
    as the others going past it, and neighbours that trade places are a swap."""
    for together in range(1, TOGETHER + 1):
        for first in range(jobs - together + 1):
            block = list(range(first, first + together))
            for to in range(first - max(2, together) + 1):
                yield to, [*block, *range(to, first)]
            for last in range(first + 2 * together, jobs):
                yield first, [*range(first + together, last + 1), *block]
