"""How punctual the polls are: how late after its tick each reading was there, and which ticks were missed."""

import math
from dataclasses import dataclass, field

LEAST_SECONDS = 0.001  # what is less late than this is on time
STEP = math.log(1.1)  # each class of lateness is a tenth wider than the one before
CLASSES = 160  # up to more than an hour


@dataclass(slots=True)
class Pace:
    """Counts polls by how late they were. A percentile is right to a tenth, and ten million polls take no more room
    than ten."""

    polls: int = 0
    missed: int = 0
    latest_seconds: float = 0.0
    _late: list[int] = field(default_factory=lambda: [0] * CLASSES)

    def took(self, late_seconds: float) -> None:
        """A reading was there so long after its tick."""
        self.polls += 1
        self.latest_seconds = max(self.latest_seconds, late_seconds)
        over = late_seconds / LEAST_SECONDS
        place = 0 if over <= 1 else min(int(math.log(over) / STEP) + 1, CLASSES - 1)
        self._late[place] += 1

    def percentile(self, share: float) -> float | None:
        """Seconds that this share of the polls was not later than; None where there was no poll."""
        if not self.polls:
            return None
        wanted, seen = share * self.polls, 0
        for place, count in enumerate(self._late):
            seen += count
            if seen >= wanted:
                return min(LEAST_SECONDS * math.exp(STEP * place), self.latest_seconds)
        return self.latest_seconds

    def add(self, other: "Pace") -> None:
        """Take the counts of another in."""
        self.polls += other.polls
        self.missed += other.missed
        self.latest_seconds = max(self.latest_seconds, other.latest_seconds)
        self._late = [mine + theirs for mine, theirs in zip(self._late, other._late, strict=True)]
