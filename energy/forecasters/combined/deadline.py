"""The time that a forecast may take: what is begun in time is looked at again and again while it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic


class LateError(Exception):
    """The time is over."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the members must have answered."""

    at: float = inf  # of `time.monotonic`

    @classmethod
    def after(cls, seconds: float | None) -> "Deadline":
        """A deadline in so many seconds; None is never."""
        return cls() if seconds is None else cls(monotonic() + seconds)

    def leaves_time(self) -> bool:
        return self.at == inf or monotonic() < self.at

    def watched(self, issues: Sequence[int]) -> Sequence[int]:
        """The same issues; who goes through them one by one is stopped with a LateError when the time is over."""
        return Watched(issues).until(self)


class Watched(tuple[int, ...]):
    """Issues that look at the clock each time the next one is taken. So no member need know of time, and what it answers
    in time is what it would answer with all the time there is."""

    deadline: Deadline = Deadline()

    def until(self, deadline: Deadline) -> "Watched":
        self.deadline = deadline
        return self

    def __iter__(self) -> Iterator[int]:
        for issue in super().__iter__():
            if not self.deadline.leaves_time():
                raise LateError
            yield issue
