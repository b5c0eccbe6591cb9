"""One machine with power-saving states and a price for each slot, planned to a proof.

First the cheapest way that works as many slots as the jobs take (`layers`). Where its working time can be filled with the
jobs (`packing`), it is a plan, and nothing is cheaper. Where not, ways with fewer breaks give a plan; the relaxation's
prices for the kinds raise the bound; and branch and bound looks through the few arcs that a plan within a small step
above the bound can use. Where it finds none, that step is proven too, and the next one is larger.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.layers import Layers
from optimizer.one_machine.packing import packed
from optimizer.one_machine.program import Program
from optimizer.one_machine.states import JobKind, Schedule, StateNetwork
from optimizer.one_machine.timetable import timetable

Told = Callable[[float, float | None], None]

TRIES = 8  # ways of the same cost that are tried
ROUNDING = 1e-7  # relative
FIRST_STEP = 1e-4  # of the bound: how far above it plans are first looked for
WIDER = 4.0
DEARER = 3.0  # how the price of a break grows until the jobs fit
PACKING_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """The best schedule and a bound on all; `optimal` where they meet. Without a schedule and with an infinite bound
    the jobs do not fit."""

    schedule: Schedule | None
    bound: float
    optimal: bool
    how: str

    @property
    def gap(self) -> float | None:
        """(cost − bound) / |cost|; None where there is no schedule."""
        if self.schedule is None:
            return None
        return max(0.0, self.schedule.cost - self.bound) / max(abs(self.schedule.cost), 1e-9)


def solve(
    network: StateNetwork,
    kinds: Sequence[JobKind],
    *,
    seconds: float,
    threads: int = 1,
    seed: int = 0,
    progress: Told | None = None,
) -> Solved:
    """The cheapest schedule of all jobs within a time. `progress(cost, bound)` hears of each better one."""
    return _Run(network, kinds, until=time.monotonic() + seconds, threads=threads, seed=seed, progress=progress).solve()


class _Run:
    """One solve: the best schedule and the best bound so far."""

    def __init__(
        self,
        network: StateNetwork,
        kinds: Sequence[JobKind],
        *,
        until: float,
        threads: int,
        seed: int,
        progress: Told | None,
    ) -> None:
        self.network, self.kinds = network, tuple(kinds)
        self.until, self.threads, self.progress = until, threads, progress
        self.rng = np.random.default_rng(seed)
        self.best: Schedule | None = None
        self.bound = -math.inf
        self.unit = _unit(network, self.kinds)
        self.layers: Layers | None = None  # those of the best bound

    def solve(self) -> Solved:
        self._by_length()
        if self.bound == math.inf:
            return self._solved("the jobs do not fit")
        for step in (self._by_ways, self._by_fewer_breaks, self._by_prices, self._by_ways, self._by_search):
            if self._done or self._left <= 0:
                break
            step()
        return self._solved("optimal" if self._done else f"time is up after {step.__name__}")

    @property
    def cost(self) -> float:
        return math.inf if self.best is None else self.best.cost

    @property
    def _left(self) -> float:
        return self.until - time.monotonic()

    @property
    def _near(self) -> float:
        """Costs that differ by less are the same."""
        return ROUNDING * max(1.0, abs(self.bound))

    @property
    def _done(self) -> bool:
        return self.cost <= self.bound + self._near

    def _solved(self, how: str) -> Solved:
        bound = self.cost if self._done else self.bound
        return Solved(schedule=self.best, bound=bound, optimal=self._done and self.best is not None, how=how)

    def _proven(self, bound: float) -> None:
        """A bound; costs in whole units let it rise to the next unit."""
        if self.unit and math.isfinite(bound):
            bound = self.unit * math.ceil(bound / self.unit - 1e-6)
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _take(self, runs: Sequence[tuple[int, int]] | None) -> None:
        """Keep a plan that is better than the best so far."""
        made = None if runs is None else timetable(self.network, self.kinds, runs)
        if made is None or made.cost >= self.cost:
            return
        if all(len(starts) == kind.count for starts, kind in zip(made.starts, self.kinds, strict=True)):
            self.best = made
            self._tell()

    def _tell(self) -> None:
        if self.progress is not None and self.best is not None:
            self.progress(self.best.cost, self.bound if math.isfinite(self.bound) else None)

    def _keep(self, layers: Layers) -> None:
        if self.layers is None or layers.bound > self.layers.bound:
            self.layers = layers
        self._proven(layers.bound)

    def _by_length(self) -> None:
        self._keep(Layers(self.network, self.kinds))

    def _by_ways(self) -> None:
        """Cheapest ways, their working time filled with the jobs."""
        assert self.layers is not None
        for tries in range(TRIES):
            if self._done or self._left <= 0:
                return
            self._fill(self.layers, self.rng if tries else None)

    def _fill(self, layers: Layers, rng: np.random.Generator | None) -> bool:
        runs = layers.way(rng)
        if _counts_fit(self.kinds, runs):
            self._take(runs)
            return True
        filled = packed(self.kinds, runs, seconds=min(self._left, PACKING_SECONDS))
        self._take(filled)
        return filled is not None

    def _by_fewer_breaks(self) -> None:
        """Ways for which each break costs something on top: the longer the work between breaks, the easier it is
        filled."""
        if any(kind.group is None for kind in self.kinds):
            return
        price = 1e-3 * abs(self.bound) / max(1, sum(kind.count for kind in self.kinds))
        while self._left > 0 and price < abs(self.bound):
            if self._fill(Layers(self.network, self.kinds, block_price=price), None):
                return
            price *= DEARER

    def _by_prices(self) -> None:
        """The bound with what the relaxation pays for each kind."""
        prices = Program(self.network, self.kinds).prices(seconds=self._left)
        if prices is not None and self._left > 0:
            self._keep(Layers(self.network, self.kinds, prices))

    def _by_search(self) -> None:
        """Branch and bound in steps above the bound, each over the arcs that a plan within the step can use."""
        assert self.layers is not None
        excess = self.layers.excess()
        step = max(self.unit, FIRST_STEP * max(1.0, abs(self.bound)))
        while not self._done and self._left > 0:
            most = min(self.cost, self.bound + step)
            program = Program(self.network, self.kinds, excess, most + self._near)
            found = program.search(
                seconds=self._left, threads=self.threads, apart=0.999 * self.unit if self.unit else self._near
            )
            self._take(found.runs)
            reached = min(found.bound, most)
            if found.done:
                reached = min(most, self.cost)
            self._proven(reached)
            step *= WIDER


def _counts_fit(kinds: Sequence[JobKind], runs: Sequence[tuple[int, int]]) -> bool:
    often = np.bincount([kind for kind, _ in runs], minlength=len(kinds))
    return bool((often == [kind.count for kind in kinds]).all())


def _unit(network: StateNetwork, kinds: Sequence[JobKind]) -> float:
    """The largest whole number that divides every cost; 0 where costs are not whole."""
    rows = [network.holding.ravel()]
    rows += [change.cost for change in network.changes]
    rows += [kind.cost for kind in kinds]
    costs = np.concatenate(rows)
    costs = costs[np.isfinite(costs)]
    whole = np.rint(costs)
    if len(costs) == 0 or np.abs(costs - whole).max() > 1e-9 or np.abs(whole).max() > 2**53:
        return 0.0
    return float(np.gcd.reduce(whole.astype(np.int64)))
