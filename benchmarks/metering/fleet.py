"""A thousand meters, each asked once a second by `loadstone collect` with its store attached: is it punctual, and what does
it take?"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.metering.wire import PROFILE, address, server
from energy.model.horizon import Interval

SECONDS = 300.0
START_SECONDS = 20.0  # what a collector may take to come up; not a part of what is measured
SITE = "site: {id: bench, name: Bench, zone: Europe/Berlin, currency: EUR, import_limit_kw: 500000}"
TARIFF = "tariff: {market: day_ahead}"
BILL = "role: settlement, measures: grid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a collector did in the measured time."""

    meters: int
    seconds: float
    polls: int
    missed: int
    late_p50_ms: float
    late_p99_ms: float
    latest_ms: float
    stored: int
    lost: int
    cpu_share: float
    per_second: float  # readings stored in a second of the measured time
    rss_bytes: int
    store_bytes: int


def run(meters: int, seconds: float = SECONDS) -> Ran:
    """Collect from so many meters for so long, and look at the process and at what lies in the store."""
    with tempfile.TemporaryDirectory(prefix="loadstone-bench-") as name, server(meters, seconds + 120) as port:
        folder = Path(name)
        config = folder / "config.yaml"
        config.write_text(plant(meters, port, folder))
        with (folder / "log").open("w") as log:
            command = [sys.executable, "-m", "energy.cli", "collect", "--config", str(config)]
            collector = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            time.sleep(START_SECONDS)
            began, cpu, since = time.monotonic(), cpu_seconds(collector.pid), datetime.now(UTC)
            time.sleep(seconds)
            passed, used = time.monotonic() - began, cpu_seconds(collector.pid) - cpu
            span = Interval(since, datetime.now(UTC))
            memory = rss_bytes(collector.pid)
            collector.send_signal(signal.SIGTERM)
            collector.wait(60)
        finally:
            collector.kill()
            collector.wait()
        said = (folder / "log").read_text()
        return judged(folder, span, meters=meters, seconds=passed, cpu_share=used / passed, rss=memory, said=said)


def plant(meters: int, port: int, folder: Path) -> str:
    """A config.yaml of nothing but meters."""
    told = f"kind: modbus, profile: {PROFILE}, port: {port}, poll_seconds: 1, connection_kw: 500"
    rows = [
        f"  - {{id: m{i:04}, host: {address(i)}, {told}, {'role: sub, measures: other' if i else BILL}}}"
        for i in range(meters)
    ]
    return "\n".join([SITE, TARIFF, f"store: {{url: 'sqlite:///{folder}/store.sqlite'}}", "meters:", *rows, ""])


def judged(folder: Path, span: Interval, *, meters: int, seconds: float, cpu_share: float, rss: int, said: str) -> Ran:
    """What the collector said of itself, beside what really lies in its store."""
    from energy.store import Store

    with Store.open(f"sqlite:///{folder}/store.sqlite", "bench") as store:
        note = store.note("collector")
        if note is None:
            raise RuntimeError(f"the collector did not say how it does:\n{said[-2000:]}")
        stored, within = store.readings.total(), store.readings.count(span)
        size = store.size_bytes()
    pace = note["in_all"]
    kept, lost = json.loads(f"[{said.rsplit('stopped: ', 1)[1].replace(' readings kept, ', ',').replace(' lost', '')}]")
    if stored != kept:
        raise RuntimeError(f"{kept} readings were acknowledged and {stored} lie in the store")
    return Ran(
        meters=meters,
        seconds=seconds,
        polls=pace["polls"],
        missed=pace["missed"],
        late_p50_ms=1000 * pace["late_p50_seconds"],
        late_p99_ms=1000 * pace["late_p99_seconds"],
        latest_ms=1000 * pace["latest_seconds"],
        stored=stored,
        lost=lost,
        cpu_share=cpu_share,
        per_second=within / seconds,
        rss_bytes=rss,
        store_bytes=size,
    )


def cpu_seconds(pid: int) -> float:
    """What a process and all its threads have computed so far, the kernel's part included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """What a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(run(int(sys.argv[1]), float(sys.argv[2])))
