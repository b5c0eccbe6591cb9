"""The places that a job may have, as aligned rows of numbers: which way it runs, from which slot to which, at what price."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.problem import Option, Placement

Rows = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Chosen = Whole  # of each job, the number of its start; LEFT_OUT where it does not run

LEFT_OUT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way that a run can look: an option on a machine, with the power of each of its slots (zero in a pause), and
    the slots in which it holds machine and crew. `said_kw` is what its placement says of powers: nothing where the
    option's own hold. The way of a given place that no other job start may have is `given_only`."""

    option: Option
    machine: int  # row
    machine_id: str
    power_kw: Rows
    busy: Mask
    said_kw: tuple[float, ...] = ()
    given_only: bool = False

    @property
    def slots(self) -> int:
        return len(self.power_kw)

    @property
    def restarts(self) -> int:
        """How often the run goes on after a pause."""
        return int(np.count_nonzero(self.busy[1:] & ~self.busy[:-1]))

    def is_of(self, place: Placement) -> bool:
        """Whether a placement runs this way, for the people at the machine: another power alone is no other way."""
        if (self.machine_id, self.option.mode) != (place.machine, place.mode):
            return False
        if self.option.interruptible is None:
            return True
        works = np.asarray(place.power_kw or self.option.power_kw) > 0.0
        return bool(np.array_equal(works, self.busy))


@dataclass(frozen=True, slots=True)
class Start:
    """One of the places of a job, looked at by itself."""

    way: Way
    slot: int
    given: bool
    late: float = 0.0
    moving: float = 0.0
    broken: float = 0.0
    restarts: float = 0.0
    labour: float = 0.0

    @property
    def option(self) -> Option:
        return self.way.option

    @property
    def end(self) -> int:
        """The slot after the last one of the run."""
        return self.slot + self.way.slots

    @property
    def price(self) -> float:
        return self.late + self.moving + self.broken + self.restarts + self.labour

    def placement(self, job: str) -> Placement:
        way = self.way
        return Placement(job=job, machine=way.machine_id, start=self.slot, mode=way.option.mode, power_kw=way.said_kw)


class Starts:
    """All places of one job; the first is its given one."""

    def __init__(
        self,
        ways: Sequence[Way],
        way: Whole,
        slot: Whole,
        *,
        given: Mask,
        late: Rows,
        moving: Rows,
        broken: Rows,
        restarts: Rows | None = None,
        labour: Rows | None = None,
    ) -> None:
        self.ways = tuple(ways)
        self.way, self.slot, self.given = way, slot, given
        self.late, self.moving, self.broken = late, moving, broken
        self.restarts: Rows = np.zeros(len(slot)) if restarts is None else restarts
        self.labour: Rows = np.zeros(len(slot)) if labour is None else labour
        self.end: Whole = slot + np.array([w.slots for w in self.ways], dtype=np.int64)[way]
        self.machine: Whole = np.array([w.machine for w in self.ways], dtype=np.int64)[way]

    def __len__(self) -> int:
        return len(self.slot)

    @cached_property
    def price(self) -> Rows:
        """What hangs on each place alone."""
        price: Rows = self.late + self.moving + self.broken + self.restarts + self.labour
        return price

    def at(self, number: int) -> Start:
        """One place by itself."""
        return Start(
            self.ways[int(self.way[number])],
            int(self.slot[number]),
            bool(self.given[number]),
            float(self.late[number]),
            float(self.moving[number]),
            float(self.broken[number]),
            float(self.restarts[number]),
            float(self.labour[number]),
        )

    def pick(self, numbers: Sequence[int] | Whole) -> "Starts":
        """Some of the places, as they are."""
        kept = np.asarray(numbers, dtype=np.int64)
        return Starts(
            self.ways,
            self.way[kept],
            self.slot[kept],
            given=self.given[kept],
            late=self.late[kept],
            moving=self.moving[kept],
            broken=self.broken[kept],
            restarts=self.restarts[kept],
            labour=self.labour[kept],
        )

    def number_of(self, placement: Placement) -> int:
        """The number of the start that a placement names; KeyError where there is none."""
        there = np.array([way.is_of(placement) for way in self.ways])
        found = np.flatnonzero(there[self.way] & (self.slot == placement.start))
        if not len(found):
            on = f"{placement.machine} {placement.mode}".rstrip()
            raise KeyError(f"job {placement.job} cannot start in slot {placement.start} on {on}")
        return int(found[0])

    def busy_slots(self, slots: int) -> tuple[Whole, Whole]:
        """(start, slot) of each slot of the horizon in which a start holds its machine and its crew."""
        starts, at = [], []
        for way, start, slot, inside in self._runs(slots):
            held = inside & way.busy
            starts.append(np.broadcast_to(start, held.shape)[held])
            at.append(slot[held])
        return _joined(starts), _joined(at)

    def load_slots(self, slots: int) -> tuple[Whole, Whole, Rows]:
        """(start, slot, kW) of each slot of the horizon in which a start draws power."""
        starts, at, power = [], [], []
        for way, start, slot, inside in self._runs(slots):
            drawn = inside & (way.power_kw != 0.0)
            starts.append(np.broadcast_to(start, drawn.shape)[drawn])
            at.append(slot[drawn])
            power.append(np.broadcast_to(way.power_kw, drawn.shape)[drawn])
        return _joined(starts), _joined(at), np.concatenate(power) if power else np.zeros(0)

    def attended_slots(self, attended: Attended, slots: int) -> tuple[Whole, Whole]:
        """(start, slot) of each slot of the horizon in which a start needs its people."""
        if attended is Attended.RUN:
            return self.busy_slots(slots)
        number = np.arange(len(self))
        if attended is Attended.ENDS:
            longer = self.end - self.slot > 1
            number = np.concatenate([number, number[longer]])
            slot = np.concatenate([self.slot, self.end[longer] - 1])
        else:
            slot = self.slot
        inside = (slot >= 0) & (slot < slots)
        return number[inside], slot[inside]

    def _runs(self, slots: int) -> Iterator[tuple[Way, Whole, Whole, Mask]]:
        """For each way: its starts (a column), the slots of their runs, and which of them lie in the horizon."""
        for number, way in enumerate(self.ways):
            start = np.flatnonzero(self.way == number)[:, None]
            slot = self.slot[start] + np.arange(way.slots)
            yield way, start, slot, (slot >= 0) & (slot < slots)


def _joined(parts: Sequence[Whole]) -> Whole:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
