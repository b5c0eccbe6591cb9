"""A first plan: task by task, each where it costs least, at the prices of the relaxation.

What makes it good is the order: first the tasks that have to be there when it is dear to have a machine on, so that
they share few machines; then the large and long ones with little choice. Which weights fit best differs from hall to
hall, so several are tried, the later ones near the best so far.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from optimizer.many_machines.bound import Relaxation
from optimizer.many_machines.hall import Floats, Hall, Placed
from optimizer.many_machines.occupancy import Occupancy
from optimizer.many_machines.states import cost_of

STEADY = 10.0  # slots of freedom that count as little


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fill: the weights of the order, and what guides the places."""

    dear: float = 16.0  # exponent of how dear the hours are that a task cannot avoid
    large: float = 0.7  # of the largest share of a machine that it needs
    free: float = 0.5  # of the slots it can be moved by
    capacity_price: float = 1.0  # share of the relaxation's price of capacity that a task pays
    on_price: float = 0.3  # share of what being on costs, besides
    snug: float = 0.5  # see `Occupancy`

    def near(self, rng: np.random.Generator) -> "Recipe":
        """One like it."""
        factor = np.exp(rng.normal(0.0, 0.4, 6))
        return Recipe(
            dear=min(64.0, max(1.0, self.dear) * float(factor[0])),
            large=min(3.0, self.large * float(factor[1])),
            free=min(2.0, self.free * float(factor[2])),
            capacity_price=min(1.2, self.capacity_price * float(factor[3])),
            on_price=min(1.0, max(0.05, self.on_price) * float(factor[4])),
            snug=min(4.0, max(0.02, self.snug) * float(factor[5])),
        )


FIRST_RECIPES = (
    Recipe(),
    Recipe(dear=32.0, large=1.0),
    Recipe(dear=8.0, large=1.0, snug=0.2),
    Recipe(dear=16.0, capacity_price=0.5, on_price=1.0, large=0.5),
    Recipe(dear=2.0, large=1.0, on_price=0.1, snug=0.0),
)


class Filler:
    """Fills a hall by recipes, at fixed prices of the capacity."""

    def __init__(self, hall: Hall, relaxation: Relaxation, prices: Floats) -> None:
        self.hall = hall
        self.prices = prices
        paid = np.zeros(hall.start_cost.shape)
        paid[relaxation.task, relaxation.slot] = relaxation.prices_of_starts(prices)
        self.paid = paid  # J x T: what each start pays for the capacity
        earned = np.einsum("rt,rmt->mt", prices, relaxation.room)
        self._beyond = np.maximum(hall.on_cost - earned, 0.0)
        self._large = np.maximum((hall.need / hall.typical_capacity).max(axis=1), 1e-6)
        self._free = STEADY + hall.latest - hall.earliest
        self._dear = _unavoidable(hall)

    def order(self, recipe: Recipe) -> Floats:
        """What comes first: the tasks of the highest numbers (logarithms)."""
        return np.asarray(
            recipe.large * np.log(self._large)
            + np.log(self.hall.duration)
            + recipe.dear * np.log(self._dear)
            - recipe.free * np.log(self._free)
        )

    def fill(self, recipe: Recipe) -> Placed:
        """The plan of a recipe; tasks that fit nowhere any more stand nowhere."""
        hall = self.hall
        on_cost = recipe.capacity_price * self._beyond + recipe.on_price * hall.on_cost
        machines, tasks = np.arange(hall.machines), np.arange(hall.tasks)
        nowhere = Placed(machine=np.full(hall.tasks, -1), start=np.zeros(hall.tasks, dtype=np.int64))
        floor = Occupancy(hall, machines, tasks, nowhere, on_cost=on_cost, snug=recipe.snug)
        for task in np.argsort(-self.order(recipe), kind="stable").tolist():
            first, last = floor.window(task)
            floor.begin()
            floor.place(task, extra=recipe.capacity_price * self.paid[task, first : last + 1])
        return Placed(machine=floor.machine, start=floor.start)


def _unavoidable(hall: Hall) -> Floats:
    """How dear the cheapest hours of each task are, a slot, as a share of what is usual: 1 in the middle."""
    total = np.zeros(hall.slots + 1)
    np.cumsum(hall.slot_price, out=total[1:])
    task, slot = np.nonzero(np.isfinite(hall.start_cost))
    mean = (total[slot + hall.duration[task]] - total[slot]) / hall.duration[task]
    least = np.minimum.reduceat(mean, np.searchsorted(task, np.arange(hall.tasks)))
    usual = float(np.median(np.abs(least)))
    return np.ones(hall.tasks) if usual == 0.0 else np.maximum(least / usual, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A plan, its cost with a price for what stands nowhere, and the recipe it is from."""

    placed: Placed
    cost: float
    recipe: Recipe


def best_fill(filler: Filler, *, until: float, rounds: int, homeless: Floats, rng: np.random.Generator) -> Filled:
    """The best of several recipes. At least one is tried, however late it is. `homeless` (J) is the price of a task
    that stands nowhere."""
    best: Filled | None = None
    for number in range(rounds):
        recipe = FIRST_RECIPES[number] if best is None or number < len(FIRST_RECIPES) else best.recipe.near(rng)
        placed = filler.fill(recipe)
        cost = cost_of(filler.hall, placed) + float(homeless[placed.machine < 0].sum())
        if best is None or cost < best.cost:
            best = Filled(placed=placed, cost=cost, recipe=recipe)
        if time.monotonic() > until:
            break
    assert best is not None
    return best


def unguided(recipe: Recipe) -> Recipe:
    """The same order, at the hall's own costs alone."""
    return replace(recipe, capacity_price=0.0, on_price=1.0)
