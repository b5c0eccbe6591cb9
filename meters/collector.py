"""The collector: asks every meter at its own cadence or is told by it, and hands the readings to the store in batches."""

import asyncio
import logging
import math
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from energy.clock import Clock
from energy.model.meter import Reading, ReadingQuality
from energy.ports import Acknowledging, MeterListener, MeterReader
from meters.outbox import Outbox, Sink
from meters.pace import Pace

log = logging.getLogger("loadstone.collector")

QUICKEST_SECONDS = 0.25  # real seconds between two polls of a meter, however fast the plant's clock runs
STAGGER_SECONDS = 3.0  # plant seconds over which the first polls are spread; still "at the edge" of an interval
AGAIN_SECONDS = 0.2  # until a task that did not end is told once more to
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A meter to be asked, every so many seconds of plant time."""

    reader: MeterReader
    seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A meter that speaks by itself: over a broker, a subscription, a folder."""

    listener: MeterListener


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the collector does: the polls of the last while and since it began, and what became of the readings."""

    at: datetime
    meters: int
    lately: Pace
    in_all: Pace
    kept: int
    dropped: int
    waiting: int


Report = Callable[[Standing], None]


def of_kind(made: MeterReader | MeterListener, seconds: float) -> Polled | Told:
    """What a kind of meter has made, as the collector takes it: asked every so many seconds, or listened to."""
    return Told(listener=made) if isinstance(made, MeterListener) else Polled(reader=made, seconds=seconds)


class Collector:
    """Polls and listens until told to stop. A meter is never asked again before it has answered; the ticks that pass
    meanwhile are missed, and counted. What became of the readings is the outbox's: kept when the sink has returned,
    asked again where it fails, dropped loudly where too many wait. Every `report_seconds` it says how it does."""

    def __init__(
        self,
        meters: Sequence[Polled | Told],
        sink: Sink,
        clock: Clock,
        *,
        batch_seconds: float = 1.0,
        most_waiting: int = 50_000,
        most_in_batch: int = 2_000,
        flush_seconds: float = 10.0,
        report: Report | None = None,
        report_seconds: float = 60.0,
    ) -> None:
        self._polled = tuple(meter for meter in meters if isinstance(meter, Polled))
        self._told = tuple(meter.listener for meter in meters if isinstance(meter, Told))
        self._acknowledging = {told.meter.id: told for told in self._told if isinstance(told, Acknowledging)}
        for told in self._acknowledging.values():
            told.acknowledged = True
        self._clock = clock
        self._outbox = Outbox(
            sink,
            batch_seconds=batch_seconds,
            most_waiting=most_waiting,
            most_in_batch=most_in_batch,
            flush_seconds=flush_seconds,
            on_kept=self._acknowledge if self._acknowledging else None,
        )
        self._report = report
        self._report_seconds = report_seconds
        self._quality: dict[str, ReadingQuality] = {}
        self._stop = asyncio.Event()
        self._lately, self._before = Pace(), Pace()

    @property
    def kept(self) -> int:
        """Readings that the sink has acknowledged."""
        return self._outbox.kept

    @property
    def dropped(self) -> int:
        """Readings that were given up, as too many waited."""
        return self._outbox.dropped

    @property
    def waiting(self) -> int:
        """Readings that the sink has not acknowledged yet."""
        return len(self._outbox)

    @property
    def missed(self) -> int:
        """Ticks at which a meter was not asked, as its answer to the one before was not there yet."""
        return self._before.missed + self._lately.missed

    def standing(self) -> Standing:
        """How it does now."""
        in_all = Pace()
        in_all.add(self._before)
        in_all.add(self._lately)
        return Standing(
            at=self._clock.now(),
            meters=len(self._polled) + len(self._told),
            lately=self._lately,
            in_all=in_all,
            kept=self.kept,
            dropped=self.dropped,
            waiting=self.waiting,
        )

    def stop(self) -> None:
        """Ask for an end: polls stop, what waits is written, then `run` returns."""
        self._stop.set()

    def stop_on_signals(self) -> None:
        """End cleanly on SIGTERM and Ctrl-C."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, self.stop)

    async def run(self) -> None:
        """Collect until `stop`. Returns when the last reading is written (or could not be, which is said)."""
        tasks = [asyncio.create_task(self._poll(meter, i)) for i, meter in enumerate(self._polled)]
        tasks += [asyncio.create_task(self._listen(listener)) for listener in self._told]
        tasks.append(asyncio.create_task(self._tell_standing()))
        writer = asyncio.create_task(self._outbox.run())
        try:
            await self._stop.wait()
        finally:
            self.stop()
            await ended(tasks)
            await self._outbox.finish(writer)
            await self._say_standing()
            await self._close()

    async def _close(self) -> None:
        """Let go of all meters. One that cannot even be closed is said, and keeps none of the others open."""
        every: list[MeterReader | MeterListener] = [*(meter.reader for meter in self._polled), *self._told]
        said = await asyncio.gather(*(one.close() for one in every), return_exceptions=True)
        for one, error in zip(every, said, strict=True):
            if error is not None:
                log.error("meter %s could not be closed: %s", one.meter.id, error)

    # ---- asking

    async def _poll(self, meter: Polled, position: int) -> None:
        loop = asyncio.get_running_loop()
        speed = self._clock.speed if self._clock.speed > 0 else 1.0
        period = max(meter.seconds, QUICKEST_SECONDS * speed)  # plant seconds
        offset = position / len(self._polled) * min(STAGGER_SECONDS, period)
        due = self._next_due(period, offset, after=None)
        while True:
            pause = self._until(due, period) / speed
            tick = loop.time() + pause
            await asyncio.sleep(pause)
            reading = await self._ask(meter.reader)
            self._take(reading)
            late = loop.time() - tick  # of the machine's uptime: the plant's clock may have been set meanwhile
            if reading.quality is not ReadingQuality.NO_ANSWER:
                self._lately.took(late)
            self._lately.missed += int(late * speed / period)
            due = self._next_due(period, offset, after=due)

    def _next_due(self, period: float, offset: float, after: float | None) -> float:
        """The next tick of this meter: whole periods of plant time, so that polls do not drift and fall on the edges
        of the intervals. Ticks that were missed are skipped."""
        now = self._clock.now().timestamp()
        due = math.ceil((now - offset) / period) * period + offset
        return due + period if due == after else due  # woken a moment early: that tick is done

    def _until(self, due: float, period: float) -> float:
        """Plant seconds until a tick. (A clock that stands still, or that was set, must not hold a meter up.)"""
        if self._clock.speed <= 0:
            return period
        return min(max(due - self._clock.now().timestamp(), 0.0), 2 * period)

    async def _ask(self, reader: MeterReader) -> Reading:
        try:
            return await reader.read()
        except Exception as error:
            # A reader must not raise; one that does is a silent meter, and no reason to stop asking the others.
            log.exception("the reader of meter %s failed; it is asked again", reader.meter.id)
            return self._silent(reader, f"its reader failed: {error}")

    def _silent(self, of: MeterReader | MeterListener, note: str) -> Reading:
        now = self._clock.now()
        return Reading(meter=of.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)

    # ---- being told

    async def _listen(self, listener: MeterListener) -> None:
        """Hear a meter until the end. One that stops speaking to us is asked again, later each time it fails at once;
        meanwhile it is a silent meter."""
        pause = FIRST_RETRY_SECONDS
        while True:
            heard = 0

            def give(reading: Reading) -> None:
                nonlocal heard
                heard += reading.quality is not ReadingQuality.NO_ANSWER
                self._take(reading)

            trouble = await self._hear(listener, give)
            pause = FIRST_RETRY_SECONDS if heard else pause
            self._take(self._silent(listener, f"{trouble}; tried again in {pause:.0f} s"))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    async def _hear(self, listener: MeterListener, give: Callable[[Reading], None]) -> str:
        """Listen until that ends, which it should not; why it did."""
        try:
            await listener.listen(give)
        except Exception as error:
            # A listener reconnects by itself; one that fails all the same is no reason to lose the others.
            log.exception("the listener of meter %s failed; it is started again", listener.meter.id)
            return f"its listener failed: {error}"
        log.error("the listener of meter %s ended; it is started again", listener.meter.id)
        return "its listener ended"

    # ---- what was said

    def _take(self, reading: Reading) -> None:
        if reading.quality is not self._quality.get(reading.meter, ReadingQuality.GOOD):
            self._tell_of_change(reading)
        self._outbox.add(reading)

    def _tell_of_change(self, reading: Reading) -> None:
        """One line in the log when a meter falls silent, becomes doubtful, or is well again; not one a poll."""
        self._quality[reading.meter] = reading.quality
        if reading.quality is ReadingQuality.GOOD:
            log.info("meter %s is well again", reading.meter)
        else:
            log.warning("meter %s, %s: %s", reading.meter, reading.quality, reading.note)

    async def _tell_standing(self) -> None:
        """Say now and then how it goes."""
        while True:
            await asyncio.sleep(self._report_seconds)
            await self._say_standing()

    async def _say_standing(self) -> None:
        """How it goes, in the log and to whoever asked for it."""
        standing = self.standing()
        self._before, self._lately = standing.in_all, Pace()
        log.info("%s", in_words(standing))
        if self._report is not None:
            try:
                await asyncio.to_thread(self._report, standing)
            except Exception:
                # That the store takes nothing is told by the outbox; the next report comes in a minute.
                log.exception("how the collector does could not be told")

    def _acknowledge(self, kept: Sequence[Reading]) -> None:
        """Say to those whose far end waits for it that their readings are safe."""
        safe: dict[str, list[Reading]] = {}
        for reading in kept:
            if reading.meter in self._acknowledging:
                safe.setdefault(reading.meter, []).append(reading)
        for meter, readings in safe.items():
            try:
                self._acknowledging[meter].kept(readings)
            except Exception:
                # They are safe; a far end that was not told says them again. The other meters are told all the same.
                log.exception("meter %s: %d readings are kept, but that could not be said", meter, len(readings))


async def ended(tasks: Sequence["asyncio.Task[None]"]) -> None:
    """End tasks, however often it takes: `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes at the same
    moment as the answer, and the task would go on."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)


def in_words(standing: Standing) -> str:
    """One line for the log."""
    lately, half, most = standing.lately, standing.lately.percentile(0.5), standing.lately.percentile(0.99)
    late = (
        "" if half is None or most is None else f", half within {half * 1000:.0f} ms, 99 % within {most * 1000:.0f} ms"
    )
    return (
        f"{standing.meters} meters: {lately.polls} answers{late}; {lately.missed} ticks missed; "
        f"{standing.waiting} readings wait, {standing.dropped} dropped since the start"
    )


def as_note(standing: Standing) -> dict[str, object]:
    """The same as plain values, as the store keeps it for whoever wants to see how the collector does."""

    def pace(said: Pace) -> dict[str, object]:
        shares = {"late_p50_seconds": 0.5, "late_p99_seconds": 0.99}
        percentiles = {name: said.percentile(share) for name, share in shares.items()}
        return {"polls": said.polls, "missed": said.missed, "latest_seconds": said.latest_seconds, **percentiles}

    return {
        "at": standing.at.isoformat(),
        "meters": standing.meters,
        "kept": standing.kept,
        "dropped": standing.dropped,
        "waiting": standing.waiting,
        "lately": pace(standing.lately),
        "in_all": pace(standing.in_all),
    }
