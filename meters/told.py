"""A meter that tells by itself: the part that all such wires share. A source hears, this gives readings, and says when
nothing was heard for too long."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from energy.clock import Clock
from energy.model.meter import Meter, Reading, ReadingQuality
from meters.gathering import Done, Gathered, Gathering, Said
from meters.quantities import KINDS


@dataclass(frozen=True, slots=True)
class Gone:
    """The far end says itself that the meter is not there, or the way to it is lost."""

    note: str


Item = Said | Gone

RECENT = timedelta(minutes=1)  # what is older was true then, and need not be now
REPEAT_SECONDS = 300.0  # how often a meter is said to be gone whose wire has no notion of silence
Take = Callable[[Item], None]


class Source(Protocol):
    """One way to hear of one meter."""

    @property
    def trouble(self) -> str:
        """Why nothing can be heard now; empty where all seems well."""
        ...

    async def tell(self, take: Take, *, keeping: bool) -> None:
        """Hand over all that is said, until cancelled. `keeping`: the readings are kept, and it is said when; else
        somebody only has a look, and must take nothing away from whoever keeps them."""
        ...

    async def close(self) -> None: ...


class ToldMeter:
    """Listens to one meter. `silent_after_seconds` of plant time without any value are said as NO_ANSWER, and again
    after as long; None where the wire itself says that a meter is gone, and tells only what changes. There, what has
    not changed for `confirm_seconds` is said again; but no counter, as one that stands still may only be slow."""

    def __init__(
        self,
        meter: Meter,
        source: Source,
        gathering: Gathering,
        clock: Clock,
        *,
        window_seconds: float,
        silent_after_seconds: float | None,
        confirm_seconds: float | None = None,
    ) -> None:
        self.meter = meter
        self._source = source
        self._gathering = gathering
        self._clock = clock
        self._window_seconds = window_seconds
        speed = clock.speed if clock.speed > 0 else 1.0
        self._silence_counts = silent_after_seconds is not None
        self._silent_after = (silent_after_seconds or REPEAT_SECONDS) / speed
        self._confirm_after = None if confirm_seconds is None else confirm_seconds / speed
        self._confirm_at: float | None = None
        self._holds: dict[str, float] = {}  # what was said last, but no counters
        self._gone = ""  # what the far end said of it last, if that was no value
        self.acknowledged = False
        self._unkept: dict[datetime, tuple[Done, ...]] = {}
        self._items: asyncio.Queue[Item | BaseException] = asyncio.Queue()
        self._gather_until: float | None = None
        self._silent_at: float | None = None

    @property
    def trouble(self) -> str:
        """Why nothing can be heard of it now; empty where all seems well."""
        return self._gone or self._source.trouble

    async def listen(self, give: Callable[[Reading], None]) -> None:
        """Give every reading until cancelled; what is half gathered then is given too."""
        self._silent_at = asyncio.get_running_loop().time() + self._silent_after
        telling = asyncio.create_task(self._tell())
        try:
            while True:
                for reading in await self._next():
                    give(reading)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            while not self._items.empty():
                item = self._items.get_nowait()
                for reading in self._taken(item) if isinstance(item, Said) else []:
                    give(reading)
            for reading in self._given(self._gathering.close()):
                give(reading)

    def kept(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            for done in self._unkept.pop(reading.taken_at, ()):
                done()

    async def close(self) -> None:
        await self._source.close()

    async def _tell(self) -> None:
        try:
            await self._source.tell(self._items.put_nowait, keeping=self.acknowledged)
        except Exception as error:
            self._items.put_nowait(error)  # raised again in `listen`, where somebody waits for it

    async def _next(self) -> Sequence[Reading]:
        try:
            async with asyncio.timeout(self._wait()):
                item = await self._items.get()
        except TimeoutError:
            return self._overdue()
        if isinstance(item, BaseException):
            raise item
        return self._taken(item)

    def _wait(self) -> float | None:
        due = [at for at in (self._gather_until, self._silent_at, self._confirm_at) if at is not None]
        return max(min(due) - asyncio.get_running_loop().time(), 0.0) if due else None

    def _taken(self, item: Item | BaseException) -> Sequence[Reading]:
        if isinstance(item, Gone):
            self._gone, self._silent_at, self._confirm_at = item.note, self._again(), None
            self._holds.clear()
            return [*self._given(self._gathering.close()), self._no_answer(item.note)]
        if not isinstance(item, Said):
            return []
        for name in item.unknown:
            self._holds.pop(name, None)
        if item.unknown and not item.values:
            return self._given(self._gathering.take(item))
        self._gone, self._silent_at = "", self._again() if self._silence_counts else None
        self._hold(item)
        begun = self._gathering.waiting
        made = self._gathering.take(item)
        if not self._gathering.waiting:
            self._gather_until = None
        elif made or not begun:
            self._gather_until = asyncio.get_running_loop().time() + self._window_seconds
        return self._given(made)

    def _overdue(self) -> Sequence[Reading]:
        now = asyncio.get_running_loop().time()
        readings: list[Reading] = []
        if self._gather_until is not None and self._gather_until <= now:
            self._gather_until = None
            readings += self._given(self._gathering.close())
        if self._silent_at is not None and self._silent_at <= now:
            self._silent_at = self._again()
            readings.append(self._no_answer(self._gone or self._source.trouble or "nothing was heard of it"))
        if self._confirm_at is not None and self._confirm_at <= now:
            readings += self._taken(Said(at=self._clock.now(), values=self._holds))
        return readings

    def _hold(self, said: Said) -> None:
        """Remember what may be said again; nothing of what the far end doubts, or says of the past."""
        if self._confirm_after is None:
            return
        if said.doubt:
            self._holds.clear()
        elif self._clock.now() - said.at < RECENT:
            self._holds |= {name: value for name, value in said.values.items() if KINDS[name] != "energy"}
        now = asyncio.get_running_loop().time()
        self._confirm_at = now + self._confirm_after if self._holds else None

    def _again(self) -> float:
        """When silence is said, if it goes on from now."""
        return asyncio.get_running_loop().time() + self._silent_after

    def _given(self, made: Sequence[Gathered]) -> list[Reading]:
        for each in made:
            if each.dones:
                self._unkept[each.reading.taken_at] = each.dones
        readings = [each.reading for each in made]
        if not self.acknowledged:
            self.kept(readings)
        return readings

    def _no_answer(self, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)
