"""Edge boxes: what one tells of its own buffer, and what the centre knows of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits at an edge box, and what its buffer had to let go since it was made."""

    waiting: int = 0  # readings that the centre has not acknowledged
    oldest_at: datetime | None = None  # the oldest of them
    held: int = 0  # readings that the centre refused, set aside until they are released
    thinned: int = 0  # readings between the edges of an interval that went because the buffer was full
    dropped: int = 0  # edge readings that went for the same reason: the shape of that time is lost, its energy is not
    broken: int = 0  # buffer files that could not be read any more and were moved aside
    trouble: str = ""  # what last went wrong; empty while all is well

    @property
    def lost(self) -> int:
        """What can only grow, and should not."""
        return self.thinned + self.dropped + self.broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge box as the centre knows it. Its readings are numbered in the order in which they were taken, anew for each
    buffer file; `last` is the number up to which the centre has all of `buffer`."""

    name: str
    buffer: str
    last: int
    seen_at: datetime
    backlog: Backlog
    ahead_seconds: float | None = None  # the box's clock less ours; None until it has told its time
    received: int = 0  # readings that were new to us
    missing: int = 0  # readings that were acknowledged once, are not here any more, and cannot come again
    trouble: str = ""  # why we refused what it last sent
    worse_at: datetime | None = None  # when it last told of a reading that was let go, or one was found missing
    former: tuple[tuple[str, int], ...] = ()  # earlier buffers of this box, with the last number of each

    def last_of(self, buffer: str) -> int:
        """The last number that is here of a buffer; 0 where that one is new."""
        return self.last if buffer == self.buffer else dict(self.former).get(buffer, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeState:
    """An edge box as the screens show it."""

    name: str
    edge: Edge | None  # None: it has never spoken
    silent_for: timedelta | None  # since it last spoke, where that is too long
    oldest_for: timedelta | None  # how old the oldest reading is that waits there, as far as we know
    troubles: tuple[str, ...] = ()  # in words, worst first

    @property
    def well(self) -> bool:
        return not self.troubles
