"""Intervals and horizons: half-open spans of UTC time, and a row of equal slots."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open span [start, end) in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs times with a zone")
        if self.end < self.start:
            raise ValueError(f"an interval cannot end ({self.end}) before it starts ({self.start})")

    @property
    def hours(self) -> float:
        return (self.end - self.start).total_seconds() / 3600.0

    def overlaps(self, other: "Interval") -> bool:
        return self.start < other.end and other.start < self.end

    def holds(self, t: datetime) -> bool:
        return self.start <= t < self.end


@dataclass(frozen=True, slots=True)
class Horizon:
    """A start, a step in minutes and a number of slots; slot k is [start + k·step, start + (k+1)·step)."""

    start: datetime
    slots: int
    step_minutes: int = 15

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError("a horizon needs a start with a zone")
        if self.slots < 0 or self.step_minutes <= 0:
            raise ValueError(f"a horizon needs slots >= 0 and a step > 0, not {self.slots} of {self.step_minutes} min")
        object.__setattr__(self, "start", self.start.astimezone(UTC))

    @classmethod
    def between(cls, start: datetime, end: datetime, step_minutes: int = 15) -> "Horizon":
        """The horizon that fills [start, end); the span must be a whole number of steps."""
        count, rest = divmod(end - start, timedelta(minutes=step_minutes))
        if rest:
            raise ValueError(f"{start} to {end} is not a whole number of {step_minutes} min steps")
        return cls(start, count, step_minutes)

    @property
    def step(self) -> timedelta:
        return timedelta(minutes=self.step_minutes)

    @property
    def step_hours(self) -> float:
        return self.step_minutes / 60.0

    @property
    def end(self) -> datetime:
        return self.start + self.slots * self.step

    def time_of(self, slot: int) -> datetime:
        """The start of a slot; slots before and after the horizon have one too."""
        return self.start + slot * self.step

    def slot_of(self, t: datetime) -> int:
        """The slot that holds an instant; negative before the horizon, >= slots after it."""
        return (t - self.start) // self.step

    def slot_edge(self, t: datetime) -> int:
        """The first slot that starts at `t` or later."""
        return -((self.start - t) // self.step)

    def times(self) -> Iterator[datetime]:
        return (self.time_of(slot) for slot in range(self.slots))

    def interval(self, slot: int) -> Interval:
        return Interval(self.time_of(slot), self.time_of(slot + 1))
