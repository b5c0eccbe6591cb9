"""A simulated plant read over real Modbus TCP on a clock that stands still: what every meter says at an instant."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

from energy.clock import Clock
from energy.config import Settings
from energy.model.meter import Reading
from energy.plugins import build
from energy.ports import MeterReader
from meters.modbus import Settings as ModbusSettings
from meters.simulator.server import PowerSource, Simulator


class Wire:
    """Readers of a plant's meters, and the servers that they ask, in a thread of their own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, readers: Sequence[MeterReader]) -> None:
        self._loop, self._readers = loop, readers

    def __call__(self) -> list[Reading]:
        """What all meters say now."""
        return asyncio.run_coroutine_threadsafe(self._ask(), self._loop).result()

    async def _ask(self) -> list[Reading]:
        return list(await asyncio.gather(*(reader.read() for reader in self._readers)))

    async def close(self) -> None:
        await asyncio.gather(*(reader.close() for reader in self._readers))


@contextmanager
def wired(settings: Settings, source: PowerSource, clock: Clock) -> Iterator[Wire]:
    """The meters of a plant behind Modbus TCP servers where its config says they are, until the end of the block."""
    context = settings.context(clock)
    spoken = [(m.meter.id, m.options) for m in settings.meters if isinstance(m.options, ModbusSettings)]
    readers: list[MeterReader] = [build("meters", m.kind, m.options, context) for m in settings.meters]
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="wire", daemon=True)
    thread.start()
    simulator = Simulator(spoken, source, str(settings.folder))
    wire = Wire(loop, readers)
    try:
        asyncio.run_coroutine_threadsafe(simulator.start(), loop).result()
        yield wire
    finally:
        asyncio.run_coroutine_threadsafe(wire.close(), loop).result()
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
