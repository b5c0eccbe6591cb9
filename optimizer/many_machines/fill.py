"""A first plan: task by task, each where it costs least, at the prices of the relaxation.

What makes it good is the order: first the tasks that have to be there when it is dear to have a machine on, so that
they share few machines; then the large and long ones with little choice. Which weights fit best differs from hall to
hall, so many are tried, the later ones near the best so far.
"""

import math
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

    @classmethod
    def any(cls, rng: np.random.Generator) -> "Recipe":
        """One of all that may be of use."""
        return cls(**{name: float(low * (high / low) ** rng.random()) for name, (low, high) in RANGE.items()})

    def near(self, rng: np.random.Generator) -> "Recipe":
        """One like it."""
        changed = {}
        for name, (low, high) in RANGE.items():
            if rng.random() < CHANGED:
                value = float(getattr(self, name)) * float(np.exp(rng.normal(0.0, STRIDE)))
                changed[name] = min(max(value, low), high)
        return replace(self, **changed)


RANGE = {
    "dear": (0.5, 64.0),
    "large": (0.2, 2.0),
    "free": (0.05, 1.5),
    "capacity_price": (0.2, 1.6),
    "on_price": (0.05, 1.2),
    "snug": (0.02, 2.0),
}
CHANGED = 0.6  # of the weights of a recipe that is near another
STRIDE = 0.4  # of a weight, in logarithms
FIRST_RECIPES = (
    Recipe(),
    Recipe(dear=32.0, large=1.0),
    Recipe(dear=2.0, large=0.6, free=0.15, on_price=0.2, snug=0.3),
    Recipe(capacity_price=0.5, on_price=1.0, large=0.5),
)
WIDE = 8  # recipes tried anywhere before only near the best one
BLAMED = (0.02, 0.1, 0.5)  # share of the tasks that go by what they have lost
AHEAD = (0.3, 1.0, 3.0)  # how much earlier a task comes for the usual cost lost
MOST_LOST = 2.0  # of the usual cost
HOMELESS_AHEAD = (0.5, 1.5, 4.0)
VAIN = 0.35  # of the time for fills: without a better plan for so long it is enough
LEAST_FILLS = 40


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

    def order(self, recipe: Recipe, ahead: Floats) -> Floats:
        """What comes first: the tasks of the highest numbers (logarithms); `ahead` comes on top."""
        return np.asarray(
            recipe.large * np.log(self._large)
            + np.log(self.hall.duration)
            + recipe.dear * np.log(self._dear)
            - recipe.free * np.log(self._free)
            + ahead
        )

    def fill(self, recipe: Recipe, ahead: Floats, *, until: float = math.inf) -> Placed | None:
        """The plan of a recipe and of what is put ahead; tasks that fit nowhere any more stand nowhere. None where it
        was not done in time."""
        hall = self.hall
        on_cost = recipe.capacity_price * self._beyond + recipe.on_price * hall.on_cost
        machines, tasks = np.arange(hall.machines), np.arange(hall.tasks)
        nowhere = Placed(machine=np.full(hall.tasks, -1), start=np.zeros(hall.tasks, dtype=np.int64))
        floor = Occupancy(hall, machines, tasks, nowhere, on_cost=on_cost, snug=recipe.snug)
        for number, task in enumerate(np.argsort(-self.order(recipe, ahead), kind="stable").tolist()):
            if number % 100 == 0 and time.monotonic() > until:
                return None
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
    """A plan, its cost with a price for what stands nowhere, and what it is from."""

    placed: Placed
    cost: float
    recipe: Recipe
    ahead: Floats


class Tries:
    """One fill after another, the best kept. What has come off badly in it is put ahead (the wheel that squeaks gets
    the grease), or its recipe is changed a little."""

    def __init__(self, filler: Filler, *, homeless: Floats, usual: float, rng: np.random.Generator) -> None:
        """`homeless` (J) is the price of a task that stands nowhere, `usual` what a task costs."""
        self.filler, self.homeless, self.usual, self.rng = filler, homeless, usual, rng
        self.best: Filled | None = None
        self.number = 0
        paid = np.where(np.isfinite(filler.hall.start_cost), filler.hall.start_cost + filler.paid, np.inf)
        self._paid, self._least = paid, paid.min(axis=1)

    def run(self, *, until: float, most: int) -> Filled:
        """At least one fill, however late it is; no more where the last ones were in vain."""
        begun = bettered = time.monotonic()
        while True:
            cost = None if self.best is None else self.best.cost
            best = self.once(until)
            now = time.monotonic()
            if cost is None or best.cost < cost:
                bettered = now
            vain = now - bettered > VAIN * (until - begun) and self.number >= LEAST_FILLS
            if now > until or self.number >= most or vain:
                return best

    def once(self, until: float = math.inf) -> Filled:
        """Fill once more, which the time may cut short if it is not the first; the best so far."""
        recipe, ahead = self._next()
        placed = self.filler.fill(recipe, ahead, until=math.inf if self.best is None else until)
        if placed is None:
            assert self.best is not None
            return self.best
        cost = cost_of(self.filler.hall, placed) + float(self.homeless[placed.machine < 0].sum())
        self.number += 1
        if self.best is None or cost < self.best.cost:
            self.best = Filled(placed=placed, cost=cost, recipe=recipe, ahead=ahead)
        return self.best

    def _next(self) -> tuple[Recipe, Floats]:
        if self.best is None or self.number < len(FIRST_RECIPES):
            return FIRST_RECIPES[self.number], np.zeros(self.filler.hall.tasks)
        if self.number < len(FIRST_RECIPES) + WIDE:
            return Recipe.any(self.rng), np.zeros(self.filler.hall.tasks)
        if self.rng.random() < 0.5:
            return self.best.recipe.near(self.rng), self.best.ahead
        return self.best.recipe, self.best.ahead + self._blame(self.best.placed)

    def _blame(self, placed: Placed) -> Floats:
        """By how much each task is put ahead: by what its start costs above its cheapest one."""
        rng, tasks = self.rng, np.arange(self.filler.hall.tasks)
        nowhere = placed.machine < 0
        lost = np.where(nowhere, 0.0, self._paid[tasks, placed.start] - self._least) / max(self.usual, 1e-12)
        named = rng.random(len(tasks)) < rng.choice(BLAMED)
        ahead = np.where(named, rng.choice(AHEAD) * np.minimum(lost, MOST_LOST), 0.0)
        return np.asarray(ahead + np.where(nowhere, rng.choice(HOMELESS_AHEAD), 0.0))
