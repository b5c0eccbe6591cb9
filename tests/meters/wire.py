"""Real Modbus on free loopback ports, for the tests of the wire."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from energy.clock import SystemClock
from energy.model.meter import Measures, Meter, Reading, Role
from energy.model.site import Site
from energy.ports import Context
from energy.twin.stand import Stand
from meters.modbus import Settings, build
from meters.modbus_reader import ModbusReader
from meters.simulator.server import Simulator

SITE = Site(id="s", name="S", zone="Europe/Berlin", currency="EUR", import_limit_kw=1000, export_limit_kw=0)


def free_port() -> int:
    """A port that nobody listens on, outside of the range from which the system takes ports for clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def meter(id: str = "m", connection_kw: float = 500.0, rollover_kwh: float | None = None) -> Meter:
    return Meter(
        id=id,
        name=id,
        role=Role.SUB,
        measures=Measures.MACHINE,
        connection_kw=connection_kw,
        rollover_kwh=rollover_kwh,
    )


def settings(port: int, unit: int = 1, profile: str = "eastron-sdm630", **more: object) -> Settings:
    said = {"timeout_seconds": 2.0, "poll_seconds": 0.3} | more
    return Settings.model_validate({"host": "127.0.0.1", "port": port, "unit": unit, "profile": profile, **said})


def reader(said: Settings, of: Meter | None = None) -> ModbusReader:
    made = build(said, Context(site=SITE, clock=SystemClock(), meters=(of or meter(),)))
    assert isinstance(made, ModbusReader)
    return made


@dataclass
class Fixed:
    """A power source that says what the test wrote down; a meter without an entry says the default."""

    default: Stand = field(default_factory=lambda: Stand(1000.0, 20.0, 100.0))
    of: dict[str, Stand] = field(default_factory=dict)

    def stand(self, meter: str) -> Stand:
        return self.of.get(meter, self.default)


@asynccontextmanager
async def simulator(*meters: tuple[str, Settings], source: Fixed | None = None) -> AsyncIterator[Simulator]:
    made = Simulator(meters, source or Fixed())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def raw_server(port: int, answer: Callable[[bytes], bytes | None]) -> AsyncIterator[None]:
    """A server that answers each request with whatever bytes the test wants (b"": nothing); None: it hangs up."""

    async def serve(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        try:
            while request := await incoming.read(12):
                said = answer(request)
                if said is None:
                    break
                outgoing.write(said)
                await outgoing.drain()
        except ConnectionError:
            pass  # the client hung up; that is its right
        finally:
            outgoing.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something to become true, but not for ever."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def read_once(said: Settings, of: Meter | None = None) -> Reading:
    made = reader(said, of)
    try:
        return await made.read()
    finally:
        await made.close()


def run(test: Awaitable[None], seconds: float = 20.0) -> None:
    """Run a test in a loop of its own, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await test

    asyncio.run(bounded())
