"""Fill a hall as cheaply as can be found in a time, and say what no plan can beat."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.many_machines.bench import Bench
from optimizer.many_machines.beside import Beside
from optimizer.many_machines.bound import Relaxation, ascend, first_prices
from optimizer.many_machines.fill import LEAST_FILLS, Filled
from optimizer.many_machines.hall import Hall, Placed
from optimizer.many_machines.states import cost_of, fits

BOUND_SHARE = 0.2  # of the time, at most, for the bound
FILL_SHARE = 0.35  # of the time, at most, for first plans
LATE = 0.1  # of the time: what the second bench may be late with its first plan
MOST_FILLS = 400
ROUNDS = 4  # of refilling before two benches change machines
WARM, COLD = 0.03, 0.001  # of the usual cost of a task: how much worse a plan may get, at first and in the end
PROVEN = 1e-8  # of the cost
WORTH_IT = 10.0  # seconds, from which on a second process is worth its start

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
    processes: int | None = None,
    progress: Progress | None = None,
) -> Found:
    """The best plan found within the time, never worse than any of the known that keep the rules.

    It takes less time where the proven gap is small enough, as a share of the cost with what has to be paid besides.
    With `rounds` of refilling instead of the whole time it is the same for the same seed and number of processes (1 or
    2; None: as many as are of use) unless the time cuts it short.
    """
    begun = time.monotonic()
    heard = None if progress is None else (lambda bound: progress(None, bound))
    relaxation = Relaxation(hall)
    bound, prices = ascend(relaxation, first_prices(hall), until=begun + BOUND_SHARE * seconds, heard=heard)
    bench = Bench(hall, prices)
    if processes is None:
        processes = 2 if seconds > WORTH_IT and rounds is None and _cores() > 1 else 1
    with closing(Beside(bench)) if processes > 1 else nullcontext() as beside:
        run = _Run(bench, beside, bound, progress, enough=max(gap, PROVEN), other_cost=other_cost, seed=seed)
        most = MOST_FILLS if rounds is None else LEAST_FILLS
        filled = run.fill(until=time.monotonic() + FILL_SHARE * seconds, most=most, patience=LATE * seconds)
        for placed in (filled.placed, *(placed for placed in known if fits(hall, placed))):
            run.look(placed)
        return run.refill(filled, until=begun + seconds, rounds=rounds)


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Run:
    """One solve: one bench or two, and the best plan so far."""

    def __init__(
        self,
        bench: Bench,
        beside: Beside | None,
        bound: float,
        progress: Progress | None,
        *,
        enough: float,
        other_cost: float,
        seed: int,
    ) -> None:
        self.bench, self.beside, self.bound, self.progress = bench, beside, bound, progress
        self.enough, self.other_cost = enough, other_cost
        self.rng = np.random.default_rng(seed)
        self.found: Found | None = None

    def fill(self, *, until: float, most: int, patience: float) -> Filled:
        """The best first plan of both benches; the second, which has yet to start, may be so many seconds late."""
        ours, theirs = self._seed(), self._seed()
        if self.beside is not None:
            self.beside.ask("fill", until=until, most=most, seed=theirs)
        best = self.bench.fill(until=until, most=most, seed=ours)
        other = None if self.beside is None else self.beside.answer(until, patience)
        return other if other is not None and other.cost < best.cost else best

    def refill(self, filled: Filled, *, until: float, rounds: int | None) -> Found:
        """Go on as long as there is time."""
        placed = filled.placed if self.found is None else self.found.placed
        by = {"order": self.bench.order(filled), "snug": filled.recipe.snug, "until": until}
        begun, number = time.monotonic(), 0
        while time.monotonic() < until and (rounds is None or number < rounds) and not self._enough():
            passed = (time.monotonic() - begun) / max(until - begun, 1e-9) if rounds is None else number / rounds
            most = ROUNDS if rounds is None else min(ROUNDS, rounds - number)
            placed = self._together(placed, by | {"rounds": most, "warmth": WARM * (COLD / WARM) ** passed})
            self.look(placed)
            number += most
        return self.found or Found(placed=placed, cost=None, bound=self.bound)

    def _together(self, placed: Placed, by: dict[str, Any]) -> Placed:
        """Some rounds; of two benches each has half of the machines, and what stands on them."""
        machines = self.rng.permutation(self.bench.hall.machines)
        ours, theirs = self._seed(), self._seed()
        if self.beside is None or self.beside.pid is None or len(machines) < 4:
            return self.bench.refill(placed, machines, homeless=True, seed=ours, **by)
        first, second = np.array_split(machines, 2)
        self.beside.ask("refill", placed, second, homeless=False, seed=theirs, **by)
        made = self.bench.refill(placed, first, homeless=True, seed=ours, **by)
        other = self.beside.answer(by["until"])
        if other is not None:
            moved = np.isin(placed.machine, second)
            made.machine[moved], made.start[moved] = other.machine[moved], other.start[moved]
        return made

    def look(self, placed: Placed) -> None:
        """Keep the plan if it is the best in which every task stands."""
        if (placed.machine < 0).any():
            return
        cost = cost_of(self.bench.hall, placed)
        if self.found is None or self.found.cost is None or cost < self.found.cost:
            self.found = Found(placed=placed.copy(), cost=cost, bound=self.bound)
            if self.progress is not None:
                self.progress(cost, self.bound)

    def _enough(self) -> bool:
        return self.found is not None and self.found.within(self.enough, self.other_cost)

    def _seed(self) -> int:
        return int(self.rng.integers(2**31))
