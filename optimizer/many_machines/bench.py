"""A workbench: one hall with its prices, at which first plans are made and plans are made better."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optimizer.many_machines.bound import Relaxation
from optimizer.many_machines.fill import Filled, Filler, Tries
from optimizer.many_machines.hall import Floats, Hall, Ints, Placed
from optimizer.many_machines.refill import MACHINES, Guide, refill

FILLED_OUT = 4.0  # of the usual cost: what a task without a place counts as in a first plan, which may still find one
OUT_OF_PLACE = 20.0  # the same in the search


@dataclass(frozen=True)
class Bench:
    """What fills and refills have in common. The same calls give the same plans unless the time cuts them short."""

    hall: Hall
    prices: Floats  # R x T, of the relaxation

    @cached_property
    def filler(self) -> Filler:
        return Filler(self.hall, Relaxation(self.hall), self.prices)

    @cached_property
    def usual(self) -> float:
        """About what a task costs."""
        return float(np.abs(self.hall.start_cost.min(axis=1)).mean()) + float(np.abs(self.hall.on_cost).mean())

    def fill(self, *, until: float, most: int, seed: int) -> Filled:
        """The best of many fills."""
        homeless = self._homeless(FILLED_OUT * self.usual)
        rng = np.random.default_rng(seed)
        return Tries(self.filler, homeless=homeless, usual=self.usual, rng=rng).run(until=until, most=most)

    def order(self, filled: Filled) -> Floats:
        """In which order refilling puts tasks back: as a good fill did."""
        return self.filler.order(filled.recipe, filled.ahead)

    def refill(
        self,
        placed: Placed,
        machines: Ints,
        *,
        order: Floats,
        snug: float,
        rounds: int,
        homeless: bool,
        warmth: float,
        until: float,
        seed: int,
    ) -> Placed:
        """The plan after some rounds on these machines, and on tasks without a place if `homeless`. The `warmth` is a
        share of what a task usually costs."""
        made, rng = placed.copy(), np.random.default_rng(seed)
        guide = Guide(paid=self.filler.paid, order=order, homeless=self._out_of_place, usual=self.usual, snug=snug)
        for _ in range(rounds):
            some = np.sort(rng.choice(machines, min(MACHINES, len(machines)), replace=False))
            refill(self.hall, made, guide, some, homeless=homeless, warmth=warmth * self.usual, until=until, rng=rng)
        return made

    @cached_property
    def _out_of_place(self) -> Floats:
        return self._homeless(OUT_OF_PLACE * self.usual)

    def _homeless(self, more: float) -> Floats:
        """What a task without a place counts as: that much more than a place would cost it."""
        hall = self.hall
        finite = np.where(np.isfinite(hall.start_cost), hall.start_cost, -np.inf)
        machine = float(np.abs(hall.on_cost).max(axis=0).sum()) / hall.slots
        apart = finite.max(axis=1) - hall.start_cost.min(axis=1)
        return np.asarray(apart + hall.duration * machine + more)
