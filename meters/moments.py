"""Of which moment a message is, as it says itself."""

from datetime import UTC, datetime, timedelta

from energy.clock import aware, wall_to_utc
from meters.wanted import number

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # a clock that says less has not been set since it was switched on
AHEAD = timedelta(seconds=90)  # a clock that runs more than so far ahead is wrong


class NoTimeError(ValueError):
    """A message does not say of which moment it is, or cannot be right about it."""


def moment(said: object, format: str, zone: str, now: datetime) -> datetime:
    """The instant that a message names: `iso`, `epoch s` or `epoch ms`. NoTimeError where it names none that can be."""
    return checked(_iso(said, zone, now) if format == "iso" else _epoch(said, format), now)


def checked(at: datetime, now: datetime) -> datetime:
    """The instant itself. NoTimeError where a clock that says so cannot be right."""
    if at < EARLIEST:
        raise NoTimeError(f"its clock says {at:%Y-%m-%d %H:%M}: it was not set")
    if at > now + AHEAD:
        raise NoTimeError(f"its clock says {at:%Y-%m-%d %H:%M:%S} UTC, which is still to come")
    return at


def _iso(said: object, zone: str, now: datetime) -> datetime:
    try:
        written = datetime.fromisoformat(str(said).strip())
    except ValueError as error:
        raise NoTimeError(f"{said!r} is no ISO time") from error
    if written.tzinfo is not None:
        try:
            return aware(written)
        except OverflowError as error:
            raise NoTimeError(f"{said!r} is beyond all calendars") from error
    # In the hour that a clock change repeats, the reading nearest to now is meant.
    first = wall_to_utc(written.date(), written.time(), zone)
    second = wall_to_utc(written.date(), written.replace(fold=1).timetz(), zone)
    return min(first, second, key=lambda t: abs(t - now))


def _epoch(said: object, format: str) -> datetime:
    seconds = number(said)
    try:
        if seconds is None:
            raise NoTimeError(f"{said!r} is no time since 1970")
        return datetime.fromtimestamp(seconds / (1000.0 if format == "epoch ms" else 1.0), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise NoTimeError(f"{said!r} is no time since 1970; is it in {format.removeprefix('epoch ')}?") from error
