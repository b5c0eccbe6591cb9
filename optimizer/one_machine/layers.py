"""The cheapest ways of the machine through slots, states, and slots of work done.

All that is left out is how often each kind of job runs: only the slots of work in all are kept. So the cheapest way is a
bound on what any plan costs, and very often a plan. `prices` is what a run of each kind is credited with; crediting
kinds that the cheapest way uses too little, and charging the others, raises the bound (Lagrange).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.states import JobKind, Row, StateNetwork
from optimizer.one_machine.waiting import TIGHT, Waiting

CELLS = 12_000_000  # of one table; beyond, work done is not told apart and the bound is a weaker one


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What a way costs at least in all that uses an arc: of each kind's run by its start, of each slow change by its
    beginning, of each state held in each slot."""

    runs: tuple[Row, ...]
    changes: tuple[Row, ...]
    holding: Row


class Layers:
    """Costs from the start of the horizon (`ahead`), and to its end (`behind`), by [slot edge, state, work done]."""

    def __init__(
        self, network: StateNetwork, kinds: Sequence[JobKind], prices: Row | None = None, block_price: float = 0.0
    ) -> None:
        self.network, self.kinds = network, tuple(kinds)
        self.prices = np.zeros(len(kinds)) if prices is None else prices
        self.work = sum(kind.slots * kind.count for kind in kinds)
        self.told_apart = (network.slots + 1) * network.states * (self.work + 1) <= CELLS
        self.width = self.work + 1 if self.told_apart else 1
        self.credited = [kind.cost - price for kind, price in zip(self.kinds, self.prices, strict=True)]
        self.of_length: dict[int, list[int]] = {}
        for number, kind in enumerate(self.kinds):
            if kind.count and kind.slots <= network.slots:
                self.of_length.setdefault(kind.slots, []).append(number)
        self.cheapest = {
            slots: np.min([self.credited[number] for number in numbers], axis=0)
            for slots, numbers in self.of_length.items()
        }
        self.wait = Waiting(network, block_price)
        self.ahead = self._ahead()

    @property
    def bound(self) -> float:
        """What any plan costs at least; inf where the jobs do not fit."""
        credit = sum(kind.count * price for kind, price in zip(self.kinds, self.prices, strict=True))
        return float(self.ahead[-1, self.network.last, -1] + credit)

    @property
    def tight(self) -> float:
        return TIGHT * max(1.0, abs(float(self.ahead[-1, self.network.last, -1])))

    def shift(self, slots: int) -> int:
        return slots if self.told_apart else 0

    def _table(self) -> Row:
        return np.full((self.network.slots + 1, self.network.states, self.width), np.inf)

    def _ahead(self) -> Row:
        net, table = self.network, self._table()
        table[0, net.first, 0] = 0.0
        runs = [(slots, self.shift(slots), cost.tolist()) for slots, cost in self.cheapest.items()]
        for t in range(net.slots + 1):
            self.wait.step(table, t)
            here = table[t]
            for slots, shift, cost in runs:
                if t + slots <= net.slots and cost[t] < math.inf:
                    there = table[t + slots, net.runs, shift:]
                    np.minimum(there, here[net.runs, : self.width - shift] + cost[t], out=there)
        return table

    def behind(self) -> Row:
        """Costs to the end of the horizon (without the price of blocks)."""
        net, table = self.network, self._table()
        table[-1, net.last, -1] = 0.0
        runs = [(slots, self.shift(slots), cost.tolist()) for slots, cost in self.cheapest.items()]
        changes = [(c.before, c.after, c.slots, c.cost.tolist()) for c in net.slow_changes]
        quick = [(a, b, net.jumps[a, b].tolist()) for a, b in net.quick]
        holding = net.holding.T[:, :, None]
        for t in range(net.slots, -1, -1):
            here = table[t]
            if t < net.slots:
                np.minimum(here, table[t + 1] + holding[t], out=here)
            for a, b, slots, cost in changes:
                if t + slots <= net.slots:
                    np.minimum(here[a], table[t + slots, b] + cost[t], out=here[a])
            for slots, shift, cost in runs:
                if t + slots <= net.slots and cost[t] < math.inf:
                    before = here[net.runs, : self.width - shift]
                    np.minimum(before, table[t + slots, net.runs, shift:] + cost[t], out=before)
            for a, b, cost in quick:
                np.minimum(here[a], here[b] + cost[t], out=here[a])
        return table

    def excess(self) -> Excess:
        """The bound on every plan that uses an arc, for all arcs."""
        net, ahead, behind = self.network, self.ahead, self.behind()
        credit = self.bound - float(ahead[-1, net.last, -1])

        def least(before: int, after: int, slots: int, shift: int) -> Row:
            left = ahead[: net.slots + 1 - slots, before, : self.width - shift]
            return np.asarray(np.min(left + behind[slots:, after, shift:], axis=1)) + credit

        by_length = {slots: least(net.runs, net.runs, slots, self.shift(slots)) for slots in self.of_length}
        return Excess(
            runs=tuple(
                by_length[kind.slots] + cost if kind.count and kind.slots in by_length else np.full(len(cost), np.inf)
                for kind, cost in zip(self.kinds, self.credited, strict=True)
            ),
            changes=tuple(
                least(c.before, c.after, c.slots, 0) + c.cost[: net.slots + 1 - c.slots] for c in net.slow_changes
            ),
            holding=np.array([least(s, s, 1, 0) + net.holding[s] for s in range(net.states)]),
        )

    def way(self, rng: np.random.Generator | None = None) -> list[tuple[int, int]]:
        """A cheapest way, as runs (kind, start) in time. Of ways that cost the same it takes one that runs jobs where
        it can, and of those the kinds that are left over; with `rng` the lengths are tried in a drawn order."""
        return _Back(self, rng).walk()


class _Back:
    """Back from the end of the horizon along arcs that are tight."""

    def __init__(self, layers: Layers, rng: np.random.Generator | None) -> None:
        self.layers, self.rng = layers, rng
        self.left = np.array([kind.count for kind in layers.kinds])

    def walk(self) -> list[tuple[int, int]]:
        net = self.layers.network
        t, state, done = net.slots, net.last, self.layers.width - 1
        found: list[tuple[int, int]] = []
        while (t, state, done) != (0, net.first, 0):
            kind, t, state, done = self._step(t, state, done)
            if kind is not None:
                self.left[kind] -= 1
                found.append((kind, t))
        return found[::-1]

    def _step(self, t: int, state: int, done: int) -> tuple[int | None, int, int, int]:
        layers = self.layers
        for at in layers.wait.came_from(layers.ahead, t, state, done, layers.tight):
            if (t, at, done) == (0, layers.network.first, 0):
                return None, 0, at, 0
            run = self._run(t, at, done, layers.ahead[t, at, done])
            if run is not None:
                return run
            waited = layers.wait.back(layers.ahead, t, at, done, layers.tight)
            if waited is not None:
                return None, *waited, done
        raise AssertionError("a cheapest way is tight all along")

    def _run(self, t: int, state: int, done: int, value: float) -> tuple[int, int, int, int] | None:
        layers, net = self.layers, self.layers.network
        if state != net.runs:
            return None
        fits: list[int] = []
        for slots, numbers in layers.of_length.items():
            shift = layers.shift(slots)
            if slots <= t and shift <= done:
                before = layers.ahead[t - slots, state, done - shift]
                fits += [k for k in numbers if before + layers.credited[k][t - slots] <= value + layers.tight]
        if not fits:
            return None
        kind = max(fits, key=self._wanted)
        slots = layers.kinds[kind].slots
        return kind, t - slots, state, done - layers.shift(slots)

    def _wanted(self, kind: int) -> tuple[bool, float]:
        """Kinds that are left over first, long ones before short ones."""
        slots = self.layers.kinds[kind].slots
        return bool(self.left[kind] > 0), slots if self.rng is None else slots * self.rng.random()
