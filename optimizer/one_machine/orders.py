"""Jobs in a given order, timed at their best with the states around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.states import JobKind, Row, StateNetwork
from optimizer.one_machine.waiting import TIGHT, Waiting

Run = tuple[int, int]  # kind, start


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """An order (a kind for each job) with the least that it costs; inf where the jobs do not fit in this order."""

    network: StateNetwork
    kinds: tuple[JobKind, ...]
    order: tuple[int, ...]
    table: Row  # the least cost by slot edge, state, and number of jobs done
    wait: Waiting

    @property
    def cost(self) -> float:
        return float(self.table[-1, self.network.last, -1])

    @property
    def runs(self) -> list[Run] | None:
        """Where the jobs run, worked out backwards; None where they do not fit."""
        if self.cost == np.inf:
            return None
        t, state, done = self.network.slots, self.network.last, len(self.order)
        found: list[Run] = []
        while done:
            t, state, ran = self._step(t, state, done)
            if ran:
                done -= 1
                found.append((self.order[done], t))
        return found[::-1]

    def _step(self, t: int, state: int, done: int) -> tuple[int, int, bool]:
        tight = TIGHT * max(1.0, abs(self.cost))
        kind = self.kinds[self.order[done - 1]]
        for at in self.wait.came_from(self.table, t, state, done, tight):
            if at == self.network.runs and t >= kind.slots:
                cost = self.table[t - kind.slots, at, done - 1] + kind.cost[t - kind.slots]
                if cost <= self.table[t, at, done] + tight:
                    return t - kind.slots, at, True
            waited = self.wait.back(self.table, t, at, done, tight)
            if waited is not None:
                return *waited, False
        raise AssertionError("a cheapest way is tight all along")


def timed(network: StateNetwork, kinds: Sequence[JobKind], order: Sequence[int]) -> Timed:
    """The jobs in this order at the slots that suit them best."""
    table = np.full((network.slots + 1, network.states, len(order) + 1), np.inf)
    table[0, network.first, 0] = 0.0
    wait = Waiting(network)
    steps = []
    for slots in {kinds[kind].slots for kind in order}:
        places = np.array([place for place, kind in enumerate(order) if kinds[kind].slots == slots])
        steps.append((slots, places, np.array([kinds[order[place]].cost for place in places])))
    for t in range(network.slots + 1):
        wait.step(table, t)
        for slots, places, costs in steps:
            if t + slots <= network.slots:
                there = table[t + slots, network.runs]
                there[places + 1] = np.minimum(there[places + 1], table[t, network.runs, places] + costs[:, t])
    return Timed(network, tuple(kinds), tuple(order), table, wait)


def exchanged(order: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Another order: two jobs trade places, or one goes elsewhere."""
    one, other = (int(place) for place in rng.integers(len(order), size=2))
    made = list(order)
    if rng.random() < 0.5:
        made[one], made[other] = made[other], made[one]
    else:
        made.insert(other, made.pop(one))
    return made
