"""The runs of one machine as rows of numbers: what each job costs at each start, sorted by length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One way to run a job: it holds the machine for `slots` slots, and costs `cost[k]` when it starts in slot k (inf
    where it may not). Several runs of the same job are its ways (modes); one of them is chosen."""

    job: int
    slots: int
    cost: Rows


class Table:
    """All runs beside each other, one row a run, sorted by length; rows of equal length are a group."""

    def __init__(self, runs: Sequence[Run], slots: int) -> None:
        self.slots = slots
        self.number_of: Whole = np.array(
            sorted(range(len(runs)), key=lambda number: runs[number].slots), dtype=np.int64
        )
        sorted_runs = [runs[number] for number in self.number_of]
        self.job: Whole = np.array([run.job for run in sorted_runs], dtype=np.int64)
        self.length: Whole = np.array([run.slots for run in sorted_runs], dtype=np.int64)
        self.jobs = int(self.job.max()) + 1 if len(runs) else 0
        self.cost: Rows = np.full((len(runs), slots), np.inf)
        for row, run in enumerate(sorted_runs):
            self.cost[row, : len(run.cost)] = run.cost
            self.cost[row, slots - run.slots + 1 :] = np.inf
        self.lengths: Whole
        self.lengths, self.group_start = np.unique(self.length, return_index=True)
        self.shortest = np.full(self.jobs, slots + 1, dtype=np.int64)
        np.minimum.at(self.shortest, self.job, self.length)
        self.twin = self._twins()

    def groups(self) -> Iterator[tuple[int, slice]]:
        """(length, its rows) of each group."""
        ends = [*self.group_start[1:], len(self.length)]
        for length, first, end in zip(self.lengths, self.group_start, ends, strict=True):
            yield int(length), slice(int(first), int(end))

    def row_of(self, numbers: Sequence[int]) -> Whole:
        """The rows of runs by their numbers as given."""
        row = np.empty(len(self.number_of), dtype=np.int64)
        row[self.number_of] = np.arange(len(self.number_of))
        return row[np.asarray(numbers, dtype=np.int64)]

    @property
    def work(self) -> int:
        """The slots of all starts together: the entries of a linear program."""
        return int((np.isfinite(self.cost).sum(axis=1) * self.length).sum())

    def close(self, beyond: Mask) -> None:
        """Take these starts away: they are in no plan that is better."""
        self.cost[beyond] = np.inf

    def total(self, row: Whole, start: Whole) -> float:
        """What the chosen rows cost at their starts."""
        return float(self.cost[row, start].sum())

    def _twins(self) -> Whole:
        """Of each job, the one before it that is just like it (-1 where none is): which of the two runs first is all
        the same."""
        known: dict[bytes, int] = {}
        twin = np.full(self.jobs, -1, dtype=np.int64)
        for job in range(self.jobs):
            mine = self.job == job
            key = self.length[mine].tobytes() + self.cost[mine].tobytes()
            twin[job] = known.get(key, -1)
            known[key] = job
        return twin
