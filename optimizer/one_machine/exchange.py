"""A plan made better by changing its order: two jobs trade places, or a few that stand together go elsewhere.

Each order is timed at its best: what the first p runs cost with x slots of rest so far is the least over fewer slots of
rest. Many orders are timed at once, a row each.
"""

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimizer.one_machine.runs import Rows, Table, Whole

TOGETHER = 3  # so many runs go elsewhere at most
AT_ONCE = 400_000  # cells (orders × slots of rest) timed at once
LEAST_GAIN = 1e-9  # relative


class Exchange:
    """Orders of the runs of one table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        padding = np.full((len(table.job), 1), np.inf)
        self.cost = np.concatenate([table.cost, padding], axis=1)  # a run that starts after the last slot

    def better(self, row: Whole, start: Whole, *, until: float) -> tuple[Whole, Whole]:
        """Rows and starts by job of the best plan that step by step exchanges lead to."""
        order = row[np.argsort(start, kind="stable")]
        rest = self.table.slots - int(self.table.length[order].sum())
        cost = float(self._times(order[None, :], rest)[-1][0, -1])
        changes = _changes(len(order), max(50, AT_ONCE // (rest + 1) // 8))
        vain = 0
        while changes and vain < len(changes) and time.monotonic() < until:
            orders = order[changes[0]]
            costs = self._times(orders, rest)[-1][:, -1]
            best = int(np.argmin(costs))
            if costs[best] < cost - LEAST_GAIN * abs(cost):
                order, cost, vain = orders[best], float(costs[best]), 0
            else:
                vain += 1
                changes = changes[1:] + changes[:1]
        return self._placed(order, rest)

    def _times(self, orders: NDArray[np.int64], rest: int) -> list[Rows]:
        """After each run: the cost of each order with at most x slots of rest before it."""
        rests = np.arange(rest + 1)[None, :]
        begun = np.zeros(len(orders), dtype=np.int64)
        value = np.zeros((len(orders), rest + 1))
        values = []
        for place in range(orders.shape[1]):
            rows = orders[:, place]
            value = np.minimum.accumulate(value + self.cost[rows[:, None], begun[:, None] + rests], axis=1)
            begun = begun + self.table.length[rows]
            values.append(value)
        return values

    def _placed(self, order: Whole, rest: int) -> tuple[Whole, Whole]:
        """The best starts of one order, by job."""
        values = [value[0] for value in self._times(order[None, :], rest)]
        row, start = np.empty(self.table.jobs, dtype=np.int64), np.empty(self.table.jobs, dtype=np.int64)
        ends, left = int(self.table.length[order].sum()), rest
        for place in range(len(order) - 1, -1, -1):
            ends -= int(self.table.length[order[place]])
            left = int(np.argmax(values[place][: left + 1] <= values[place][left]))
            row[self.table.job[order[place]]] = order[place]
            start[self.table.job[order[place]]] = ends + left
        return row, start


def _changes(jobs: int, size: int) -> list[NDArray[np.int64]]:
    """All exchanges, as places of the old order, mixed and cut into parts of at most `size`."""
    every = list(_swaps(jobs)) + list(_moves(jobs))
    if not every:
        return []
    mixed = np.array(every)[np.random.default_rng(0).permutation(len(every))]
    return np.array_split(mixed, -(-len(mixed) // size))


def _swaps(jobs: int) -> Iterator[NDArray[np.int64]]:
    for one in range(jobs):
        for other in range(one + 1, jobs):
            places = np.arange(jobs)
            places[[one, other]] = other, one
            yield places


def _moves(jobs: int) -> Iterator[NDArray[np.int64]]:
    for together in range(1, min(TOGETHER, jobs - 1) + 1):
        for first in range(jobs - together + 1):
            block = np.arange(first, first + together)
            others = np.delete(np.arange(jobs), block)
            for before in range(jobs - together + 1):
                if abs(before - first) > (1 if together == 1 else 0):  # neighbours that trade places are a swap
                    yield np.concatenate([others[:before], block, others[before:]])
