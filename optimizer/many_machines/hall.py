"""A hall of machines and the tasks to place in it, as arrays. J tasks, M machines, R resources, T slots."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ROOM = 1e-9  # share of a capacity that rounding may use


@dataclass(frozen=True, slots=True)
class Home:
    """A place at which a task costs less: where it stands now, where it was offered."""

    machine: int
    start: int
    gain: float


@dataclass(frozen=True, kw_only=True)
class Hall:
    """What may stand where, and what it costs. A machine is on while any task runs on it; between two it may stay on
    or stop and start again, whichever is cheaper, and it is off before the first slot and after the last."""

    start_cost: Floats  # J x T: what task j costs when it starts in slot t; inf where it may not
    duration: Ints  # J, in slots, at least 1
    need: Floats  # J x R
    capacity: Floats  # M x R
    on_cost: Floats  # M x T: what a machine costs by being on in a slot
    switch_on: Floats  # M
    switch_off: Floats  # M
    allowed: Bools | None = None  # J x M; None: every task on every machine
    shut: Bools | None = None  # M x T: slots in which nothing may run; None: never
    homes: tuple[tuple[Home, ...], ...] | None = None  # J; None: no task has any

    def __post_init__(self) -> None:
        tasks, slots = self.start_cost.shape
        machines, resources = self.capacity.shape
        shapes = {
            "duration": (self.duration, (tasks,)),
            "need": (self.need, (tasks, resources)),
            "on_cost": (self.on_cost, (machines, slots)),
            "switch_on": (self.switch_on, (machines,)),
            "switch_off": (self.switch_off, (machines,)),
            "allowed": (self.allowed, (tasks, machines)),
            "shut": (self.shut, (machines, slots)),
        }
        wrong = [
            f"{name} has the shape {array.shape}, not {shape}"
            for name, (array, shape) in shapes.items()
            if array is not None and array.shape != shape
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        without = np.flatnonzero(~np.isfinite(self.start_cost).any(axis=1)).tolist()
        if without:
            raise ValueError(f"task {without[0]} has no start that is allowed")
        ends = np.arange(slots)[None, :] + self.duration[:, None]
        if (self.duration < 1).any() or (np.isfinite(self.start_cost) & (ends > slots)).any():
            raise ValueError(
                "a task lasts at least one slot and ends by the last; forbid other starts by an infinite cost"
            )

    @property
    def tasks(self) -> int:
        return len(self.duration)

    @property
    def machines(self) -> int:
        return len(self.capacity)

    @property
    def resources(self) -> int:
        return int(self.capacity.shape[1])

    @property
    def slots(self) -> int:
        return int(self.start_cost.shape[1])

    @cached_property
    def earliest(self) -> Ints:
        """The first slot in which each task may start."""
        return np.asarray(np.isfinite(self.start_cost).argmax(axis=1), dtype=np.int64)

    @cached_property
    def latest(self) -> Ints:
        """The last slot in which each task may start."""
        return np.asarray(self.slots - 1 - np.isfinite(self.start_cost)[:, ::-1].argmax(axis=1), dtype=np.int64)

    @cached_property
    def typical_capacity(self) -> Floats:
        """The mean capacity of a machine, a number a resource; 1 where no machine has any."""
        mean = self.capacity.mean(axis=0)
        return np.asarray(np.where(mean > 0.0, mean, 1.0))

    @cached_property
    def slot_price(self) -> Floats:
        """What it costs on average to have a machine on, a number a slot."""
        return np.asarray(self.on_cost.mean(axis=0))

    @cached_property
    def least_start_cost(self) -> Floats:
        """What each start costs at least, on whatever machine: J x T."""
        if self.homes is None:
            return self.start_cost
        least = self.start_cost.copy()
        for task, homes in enumerate(self.homes):
            for home in homes:
                least[task, home.start] -= home.gain
        return least

    def homes_of(self, task: int) -> tuple[Home, ...]:
        return () if self.homes is None else self.homes[task]

    def gain(self, placed: "Placed", tasks: Iterable[int]) -> float:
        """What these tasks cost less because they stand at home."""
        return sum(
            home.gain
            for task in (tasks if self.homes is not None else ())
            for home in self.homes_of(task)
            if home.machine == placed.machine[task] and home.start == placed.start[task]
        )

    def room(self) -> Floats:
        """What each machine holds in each slot: R x M x T."""
        room = np.repeat(self.capacity.T[:, :, None], self.slots, axis=2)
        return room if self.shut is None else np.asarray(np.where(self.shut[None], 0.0, room))


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where each task stands: its machine (-1: nowhere) and the slot it starts in."""

    machine: Ints
    start: Ints

    def copy(self) -> "Placed":
        return Placed(machine=self.machine.copy(), start=self.start.copy())
