"""Asks one SunSpec device, and says what came back as a Reading."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from energy.clock import Clock
from energy.errors import MeterError
from energy.model.meter import Meter, Reading, ReadingQuality
from meters import bus
from meters.batching import Batch, batches
from meters.line import Line
from meters.modbus_reader import as_wired
from meters.plausible import Watch, steady_seconds
from meters.quantities import MAIN
from meters.sunspec.chain import CODE, Model, discover
from meters.sunspec.tables import Table, tables
from meters.sunspec.values import extent, frame, quantities

if TYPE_CHECKING:
    from meters.sunspec import Settings

SHORTEST_READ = 16


class ChangedError(MeterError):
    """Where a model was, there is none or another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The registers of a model, from its id on, and when it said them."""

    model: Model
    table: Table
    words: Sequence[int]
    at: datetime
    steady: float | None  # on the clock that nobody can set


class SunSpecReader:
    """One unit on a bus. Its models are looked for when it is first asked, and again after it was away or has another
    model where one was: firmware and settings move them. Values and their powers of ten come in one read."""

    def __init__(
        self,
        meter: Meter,
        settings: "Settings",
        clock: Clock,
        line: Line | None = None,
        seed: Reading | None = None,
    ) -> None:
        self.meter = meter
        self.poll_seconds = settings.poll_seconds
        self.models: tuple[Model, ...] = ()  # those that are read
        self._settings = settings
        self._clock = clock
        self._line = line or settings.line()
        self._longest = settings.max_registers
        self._bus: bus.Bus | None = None
        self._watch = Watch(meter, seed)

    async def read(self) -> Reading:
        try:
            said = await self._ask()
        except MeterError as trouble:
            self.models = ()
            return self._no_answer(str(trouble))
        values = self._values(said)
        if not set(MAIN) & set(values):
            return self._no_answer("the device answers, but has neither power nor counters to tell")
        return self._judged(said, values)

    async def close(self) -> None:
        if self._bus is not None:
            bus.leave(self._bus)
            self._bus = None

    async def _ask(self) -> list[Said]:
        if self.models:
            try:
                return [await self._model(model) for model in self.models]
            except (ChangedError, bus.RefusedError) as changed:
                if isinstance(changed, bus.RefusedError) and not changed.unknown_address:
                    raise
                self.models = ()
        return await self._choose(await discover(self._joined(), self._unit, timeout=self._settings.timeout_seconds))

    async def _choose(self, found: Sequence[Model]) -> list[Said]:
        """The first models that will do and that have something to tell."""
        said: list[Said] = []
        for ids in self._settings.wanted(self.meter):
            there = {m.id: m for m in reversed(found) if m.instance >= self._settings.instance}
            pinned = [there[id] for id in ids if id in there]
            if not pinned or pinned[0].id != ids[0] or pinned[0].instance != self._settings.instance:
                continue
            said = [await self._model(model) for model in pinned]
            if set(MAIN) & set(self._values(said)):
                self.models = tuple(pinned)
                return said
        if said:
            return said
        raise MeterError(self._not_there(found))

    def _not_there(self, found: Sequence[Model]) -> str:
        ids = ", ".join(str(model.id) for model in found) or "none"
        wanted = " or ".join(str(ids[0]) for ids in self._settings.wanted(self.meter))
        which = f", number {self._settings.instance} of its kind" if self._settings.instance > 1 else ""
        return f"the device has the SunSpec models {ids}, but not {wanted}{which}: say what it is with `reads`"

    async def _model(self, model: Model) -> Said:
        """A model in as few reads as the device takes, whole and of one moment."""
        table = tables().of(model.id)
        if table is None:
            raise ChangedError(f"model {model.id} is not known")
        while True:
            try:
                words = await self._words(model, extent(table, model.length), frame(table))
                break
            except bus.RefusedError as no:
                if not no.unknown_address or self._longest <= SHORTEST_READ:
                    raise
                self._longest = max(SHORTEST_READ, self._longest // 2)
        if list(words[:2]) != [model.id, model.length]:
            raise ChangedError(f"where model {model.id} was, there is another one now")
        return Said(model=model, table=table, words=words, at=self._clock.now(), steady=steady_seconds(self._clock))

    async def _words(self, model: Model, count: int, meaning: Sequence[int]) -> list[int]:
        """The registers of a model from its id on. Where they do not fit into one read, those that give the others
        their meaning are read before and after: what changed in between would make wrong numbers of right ones."""
        starts = range(0, count, self._longest)
        before = await self._meaning(model, count, meaning) if len(starts) > 1 else {}
        words = [word for start in starts for word in await self._read(model, start, min(count - start, self._longest))]
        after = await self._meaning(model, count, meaning) if len(starts) > 1 else {}
        if before != after or any(words[offset] != word for offset, word in before.items()):
            raise ChangedError(f"model {model.id} changed while it was read")
        return words

    async def _meaning(self, model: Model, count: int, meaning: Sequence[int]) -> dict[int, int]:
        """The id, length and powers of ten of a model, with the fewest reads."""
        singles = [Batch(offset, 1) for offset in meaning if offset < count]
        found: dict[int, int] = {}
        for batch in batches(singles, longest=self._longest, widest_hole=self._longest):
            found |= dict(enumerate(await self._read(model, batch.start, batch.count), batch.start))
        return {offset: found[offset] for offset in meaning if offset in found}

    async def _read(self, model: Model, offset: int, count: int) -> list[int]:
        """One read; a device that answered until now gets a second chance."""
        asked = (self._unit, CODE, model.address + offset, count, self._settings.timeout_seconds)
        try:
            return await self._joined().read(*asked)
        except bus.SilentError:
            if not self.models:
                raise
            return await self._joined().read(*asked)

    def _joined(self) -> bus.Bus:
        if self._bus is None:
            said = self._settings
            self._bus = bus.join(self._line, pause_ms=said.pause_ms, echoes_unit=said.echoes_unit)
        return self._bus

    @property
    def _unit(self) -> int:
        return self._settings.asked_unit

    def _values(self, said: Sequence[Said]) -> dict[str, float]:
        """All that the models tell; where two tell the same, the first counts."""
        values: dict[str, float] = {}
        for one in said:
            values = quantities(one.table, one.words, whole_counters=self._settings.whole_counters) | values
        return as_wired(values, self._settings.ct_ratio, self._settings.invert)

    def _judged(self, said: Sequence[Said], values: dict[str, float]) -> Reading:
        judged = self._watch.judge(
            Reading(
                meter=self.meter.id,
                taken_at=said[0].at,
                power_kw=values.get("power"),
                import_kwh=values.get("total_import"),
                export_kwh=values.get("total_export"),
                values=tuple((name, value) for name, value in values.items() if name not in MAIN),
            ),
            said[0].steady,
        )
        return judged if judged.quality is ReadingQuality.GOOD else replace(judged, raw=_raw(said))

    def _no_answer(self, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)


def _raw(said: Sequence[Said]) -> str:
    """What lay on the wire: function code and address to the 16 bits."""
    return json.dumps(
        {f"{CODE}:{one.model.address + i}": word for one in said for i, word in enumerate(one.words)},
        separators=(",", ":"),
    )
