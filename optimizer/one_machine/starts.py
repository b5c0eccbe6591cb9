"""One machine, and a cost for each job at each start: the best starts, with a proven bound.

No two runs overlap, nothing is interrupted, and what a job costs depends on its own start alone: energy, carbon, sale,
lateness and moving, summed over the slots of its run. First rough prices of the jobs and a narrow pass through the
orders give a plan at once; then the linear program gives good prices, and wider and wider passes leave out what cannot
be better, until nothing is left to look at or the time is up. The same input gives the same plan as long as the time
limit does not cut in; nothing is random.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.linear import job_prices
from optimizer.one_machine.orders import Builder, Built
from optimizer.one_machine.relaxed import Relaxed, climb, first_prices, relax
from optimizer.one_machine.runs import Run, Table

FIRST_STEPS = 60  # of the subgradient, for a first plan
FIRST_WIDTH = 60
WIDTHS = (300, 2_000, 12_000, 60_000, 300_000)
EXACT = 1e-9  # relative: plans whose costs differ by less cost the same

Told = Callable[[float, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan: of each job the number of its run (in the order given) and its start; None where no plan was
    found. `bound` is proven; inf says that there is no plan at all."""

    run: tuple[int, ...] | None
    start: tuple[int, ...] | None
    cost: float
    bound: float
    states: int

    @property
    def optimal(self) -> bool:
        return self.cost - self.bound <= 2 * EXACT * max(1.0, abs(self.cost))


def best_starts(
    runs: Sequence[Run],
    slots: int,
    *,
    seconds: float,
    gap: float = 0.0,
    first: tuple[Sequence[int], Sequence[int]] | None = None,
    progress: Told | None = None,
) -> Found:
    """The cheapest starts of all jobs (numbered from 0) within `slots`, to a relative gap. `first` is a plan to start
    from: of each job the number of its run, and its start."""
    return _Planning(runs, slots, until=time.monotonic() + seconds, gap=gap, progress=progress).plan(first)


class _Planning:
    """The best plan and bound so far."""

    def __init__(self, runs: Sequence[Run], slots: int, *, until: float, gap: float, progress: Told | None) -> None:
        self.table = Table(runs, slots)
        self.until, self.gap, self.progress = until, gap, progress
        self.cost, self.bound = np.inf, -np.inf
        self.row = self.start = np.empty(0, dtype=np.int64)
        self.states = 0

    def plan(self, first: tuple[Sequence[int], Sequence[int]] | None) -> Found:
        table = self.table
        if not table.jobs:
            self.cost = self.bound = 0.0
            return self._found()
        if first is not None:
            place = {int(number): row for row, number in enumerate(table.given_as)}
            row, start = np.array([place[number] for number in first[0]]), np.array(first[1])
            self._take(row, start, table.total(row, start))
        guess = first_prices(table)
        hope = self.cost if self.cost < np.inf else float(guess.sum())
        relaxed = relax(table, climb(table, guess, steps=FIRST_STEPS, cost=hope))
        self._raise(relaxed.bound)
        self._pass(relaxed, FIRST_WIDTH)
        self._close(relaxed)
        relaxed = self._better(relaxed)
        for width in WIDTHS:
            if self._done() or time.monotonic() > self.until:
                break
            self._pass(relaxed, width)
            self._close(relaxed)
        return self._found()

    def _better(self, rough: Relaxed) -> Relaxed:
        """The relaxation at the prices of the linear program."""
        if self._done():
            return rough
        prices = job_prices(self.table, seconds=self.until - time.monotonic())
        if prices is None:
            return rough
        relaxed = relax(self.table, prices)
        self._raise(relaxed.bound)
        self._close(relaxed)
        return relaxed if relaxed.bound > rough.bound else rough

    def _pass(self, relaxed: Relaxed, width: int) -> None:
        below = self._below()
        built = Builder(self.table, relaxed).run(below=below, width=width, until=self.until)
        self.states += built.states
        self._heard(built)

    def _heard(self, built: Built) -> None:
        if built.row is not None and built.start is not None and built.cost < self.cost:
            self._take(built.row, built.start, built.cost)
        if built.in_time:
            self._raise(built.bound)

    def _take(self, row: np.ndarray, start: np.ndarray, cost: float) -> None:
        self.cost, self.row, self.start = cost, row, start
        self._tell()

    def _raise(self, bound: float) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        if self.progress is not None and self.cost < np.inf:
            self.progress(self.cost, min(self.bound, self.cost) if self.bound > -np.inf else None)

    def _below(self) -> float:
        """What a plan must cost less than, to be worth finding."""
        return self.cost - max(self.gap, EXACT) * abs(self.cost) if self.cost < np.inf else np.inf

    def _done(self) -> bool:
        return bool(self.bound >= self._below())

    def _close(self, relaxed: Relaxed) -> None:
        if self.cost < np.inf:
            self.table.close(relaxed.beyond(self.table, self.cost))

    def _found(self) -> Found:
        if self.cost == np.inf:
            return Found(run=None, start=None, cost=self.cost, bound=self.bound, states=self.states)
        return Found(
            run=tuple(self.table.given_as[self.row].tolist()),
            start=tuple(self.start.tolist()),
            cost=self.cost,
            bound=min(self.bound, self.cost),
            states=self.states,
        )
