"""Which reads a meter is asked, and what was learned of it: holes that it refuses, and how long a read may be."""

from dataclasses import dataclass, field

from meters.batching import Batch, batches
from meters.image import places
from meters.profile import Profile
from meters.quantities import KINDS

FIRST_AGAIN_SECONDS = 120.0  # then what was refused is asked again, in case the device was only starting
LAST_AGAIN_SECONDS = 3600.0

Read = tuple[int, Batch]  # function code, registers
Reads = list[Read]


def numbers(profile: Profile, code: int) -> list[Batch]:
    """All numbers that are read with a function code."""
    return sorted(
        {p for r in profile.registers.values() if profile.code_of(r) == code for p in places(profile, r)},
    )


def planned_reads(profile: Profile, longest: int | None = None) -> Reads:
    """The fewest reads for a profile; those with the counters first, as their time is the time of the reading."""
    most = min(longest or profile.max_registers, profile.max_registers)
    reads = [
        (code, batch)
        for code in (3, 4)
        for batch in batches(numbers(profile, code), longest=most, widest_hole=profile.max_hole)
    ]
    counters = [
        (profile.code_of(register), place)
        for name, register in profile.registers.items()
        if KINDS[name] == "energy"
        for place in places(profile, register)
    ]
    return sorted(reads, key=lambda r: not any(code == r[0] and r[1].holds(place) for code, place in counters))


@dataclass
class Plan:
    """The reads of a meter. What it refuses is split and remembered; it is asked for the whole again after a while,
    twice as late each time."""

    profile: Profile
    reads: Reads = field(default_factory=list)
    _again_at: float = 0.0  # 0: nothing was learned
    _pause: float = FIRST_AGAIN_SECONDS

    def __post_init__(self) -> None:
        self.reads = planned_reads(self.profile)

    @property
    def shortest(self) -> Read:
        """The read that is least likely to be refused: one number."""
        code, batch = self.reads[0]
        return code, self.inside(code, batch)[0]

    def inside(self, code: int, batch: Batch) -> list[Batch]:
        """The numbers that a read is made for."""
        return [number for number in numbers(self.profile, code) if batch.holds(number)]

    def halves(self, code: int, batch: Batch) -> list[Batch]:
        """A read in two; nothing where it is one number already."""
        inside = self.inside(code, batch)
        middle = (len(inside) + 1) // 2
        return [around(part) for part in (inside[:middle], inside[middle:])] if len(inside) > 1 else []

    def refresh(self, now: float) -> None:
        """After a while, what was learned is put to the test."""
        if self._again_at and now >= self._again_at:
            self.reads, self._again_at = planned_reads(self.profile), 0.0

    def learn(self, read: Read, taken: list[Batch], now: float, *, complete: bool) -> None:
        """In place of a read that was refused, these. Where they are complete, no register is missing: then reads of
        that length are too long, and no other is made as long."""
        self._again_at, self._pause = now + self._pause, min(2 * self._pause, LAST_AGAIN_SECONDS)
        if complete and taken:
            self.reads = planned_reads(self.profile, longest=self._no_longer_than(taken))
        elif read in self.reads:
            position = self.reads.index(read)
            self.reads[position : position + 1] = [(read[0], batch) for batch in taken]

    def _no_longer_than(self, taken: list[Batch]) -> int:
        widest = max(number.count for code in (3, 4) for number in numbers(self.profile, code))
        return max(widest, *(batch.count for batch in taken))

    def forget(self) -> None:
        """What was learned led nowhere."""
        self.reads, self._again_at, self._pause = planned_reads(self.profile), 0.0, FIRST_AGAIN_SECONDS


def around(inside: list[Batch]) -> Batch:
    """One read that holds all of these numbers."""
    start = inside[0].start
    return Batch(start, max(number.end for number in inside) - start)
