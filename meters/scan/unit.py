"""One unit on a line: its registers, asked gently and never twice for the same moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from energy.clock import Clock
from energy.errors import MeterError
from meters.batching import Batch
from meters.bus import RefusedError, SilentError
from meters.image import Words
from meters.profile import Profile
from meters.reads import numbers, planned_reads
from meters.scan.reading import Taken
from meters.scan.units import Ask

MOST_REQUESTS = 400  # to one unit in one scan; every one of them a read
SILENCES = 4  # so many unanswered in a row: it does not say no, it falls silent; asked no further


class Unit:
    """What a unit lets one read. `requests` counts them all, and ends a scan that would ask too much."""

    def __init__(self, ask: Ask, number: int, clock: Clock, timeout: float, most: int = MOST_REQUESTS) -> None:
        self.number = number
        self.requests = 0
        self._ask = ask
        self._clock = clock
        self._timeout = timeout
        self._most = most
        self._silent = 0
        self._numberwise: set[tuple[int, Batch]] = set()  # refused as a whole

    @property
    def exhausted(self) -> bool:
        return self.requests >= self._most or self._silent >= SILENCES

    async def registers(self, code: int, batch: Batch) -> list[int] | None:
        """The words that lie there; None where it refuses or does not say. Raises where it cannot be reached at all."""
        if self.exhausted:
            return None
        self.requests += 1
        try:
            words = await self._ask(self.number, code, batch.start, batch.count, self._timeout)
        except RefusedError:
            self._silent = 0
            return None
        except SilentError:
            self._silent += 1
            return None
        self._silent = 0
        return words

    async def take(self, profiles: Iterable[Profile]) -> Taken:
        """What the registers of some tables say now, each asked once though several name it."""
        words: dict[tuple[int, int], int] = {}
        at = self._clock.now()
        for profile in profiles:
            for code, batch in planned_reads(profile):
                if not _known(words, code, batch):
                    words |= await self._block(profile, code, batch)
        return Taken(at=at, words=words)

    async def _block(self, profile: Profile, code: int, batch: Batch) -> dict[tuple[int, int], int]:
        if (code, batch) not in self._numberwise:
            said = await self.registers(code, batch)
            if said is not None:
                return {(code, address): word for address, word in enumerate(said, batch.start)}
            self._numberwise.add((code, batch))
        found: dict[tuple[int, int], int] = {}
        inside = [number for number in numbers(profile, code) if batch.holds(number)]
        refused = 0
        for number in inside if len(inside) > 1 else []:
            said = await self.registers(code, number)
            if said is not None:
                found |= {(code, address): word for address, word in enumerate(said, number.start)}
            refused += said is None
            if refused > 2 and not found:
                break  # it knows nothing of this block
        return found


def _known(words: Words, code: int, batch: Batch) -> bool:
    return all((code, address) in words for address in range(batch.start, batch.end))


@dataclass(frozen=True, slots=True)
class Probe:
    """The one number by which a table is tried first: read alone, so that no hole is touched."""

    code: int
    batch: Batch
    name: str


PROBED = ("frequency", "voltage_l1", "power", "total_import")


def probes(profile: Profile) -> Sequence[Probe]:
    """Up to two numbers of a table that say at once whether it can be the right one."""
    from meters.image import places

    named = [name for name in PROBED if name in profile.registers]
    return [
        Probe(profile.code_of(profile.registers[name]), next(places(profile, profile.registers[name])), name)
        for name in named[:2]
    ]


def unreachable(address: str, error: MeterError) -> MeterError:
    return MeterError(f"{address}: {error}")
