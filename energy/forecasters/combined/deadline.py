"""The time that a forecast may take: what would not be done in time is not begun."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic


@dataclass(slots=True)
class Deadline:
    """When the last member must have answered. The next one is taken to need as long as the slowest so far."""

    at: float = inf  # of `time.monotonic`
    slowest: float = 0.0  # seconds

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """A deadline in so many seconds; None is never."""
        return cls() if seconds is None else cls(monotonic() + seconds)

    def leaves_time(self) -> bool:
        return self.at == inf or monotonic() + self.slowest <= self.at

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Something that is done, and measured."""
        began = monotonic()
        try:
            yield
        finally:
            self.slowest = max(self.slowest, monotonic() - began)
