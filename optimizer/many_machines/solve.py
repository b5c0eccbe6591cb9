"""Fill a hall as cheaply as can be found in a time, and say what no plan can beat."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.many_machines.bound import Relaxation, ascend, first_prices
from optimizer.many_machines.fill import Filler, best_fill
from optimizer.many_machines.hall import Floats, Hall, Placed
from optimizer.many_machines.refill import Guide, refill, some_machines
from optimizer.many_machines.states import cost_of

BOUND_SHARE = 0.2  # of the time, at most, for the bound
FILL_SHARE = 0.15  # of the time, at most, for first plans
FILLS = 24
WARM, COLD = 0.1, 0.002  # of the usual cost of a task: how much worse a plan may get, at first and in the end
OUT_OF_PLACE = 20.0  # of the usual cost: what a task without a place counts as
PROVEN = 1e-9  # of the cost

Progress = Callable[[float | None, float], None]  # cost of the best plan in which all tasks stand, and the bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan and the bound. `cost` is None where some task stands nowhere."""

    placed: Placed
    cost: float | None
    bound: float

    @property
    def proven(self) -> bool:
        return self.cost is not None and self.cost - self.bound <= PROVEN * max(1.0, abs(self.cost)) * 10.0


def solve(
    hall: Hall, *, seconds: float, seed: int = 0, rounds: int | None = None, progress: Progress | None = None
) -> Found:
    """The best plan found within the time; with `rounds` of refilling instead of the whole time, the same for the same
    seed unless the time cuts it short."""
    begun = time.monotonic()
    until = begun + seconds
    rng = np.random.default_rng(seed)
    relaxation = Relaxation(hall)
    heard = None if progress is None else (lambda bound: progress(None, bound))
    bound, prices = ascend(relaxation, first_prices(hall), until=begun + BOUND_SHARE * seconds, heard=heard)
    usual = float(np.mean(np.abs(hall.start_cost[:, :].min(axis=1)))) + float(np.abs(hall.on_cost).mean())
    homeless = _homeless(hall, usual)
    filler = Filler(hall, relaxation, prices)
    filled = best_fill(filler, until=time.monotonic() + FILL_SHARE * seconds, rounds=FILLS, homeless=homeless, rng=rng)
    guide = Guide.of(filler, filled.recipe, homeless=homeless, usual=usual)
    search = _Search(hall, filled.placed, bound, progress)
    search.run(guide, until=until, rounds=rounds, rng=rng)
    return search.found()


def _homeless(hall: Hall, usual: float) -> Floats:
    """What a task without a place counts as: more than any place could cost it."""
    finite = np.where(np.isfinite(hall.start_cost), hall.start_cost, -np.inf)
    machine = float(np.abs(hall.on_cost).max(axis=0).sum()) / hall.slots
    apart = finite.max(axis=1) - hall.start_cost.min(axis=1)
    return np.asarray(apart + hall.duration * machine + OUT_OF_PLACE * usual)


class _Search:
    """Refilling round by round, the best plan kept aside."""

    def __init__(self, hall: Hall, placed: Placed, bound: float, progress: Progress | None) -> None:
        self.hall, self.placed, self.bound, self.progress = hall, placed, bound, progress
        self.best, self.cost = placed.copy(), np.inf
        self._look()

    def run(self, guide: Guide, *, until: float, rounds: int | None, rng: np.random.Generator) -> None:
        begun = time.monotonic()
        number = 0
        while time.monotonic() < until and (rounds is None or number < rounds) and not self.found().proven:
            passed = (time.monotonic() - begun) / max(until - begun, 1e-9) if rounds is None else number / rounds
            warmth = guide.usual * WARM * (COLD / WARM) ** passed
            machines = some_machines(self.hall, rng)
            refill(self.hall, self.placed, guide, machines, warmth=warmth, until=until, rng=rng)
            self._look()
            number += 1

    def _look(self) -> None:
        """Keep the plan if it is the best in which every task stands."""
        if (self.placed.machine < 0).any():
            return
        cost = cost_of(self.hall, self.placed)
        if cost < self.cost:
            self.best, self.cost = self.placed.copy(), cost
            if self.progress is not None:
                self.progress(cost, self.bound)

    def found(self) -> Found:
        if np.isfinite(self.cost):
            return Found(placed=self.best, cost=self.cost, bound=self.bound)
        return Found(placed=self.placed, cost=None, bound=self.bound)
