"""Instants as whole numbers: slot edges in epoch seconds, everything else that is narrow in epoch microseconds."""

from datetime import UTC, datetime, timedelta

from energy.clock import aware

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)


def seconds(edge: datetime) -> int:
    """A slot edge as epoch seconds. One between two seconds is refused: it would come back as another."""
    whole, rest = divmod(aware(edge) - EPOCH, SECOND)
    if rest:
        raise ValueError(f"{edge.isoformat()} is not a whole second; slots start at whole seconds")
    return whole


def span_second(t: datetime) -> int:
    """The first whole second at or after an instant, so that `edge >= t` is the same as `seconds(edge) >= this`."""
    return -((EPOCH - aware(t)) // SECOND)


def from_seconds(value: int) -> datetime:
    return EPOCH + value * SECOND


def micros(t: datetime) -> int:
    """An instant as epoch microseconds, exact."""
    return (aware(t) - EPOCH) // MICROSECOND


def from_micros(value: int) -> datetime:
    return EPOCH + value * MICROSECOND
