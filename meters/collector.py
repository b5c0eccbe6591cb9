"""The collector: asks every meter at its own cadence or is told by it, and hands the readings to the store in batches."""

import asyncio
import logging
import math
import signal
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from energy.clock import Clock
from energy.model.meter import Reading, ReadingQuality
from energy.ports import Acknowledging, MeterListener, MeterReader

log = logging.getLogger("loadstone.collector")

Sink = Callable[[Sequence[Reading]], None]

QUICKEST_SECONDS = 0.25  # real seconds between two polls of a meter, however fast the plant's clock runs
STAGGER_SECONDS = 3.0  # plant seconds over which the first polls are spread; still "at the edge" of an interval
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


def of_kind(made: MeterReader | MeterListener, seconds: float) -> Polled | Told:
    """What a kind of meter has made, as the collector takes it: asked every so many seconds, or listened to."""
    return Told(listener=made) if isinstance(made, MeterListener) else Polled(reader=made, seconds=seconds)


class Collector:
    """Polls and listens until told to stop. A reading counts as kept only when the sink has returned; a sink that fails is asked
    again with the same readings. What waits is bounded: beyond `most_waiting` the oldest are dropped, loudly.
    (Counters carry on counting: a dropped reading costs the shape of an interval, not its energy.)"""

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
    ) -> None:
        self._polled = tuple(meter for meter in meters if isinstance(meter, Polled))
        self._told = tuple(meter.listener for meter in meters if isinstance(meter, Told))
        self._acknowledging = {told.meter.id: told for told in self._told if isinstance(told, Acknowledging)}
        for told in self._acknowledging.values():
            told.acknowledged = True
        self._sink = sink
        self._clock = clock
        self._batch_seconds = batch_seconds
        self._most_waiting = most_waiting
        self._most_in_batch = most_in_batch
        self._flush_seconds = flush_seconds
        self._waiting: deque[Reading] = deque()
        self._quality: dict[str, ReadingQuality] = {}
        self._batch: tuple[Reading, ...] = ()  # taken from the queue, not yet acknowledged
        self._stop = asyncio.Event()
        self._write_at_once = asyncio.Event()
        self.kept = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Readings that the sink has not acknowledged yet."""
        return len(self._waiting) + len(self._batch)

    def stop(self) -> None:
        """Ask for an end: polls stop, what waits is written, then `run` returns."""
        self._stop.set()
        self._write_at_once.set()

    def stop_on_signals(self) -> None:
        """End cleanly on SIGTERM and Ctrl-C."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, self.stop)

    async def run(self) -> None:
        """Collect until `stop`. Returns when the last reading is written (or could not be, which is said)."""
        polls = [asyncio.create_task(self._poll(meter, i)) for i, meter in enumerate(self._polled)]
        polls += [asyncio.create_task(self._listen(listener)) for listener in self._told]
        writer = asyncio.create_task(self._write())
        try:
            await self._stop.wait()
        finally:
            self.stop()
            for poll in polls:
                poll.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
            await self._last_words(writer)
            await self._close()

    # ---- asking

    async def _poll(self, meter: Polled, position: int) -> None:
        speed = self._clock.speed if self._clock.speed > 0 else 1.0
        period = max(meter.seconds, QUICKEST_SECONDS * speed)  # plant seconds
        offset = position / len(self._polled) * min(STAGGER_SECONDS, period)
        due = self._next_due(period, offset, after=None)
        while True:
            await asyncio.sleep(self._until(due, period) / speed)
            self._take(await self._ask(meter.reader))
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

    async def _close(self) -> None:
        """Let go of all meters. One that cannot even be closed is said, and keeps none of the others open."""
        every: list[MeterReader | MeterListener] = [*(meter.reader for meter in self._polled), *self._told]
        said = await asyncio.gather(*(one.close() for one in every), return_exceptions=True)
        for one, error in zip(every, said, strict=True):
            if error is not None:
                log.error("meter %s could not be closed: %s", one.meter.id, error)

    def _take(self, reading: Reading) -> None:
        self._tell_of_change(reading)
        self._waiting.append(reading)
        if len(self._waiting) > self._most_waiting:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped % 1_000 == 1:
                log.error("more than %d readings wait for the store: %d dropped", self._most_waiting, self.dropped)

    def _tell_of_change(self, reading: Reading) -> None:
        """One line in the log when a meter falls silent, becomes doubtful, or is well again; not one a poll."""
        before = self._quality.get(reading.meter, ReadingQuality.GOOD)
        self._quality[reading.meter] = reading.quality
        if reading.quality is before:
            return
        if reading.quality is ReadingQuality.GOOD:
            log.info("meter %s is well again", reading.meter)
        else:
            log.warning("meter %s, %s: %s", reading.meter, reading.quality, reading.note)

    # ---- keeping

    async def _write(self) -> None:
        """Hand over what waits, until told to stop and nothing waits any more."""
        pause = 1.0
        while not (self._stop.is_set() and self.waiting == 0):
            if not self._stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._write_at_once.wait(), self._batch_seconds)
            if await self._hand_over():
                pause = 1.0
                continue
            log.error("%d readings wait; the store is tried again in %.0f s", self.waiting, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            if self._stop.is_set():
                await asyncio.sleep(0.2)  # the last attempts follow quickly, until `flush_seconds` are over
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    async def _hand_over(self) -> bool:
        """One batch to the sink, in a thread. False where it failed; the batch stays for the next attempt."""
        if not self._batch:
            count = min(len(self._waiting), self._most_in_batch)
            self._batch = tuple(self._waiting.popleft() for _ in range(count))
        if not self._batch:
            return True
        try:
            await asyncio.to_thread(self._sink, self._batch)
        except Exception:
            # Whatever it is (a full disk, a locked database): the readings are still here, and it is said.
            log.exception("the store did not take %d readings", len(self._batch))
            return False
        self.kept += len(self._batch)
        kept, self._batch = self._batch, ()
        self._acknowledge(kept)
        return True

    def _acknowledge(self, kept: Sequence[Reading]) -> None:
        """Say to those whose far end waits for it that their readings are safe."""
        safe: dict[str, list[Reading]] = {}
        for reading in kept if self._acknowledging else ():
            safe.setdefault(reading.meter, []).append(reading)
        for meter, readings in safe.items():
            if meter in self._acknowledging:
                self._acknowledging[meter].kept(readings)

    async def _last_words(self, writer: "asyncio.Task[None]") -> None:
        try:
            async with asyncio.timeout(self._flush_seconds):
                await writer
                while self.waiting and await self._hand_over():
                    pass  # what listeners had half gathered when they were told to end
        except TimeoutError:
            log.error("stopped with %d readings that the store did not take; they are lost", self.waiting)
