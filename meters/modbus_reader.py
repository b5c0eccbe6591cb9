"""Asks one Modbus meter, and says what came back as a Reading."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from energy.clock import Clock
from energy.errors import MeterError
from energy.model.meter import Meter, Reading, ReadingQuality
from meters import bus
from meters.batching import Batch
from meters.decoder import Decoder, Said
from meters.frozen import Still
from meters.line import Line
from meters.plausible import Watch, steady_seconds
from meters.profile import Profile
from meters.quantities import KINDS, MAIN, SIGNED, THROUGH_CT
from meters.reads import Plan

if TYPE_CHECKING:
    from meters.modbus import Settings

LONGEST_REST_SECONDS = 30.0


class TooLongError(MeterError):
    """A read is not answered, although the unit answers a shorter one."""


class ModbusReader:
    """One unit on a bus. A unit that stays silent rests between attempts, so that it does not keep the bus from the
    others. A read that the device refuses, or does not answer though it is there, is halved until it is answered; what
    is refused alone is left out, and all of that is remembered."""

    def __init__(
        self,
        meter: Meter,
        settings: "Settings",
        profile: Profile,
        clock: Clock,
        line: Line | None = None,
        seed: Reading | None = None,
    ) -> None:
        self.meter = meter
        self._line = line or settings.line()
        self.poll_seconds = settings.poll_seconds
        self._settings = settings
        self._decoder = Decoder(profile)
        self._clock = clock
        self._bus: bus.Bus | None = None
        self._plan = Plan(profile)
        self._watch = Watch(meter, seed)
        self._still = Still()
        self._said: list[Said] = []  # what lay on the wire
        self._steady: float | None = None  # when it was asked last, on the clock that nobody can set
        self._failures = 0
        self._refused: bus.RefusedError | None = None  # the last one
        self._answered = True  # in this poll, or in the one before
        self._rest_until = 0.0
        self._trouble = ""

    async def read(self) -> Reading:
        now = asyncio.get_running_loop().time()
        if now < self._rest_until:
            return self._no_answer(f"{self._trouble}; asked again in {self._rest_until - now:.0f} s")
        try:
            taken_at, said = await self._ask()
        except (bus.UnreachableError, bus.RestingError) as trouble:
            return self._no_answer(str(trouble))  # nobody was asked, and nobody lost time
        except MeterError as trouble:
            return self._failed(str(trouble))
        values = as_wired(said, self._settings.ct_ratio, self._settings.invert)
        if not any(name in values for name in MAIN):
            return self._failed("the meter answers, but has neither power nor counters to tell")
        self._failures, self._trouble, self._answered = 0, "", True
        self._tell_need()
        return self._judged(
            Reading(
                meter=self.meter.id,
                taken_at=taken_at,
                power_kw=values.get("power"),
                import_kwh=values.get("total_import"),
                export_kwh=values.get("total_export"),
                values=tuple([(name, value) for name, value in values.items() if name not in MAIN]),
            ),
            said,
        )

    async def close(self) -> None:
        if self._bus is not None:
            bus.leave(self._bus, self._settings.unit)
            self._bus = None

    def _judged(self, reading: Reading, said: dict[str, float]) -> Reading:
        """The reading with what is to be said of it: doubts, then with what lay on the wire; or a line that is too slow."""
        judged = self._watch.judge(reading, self._steady)
        hangs = self._still.doubt(said, reading.taken_at)
        if hangs:
            note = "; ".join(filter(None, (judged.note, hangs)))
            judged = replace(judged, quality=ReadingQuality.SUSPECT, note=note)
        if judged.quality is ReadingQuality.SUSPECT:
            return replace(judged, raw=as_raw(self._said))
        if not judged.note and self._bus is not None and self._bus.overloaded:
            return replace(judged, note=self._bus.overloaded)
        return judged

    def _tell_need(self) -> None:
        """How much of the line's time the polls of this unit need."""
        if self._bus is not None:
            self._bus.polled(self._settings.unit, self.poll_seconds / max(1.0, self._clock.speed))

    # ---- asking

    async def _ask(self) -> tuple[datetime, dict[str, float]]:
        """What the meter says, and when it said its counters (they are read first)."""
        self._plan.refresh(asyncio.get_running_loop().time())
        if self._failures:
            self._answered = False
            await self._once(*self._plan.shortest)  # a unit that may be dead is asked little
        words: list[Said] = []
        taken_at: datetime | None = None
        for read in list(self._plan.reads):
            said = await self._read(*read)
            if said and taken_at is None:
                taken_at, self._steady = self._clock.now(), steady_seconds(self._clock)
            words += said
        if taken_at is None:
            self._plan.forget()
            raise self._refused or bus.SilentError("there is nothing to read")
        self._said = words
        return taken_at, self._decoder.quantities(words)

    async def _read(self, code: int, batch: Batch) -> list[Said]:
        """One read of the plan; in pieces where it is refused as a whole, and from now on like that."""
        try:
            return [await self._patiently(code, batch)]
        except (bus.RefusedError, TooLongError) as no:
            if not _can_be_split(no):
                raise
            self._refused = no if isinstance(no, bus.RefusedError) else None
            mute = isinstance(no, TooLongError)
        taken: list[Said] = []
        complete = await self._in_pieces(code, batch, taken, mute)
        pieces = [Batch(start, len(words)) for _, start, words in taken]
        now = asyncio.get_running_loop().time()
        self._plan.learn((code, batch), pieces, now, complete=complete)
        return taken

    async def _in_pieces(self, code: int, batch: Batch, taken: list[Said], mute: bool) -> bool:
        """Halve a read until its pieces are answered. False where a number alone was refused."""
        halves = self._plan.halves(code, batch)
        complete = bool(halves)
        for half in halves:
            try:
                taken.append(await self._once(code, half))
            except bus.RefusedError as no:
                if not no.unknown_address:
                    raise
                complete = await self._in_pieces(code, half, taken, mute) and complete
            except bus.SilentError:
                if not mute or not self._plan.halves(code, half):
                    raise
                await self._once(*self._plan.shortest)  # still there?
                complete = await self._in_pieces(code, half, taken, mute) and complete
        return complete

    async def _patiently(self, code: int, batch: Batch) -> Said:
        """One read; a meter that answered until now gets a second chance, and one that is busy."""
        try:
            return await self._once(code, batch)
        except bus.RestingError:
            raise
        except bus.SilentError:
            if not self._answered:
                raise
        except bus.RefusedError as no:
            if not no.busy:
                raise
        try:
            return await self._once(code, batch)
        except bus.RestingError:
            raise
        except bus.SilentError:
            if not self._failures or not self._plan.halves(code, batch):
                raise
            await self._once(*self._plan.shortest)  # is it the length of the read?
            raise TooLongError(f"reads of {batch.count} registers are not answered, shorter ones are") from None

    async def _once(self, code: int, batch: Batch) -> Said:
        if self._bus is None:
            self._bus = bus.join(self._line, pause_ms=self._settings.pause_ms, echoes_unit=self._settings.echoes_unit)
        words = await self._bus.read(
            self._settings.unit, code, batch.start, batch.count, self._settings.timeout_seconds
        )
        self._answered = True
        return code, batch.start, words

    # ---- failing

    def _failed(self, trouble: str) -> Reading:
        self._failures += 1
        self._trouble = trouble
        if self._failures > 1:
            rest = min(self._settings.poll_seconds * 2 ** min(self._failures - 2, 8), LONGEST_REST_SECONDS)
            # polls are counted in the plant's time, which a fast clock makes short
            self._rest_until = asyncio.get_running_loop().time() + rest / max(1.0, self._clock.speed)
        return self._no_answer(trouble)

    def _no_answer(self, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)


def _can_be_split(no: MeterError) -> bool:
    return isinstance(no, TooLongError) or (isinstance(no, bus.RefusedError) and no.unknown_address)


def as_raw(said: Sequence[Said]) -> str:
    """What lay on the wire, as a doubted reading keeps it: function code → address → the 16 bits."""
    told: dict[str, dict[str, int]] = {}
    for code, first, words in said:
        told.setdefault(str(code), {}).update({str(at): word for at, word in enumerate(words, first)})
    return json.dumps(told)


def as_wired(said: dict[str, float], ct_ratio: float, invert: bool) -> dict[str, float]:
    """What flowed, from what the meter saw through its current transformers."""
    if ct_ratio == 1 and not invert:
        return said
    values = {name: value * (ct_ratio if KINDS[name] in THROUGH_CT else 1.0) for name, value in said.items()}
    if not invert:
        return values
    turned = {name: -value if KINDS[name] in SIGNED else value for name, value in values.items()}
    swap = {"total_import": "total_export", "total_export": "total_import"}
    return {swap.get(name, name): value for name, value in turned.items()}
