"""Time. UTC inside; this is the only file that knows zones.

A `Clock` is an origin and a speed, the same in all processes: the demo runs it fast, tests hold it still.
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = [
    "UTC",
    "Clock",
    "HeldClock",
    "SpeedClock",
    "SystemClock",
    "aware",
    "day_bounds",
    "floor_to",
    "local",
    "local_date",
    "same_wall_time",
    "wall_to_utc",
    "zone_exists",
]  # fmt: skip


class Clock(Protocol):
    """What time it is for the plant."""

    @property
    def speed(self) -> float:
        """Plant seconds per real second."""
        ...

    def now(self) -> datetime:
        """The plant's time, aware and in UTC."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The wall clock of the machine."""

    speed: float = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class SpeedClock:
    """Plant time that started at `origin` when real time was `real_origin`, and runs `speed` times as fast."""

    origin: datetime
    real_origin: datetime
    speed: float = 1.0

    def now(self) -> datetime:
        return self.origin + (datetime.now(UTC) - self.real_origin) * self.speed

    def save(self, path: Path) -> None:
        """Write the clock for the other processes of the same plant, who may read it at any moment."""
        said = {"origin": self.origin.isoformat(), "real_origin": self.real_origin.isoformat(), "speed": self.speed}
        new = path.with_name(f".{path.name}.{os.getpid()}")
        new.write_text(json.dumps(said))
        new.replace(path)

    @classmethod
    def load(cls, path: Path) -> "SpeedClock":
        """Read a clock that another process saved."""
        said = json.loads(path.read_text())
        return cls(datetime.fromisoformat(said["origin"]), datetime.fromisoformat(said["real_origin"]), said["speed"])


@dataclass
class HeldClock:
    """A clock that stands still until it is moved: for tests, back-tests and replays."""

    at: datetime
    speed: float = 0.0

    def now(self) -> datetime:
        return self.at

    def move_to(self, at: datetime) -> None:
        self.at = aware(at)

    def advance(self, by: timedelta) -> None:
        self.at += by


def aware(t: datetime) -> datetime:
    """The same instant in UTC. A time without a zone is refused: nobody knows which instant it means."""
    if t.tzinfo is None:
        raise ValueError(f"{t.isoformat()} has no time zone; say which one")
    return t.astimezone(UTC)


def floor_to(t: datetime, step: timedelta) -> datetime:
    """The latest whole step (counted from the epoch, in UTC) that is not after `t`."""
    seconds = step.total_seconds()
    return datetime.fromtimestamp(aware(t).timestamp() // seconds * seconds, UTC)


def zone_exists(zone: str) -> bool:
    """Whether the machine knows a time zone of that name."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def local(t: datetime, zone: str) -> datetime:
    """An instant as wall-clock time of a zone (still aware)."""
    return aware(t).astimezone(ZoneInfo(zone))


def local_date(t: datetime, zone: str) -> date:
    """The local calendar day that an instant belongs to."""
    return local(t, zone).date()


def wall_to_utc(day: date, at: wall_time, zone: str) -> datetime:
    """The instant of a wall-clock time. A time that a clock change repeats means the first, one that it skips the
    instant that many minutes after the change."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Start and end (exclusive) of a local day, in UTC: 23, 24 or 25 hours apart."""
    midnight = wall_time(0, 0)
    return wall_to_utc(day, midnight, zone), wall_to_utc(day + timedelta(days=1), midnight, zone)


def same_wall_time(t: datetime, days: int, zone: str) -> datetime:
    """The instant at the same local wall time that many days later (negative: earlier)."""
    there = local(t, zone)
    moved = (there.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone), fold=there.fold)
    return moved.astimezone(UTC)


def sleep(seconds: float) -> None:
    """Wait in real time."""
    time.sleep(seconds)
