"""The local calendar of a horizon: which day, which kind of day, and which time of day each slot is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
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
    wall = [local(t, zone) for t in horizon.times()]
    day = np.array([t.toordinal() for t in wall], dtype=np.int64)
    minute = np.array([60 * t.hour + t.minute for t in wall], dtype=np.int64)
    kinds = {ordinal: int(kind_of(date.fromordinal(ordinal), closed)) for ordinal in set(day.tolist())}
    kind = np.array([kinds[ordinal] for ordinal in day.tolist()], dtype=np.int64)
    return LocalSlots(day, minute, kind)


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
