"""Two lines with meters on them, all of whose words are known: a gateway with three units, and a meter elsewhere."""

import asyncio
import struct
from dataclasses import dataclass, field

from energy.model.meter import Meter, Reading, ReadingQuality
from energy.model.site import Site
from energy.ports import Context
from meters.modbus import Settings, build
from meters.modbus_reader import ModbusReader
from tests.meters.faults.loop import LoopClock
from tests.meters.faults.server import Bank, Framing, Server
from tests.meters.wire import meter

SITE = Site(id="s", name="S", zone="Europe/Berlin", currency="EUR", import_limit_kw=1000, export_limit_kw=0)
POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 1.0
VICTIM = 1

# Two blocks of the same length, so that nothing but the order tells their answers apart where there is no transaction.
REGISTERS = {
    "power": {"at": 10, "type": "f32", "unit": "W"},
    "voltage_l1": {"at": 12, "type": "f32", "unit": "V"},
    "voltage_l2": {"at": 14, "type": "f32", "unit": "V"},
    "voltage_l3": {"at": 16, "type": "f32", "unit": "V"},
    "total_import": {"at": 100, "type": "u32", "unit": "Wh", "rollover": 100_000_000},
    "total_export": {"at": 102, "type": "u32", "unit": "Wh", "rollover": 100_000_000},
    "frequency": {"at": 104, "type": "f32", "unit": "Hz"},
    "apparent_power": {"at": 106, "type": "f32", "unit": "VA"},
}
HOLE = 14  # a register in the middle of the first block
CONNECTION_KW = 100.0


def tick() -> int:
    """The how manieth poll it is now; what the meters say changes with it."""
    return int(asyncio.get_running_loop().time() / POLL_SECONDS + 1e-6)


def truth(unit: int, now: int) -> dict[str, float]:
    """What a unit says at a tick, in inside units; no two units and no two ticks say the same."""
    power_kw = 10.0 * unit + 0.25 * (now % 8)
    return {
        "power": power_kw,
        "voltage_l1": 230.0 + 0.125 * (now * 7 % 10),
        "voltage_l2": 231.0 + unit + 0.125 * (now * 3 % 10),
        "voltage_l3": 232.0 + unit + 0.125 * (now * 9 % 10),
        "total_import": 1000.0 * unit + 0.01 * now,
        "total_export": 10.0 * unit + 0.001 * now,
        "frequency": 50.0 + (now * 3 % 16) / 256,
        "apparent_power": power_kw + 1.0,
    }


def words(said: dict[str, float]) -> dict[int, int]:
    """The registers that say it."""
    found: dict[int, int] = {}
    for name, value in said.items():
        at, unit = int(REGISTERS[name]["at"]), REGISTERS[name]["unit"]  # type: ignore[call-overload]
        raw = value * 1000 if unit in ("W", "VA", "Wh") else value
        packed = struct.pack(">f", raw) if REGISTERS[name]["type"] == "f32" else struct.pack(">I", round(raw) % 10**8)
        found |= dict(enumerate(struct.unpack(">2H", packed), at))
    return found


def bank(unit: int) -> Bank:
    """A meter without any fault."""

    def said(code: int, start: int, count: int) -> list[int] | int:
        lying = words(truth(unit, tick()))
        there = [lying.get(at) for at in range(start, start + count)]
        if code != 4:
            return 1
        return 2 if None in there else [word for word in there if word is not None]

    return said


@dataclass
class Asked:
    """A meter that is polled, and what came of it."""

    reader: ModbusReader
    unit: int
    due: int = 0
    kept: int = 0
    wrong: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    async def poll_until(self, stop: asyncio.Event) -> None:
        """Every tick, as the collector does: what is not done when the next one is due costs that one."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            before = tick()
            reading = await self.reader.read()
            after = tick()
            self.readings.append(reading)
            self.due += max(1, after - before)
            self.take(reading, before, after)
            await asyncio.sleep((tick() + 1) * POLL_SECONDS - loop.time() + 1e-4)

    def take(self, reading: Reading, before: int, after: int) -> None:
        if reading.quality is not ReadingQuality.GOOD:
            return
        self.kept += reading.power_kw is not None and reading.import_kwh is not None
        self.wrong += wrong_values(reading, [truth(self.unit, at) for at in range(before, after + 1)])


def told(reading: Reading) -> dict[str, float]:
    """All that a reading says."""
    main = {"power": reading.power_kw, "total_import": reading.import_kwh, "total_export": reading.export_kwh}
    return dict(reading.values) | {name: value for name, value in main.items() if value is not None}


def wrong_values(reading: Reading, possible: list[dict[str, float]]) -> list[str]:
    """The quantities of a reading that the meter never said while it was asked."""
    return [
        f"{name} {value} at {reading.taken_at:%H:%M:%S}, not {possible[0][name]}"
        for name, value in told(reading).items()
        if not any(abs(value - said[name]) < 1e-6 for said in possible)
    ]


def settings(server: Server, unit: int, framing: Framing, **more: object) -> Settings:
    said: dict[str, object] = {
        "host": "127.0.0.1",
        "port": server.port,
        "transport": "tcp" if framing == "tcp" else "rtu-over-tcp",
        "unit": unit,
        "profile": "generic",
        "function_code": 4,
        "registers": REGISTERS,
        "timeout_seconds": TIMEOUT_SECONDS,
        "poll_seconds": POLL_SECONDS,
    }
    return Settings.model_validate(said | more)


def reader(said: Settings, of: Meter | None = None) -> ModbusReader:
    known = of or meter("m", connection_kw=CONNECTION_KW)
    made = build(said, Context(site=SITE, clock=LoopClock(), meters=(known,)))
    assert isinstance(made, ModbusReader)
    return made
