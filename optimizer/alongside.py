"""What the parent does while its child proves: it looks for better plans in neighbourhoods of the best one.

Where a battery follows its own rule, what the battery does under the best plan is taken as given, and each plan that is
found is simulated: it counts for what it really costs.
"""

import copy
import time

import numpy as np

from optimizer.answer import Candidate, best_of, candidate
from optimizer.lns import Better, Neighbourhoods
from optimizer.model import Model
from optimizer.plant import Plant
from optimizer.solve import build, dispatch_of

LEAST_SECONDS = 0.3  # with less time left, nothing is begun


class Alongside:
    """Neighbourhoods of the best plan, whoever has found it."""

    def __init__(self, plant: Plant, best: Candidate, *, until: float, seed: int, own_rule: bool) -> None:
        self.plant, self.best, self.until, self.seed = plant, best, until, seed
        self.own_rule = own_rule
        self._taken: Candidate | None = None  # the plan that the neighbourhoods stand around
        self._model: Model | None = None
        self._near: Neighbourhoods | None = None

    @property
    def in_time(self) -> bool:
        return time.monotonic() < self.until - LEAST_SECONDS

    def look(self, best: Candidate) -> Candidate | None:
        """Try one neighbourhood of the best plan so far; a better plan, if it holds one."""
        near = self._around(best)
        before = near.chosen, near.values, near.cost
        found = near.once(until=self.until)
        if found is None:
            return None
        made = self._candidate(found)
        if best_of(best, made) is best:
            near.take(best.chosen, before[2], before[1])  # in truth it is no better
            return None
        self._taken = made
        if self.own_rule:
            self._model = None  # the battery answers another way now
        return made

    def _around(self, best: Candidate) -> Neighbourhoods:
        if self._model is None or self._near is None:
            self._model = build(self._as_answered(best))
            self._near = Neighbourhoods(self._model, best.chosen, seed=self.seed)
            self.seed += 1
            self._taken = None
        if self._taken is not best:
            self._near.take(best.chosen, np.inf if self.own_rule else best.cost)
            self._taken = best
        return self._near

    def _as_answered(self, best: Candidate) -> Plant:
        if not self.own_rule:
            return self.plant
        plant = copy.copy(self.plant)
        plant.own_schedule = best.dispatch.charge_kw, best.dispatch.discharge_kw
        return plant

    def _candidate(self, found: Better) -> Candidate:
        assert self._model is not None
        return candidate(self.plant, found.chosen, dispatch_of(self._model, found.values))
