"""The processes that the kill test kills: the real collector, the real edge box, the real door, and meters that count.

Collector and box write down what was acknowledged to them, on disk before they go on, so that it can be looked for later.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from energy.model.meter import Reading
from energy.twin.stand import Stand

BASE_KWH = 100.0
POWER_KW = 3_000.0  # so much that no two readings of a counter are alike
PROFILE = "eastron-sdm630"


class SideLog:
    """One line for each reading that was acknowledged. A line that was cut off by a kill was not written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        whole = sum(len(line) + 1 for line in self.lines(path))
        if path.exists():
            os.truncate(path, whole)
        self._file = path.open("a", encoding="ascii")

    def write(self, readings: Sequence[Reading]) -> None:
        self._file.write(
            "".join(f"{r.meter} {r.taken_at.isoformat()} {r.import_kwh!r} {r.quality.name}\n" for r in readings)
        )
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    @staticmethod
    def lines(path: Path) -> list[str]:
        return path.read_text(encoding="ascii").split("\n")[:-1] if path.exists() else []


def stand_at(seconds: float) -> float:
    """What the counter of every meter says so many seconds after the epoch of the test, kWh."""
    return BASE_KWH + POWER_KW * seconds / 3600.0


class Counting:
    """Meters whose counters are a function of the time of the machine."""

    def __init__(self, began: float) -> None:
        self._began = began

    def stand(self, meter: str) -> Stand:
        del meter
        return Stand(stand_at(time.time() - self._began), 0.0, POWER_KW)


def simulate(folder: Path, port: int, meters: Sequence[str], began: float) -> None:
    """Modbus TCP meters; the one process that is not killed, as no meter is."""
    from meters.modbus import Settings
    from meters.simulator.server import Simulator

    spoken = [
        (meter, Settings.model_validate({"host": "127.0.0.1", "port": port, "unit": unit, "profile": PROFILE}))
        for unit, meter in enumerate(meters, 1)
    ]

    async def live() -> None:
        simulator = Simulator(spoken, Counting(began), str(folder))
        await simulator.start()
        (folder / "simulated").touch()
        await asyncio.Event().wait()

    asyncio.run(live())


def collect(folder: Path) -> None:
    """`loadstone collect`, with a side log."""
    from meters import bus, collector, modbus_reader
    from meters.commands import collect as command

    side = SideLog(folder / "collector.log")
    bus.LONGEST_PAUSE_SECONDS = modbus_reader.LONGEST_REST_SECONDS = 1.0  # type: ignore[attr-defined]  # no time to wait
    outbox = collector.Outbox  # type: ignore[attr-defined]

    def with_side_log(sink: Callable[[Sequence[Reading]], None], **more: float) -> object:
        def keep(readings: Sequence[Reading]) -> None:
            sink(readings)
            side.write(readings)

        return outbox(keep, **more)

    collector.Outbox = with_side_log  # type: ignore[attr-defined]
    command(["--config", str(folder / "config.yaml")], standalone_mode=False)


def box(folder: Path) -> None:
    """`loadstone edge`, with a side log."""
    from meters import bus, modbus_reader
    from meters.edge import sender
    from meters.edge.buffer import Buffer
    from meters.edge.commands import edge as command

    side = SideLog(folder / "edge.log")
    bus.LONGEST_PAUSE_SECONDS = modbus_reader.LONGEST_REST_SECONDS = 1.0  # type: ignore[attr-defined]
    sender.LONGEST_PAUSE = 1.0
    add = Buffer.add

    def with_side_log(self: Buffer, readings: Sequence[Reading]) -> None:
        add(self, readings)
        side.write(readings)

    Buffer.add = with_side_log  # type: ignore[method-assign]
    command(["--config", str(folder / "edge.yaml")], standalone_mode=False)


def door(folder: Path) -> None:
    """`loadstone api`."""
    from energy.api.commands import api as command

    command(["--config", str(folder / "config.yaml")], standalone_mode=False)


ROLES: dict[str, Callable[[Path], None]] = {"collector": collect, "box": box, "door": door}


def become(role: str, folder: str, token: str) -> None:
    """This process becomes a role; what it says goes into a file."""
    with (Path(folder) / f"{role}.out").open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.environ["LOADSTONE_EDGE_TOKEN"] = os.environ["LOADSTONE_TOKEN_HALL_3"] = token
    logging.getLogger().handlers.clear()
    print(f"--- {role} {datetime.now(UTC):%H:%M:%S.%f}", flush=True)
    ROLES[role](Path(folder))
