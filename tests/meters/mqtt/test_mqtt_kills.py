"""The collector killed again and again while a meter publishes, and a file lies in a folder: what the broker keeps is all there
afterwards, once, and so is what the file says.

LOADSTONE_KILLS says how often (once unless said).
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from energy.model.horizon import Interval
from energy.store import Store
from tests.meters.mqtt.mosquitto import PASSWORD, USER, Mosquitto, mosquitto, needs_mosquitto
from tests.meters.wire import run

KILLS = int(os.environ.get("LOADSTONE_KILLS", "1"))
ROOT = Path(__file__).parent.parent.parent.parent
EVERY_SECONDS = 0.01
pytestmark = [needs_mosquitto, pytest.mark.slow, pytest.mark.timeout(120 + 20 * KILLS)]


def plant(folder: Path, broker: Mosquitto) -> Path:
    said = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    said["store"]["url"] = "sqlite:///store.sqlite"
    said["meters"] = [
        {
            "id": "grid",
            "kind": "mqtt",
            "host": "127.0.0.1",
            "port": broker.port,
            "user": USER,
            "password": PASSWORD,
            "topic": "grid/em",
            "time": {"path": "t"},
            "quantities": {"total_import": {"path": "wh", "unit": "Wh"}},
            "role": "settlement",
            "measures": "grid",
            "connection_kw": 1800,
        },
        {
            "id": "roof",
            "kind": "drop",
            "folder": "roof",
            "says": "intervals",
            "columns": {"total_import": {"column": "kWh"}},
            "zone": "UTC",
            "steady_seconds": 0,
            "connection_kw": 400,
        },
    ]
    (folder / "roof").mkdir()
    (folder / "roof" / "day.csv").write_text("time,kWh\n2026-01-05 12:00,1.5\n2026-01-05 12:15,2.5\n")
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(said, allow_unicode=True))
    return config


def collector(config: Path) -> "subprocess.Popen[bytes]":
    """`loadstone collect` in a process of its own."""
    with (config.parent / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", "from energy.cli import main; main()", "collect", "--config", config],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )


async def publish(broker: Mosquitto, began: datetime, ending: asyncio.Event) -> int:
    """A meter that counts 100 Wh a second of its own time, through one mosquitto_pub. Returns how often it spoke."""
    process = await asyncio.create_subprocess_exec(
        *["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-u", USER, "-P", PASSWORD],
        *["-q", "1", "-t", "grid/em", "-l"],
        stdin=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    count = 0
    while not ending.is_set():
        said = {"t": (began + timedelta(seconds=count)).isoformat(), "wh": 100 * count}
        process.stdin.write(json.dumps(said).encode() + b"\n")
        await process.stdin.drain()
        count += 1
        await asyncio.sleep(EVERY_SECONDS)
    process.stdin.close()
    assert await process.wait() == 0
    return count


def test_killed_again_and_again(tmp_path):
    rng = random.Random(7)
    began = datetime(2026, 1, 5, tzinfo=UTC)
    span = Interval(began, began + timedelta(days=60))

    async def test():
        with mosquitto(tmp_path, extra="max_queued_messages 1000000") as broker:
            config = plant(tmp_path, broker)
            store = Store.open(f"sqlite:///{tmp_path}/store.sqlite", "plant-2")
            try:
                first = collector(config)
                async with asyncio.timeout(90):
                    while "connected to the broker" not in (tmp_path / "log").read_text():
                        await asyncio.sleep(0.05)
                ending = asyncio.Event()
                publishing = asyncio.create_task(publish(broker, began, ending))
                running = first
                for _ in range(KILLS):
                    await more(store, span, 50 + rng.randrange(100))
                    os.kill(running.pid, signal.SIGKILL)
                    running.wait()
                    running = collector(config)
                await more(store, span, 50)
                ending.set()
                published = await publishing
                async with asyncio.timeout(90):
                    while store.readings.count(span) < published:
                        await asyncio.sleep(0.1)
                running.send_signal(signal.SIGTERM)
                running.wait(60)
                kept = [r for r in store.readings.of("grid", span) if r.import_kwh is not None]
                print(f"{KILLS} kills, {published} messages: lost {published - len({r.taken_at for r in kept})}, "
                      f"doubled {len(kept) - published}, doubted {sum(not r.quality.counts for r in kept)}")  # fmt: skip
                assert [(r.taken_at, r.import_kwh) for r in kept] == [
                    (began + timedelta(seconds=i), pytest.approx(0.1 * i)) for i in range(published)
                ]
                assert all(r.quality.counts for r in kept)
                # and the file that lay there all the while was taken once, by one of them
                assert [i.import_kwh for i in store.intervals.of("roof", span)] == [1.5, 2.5]
                assert (tmp_path / "roof" / "done" / "day.csv").exists()
            finally:
                store.close()

    run(test(), 100 + 20 * KILLS)


async def more(store: Store, span: Interval, readings: int) -> None:
    """Wait until the store has so many readings more."""
    there = store.readings.count(span)
    async with asyncio.timeout(90):
        while store.readings.count(span) < there + readings:
            await asyncio.sleep(0.1)
