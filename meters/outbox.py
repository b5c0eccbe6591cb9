"""What the collector has heard and the store has not taken yet: handed over in batches, bounded, and never let go quietly."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from energy.model.meter import Reading

log = logging.getLogger("loadstone.collector")

Sink = Callable[[Sequence[Reading]], None]

LONGEST_RETRY_SECONDS = 30.0


class Outbox:
    """Readings wait here for the sink. They count as kept only when it has returned; a sink that fails is asked again
    with the same readings. Beyond `most_waiting` the oldest are dropped, loudly. (Counters carry on counting: a dropped
    reading costs the shape of an interval, not its energy.)"""

    def __init__(
        self,
        sink: Sink,
        *,
        batch_seconds: float,
        most_waiting: int,
        most_in_batch: int,
        flush_seconds: float,
        on_kept: Sink | None = None,
    ) -> None:
        self._sink = sink
        self._on_kept = on_kept  # told, on the loop, of the readings that the sink has taken
        self._batch_seconds = batch_seconds
        self._most_waiting = most_waiting
        self._most_in_batch = most_in_batch
        self._flush_seconds = flush_seconds
        self._waiting: deque[Reading] = deque()
        self._batch: tuple[Reading, ...] = ()  # taken from the queue, not yet acknowledged
        self._stop = asyncio.Event()
        self.kept = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._batch)

    def add(self, reading: Reading) -> None:
        """Let a reading wait for the next batch."""
        self._waiting.append(reading)
        if len(self._waiting) > self._most_waiting:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped % 1_000 == 1:
                log.error("more than %d readings wait for the store: %d dropped", self._most_waiting, self.dropped)

    async def run(self) -> None:
        """Hand over what waits, until told to finish and nothing waits any more."""
        pause = 1.0
        while not (self._stop.is_set() and len(self) == 0):
            if len(self._waiting) < self._most_in_batch:  # else there is a backlog to work off
                await self._unless_stopped(self._batch_seconds)
            if await self._hand_over():
                pause = 1.0
                continue
            log.error("%d readings wait; the store is tried again in %.0f s", len(self), pause)
            await self._unless_stopped(pause)
            if self._stop.is_set():
                await asyncio.sleep(0.2)  # the last attempts follow quickly, until `flush_seconds` are over
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    async def finish(self, running: "asyncio.Task[None]") -> None:
        """Write what still waits at once; what the store does not take in time is lost, and that is said."""
        self._stop.set()
        try:
            await asyncio.wait_for(running, self._flush_seconds)
        except TimeoutError:
            log.error("stopped with %d readings that the store did not take; they are lost", len(self))

    async def _unless_stopped(self, seconds: float) -> None:
        if not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)

    async def _hand_over(self) -> bool:
        """One batch to the sink, in a thread. False where it failed; the batch stays for the next attempt."""
        if not self._batch:
            count = min(len(self._waiting), self._most_in_batch)
            self._batch = tuple([self._waiting.popleft() for _ in range(count)])
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
        if self._on_kept is not None:
            self._on_kept(kept)
        return True
