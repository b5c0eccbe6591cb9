"""A bound from prices: what a plan must cost at least, whatever the capacity is priced at.

Each slot of each resource gets a price. A task pays for what it takes, a machine that is on is paid for what it holds,
and nobody has to fit any more: each task takes its own cheapest start, each machine its own cheapest hours. What that
costs together is never more than any plan that fits, for any prices that are not negative (Lagrangian relaxation of the
capacity summed over the machines). The prices rise where too much stands and fall where too little does (subgradient
ascent); the best sum is the bound, and its prices guide where tasks are placed.
"""

import time
from collections.abc import Callable

import numpy as np

from optimizer.many_machines.hall import Floats, Hall, Ints
from optimizer.many_machines.states import cheapest_states

HOPE = 0.05  # of the best bound: how much better the next is hoped to be
PATIENCE = 15  # rounds without a better bound before the steps get shorter
SHORTER = 0.7
SHORTEST = 1e-4
BETTER = 1e-7  # of the bound: less is no progress
SMOOTH = 0.7  # of the direction before
ROUNDING = 1e-9

Heard = Callable[[float], None]


class Relaxation:
    """The cost of a hall without its capacity rows, as a function of the prices (R x T)."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.task, self.slot = np.nonzero(np.isfinite(hall.start_cost))
        self.cost = hall.least_start_cost[self.task, self.slot]
        width = hall.slots + 1
        self.begin = self.task * width + self.slot
        self.end = self.begin + hall.duration[self.task]
        self.first = np.searchsorted(self.task, np.arange(hall.tasks))
        self.room = hall.room()

    def prices_of_starts(self, prices: Floats) -> Floats:
        """What each allowed start pays for the capacity that it takes."""
        hall = self.hall
        paid = np.zeros((hall.tasks, hall.slots + 1))
        np.cumsum(hall.need @ prices, axis=1, out=paid[:, 1:])
        flat = paid.ravel()
        return np.asarray(flat[self.end] - flat[self.begin])

    def value(self, prices: Floats) -> tuple[float, Floats]:
        """The bound at these prices, and by how much each resource is over (positive) or under its capacity."""
        hall = self.hall
        costs = self.cost + self.prices_of_starts(prices)
        least = np.minimum.reduceat(costs, self.first)
        start = self._starts(costs, least)
        earned = np.einsum("rt,rmt->mt", prices, self.room)
        machines, states = cheapest_states(hall.on_cost - earned, hall.switch_on, hall.switch_off)
        used = np.zeros((hall.slots + 1, hall.resources))
        np.add.at(used, start, hall.need)
        np.subtract.at(used, start + hall.duration, hall.need)
        held = np.einsum("rmt,mt->rt", self.room, states.astype(np.float64))
        return float(least.sum() + machines.sum()), np.cumsum(used, axis=0)[:-1].T - held

    def _starts(self, costs: Floats, least: Floats) -> Ints:
        """The first start of each task that costs the least."""
        hits = np.flatnonzero(costs == least[self.task])
        _, first = np.unique(self.task[hits], return_index=True)
        return self.slot[hits[first]]


def first_prices(hall: Hall) -> Floats:
    """The cost of a machine that is on, shared by what it holds."""
    return hall.slot_price.clip(min=0.0)[None, :] / (hall.resources * hall.typical_capacity[:, None])


def ascend(
    relaxation: Relaxation, prices: Floats, *, until: float, rounds: int = 1500, heard: Heard | None = None
) -> tuple[float, Floats]:
    """The best bound found and its prices. `heard(bound)` hears of it now and then."""
    scale = 1.0 / relaxation.hall.typical_capacity[:, None]
    best, best_prices = -np.inf, prices
    step, waited = 1.0, 0
    before: Floats | None = None
    for number in range(rounds):
        value, over = relaxation.value(prices)
        waited = 0 if value > best + BETTER * abs(value) else waited + 1
        if value > best:
            best, best_prices = value, prices
        if heard is not None and number % 50 == 0:
            heard(rounded(best))
        if waited >= PATIENCE:
            step, waited, prices, before = step * SHORTER, 0, best_prices, None
        if step < SHORTEST or time.monotonic() > until:
            break
        direction = over * scale
        before = direction if before is None else (1.0 - SMOOTH) * direction + SMOOTH * before
        useful = np.where((prices <= 0.0) & (before < 0.0), 0.0, before)
        length = float((useful * useful).sum())
        if length == 0.0:
            break
        missing = best + HOPE * max(abs(best), 1e-6) - value
        prices = np.maximum(0.0, prices + step * missing / length * useful * scale)
    return rounded(best), best_prices


def rounded(bound: float) -> float:
    """A little less, for what rounding may have added."""
    return bound - ROUNDING * abs(bound)
