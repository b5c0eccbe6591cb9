"""Which units answer behind an address: one connection, one question at a time, the usual numbers first."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from energy.errors import LoadstoneError
from meters.bus import RefusedError, SilentError

Ask = Callable[[int, int, int, int, float], Awaitable[list[int]]]  # unit, function code, start, count, timeout
Progress = Callable[[float, str], None]

EVERY = tuple(range(1, 248))
OUTSIDE = (255, 0)  # Modbus TCP: what a device without units behind it listens to
NOBODY = (10, 11)  # a gateway's word that nobody answers there
FIRST_TIMEOUT, LONGEST_TIMEOUT, SHORTEST_TIMEOUT = 1.0, 2.0, 0.15
UNLIKELY = (247, 243)  # who answers as these too answers as any


def units_named(said: str) -> tuple[int, ...]:
    """As "1-32", "1,2,5", "1-10,200"; nothing said is every unit."""
    if not said.strip():
        return ()
    found: list[int] = []
    for part in said.split(","):
        first, to, last = part.strip().partition("-")
        try:
            found += range(int(first), int(last if to else first) + 1)
        except ValueError as error:
            raise LoadstoneError(f"units {said!r}: say them as 1-32 or 1,2,5") from error
    wrong = [unit for unit in found if not 0 <= unit <= 255]
    if wrong or not found:
        raise LoadstoneError(
            f"units {said!r}: unit numbers are 1 to 247, and 0 or 255 where a device has no unit of its own"
        )
    return tuple(dict.fromkeys(found))


def in_order(units: Sequence[int], usual: Sequence[int]) -> list[int]:
    """The likely ones first: 1, those that devices come with, 255 and 0, then one after the other."""
    wanted = set(units) if units else {*EVERY, *OUTSIDE}
    return [unit for unit in dict.fromkeys((1, *usual, *OUTSIDE, *sorted(wanted))) if unit in wanted]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for units that may not be there: a few times what the slowest answer took."""

    slowest: float | None = None

    @property
    def timeout(self) -> float:
        if self.slowest is None:
            return FIRST_TIMEOUT
        return min(max(SHORTEST_TIMEOUT, 3 * self.slowest + 0.1), LONGEST_TIMEOUT)

    def heard(self, seconds: float) -> "Pace":
        return Pace(max(seconds, self.slowest or 0.0))


class Hunt:
    """Asks each unit for two registers. `found` grows while it runs, so that whoever ends it early has what was found."""

    def __init__(
        self, ask: Ask, units: Sequence[int], usual: Sequence[int] = (), timeout: float = FIRST_TIMEOUT
    ) -> None:
        self._ask = ask
        self._order = in_order(units, usual)
        self._every = not units
        self._first_timeout = timeout
        self.pace = Pace()
        self.asked = 0
        self.found: list[int] = []
        self.any_unit = False  # it answers whatever unit is asked: it has no units

    async def run(self, progress: Progress) -> AsyncIterator[int]:
        """The units that answer, each as it is found. UnreachableError where there is no connection at all."""
        for unit in self._order:
            # A device without units listens to 255 and 0 as well as to 1: that is the same one again.
            if self.any_unit or (unit in OUTSIDE and self.found and self._every):
                continue
            progress(self.asked / len(self._order), f"unit {unit}")
            self.asked += 1
            if not await self.is_there(unit):
                continue
            self.found.append(unit)
            if self._every and len(self.found) == 1:
                self.any_unit = all([await self.is_there(other) for other in UNLIKELY if other != unit])
            yield unit

    async def is_there(self, unit: int) -> bool:
        """Whether a unit says anything: values or a no of its own."""
        began = time.monotonic()
        timeout = self.pace.timeout if self.pace.slowest is not None else self._first_timeout
        try:
            await self._ask(unit, 3, 0, 2, timeout)
        except RefusedError as no:
            self.pace = self.pace.heard(time.monotonic() - began)
            return no.code not in NOBODY
        except SilentError:
            return False
        self.pace = self.pace.heard(time.monotonic() - began)
        return True
