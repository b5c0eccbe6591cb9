"""A machine with power-saving states over the slots of a horizon, and the work it has to do, in plain numbers."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of state that takes `slots` slots (none: at once). `cost[t]` is what it costs where it begins at the
    edge before slot t; inf where it may not."""

    before: int
    after: int
    slots: int
    cost: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """Equal jobs: so many runs of so many slots in the state that runs jobs. `cost[t]` is what a run from slot t on costs
    (t = 0 … horizon − slots); inf where none may begin.

    Kinds of the same `group` may trade places at no cost, so that all that matters is which slots they work in: the same
    constant power, any start, no price for one place or another. None: a kind of its own."""

    slots: int
    count: int
    cost: Row
    group: int | None = None


@dataclass(frozen=True, kw_only=True)
class StateNetwork:
    """What the machine can do between its jobs. `holding[s, t]` is the cost of slot t in state s without a job (inf:
    not possible); it is in state `first` before the horizon and in `last` after it; jobs run in state `runs`."""

    holding: Row
    changes: tuple[Change, ...]
    runs: int
    first: int
    last: int
    jumps: Row = field(init=False)  # [from, to, t]: the cheapest changes that take no time, one after another

    def __post_init__(self) -> None:
        object.__setattr__(self, "jumps", _jumps(self.states, self.slots, self.changes))

    @property
    def states(self) -> int:
        return int(self.holding.shape[0])

    @property
    def slots(self) -> int:
        return int(self.holding.shape[1])

    @cached_property
    def slow_changes(self) -> tuple[Change, ...]:
        """The changes that take time."""
        return tuple(change for change in self.changes if change.slots)

    @cached_property
    def quick(self) -> tuple[tuple[int, int], ...]:
        """The pairs of states between which the machine gets in no time."""
        possible = np.isfinite(self.jumps).any(axis=2)
        return tuple((int(a), int(b)) for a, b in np.argwhere(possible) if a != b)


def _jumps(states: int, slots: int, changes: tuple[Change, ...]) -> Row:
    """Floyd and Warshall for each slot edge at once."""
    jumps = np.full((states, states, slots + 1), np.inf)
    for state in range(states):
        jumps[state, state] = 0.0
    for change in changes:
        if not change.slots:
            jumps[change.before, change.after] = np.minimum(jumps[change.before, change.after], change.cost)
    for via in range(states):
        np.minimum(jumps, jumps[:, via : via + 1] + jumps[via : via + 1], out=jumps)
    return jumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Where the jobs of each kind begin, what the machine does in each slot, and what all of it costs. `shown[t]` is the
    number of the state in which it stands, or that of all states + the number of the slow change that it is in."""

    starts: tuple[tuple[int, ...], ...]
    shown: tuple[int, ...]
    cost: float
