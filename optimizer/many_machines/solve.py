"""Fill a hall as cheaply as can be found in a time, and say what no plan can beat."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.many_machines.bound import Relaxation, ascend, first_prices
from optimizer.many_machines.fill import LEAST_FILLS, Filler, Tries
from optimizer.many_machines.hall import Floats, Hall, Placed
from optimizer.many_machines.refill import Guide, refill, some_machines
from optimizer.many_machines.states import cost_of, fits

BOUND_SHARE = 0.2  # of the time, at most, for the bound
FILL_SHARE = 0.35  # of the time, at most, for first plans
MOST_FILLS = 400
WARM, COLD = 0.03, 0.001  # of the usual cost of a task: how much worse a plan may get, at first and in the end
FILLED_OUT = 4.0  # of the usual cost: what a task without a place counts as in a first plan, which may still find one
OUT_OF_PLACE = 20.0  # the same in the search
PROVEN = 1e-8  # of the cost

Progress = Callable[[float | None, float], None]  # cost of the best plan in which all tasks stand, and the bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan and the bound. `cost` is None where some task stands nowhere."""

    placed: Placed
    cost: float | None
    bound: float

    def within(self, gap: float, other_cost: float = 0.0) -> bool:
        """Whether the plan is proven to cost at most that share more than the best, with what else has to be paid."""
        return self.cost is not None and self.cost - self.bound <= gap * abs(self.cost + other_cost)

    @property
    def proven(self) -> bool:
        return self.within(PROVEN) or self.cost == self.bound == 0.0


def solve(
    hall: Hall,
    *,
    seconds: float,
    gap: float = 0.0,
    other_cost: float = 0.0,
    seed: int = 0,
    rounds: int | None = None,
    known: Sequence[Placed] = (),
    progress: Progress | None = None,
) -> Found:
    """The best plan found within the time, never worse than any of the known that keep the rules.

    It takes less time where the proven gap is small enough, as a share of the cost with what has to be paid besides.
    With `rounds` of refilling instead of the whole time it is the same for the same seed unless the time cuts it short.
    """
    begun = time.monotonic()
    until = begun + seconds
    rng = np.random.default_rng(seed)
    relaxation = Relaxation(hall)
    heard = None if progress is None else (lambda bound: progress(None, bound))
    bound, prices = ascend(relaxation, first_prices(hall), until=begun + BOUND_SHARE * seconds, heard=heard)
    usual = float(np.mean(np.abs(hall.start_cost.min(axis=1)))) + float(np.abs(hall.on_cost).mean())
    filler = Filler(hall, relaxation, prices)
    tries = Tries(filler, homeless=_homeless(hall, FILLED_OUT * usual), usual=usual, rng=rng)
    filled = tries.run(until=time.monotonic() + FILL_SHARE * seconds, most=MOST_FILLS if rounds is None else LEAST_FILLS)
    guide = Guide.of(filler, filled, homeless=_homeless(hall, OUT_OF_PLACE * usual), usual=usual)
    search = _Search(hall, bound, progress, enough=max(gap, PROVEN), other_cost=other_cost)
    search.look(filled.placed)
    for placed in known:
        if fits(hall, placed):
            search.look(placed)
    return search.run(guide, filled.placed.copy(), until=until, rounds=rounds, rng=rng)


def _homeless(hall: Hall, more: float) -> Floats:
    """What a task without a place counts as: that much more than a place would cost it."""
    finite = np.where(np.isfinite(hall.start_cost), hall.start_cost, -np.inf)
    machine = float(np.abs(hall.on_cost).max(axis=0).sum()) / hall.slots
    apart = finite.max(axis=1) - hall.start_cost.min(axis=1)
    return np.asarray(apart + hall.duration * machine + more)


class _Search:
    """Refilling round by round, the best plan kept aside."""

    def __init__(
        self, hall: Hall, bound: float, progress: Progress | None, *, enough: float, other_cost: float
    ) -> None:
        self.hall, self.bound, self.progress = hall, bound, progress
        self.enough, self.other_cost = enough, other_cost
        self._found: Found | None = None

    def run(self, guide: Guide, placed: Placed, *, until: float, rounds: int | None, rng: np.random.Generator) -> Found:
        """Go on from a plan as long as there is time."""
        begun = time.monotonic()
        number = 0
        while time.monotonic() < until and (rounds is None or number < rounds) and not self._enough():
            passed = (time.monotonic() - begun) / max(until - begun, 1e-9) if rounds is None else number / rounds
            warmth = guide.usual * WARM * (COLD / WARM) ** passed
            machines = some_machines(self.hall, rng)
            refill(self.hall, placed, guide, machines, warmth=warmth, until=until, rng=rng)
            self.look(placed)
            number += 1
        return self._found or Found(placed=placed, cost=None, bound=self.bound)

    def look(self, placed: Placed) -> None:
        """Keep the plan if it is the best in which every task stands."""
        if (placed.machine < 0).any():
            return
        cost = cost_of(self.hall, placed)
        if self._found is None or self._found.cost is None or cost < self._found.cost:
            self._found = Found(placed=placed.copy(), cost=cost, bound=self.bound)
            if self.progress is not None:
                self.progress(cost, self.bound)

    def _enough(self) -> bool:
        return self._found is not None and self._found.within(self.enough, self.other_cost)
