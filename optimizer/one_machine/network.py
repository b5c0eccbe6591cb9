"""One machine with power-saving states and a price for each slot, planned to a proof.

First the cheapest way that works as many slots as the jobs take (`layers`). Where its working time can be filled with the
jobs (`packing`), it is a plan, and nothing is cheaper. Where not, ways with fewer breaks give a plan, and so do the jobs
in an order of theirs, timed at its best (`orders`). The relaxation's prices for the kinds of jobs raise the bound, and
branch and bound looks through the few arcs that a plan within a small step above the bound can use (`program`). Where it
finds none, that step is proven too, and the next one is larger.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.layers import Layers
from optimizer.one_machine.orders import exchanged, timed
from optimizer.one_machine.packing import packed
from optimizer.one_machine.program import Program
from optimizer.one_machine.states import JobKind, Schedule, StateNetwork
from optimizer.one_machine.timetable import timetable

Told = Callable[[Schedule, float | None], None]

TRIES = 8  # ways of the same cost that are tried
ROUNDING = 1e-7  # relative
FIRST_STEP = 1e-4  # of the bound: how far above it plans are first looked for
WIDER = 4.0
DEARER = 3.0  # how the price of a break grows until the jobs fit
PACKING_SECONDS = 2.0
ORDER_SHARE = 0.1  # of the time that is left, at most
ORDER_SECONDS = 1.0
VAIN_EXCHANGES = 200


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
    gap: float = 0.0,
    order: Sequence[int] = (),
    progress: Told | None = None,
) -> Solved:
    """The cheapest schedule of all jobs within a time, proven to a relative gap. `progress(schedule, bound)` hears of
    each better one. `order` names the kinds in an order in which the jobs might run, to begin with."""
    run = _Run(network, kinds, until=time.monotonic() + seconds, threads=threads, seed=seed, gap=gap, progress=progress)
    return run.solve(order)


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
        gap: float,
        progress: Told | None,
    ) -> None:
        self.network, self.kinds = network, tuple(kinds)
        self.until, self.threads, self.gap, self.progress = until, threads, gap, progress
        self.rng = np.random.default_rng(seed)
        self.best: Schedule | None = None
        self.bound = -math.inf
        self.unit = _unit(network, self.kinds)
        self.layers: Layers | None = None  # those of the best bound
        self.order: list[int] = []

    def solve(self, order: Sequence[int]) -> Solved:
        self._by_length()
        if self.bound == math.inf:
            return self._solved("the jobs do not fit")
        self.order = list(order) or [number for number, kind in enumerate(self.kinds) for _ in range(kind.count)]
        steps = (self._by_ways, self._by_fewer_breaks, self._by_order, self._by_prices, self._by_ways, self._by_search)
        for step in steps:
            if self._done or self._left <= 0:
                break
            step()
        return self._solved("proven" if self._done else "the time was up")

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
    def _proven_best(self) -> bool:
        return self.cost <= self.bound + self._near

    @property
    def _done(self) -> bool:
        return self.cost <= self.bound + max(self._near, self.gap * abs(self.cost)) if self.best else False

    def _solved(self, how: str) -> Solved:
        optimal = self.best is not None and self._proven_best
        return Solved(schedule=self.best, bound=self.cost if optimal else self.bound, optimal=optimal, how=how)

    def _raise(self, bound: float) -> None:
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
            self.progress(self.best, self.bound if math.isfinite(self.bound) else None)

    def _keep(self, layers: Layers) -> None:
        if self.layers is None or layers.bound > self.layers.bound:
            self.layers = layers
        self._raise(layers.bound)

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

    def _by_order(self) -> None:
        """The jobs in their order, each order timed at its best, and the order made better by exchanges."""
        until = time.monotonic() + min(ORDER_SECONDS, ORDER_SHARE * self._left)
        best = timed(self.network, self.kinds, self.order)
        self._take(best.runs)
        vain = 0
        while not self._done and time.monotonic() < until and vain < VAIN_EXCHANGES and len(self.order) > 1:
            other = timed(self.network, self.kinds, exchanged(best.order, self.rng))
            vain += 1
            if other.cost < best.cost - self._near:
                best, vain = other, 0
                self._take(best.runs)

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
            self._raise(reached)
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
