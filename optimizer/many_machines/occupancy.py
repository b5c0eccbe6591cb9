"""Some machines with what stands on them: where else a task could go, and what that would cost, in a few array steps.

What it costs to have machine m on during [a, b) on top of what it has to be on for anyway is

    entry[m, a] + leave[m, b]

`entry` is the least cost of all before slot a, given that the machine is on there, less the cost of being on from slot 0
to a; `leave` the least cost of all from b on plus the cost of being on from slot 0 to b, less what the machine costs now.
Between two busy stretches a machine stays on or stops, whichever is cheaper.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optimizer.many_machines.hall import ROOM, Floats, Hall, Ints, Placed


class Occupancy:
    """Machines and tasks of a hall, by their own numbers 0, 1, …; a task that stands nowhere has machine -1."""

    def __init__(
        self,
        hall: Hall,
        machines: Ints,
        tasks: Ints,
        placed: Placed,
        *,
        on_cost: Floats | None = None,
        snug: float = 0.0,
    ) -> None:
        """`on_cost` (M x T) stands for the hall's own. `snug` is the price of the room that is left around a task, as a
        share of what an empty machine costs: full machines become cheaper than empty ones."""
        self.hall, self.machines, self.tasks, self.snug = hall, machines, tasks, snug
        number = np.full(hall.machines + 1, -1)
        number[machines] = np.arange(len(machines))
        self.machine = number[placed.machine[tasks]]
        self.start = placed.start[tasks].copy()
        self.duration = hall.duration[tasks]
        self._lasts = self.duration.tolist()
        self._earliest: list[int] = hall.earliest[tasks].tolist()
        self._latest: list[int] = hall.latest[tasks].tolist()
        need = hall.need[tasks]
        self._need = [row[:, None] for row in need]
        self._fits = [(row - ROOM * hall.typical_capacity)[:, None, None] for row in need]
        self._size: list[float] = (need / hall.typical_capacity).mean(axis=1).tolist()
        self._homes = [
            [
                (int(number[home.machine]), home.start, home.gain)
                for home in hall.homes_of(task)
                if number[home.machine] >= 0
            ]
            for task in (tasks.tolist() if hall.homes is not None else ())
        ]
        self._allowed = None if hall.allowed is None else hall.allowed[np.ix_(tasks, machines)]
        self.cost = [
            hall.start_cost[task, first : last + 1]
            for task, first, last in zip(tasks.tolist(), self._earliest, self._latest, strict=True)
        ]
        on = (hall.on_cost if on_cost is None else on_cost)[machines]
        self._switch: list[float] = (hall.switch_on + hall.switch_off)[machines].tolist()
        self._on = np.zeros((len(machines), hall.slots + 1))
        np.cumsum(on, axis=1, out=self._on[:, 1:])
        self.free = hall.room()[:, machines]
        if hall.shut is not None:
            self.free[:, hall.shut[machines]] = -1.0  # nothing fits, not even what needs nothing
        self.running = np.zeros((len(machines), hall.slots), dtype=np.int32)
        self.edges = np.zeros((2, len(machines), hall.slots + 1))  # entry and leave
        self.machine_cost = np.zeros(len(machines))
        self._weights = 1.0 / (hall.typical_capacity * hall.resources)
        self._left = np.zeros((len(machines), hall.slots + 1))
        self._slot_price = snug * np.abs(hall.slot_price)
        self._kept: dict[int, tuple[Floats, NDArray[np.int32], Floats, float, Floats]] = {}
        self._bad = np.zeros((len(machines), hall.slots + 1), dtype=np.int32)
        for task in np.flatnonzero(self.machine >= 0).tolist():
            self._fill(task, int(self.machine[task]), int(self.start[task]), 1)
        for m in range(len(machines)):
            self._reckon(m)

    def window(self, task: int) -> tuple[int, int]:
        """The first and the last slot in which the task may start."""
        return self._earliest[task], self._latest[task]

    def standing_cost(self, task: int) -> float:
        """What the task costs where it stands, machines apart."""
        cost = float(self.cost[task][self.start[task] - self._earliest[task]])
        for m, start, gain in self._homes[task] if self._homes else ():
            if m == self.machine[task] and start == self.start[task]:
                cost -= gain
        return cost

    def place(self, task: int, *, extra: Floats | None = None, noise: Floats | None = None) -> bool:
        """Put the task where it costs least: its own cost, what it adds to the machine's, `extra` a start and `noise`
        a machine. False where it fits nowhere."""
        first, last, lasts = self._earliest[task], self._latest[task], self._lasts[task]
        starts, end = last - first + 1, last + lasts
        short = (self.free[:, :, first:end] < self._fits[task]).any(axis=0)
        bad = self._bad[:, : end - first + 1]
        np.cumsum(short, axis=1, out=bad[:, 1:])
        costs = self.edges[0, :, first : last + 1] + self.edges[1, :, first + lasts : end + 1]
        costs += self.cost[task]
        if self.snug:
            left = self._left[:, first + lasts : end + 1] - self._left[:, first : last + 1]
            costs += self._size[task] * left
        for m, start, gain in self._homes[task] if self._homes else ():
            costs[m, start - first] -= gain
        if extra is not None:
            costs += extra
        if noise is not None:
            costs += noise[:, None]
        costs[bad[:, lasts:] != bad[:, :starts]] = np.inf
        if self._allowed is not None:
            costs[~self._allowed[task]] = np.inf
        m, offset = divmod(int(costs.argmin()), starts)
        if not costs[m, offset] < np.inf:
            return False
        self._keep(m)
        self.machine[task], self.start[task] = m, first + offset
        self._fill(task, m, first + offset, 1)
        self._reckon(m)
        return True

    def take_out(self, tasks: Sequence[int]) -> None:
        """Take tasks away from where they stand."""
        touched = sorted({int(self.machine[task]) for task in tasks})
        for m in touched:
            self._keep(m)
        for task in tasks:
            self._fill(task, int(self.machine[task]), int(self.start[task]), -1)
            self.machine[task] = -1
        for m in touched:
            self._reckon(m)

    def in_the_way(self, task: int, m: int, start: int, order: Ints) -> list[int]:
        """Which tasks to take from the machine so that the task fits there, in the given order of all tasks."""
        end = start + self._lasts[task]
        free = self.free[:, m, start:end].copy()
        need = self._fits[task][:, :, 0]
        there = (self.machine == m) & (self.start < end) & (self.start + self.duration > start)
        gone: list[int] = []
        for other in order[there[order]].tolist():
            if (free >= need).all():
                break
            begin = int(self.start[other]) - start
            free[:, max(0, begin) : max(0, begin + self._lasts[other])] += self._need[other]
            gone.append(other)
        return gone

    def begin(self) -> None:
        """From here on changes can be taken back."""
        self._kept = {}

    def take_back(self) -> None:
        """Restore the machines as they were at `begin`; whose tasks stand where is the caller's to restore."""
        for m, (free, running, edges, cost, left) in self._kept.items():
            self.free[:, m], self.running[m], self.edges[:, m] = free, running, edges
            self.machine_cost[m] = cost
            self._left[m] = left

    def _keep(self, m: int) -> None:
        if m not in self._kept:
            self._kept[m] = (
                self.free[:, m].copy(),
                self.running[m].copy(),
                self.edges[:, m].copy(),
                float(self.machine_cost[m]),
                self._left[m].copy(),
            )

    def _fill(self, task: int, m: int, start: int, sign: int) -> None:
        end = start + self._lasts[task]
        if sign > 0:
            self.free[:, m, start:end] -= self._need[task]
        else:
            self.free[:, m, start:end] += self._need[task]
        self.running[m, start:end] += sign

    def _reckon(self, m: int) -> None:
        """Entry, leave and cost of a machine anew, from when tasks run on it."""
        if self.snug:
            np.cumsum(self._weights @ self.free[:, m] * self._slot_price, out=self._left[m, 1:])
        on, switch, entry, leave = self._on[m], self._switch[m], self.edges[0, m], self.edges[1, m]
        busy = self.running[m] > 0
        turns: list[int] = (np.flatnonzero(busy[1:] != busy[:-1]) + 1).tolist()
        if busy[0]:
            turns.insert(0, 0)
        if busy[-1]:
            turns.append(len(busy))
        if not turns:
            np.negative(on, out=entry)
            np.add(on, switch, out=leave)
            self.machine_cost[m] = 0.0
            return
        total = _enter(entry, on, turns, switch)
        _leave(leave, on, turns, switch, total)
        self.machine_cost[m] = total


def _enter(entry: Floats, on: Floats, turns: list[int], switch: float) -> float:
    """Fill in `entry` from the busy stretches, and return what the machine costs. Both switches are paid at the end."""
    at = on[turns].tolist()
    np.negative(on[: turns[0] + 1], out=entry[: turns[0] + 1])
    level, so_far = -at[0], 0.0
    for i in range(0, len(turns), 2):
        begin, end = turns[i], turns[i + 1]
        entry[begin : end + 1] = level
        so_far = level + at[i + 1]
        upto = turns[i + 2] if i + 2 < len(turns) else len(on) - 1
        if upto > end:
            gap = entry[end + 1 : upto + 1]
            np.subtract(so_far + switch, on[end + 1 : upto + 1], out=gap)
            np.minimum(gap, level, out=gap)
            if i + 2 < len(turns):
                level = float(gap[-1])
    return so_far + switch


def _leave(leave: Floats, on: Floats, turns: list[int], switch: float, total: float) -> None:
    """Fill in `leave` from the busy stretches, backwards."""
    at = on[turns].tolist()
    np.add(on[turns[-1] :], switch - total, out=leave[turns[-1] :])
    level = at[-1] + switch - total
    for i in range(len(turns) - 2, -1, -2):
        begin, end = turns[i], turns[i + 1]
        leave[begin : end + 1] = level
        since = turns[i - 1] if i else 0
        if since < begin:
            gap = leave[since:begin]
            np.add(on[since:begin], level - at[i] + switch, out=gap)
            np.minimum(gap, level, out=gap)
            if i:
                level = float(gap[0])
