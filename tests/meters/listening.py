"""Listening to one meter for a while, as the collector does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from energy.clock import Clock, SystemClock
from energy.model.meter import Meter, Reading, ReadingQuality
from energy.ports import Acknowledging, Context, MeterListener
from tests.meters.wire import SITE, meter, until


@dataclass
class Heard:
    """What a listener gave so far."""

    listener: MeterListener
    readings: list[Reading] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None

    @property
    def good(self) -> list[Reading]:
        return [r for r in self.readings if r.quality is ReadingQuality.GOOD]

    @property
    def notes(self) -> list[str]:
        return [r.note for r in self.readings if r.quality is ReadingQuality.NO_ANSWER]

    async def until(self, condition: Callable[["Heard"], bool], seconds: float = 30.0) -> None:
        await until(lambda: condition(self) or self.task is None or self.task.done(), seconds)
        if self.task is not None and self.task.done():
            self.task.result()
        assert condition(self), self.readings


def context(of: Meter | None = None, clock: Clock | None = None, **more: object) -> Context:
    return Context(site=SITE, clock=clock or SystemClock(), meters=(of or meter(),), **more)  # type: ignore[arg-type]


@asynccontextmanager
async def listening(listener: MeterListener, *, keeping: bool = True) -> AsyncIterator[Heard]:
    """`keeping`: as the collector does, who says what is kept; else as somebody who only has a look."""
    heard = Heard(listener)
    acknowledging = listener if keeping and isinstance(listener, Acknowledging) else None

    def give(reading: Reading) -> None:
        heard.readings.append(reading)
        if acknowledging is not None:
            acknowledging.kept([reading])

    if acknowledging is not None:
        acknowledging.acknowledged = True
    heard.task = asyncio.create_task(listener.listen(give))
    try:
        yield heard
    finally:
        heard.task.cancel()
        await asyncio.gather(heard.task, return_exceptions=True)
        await listener.close()
