"""The local calendar of a horizon: which day, which kind of day, and which time of day each slot is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from energy.clock import local
from energy.model.forecast import Past
from energy.model.horizon import Horizon


class DayKind(IntEnum):
    """Days on which a plant behaves alike."""

    WORKING = 0
    SATURDAY = 1
    CLOSED = 2  # Sundays and holidays

    @property
    def words(self) -> str:
        return ("working day", "Saturday", "Sunday or holiday")[self]


@dataclass(frozen=True, eq=False, slots=True)
class LocalSlots:
    """Where the slots of a horizon stand in the local calendar, one entry a slot."""

    day: NDArray[np.int64]  # ordinal of the local date
    minute: NDArray[np.int64]  # wall-clock minute of the local day
    kind: NDArray[np.int64]  # DayKind

    def cut(self, first: int, end: int) -> "LocalSlots":
        return LocalSlots(self.day[first:end], self.minute[first:end], self.kind[first:end])


def local_slots(horizon: Horizon, zone: str, closed: frozenset[date]) -> LocalSlots:
    """The local calendar of a horizon; `closed` are the holidays, which behave like Sundays."""
    wall = wall_minutes(horizon, zone)
    day, minute = wall // (24 * 60), wall % (24 * 60)
    days, place = np.unique(day, return_inverse=True)
    kinds = np.array([int(kind_of(date.fromordinal(ordinal), closed)) for ordinal in days.tolist()], dtype=np.int64)
    return LocalSlots(day, minute, kinds[place])


def wall_minutes(horizon: Horizon, zone: str) -> NDArray[np.int64]:
    """The wall clock at the start of each slot, in minutes since the day 0 of the calendar's ordinals.

    The zone is asked twice a day, and slot by slot only on days between which its offset changed.
    """
    first = 24 * 60 * horizon.start.toordinal() + 60 * horizon.start.hour + horizon.start.minute
    utc = first + np.arange(horizon.slots, dtype=np.int64) * horizon.step_minutes
    marks = np.arange(0, horizon.slots + 1, max(1, 12 * 60 // horizon.step_minutes)).tolist()
    offset = np.empty(horizon.slots, dtype=np.int64)
    for begin, end in zip(marks, [*marks[1:], horizon.slots], strict=True):
        before, after = (offset_minutes(horizon.time_of(slot), zone) for slot in (begin, end))
        offset[begin:end] = before
        if before != after:
            offset[begin:end] = [offset_minutes(horizon.time_of(slot), zone) for slot in range(begin, end)]
    return utc + offset


def offset_minutes(t: datetime, zone: str) -> int:
    """By how much the wall clock of a zone is ahead of UTC at an instant."""
    offset = local(t, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


def kind_of(day: date, closed: frozenset[date]) -> DayKind:
    if day in closed or day.weekday() == 6:
        return DayKind.CLOSED
    return DayKind.SATURDAY if day.weekday() == 5 else DayKind.WORKING


def closed_days(past: Past, years: Iterable[int]) -> tuple[frozenset[date], tuple[str, ...]]:
    """The public holidays of some years with the plant's own closed days, and flags for what could not be known."""
    own = frozenset(date.fromisoformat(day) for day in past.holidays)
    if not past.country:
        return own, ()
    public = public_holidays(past.country, tuple(sorted(set(years))))
    if public is None:
        return own, (f"no public holidays are known for {past.country!r}",)
    return own | public, ()


@lru_cache(maxsize=64)
def public_holidays(country: str, years: tuple[int, ...]) -> frozenset[date] | None:
    """The public holidays of a country ("DE") or a part of it ("DE-BW"); None where nobody listed them."""
    import holidays

    code, _, part = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(code, subdiv=part or None, years=years))
    except NotImplementedError:
        return None
