"""One way to read 50 registers of many meters as often as it goes, in a process of its own; says what it took as JSON."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop

from benchmarks.metering.wire import PROFILE, REGISTERS, address

Read = Callable[[], Awaitable[object]]


async def by_pymodbus(port: int, host: int) -> Read:
    """pymodbus as its own documentation shows it."""
    from pymodbus.client import AsyncModbusTcpClient

    client = AsyncModbusTcpClient(address(host), port=port, retries=0, reconnect_delay=0)
    await client.connect()

    async def read() -> object:
        answer = await client.read_holding_registers(0, count=REGISTERS, device_id=1)
        if answer.isError() or len(answer.registers) != REGISTERS:
            raise ValueError(f"{address(host)}: {answer}")
        return answer.registers

    return read


async def by_loadstone(port: int, host: int) -> Read:
    """The reader of Loadstone: registers to quantities, judged, with their time, as the collector gets them."""
    from energy.clock import SystemClock
    from energy.model.meter import Measures, Meter, ReadingQuality, Role
    from meters.modbus import Settings
    from meters.modbus_reader import ModbusReader

    meter = Meter(id=f"m{host}", name="m", role=Role.SUB, measures=Measures.OTHER, connection_kw=500.0)
    settings = Settings(host=address(host), port=port, profile=str(PROFILE), timeout_seconds=5)
    reader = ModbusReader(meter, settings, settings.table(), SystemClock())

    async def read() -> object:
        reading = await reader.read()
        if reading.quality is not ReadingQuality.GOOD:
            raise ValueError(f"{address(host)}: {reading.note}")
        return reading

    return read


async def measure(way: Callable[[int, int], Awaitable[Read]], port: int, connections: int, seconds: float) -> str:
    """Read over all connections at once, one request at a time on each, until the time is over."""
    reads = [await way(port, host) for host in range(connections)]
    for read in reads:
        await read()
    end = time.perf_counter() + seconds
    done = 0

    async def one(read: Read) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await read()
            done += 1

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(read) for read in reads))
    passed, used = time.perf_counter() - began, time.process_time() - cpu
    return json.dumps({"reads": done, "seconds": passed, "cpu_seconds": used})


WAYS = {
    "pymodbus": (by_pymodbus, asyncio.new_event_loop),
    "pymodbus-uvloop": (by_pymodbus, uvloop.new_event_loop),
    "loadstone": (by_loadstone, uvloop.new_event_loop),
}


def main() -> None:
    name, port, connections, seconds = sys.argv[1:]
    way, loop = WAYS[name]
    with asyncio.Runner(loop_factory=loop) as runner:
        print(runner.run(measure(way, int(port), int(connections), float(seconds))))


if __name__ == "__main__":
    main()
