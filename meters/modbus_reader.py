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
from meters.batching import Batch, batches
from meters.decoder import Decoder, Said
from meters.image import places
from meters.line import Line
from meters.plausible import Watch, steady_seconds
from meters.profile import Profile
from meters.quantities import KINDS, MAIN, SIGNED, THROUGH_CT

if TYPE_CHECKING:
    from meters.modbus import Settings

LONGEST_REST_SECONDS = 30.0

Reads = list[tuple[int, Batch]]  # function code, registers


class ModbusReader:
    """One unit on a bus. A unit that stays silent rests between attempts, so that it does not keep the bus from the
    others; a read that the device refuses is tried again number by number, and what is refused alone is left out."""

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
        self._profile = profile
        self._decoder = Decoder(profile)
        self._clock = clock
        self._bus: bus.Bus | None = None
        self._reads = planned_reads(profile)
        self._watch = Watch(meter, seed)
        self._said: list[Said] = []  # what lay on the wire
        self._steady: float | None = None  # when it was asked last, on the clock that nobody can set
        self._failures = 0
        self._rest_until = 0.0
        self._trouble = ""

    async def read(self) -> Reading:
        now = asyncio.get_running_loop().time()
        if now < self._rest_until:
            return self._no_answer(f"{self._trouble}; asked again in {self._rest_until - now:.0f} s")
        try:
            taken_at, said = await self._ask()
        except MeterError as trouble:
            return self._failed(str(trouble))
        values = as_wired(said, self._settings.ct_ratio, self._settings.invert)
        if not any(name in values for name in MAIN):
            return self._failed("the meter answers, but has neither power nor counters to tell")
        self._failures, self._trouble = 0, ""
        judged = self._watch.judge(
            Reading(
                meter=self.meter.id,
                taken_at=taken_at,
                power_kw=values.get("power"),
                import_kwh=values.get("total_import"),
                export_kwh=values.get("total_export"),
                values=tuple([(name, value) for name, value in values.items() if name not in MAIN]),
            ),
            self._steady,
        )
        if judged.quality is ReadingQuality.SUSPECT:
            judged = replace(judged, raw=as_raw(self._said))
        return judged

    async def close(self) -> None:
        if self._bus is not None:
            bus.leave(self._bus)
            self._bus = None

    async def _ask(self) -> tuple[datetime, dict[str, float]]:
        """What the meter says, and when it said its counters (they are read first)."""
        words: list[Said] = []
        taken_at: datetime | None = None
        refused: bus.RefusedError | None = None
        for code, batch in list(self._reads):
            try:
                said = await self._read(code, batch)
            except bus.RefusedError as no:
                if not no.unknown_address:
                    raise
                refused = no
                said = await self._one_by_one(code, batch)
            if taken_at is None:
                taken_at, self._steady = self._clock.now(), steady_seconds(self._clock)
            words += said
        if taken_at is None or (refused and not words):
            raise refused or bus.SilentError("there is nothing to read")
        self._said = words
        return taken_at, self._decoder.quantities(words)

    async def _read(self, code: int, batch: Batch) -> list[Said]:
        """One read; a meter that answered until now gets a second chance."""
        if self._bus is None:
            self._bus = bus.join(self._line, pause_ms=self._settings.pause_ms, echoes_unit=self._settings.echoes_unit)
        asked = (self._settings.unit, code, batch.start, batch.count, self._settings.timeout_seconds)
        try:
            words = await self._bus.read(*asked)
        except bus.SilentError:
            if self._failures:
                raise
            words = await self._bus.read(*asked)
        return [(code, batch.start, words)]

    async def _one_by_one(self, code: int, batch: Batch) -> list[Said]:
        """The numbers of a read that the device refused as a whole. From now on it is asked like that."""
        inside = [number for number in numbers(self._profile, code) if batch.holds(number)]
        taken: list[tuple[int, Batch]] = []
        words: list[Said] = []
        for number in inside if len(inside) > 1 else []:
            try:
                words += await self._read(code, number)
                taken.append((code, number))
            except bus.RefusedError as no:
                if not no.unknown_address:
                    raise
        position = self._reads.index((code, batch))
        self._reads[position : position + 1] = taken
        return words

    def _failed(self, trouble: str) -> Reading:
        self._failures += 1
        self._trouble = trouble
        self._reads = planned_reads(self._profile)  # what it refused before may be there when it comes back
        if self._failures > 1:
            rest = min(self._settings.poll_seconds * 2 ** min(self._failures - 2, 8), LONGEST_REST_SECONDS)
            # polls are counted in the plant's time, which a fast clock makes short
            self._rest_until = asyncio.get_running_loop().time() + rest / max(1.0, self._clock.speed)
        return self._no_answer(trouble)

    def _no_answer(self, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)


def numbers(profile: Profile, code: int) -> list[Batch]:
    """All numbers that are read with a function code."""
    return sorted(
        {p for r in profile.registers.values() if profile.code_of(r) == code for p in places(profile, r)},
    )


def planned_reads(profile: Profile) -> Reads:
    """The fewest reads for a profile; those with the counters first, as their time is the time of the reading."""
    reads = [
        (code, batch)
        for code in (3, 4)
        for batch in batches(numbers(profile, code), longest=profile.max_registers, widest_hole=profile.max_hole)
    ]
    counters = [
        (profile.code_of(register), place)
        for name, register in profile.registers.items()
        if KINDS[name] == "energy"
        for place in places(profile, register)
    ]
    return sorted(reads, key=lambda r: not any(code == r[0] and r[1].holds(place) for code, place in counters))


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
