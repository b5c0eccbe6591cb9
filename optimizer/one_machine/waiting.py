"""What a machine does between its jobs: it stands in a state, or changes it."""

from collections.abc import Iterator

import numpy as np

from optimizer.one_machine.states import Row, StateNetwork

TIGHT = 1e-9  # relative: ways whose costs differ by less cost the same


class Waiting:
    """What a machine can do without a job, one slot edge after another, for many ways at once (the last axis)."""

    def __init__(self, network: StateNetwork, block_price: float = 0.0) -> None:
        """`block_price`: for each time that the machine leaves the state that runs jobs."""
        self.slots = network.slots

        def leaving(state: int) -> float:
            return block_price if state == network.runs else 0.0

        self.changes = [
            (c.before, c.after, c.slots, (c.cost + leaving(c.before)).tolist()) for c in network.slow_changes
        ]
        self.quick = [(a, b, (network.jumps[a, b] + leaving(a)).tolist()) for a, b in network.quick]
        self.holding = network.holding.T[:, :, None].copy()
        self.holding[:, network.runs] += block_price

    def step(self, table: Row, t: int) -> None:
        """From the edge before slot t on, in a table of [slot edge, state, way]."""
        here = table[t]
        for a, b, cost in self.quick:
            np.minimum(here[b], here[a] + cost[t], out=here[b])
        if t == self.slots:
            return
        np.minimum(table[t + 1], here + self.holding[t], out=table[t + 1])
        for a, b, slots, cost in self.changes:
            if t + slots <= self.slots:
                there = table[t + slots, b]
                np.minimum(there, here[a] + cost[t], out=there)

    def came_from(self, table: Row, t: int, state: int, way: int, tight: float) -> Iterator[int]:
        """The states from which a cell was reached at once: the state itself, and those from which a jump is tight."""
        yield state
        most = table[t, state, way] + tight
        for a, b, cost in self.quick:
            if b == state and table[t, a, way] + cost[t] <= most:
                yield a

    def back(self, table: Row, t: int, state: int, way: int, tight: float) -> tuple[int, int] | None:
        """The slot edge and the state from which a cell was reached by holding or by a slow change; None by neither."""
        most = table[t, state, way] + tight
        if t and table[t - 1, state, way] + self.holding[t - 1, state, 0] <= most:
            return t - 1, state
        for a, b, slots, cost in self.changes:
            if b == state and t >= slots and table[t - slots, a, way] + cost[t - slots] <= most:
                return t - slots, a
        return None
