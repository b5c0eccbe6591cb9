"""A meter whose readings come as files, as the collector listens to it.

A file is moved to `done/` when all that it says is kept, so a crash in between reads it again: what is there already is
not kept twice. A file with mistakes is moved to `bad/` with all of them written beside it, and nothing of it is kept.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from energy.errors import ImportFileError, Mistake, MistakesError
from energy.exchange.imported import as_intervals
from energy.exchange.readings import FileMapping, ReadResult, read_intervals, read_stands
from energy.exchange.stamps import Stamps
from energy.model.meter import IntervalEnergy, Meter, Reading, ReadingQuality
from energy.ports import Context
from meters.drop import ENERGIES, Settings
from meters.drop.folder import Folder
from meters.plausible import Watch
from meters.quantities import MAIN
from meters.wanted import Wanted, inside

log = logging.getLogger("loadstone.drop")

AT_ONCE = 2_000  # readings that are given before the first of them is kept
GIVE_AGAIN_SECONDS = 600.0
REPEAT_SECONDS = 300.0  # how often a folder that is not there is said


class DropListener:
    """Gives what the files of a folder say, file by file."""

    def __init__(self, settings: Settings, meter: Meter, context: Context) -> None:
        self.meter = meter
        self.acknowledged = False
        self.keep_intervals: Callable[[Sequence[IntervalEnergy], str], object] | None = None
        self._settings = settings
        self._zone = settings.zone or context.site.zone
        self._clock = context.clock
        self._folder = Folder(Path(context.folder) / settings.folder, settings.pattern, settings.steady_seconds)
        self._watch = Watch(meter, context.last_good.get(meter.id))
        self._unkept: set[datetime] = set()
        self._kept = asyncio.Event()
        self._said_at = float("-inf")

    async def listen(self, give: Callable[[Reading], None]) -> None:
        """Look at the folder until cancelled."""
        heard_at = time.monotonic()
        while True:
            try:
                files = await asyncio.to_thread(self._folder.whole, time.monotonic())
            except OSError as error:
                self._complain(f"the folder {self._folder.path} cannot be read ({error.strerror or error})", give)
                files = []
            for path in files:
                if not await self._take(path, give):
                    break
                heard_at = time.monotonic()
            silent = (time.monotonic() - heard_at) * max(self._clock.speed, 1.0) / 3600
            if silent >= self._settings.silent_after_hours:
                heard_at = time.monotonic()
                give(self._no_answer(f"no file came into {self._folder.path} for {silent:.0f} h"))
            await asyncio.sleep(self._settings.poll_seconds / max(self._clock.speed, 1.0))

    def kept(self, readings: Sequence[Reading]) -> None:
        self._unkept.difference_update(reading.taken_at for reading in readings)
        self._kept.set()

    async def close(self) -> None:
        pass

    async def _take(self, path: Path, give: Callable[[Reading], None]) -> bool:
        """One file. False where it has to wait, and those after it with it."""
        try:
            if self._settings.says == "intervals":
                return await self._take_intervals(path, give)
            readings = await asyncio.to_thread(lambda: list(self._readings(path)))
        except MistakesError as error:
            if self.acknowledged:
                put = await asyncio.to_thread(self._folder.bad, path, error)
                log.error("%s; it lies in %s now, and nothing of it was kept", error, put)
            give(self._no_answer(_brief(error)))
            return True
        if not self.acknowledged:  # somebody only has a look
            for reading in readings[-1:]:
                give(reading)
            return False
        for begin in range(0, len(readings), AT_ONCE):
            await self._give(readings[begin : begin + AT_ONCE], give)
        await asyncio.to_thread(self._folder.done, path)
        log.info("%s: %d readings of meter %s are kept", path.name, len(readings), self.meter.id)
        return True

    async def _give(self, readings: Sequence[Reading], give: Callable[[Reading], None]) -> None:
        """Give readings, and wait until they are kept: more than that must not wait in memory."""
        judged = [self._watch.judge(reading) for reading in readings]
        self._unkept = {reading.taken_at for reading in judged}
        for reading in judged:
            give(reading)
        while self._unkept:
            self._kept.clear()
            try:
                async with asyncio.timeout(GIVE_AGAIN_SECONDS):
                    await self._kept.wait()
            except TimeoutError:  # the collector may have had no more room for them
                for reading in judged:
                    if reading.taken_at in self._unkept:
                        give(reading)

    async def _take_intervals(self, path: Path, give: Callable[[Reading], None]) -> bool:
        if self.keep_intervals is None:
            note = f"{path.name} says energy by interval, which only the collector beside the store can keep"
            self._complain(note, give)
            return False
        intervals = await asyncio.to_thread(self._intervals, path)
        await asyncio.to_thread(self.keep_intervals, intervals, path.name)
        await asyncio.to_thread(self._folder.done, path)
        log.info("%s: %d intervals of meter %s are kept", path.name, len(intervals), self.meter.id)
        return True

    def _intervals(self, path: Path) -> Sequence[IntervalEnergy]:
        mapping = self._mapping()
        read = read_intervals(path, mapping)
        unit = next(iter(self._settings.columns.values())).unit
        rows = as_intervals(read, self.meter, unit=unit, columns=mapping.columns, net=self._settings.net)
        _refuse(path, [*read.bad, *rows.bad], read)
        return rows.intervals

    def _readings(self, path: Path) -> Iterator[Reading]:
        read = read_stands(path, self._mapping())
        _refuse(path, read.bad, read)
        for row in read.rows:
            said = {
                name: inside(name, Wanted(unit=column.unit, scale=column.scale), value)
                for (name, column), value in zip(self._settings.columns.items(), row.values, strict=True)
            }
            values = {name: value for name, value in said.items() if value is not None}
            if values:
                yield Reading(
                    meter=self.meter.id,
                    taken_at=row.start,
                    power_kw=values.get("power"),
                    import_kwh=values.get("total_import"),
                    export_kwh=values.get("total_export"),
                    values=tuple((name, value) for name, value in values.items() if name not in MAIN),
                )

    def _mapping(self) -> FileMapping:
        said = self._settings
        named = said.columns if said.says == "stands" else [name for name in ENERGIES if name in said.columns]
        return FileMapping(
            columns=tuple(said.columns[name].column for name in named),
            time=said.time,
            zone=self._zone,
            stamps=Stamps(said.stamps),
            step_minutes=said.step_minutes,
            decimal=said.decimal or "",
            delimiter=said.delimiter,
            pattern=said.time_format,
        )

    def _complain(self, note: str, give: Callable[[Reading], None]) -> None:
        """Say what stands in the way; not with every look."""
        now = time.monotonic()
        if now - self._said_at >= REPEAT_SECONDS:
            self._said_at = now
            log.error("meter %s: %s", self.meter.id, note)
            give(self._no_answer(note))

    def _no_answer(self, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)


def _refuse(path: Path, bad: Sequence[Mistake], read: ReadResult) -> None:
    """Raise all that is wrong with a file."""
    if bad or not read.rows:
        raise ImportFileError(path.name, bad or [Mistake("file", "has no row")])


def _brief(error: MistakesError) -> str:
    """The first mistakes, for a note."""
    first = "; ".join(map(str, error.mistakes[:3]))
    more = len(error.mistakes) - 3
    return f"{error.source}: {first}{f'; and {more} more' if more > 0 else ''}; it was put into bad/"
