"""One machine, and a cost for each job at each start: the best starts, with a proven bound.

No two runs overlap, nothing is interrupted, and what a job costs depends on its own start alone: energy, carbon, sale,
lateness and moving, summed over the slots of its run. First rough prices of the jobs and a narrow pass through the
orders give a plan at once; then the linear program gives good prices, and wider and wider passes leave out what cannot
be better, until nothing is left to look at or the time is up. The same input gives the same plan as long as the time
limit does not cut in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from optimizer.one_machine.exchange import Exchange
from optimizer.one_machine.linear import job_prices
from optimizer.one_machine.passes import Builder
from optimizer.one_machine.relaxed import Network, Relaxed, first_prices
from optimizer.one_machine.runs import Rows, Run, Table, Whole

FIRST_STEPS = 40  # of the subgradient, for a first plan
FIRST_WIDTH = 60
# After the linear program: (jobs tracked, states a slot) of each pass
PASSES = ((0, 300), (0, 2_000), (0, 12_000), (8, 12_000), (10, 60_000), (10, 300_000), (12, 300_000))
STEPS = 25  # of the subgradient, for each two jobs more that are tracked
REACH = 0.3
MOSTLY = 0.7
MOST_STATES = 60_000_000  # of one pass: six bytes each
EFFORT = 5_000_000  # states looked at for a gap smaller than asked for
EXACT = 1e-9  # relative: plans whose costs differ by less cost the same

AT_ONCE_WORK = 15_000  # slots of all starts, up to which the linear program is solved at once
AT_ONCE_PASSES = 2

Places = tuple[Sequence[int], Sequence[int]]  # of each job: the number of its run (as given), and its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan: of each job the number of its run (in the order given) and its start; None where no plan was
    found. `bound` is proven; inf says that there is no plan at all."""

    places: tuple[tuple[int, ...], tuple[int, ...]] | None
    cost: float
    bound: float
    optimal: bool
    states: int


class Stage(Enum):
    """How much of the way to go: a good plan at once (proven where that is little work), the rest of the way from such a
    plan, or all of it."""

    AT_ONCE = auto()
    REST = auto()
    WHOLE = auto()


def best_starts(
    runs: Sequence[Run],
    slots: int,
    *,
    seconds: float,
    gap: float = 0.0,
    other_cost: float = 0.0,
    first: Places | None = None,
    stage: Stage = Stage.WHOLE,
    progress: Callable[[Found], None] | None = None,
) -> Found:
    """The cheapest starts of all jobs (numbered from 0) within `slots`. At a gap of `gap`, relative to the cost and what
    else is paid beside it (`other_cost`), it may stop, and does so when a smaller one would be much work. `first` is a
    plan to start from; `progress` hears of each better plan or bound."""
    planning = _Planning(Table(runs, slots), until=time.monotonic() + seconds, progress=progress)
    planning.gap, planning.other_cost = gap, other_cost
    planning.run(first, stage)
    return planning.found()


class _Planning:
    """The best plan and bound so far."""

    def __init__(self, table: Table, *, until: float, progress: Callable[[Found], None] | None) -> None:
        self.table = table
        self.until, self.progress = until, progress
        self.gap = self.other_cost = 0.0
        self.largest = float(np.max(np.abs(table.cost), where=np.isfinite(table.cost), initial=0.0))
        self.cost, self.bound = np.inf, -np.inf
        self.row = self.start = np.empty(0, dtype=np.int64)
        self.states = 0
        self.full = 0.0  # the share of the states allowed that the last pass looked at

    def run(self, first: Places | None, stage: Stage) -> None:
        if not self.table.jobs:
            self.cost = self.bound = 0.0
            return
        if first is not None:
            self._take(self.table.row_of(first[0]), np.array(first[1], dtype=np.int64))
        relaxed = self._rough(0 if stage is Stage.REST else FIRST_STEPS)
        if stage is not Stage.REST:
            self._pass(relaxed, FIRST_WIDTH)
        if stage is not Stage.AT_ONCE:
            self._prove(relaxed, len(PASSES))
        elif self.table.work <= AT_ONCE_WORK:
            self._prove(relaxed, AT_ONCE_PASSES)

    def _prove(self, rough: Relaxed, passes: int) -> None:
        """Better prices, and wider and wider passes."""
        relaxed, self.full = self._exact(rough), 0.0
        for tracked, width in PASSES[:passes]:
            if self._done():
                return
            if not tracked and self.full > MOSTLY:
                continue  # a wider pass would be full too: count jobs first
            if tracked > len(relaxed.network.tracked):
                relaxed = self._track(relaxed, tracked)
            self._pass(relaxed, width)

    def _rough(self, steps: int) -> Relaxed:
        """The relaxation at prices found at once."""
        guess = first_prices(self.table)
        return self._heard(Network(self.table).climb(guess, steps=steps, cost=self._hope(guess)).relaxed)

    def _hope(self, prices: Rows) -> float:
        """What a good plan may cost, where none is known yet."""
        return self.cost if self.cost < np.inf else max(float(prices.sum()), self.bound)

    def _exact(self, rough: Relaxed) -> Relaxed:
        """The relaxation at the prices of the linear program."""
        if self._done():
            return rough
        prices = job_prices(self.table, seconds=self.until - time.monotonic())
        if prices is None:
            return rough
        relaxed = self._heard(Network(self.table).relax(prices))
        return relaxed if relaxed.bound > rough.bound else rough

    def _track(self, relaxed: Relaxed, most: int) -> Relaxed:
        """The relaxation that counts more jobs exactly: those that its paths leave out or repeat most."""
        tracked = list(relaxed.network.tracked)
        hope = self._hope(relaxed.prices)
        climbed = relaxed.network.climb(relaxed.prices, steps=STEPS, cost=hope, reach=REACH)
        while len(tracked) < min(most, self.table.jobs) and not self._done():
            order = [job for job in np.argsort(-climbed.astray, kind="stable").tolist() if job not in tracked]
            tracked += order[: min(4 if not tracked else 2, most - len(tracked))]
            network = Network(self.table, tracked)
            climbed = network.climb(climbed.relaxed.prices, steps=STEPS, cost=hope, reach=REACH)
            self._heard(climbed.relaxed)
        return climbed.relaxed

    def _heard(self, relaxed: Relaxed) -> Relaxed:
        """Keep its bound, and leave out what it proves to be in no better plan."""
        self._raise(relaxed.bound)
        if self.cost < np.inf:
            self.table.close(relaxed.beyond(self.cost + self._exactly()))
        return relaxed

    def _pass(self, relaxed: Relaxed, width: int) -> None:
        """Build plans slot after slot, and exchange jobs in the best one."""
        width = min(width, MOST_STATES // self.table.slots)
        built = Builder(relaxed).run(below=self._below(), width=width, until=self.until)
        self.states += built.states
        self.full = built.states / (width * self.table.slots)
        if built.row is not None and built.start is not None and built.cost < self.cost:
            self._take(built.row, built.start)
        if built.in_time:
            self._raise(built.bound)
        if self.cost < np.inf and not self._done():
            self._take(*Exchange(self.table).better(self.row, self.start, until=self.until))
            self.table.close(relaxed.beyond(self.cost + self._exactly()))

    def _take(self, row: Whole, start: Whole) -> None:
        cost = self.table.total(row, start)
        if cost < self.cost:
            self.cost, self.row, self.start = cost, row, start
            self._tell()

    def _raise(self, bound: float) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        if self.progress is not None and self.cost < np.inf:
            self.progress(self.found())

    def _exactly(self) -> float:
        """What two plans of the same cost may differ by."""
        return EXACT * max(abs(self.cost), self.largest)

    def _below(self) -> float:
        """What a plan must cost less than, to be worth finding."""
        if self.cost == np.inf:
            return np.inf
        enough = self.gap * abs(self.cost + self.other_cost) if self.states > EFFORT else 0.0
        return self.cost - max(self._exactly(), enough)

    def _done(self) -> bool:
        return bool(self.bound >= self._below()) or time.monotonic() > self.until

    def found(self) -> Found:
        """The best so far."""
        if self.cost == np.inf:
            return Found(places=None, cost=self.cost, bound=self.bound, optimal=False, states=self.states)
        optimal = bool(self.cost - self.bound <= 2.0 * self._exactly())
        return Found(
            places=(tuple(self.table.number_of[self.row].tolist()), tuple(self.start.tolist())),
            cost=self.cost,
            bound=self.cost if optimal else self.bound,
            optimal=optimal,
            states=self.states,
        )
