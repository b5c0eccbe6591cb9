"""A day without network: how long an edge box with fifty meters takes to hand over what it kept, and what that costs.

    python -m benchmarks.metering.offline

The buffer is filled as the collector does (a batch a second's worth of meters, each on disk before the next), then handed to
the real door, which runs in a process of its own on a SQLite store, once at the rate that is set by default and once as fast
as it goes.
"""

import argparse
import multiprocessing
import random
import secrets
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.metering.kills import free_ports
from energy.http import client
from energy.model.meter import Reading
from energy.store import Store
from meters.edge.buffer import Buffer
from meters.edge.sender import Sender

QUANTITIES = ("voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "current_l2", "current_l3", "frequency")
DEFAULT_PER_SECOND = 5_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpResult:
    """What one day took. Rates are readings a second of wall time; CPU is of the box and of the centre, in seconds."""

    readings: int
    buffer_mb: float
    fill_seconds: float
    per_second: float  # as it was set
    seconds: float
    box_cpu: float
    centre_cpu: float
    kept: int

    def row(self) -> str:
        rate = f"{self.per_second:,.0f}" if self.per_second < 1e6 else "as fast as it goes"
        return (
            f"| {self.readings:,} | {self.buffer_mb:.0f} MB | {rate} | {self.seconds:.0f} s | "
            f"{self.readings / self.seconds:,.0f} | {self.box_cpu:.1f} s | {self.centre_cpu:.1f} s |"
        )


HEADER = (
    "| readings | buffer | a second, at most | handed over in | a second | CPU of the box | CPU of the centre |\n"
    "|---|---|---|---|---|---|---|"
)


def day(meters: int, hours: float, seconds: float) -> list[list[Reading]]:
    """What fifty meters say, poll by poll, oldest first."""
    chance = random.Random(7)
    end = datetime.now(UTC)
    polls = int(hours * 3600 / seconds)
    made = []
    for poll in range(polls):
        at = end - timedelta(seconds=(polls - poll) * seconds)
        made.append(
            [
                Reading(
                    meter=f"m-{n}",
                    taken_at=at + timedelta(milliseconds=n),
                    import_kwh=1000.0 + poll * 0.05 + n,
                    export_kwh=0.0,
                    power_kw=chance.uniform(10.0, 30.0),
                    values=tuple((name, round(chance.uniform(1.0, 240.0), 2)) for name in QUANTITIES),
                )
                for n in range(meters)
            ]
        )
    return made


def serve(folder: str, port: int, token: str, meters: int) -> None:
    """The door, in a process of its own."""
    from energy.api.serve import server
    from energy.config import load_settings

    lines = "\n".join(f"  - {{id: m-{n}, kind: edge, box: hall-3, connection_kw: 100}}" for n in range(meters))
    lines = lines.replace("id: m-0, ", "id: m-0, role: settlement, measures: grid, ", 1)
    config = Path(folder) / "config.yaml"
    config.write_text(
        "site: {id: p, name: P, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900}\ntariff: {fixed_per_kwh: 0.2}\n"
        f"store: {{url: 'sqlite:///store.sqlite'}}\napi: {{port: {port}, boxes: [{{name: hall-3}}]}}\nmeters:\n{lines}\n"
    )
    made, _ = server(load_settings(config, {"LOADSTONE_TOKEN_HALL_3": token}))
    made.run()
    (Path(folder) / "cpu").write_text(str(time.process_time()))


def run(
    *, meters: int = 50, hours: float = 24.0, poll_seconds: float = 10.0, per_second: float = DEFAULT_PER_SECOND
) -> CatchUpResult:
    """Fill a buffer with a day, hand it over, and count what came."""
    with tempfile.TemporaryDirectory(prefix="loadstone-offline-", ignore_cleanup_errors=True) as folder:
        token, (port,) = secrets.token_urlsafe(32), free_ports(1)
        began = time.monotonic()
        buffer = Buffer(Path(folder) / "edge.sqlite", max_bytes=2 * 10**9)
        rows = day(meters, hours, poll_seconds)
        for poll in rows:
            buffer.add(poll)
        filled = time.monotonic() - began
        centre = multiprocessing.get_context("spawn").Process(
            target=serve, args=(folder, port, token, meters), daemon=True
        )
        centre.start()
        try:
            with closing(buffer), closing(client()) as way:
                url = f"http://127.0.0.1:{port}"
                sender = Sender(buffer, way, name="hall-3", centre=url, token=token, per_second=per_second)
                _until_open(sender, buffer)
                began, cpu = time.monotonic(), time.process_time()
                while buffer.backlog().waiting:
                    time.sleep(sender.turn())
                seconds, box_cpu = time.monotonic() - began, time.process_time() - cpu
                size = sum(part.stat().st_size for part in Path(folder).glob("edge.sqlite*"))
        finally:
            centre.terminate()
            centre.join(30)
        with closing(Store.open(f"sqlite:///{Path(folder) / 'store.sqlite'}", "p")) as store:
            kept = store.readings.total()
        return CatchUpResult(
            readings=sum(map(len, rows)),
            buffer_mb=size / 1e6,
            fill_seconds=filled,
            per_second=per_second,
            seconds=seconds,
            box_cpu=box_cpu,
            centre_cpu=float((Path(folder) / "cpu").read_text()),
            kept=kept,
        )


def _until_open(sender: Sender, buffer: Buffer) -> None:
    """Wait for the door: an outage ends when the first batch arrives."""
    deadline = time.monotonic() + 300  # it starts from nothing, on whatever machine
    waiting = buffer.backlog().waiting
    while buffer.backlog().waiting == waiting:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the door does not open: {buffer.backlog().trouble}")
        sender.turn()
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metering.offline", description=__doc__.split("\n")[0])
    parser.add_argument("--meters", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24.0)
    asked = parser.parse_args()
    print(HEADER)
    good = True
    for per_second in (DEFAULT_PER_SECOND, 1e6):
        result = run(meters=asked.meters, hours=asked.hours, per_second=per_second)
        good &= result.kept == result.readings
        print(result.row(), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
