"""How the collector does: what it asks, how late it is, and what waits to be kept, as the note it leaves in the store."""

from dataclasses import dataclass
from datetime import datetime

COLLECTOR_NOTE = "collector"  # under which the store keeps it


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPace:
    """The polls of a while: how many, how many ticks were missed because a meter had not answered yet, and by how much
    the readings came after their tick. None where nothing was polled."""

    polls: int
    missed: int
    late_p50_seconds: float | None
    late_p99_seconds: float | None
    latest_seconds: float | None

    @property
    def missed_share(self) -> float | None:
        ticks = self.polls + self.missed
        return self.missed / ticks if ticks else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorState:
    """What the collector last said of itself. `stopped`: it says nothing any more, and no meter that it asks answers."""

    at: datetime
    meters: int
    waiting: int  # readings that are not in the store yet
    kept: int  # since it began
    dropped: int
    lately: PollPace  # since the note before
    in_all: PollPace  # since it began
    stopped: bool = False
