"""The collector: cadence, dead meters, a store that fails, and a clean end."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import pytest

from energy.clock import Clock, HeldClock, SpeedClock, SystemClock
from energy.model.meter import Meter, Reading, ReadingQuality
from meters.collector import Collector, Polled
from tests.meters.wire import free_port, meter, raw_server, reader, run, settings, simulator, until


@dataclass
class Kept:
    """A sink that remembers, and fails when told to."""

    readings: list[Reading] = field(default_factory=list)
    calls: int = 0
    failing: bool = False
    thread: int = 0

    def __call__(self, readings: Sequence[Reading]) -> None:
        self.calls += 1
        self.thread = threading.get_ident()
        if self.failing:
            raise OSError("no space left on device")
        self.readings += readings

    def of(self, meter: str) -> list[Reading]:
        return [one for one in self.readings if one.meter == meter]


@dataclass
class Counting:
    """A meter that answers at once, or hangs, or breaks the rules and raises."""

    meter: Meter
    clock: Clock
    hang_seconds: float = 0.0
    raises: bool = False
    asked: list[float] = field(default_factory=list)
    closed: bool = False

    async def read(self) -> Reading:
        await asyncio.sleep(self.hang_seconds)
        self.asked.append(time.monotonic())
        if self.raises:
            raise ZeroDivisionError("not my day")
        return Reading(meter=self.meter.id, taken_at=self.clock.now(), import_kwh=float(len(self.asked)))

    async def close(self) -> None:
        self.closed = True


def counting(id: str, clock: Clock | None = None, **more) -> Counting:
    return Counting(meter(id), clock or SystemClock(), **more)


async def collect(collector: Collector, seconds: float) -> None:
    running = asyncio.create_task(collector.run())
    await asyncio.sleep(seconds)
    collector.stop()
    await running


def test_everything_polled_is_kept_once_and_readers_are_closed():
    async def test():
        meters, kept = [counting("a"), counting("b")], Kept()
        collector = Collector([Polled(reader=m, seconds=0.25) for m in meters], kept, SystemClock(), batch_seconds=0.2)
        await collect(collector, 1.3)
        assert collector.kept == len(kept.readings) >= 4
        assert (collector.waiting, collector.dropped) == (0, 0)
        for one in meters:
            assert [r.import_kwh for r in kept.of(one.meter.id)] == [float(k + 1) for k in range(len(one.asked))]
            assert one.closed
        assert kept.calls < len(kept.readings)  # in batches
        assert kept.thread != threading.get_ident()  # and not in the loop's thread

    run(test())


def test_polls_fall_on_whole_periods_of_plant_time_and_do_not_drift():
    async def test():
        slow = counting("a", hang_seconds=0.1)
        kept = Kept()
        await collect(Collector([Polled(reader=slow, seconds=0.5)], kept, SystemClock()), 2.2)
        late = [one.taken_at.timestamp() % 0.5 - 0.1 for one in kept.readings]
        assert len(late) >= 2
        assert median(late) == pytest.approx(0.0, abs=0.15)

    run(test())


def test_at_speed_the_polls_come_faster_but_not_below_a_quarter_second():
    async def test():
        clock = SpeedClock(datetime(2026, 5, 18, tzinfo=UTC), datetime.now(UTC), 60)
        often, seldom = counting("often", clock), counting("seldom", clock)
        polled = [Polled(reader=often, seconds=1), Polled(reader=seldom, seconds=30)]
        await collect(Collector(polled, Kept(), clock), 2.1)
        assert 4 <= len(often.asked) <= 9  # every 0.25 s, though a plant second is 0.017 s
        assert 2 <= len(seldom.asked) <= 5  # 30 plant seconds are 0.5 s

    run(test())


def test_on_a_clock_that_stands_still_polls_go_on_in_real_time():
    async def test():
        clock = HeldClock(datetime(2026, 5, 18, tzinfo=UTC))
        one = counting("a", clock)
        await collect(Collector([Polled(reader=one, seconds=0.25)], Kept(), clock), 0.9)
        assert 1 <= len(one.asked) <= 4

    run(test())


def gaps(kept: Kept, meter: str) -> list[float]:
    """Seconds between the good readings of a meter."""
    good = [one.taken_at for one in kept.of(meter) if one.quality is ReadingQuality.GOOD]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(good)]


def test_a_dead_host_does_not_touch_the_cadence_of_a_live_meter():
    async def test():
        live, dead = settings(free_port()), settings(free_port(), timeout_seconds=2.5)
        kept = Kept()
        async with simulator(("live", live)), raw_server(dead.port, lambda request: b""):
            polled = [
                Polled(reader=reader(dead, meter("dead")), seconds=0.25),
                Polled(reader=reader(live, meter("live")), seconds=0.25),
            ]
            await collect(Collector(polled, kept, SystemClock(), batch_seconds=0.1), 3.2)
        found = gaps(kept, "live")
        assert len(found) >= 4
        assert max(found) < 2.4  # a poll that waited for the dead one would have taken 2.5 s
        assert median(found) == pytest.approx(0.25, abs=0.15)

    run(test())


def test_a_dead_unit_holds_a_shared_bus_only_for_its_first_attempts():
    async def test():
        port = free_port()
        live, dead = settings(port, unit=1), settings(port, unit=2, timeout_seconds=0.2, poll_seconds=5)
        kept = Kept()
        async with simulator(("live", live), ("dead", dead)) as plant:
            plant.faults.dead.add("dead")
            polled = [
                Polled(reader=reader(dead, meter("dead")), seconds=0.25),
                Polled(reader=reader(live, meter("live")), seconds=0.25),
            ]
            await collect(Collector(polled, kept, SystemClock(), batch_seconds=0.1), 3.2)
        assert len(gaps(kept, "live")) >= 4
        assert median(gaps(kept, "live")) == pytest.approx(0.25, abs=0.15)
        assert {one.quality for one in kept.of("dead")} == {ReadingQuality.NO_ANSWER}
        assert len(kept.of("dead")) >= 3  # that it is silent is said at its own cadence

    run(test())


def test_a_reader_that_raises_is_a_silent_meter(caplog):
    async def test():
        bad, good, kept = counting("bad", raises=True), counting("good"), Kept()
        polled = [Polled(reader=bad, seconds=0.25), Polled(reader=good, seconds=0.25)]
        await collect(Collector(polled, kept, SystemClock()), 0.8)
        assert len(kept.of("good")) >= 1
        assert {one.quality for one in kept.of("bad")} == {ReadingQuality.NO_ANSWER}
        assert kept.of("bad")[0].note == "its reader failed: not my day"

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "the reader of meter bad failed" in caplog.text


def test_a_meter_that_falls_silent_and_comes_back_is_told_once(caplog):
    async def test():
        one = counting("a")
        collecting = Collector([Polled(reader=one, seconds=0.25)], Kept(), SystemClock())
        running = asyncio.create_task(collecting.run())
        for raises in (False, True, False):
            one.raises = raises
            asked = len(one.asked)
            await until(lambda asked=asked: len(one.asked) >= asked + 2)
        collecting.stop()
        await running

    with caplog.at_level(logging.INFO):
        run(test())
    told = [line.message for line in caplog.records if line.message.startswith("meter a")]
    assert told == ["meter a, no answer: its reader failed: not my day", "meter a is well again"]


def test_a_store_that_fails_loses_nothing(caplog):
    async def test():
        one, kept = counting("a"), Kept(failing=True)
        collector = Collector([Polled(reader=one, seconds=0.25)], kept, SystemClock(), batch_seconds=0.1)
        running = asyncio.create_task(collector.run())
        await asyncio.sleep(0.8)
        assert collector.kept == 0
        assert collector.waiting >= 1
        kept.failing = False
        await until(lambda: collector.kept >= 3)
        collector.stop()
        await running
        assert [r.import_kwh for r in kept.readings] == [float(k + 1) for k in range(len(one.asked))]

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "the store did not take" in caplog.text


def test_what_waits_is_bounded_and_the_oldest_goes_loudly(caplog):
    async def test():
        one, kept = counting("a"), Kept(failing=True)
        collector = Collector(
            [Polled(reader=one, seconds=0.25)],
            kept,
            SystemClock(),
            batch_seconds=0.05,
            most_waiting=2,
            most_in_batch=1,
            flush_seconds=0.3,
        )
        await collect(collector, 2.1)
        assert collector.dropped >= 1
        assert collector.waiting <= 3
        assert collector.kept == 0

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "more than 2 readings wait for the store" in caplog.text
    assert "they are lost" in caplog.text


def test_what_waits_is_written_at_the_end():
    async def test():
        one, kept = counting("a"), Kept()
        collector = Collector([Polled(reader=one, seconds=0.25)], kept, SystemClock(), batch_seconds=60)
        await collect(collector, 0.8)
        assert len(kept.readings) == len(one.asked) >= 1

    run(test())


def test_a_poll_that_swallows_its_cancellation_is_ended_all_the_same():
    async def test():
        one = counting("a")
        waiting, swallowed = asyncio.Event(), False

        async def read() -> Reading:
            """As pymodbus under Python 3.11, whose wait_for lets a cancellation go that comes together with the answer."""
            nonlocal swallowed
            waiting.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed = True
            return Reading(meter="a", taken_at=SystemClock().now())

        one.read = read  # type: ignore[method-assign]
        collecting = Collector(
            [Polled(reader=one, seconds=30)], Kept(), HeldClock(datetime(2026, 5, 18, tzinfo=UTC), 200.0)
        )
        running = asyncio.create_task(collecting.run())
        await waiting.wait()
        collecting.stop()
        await running
        assert swallowed
        assert one.closed

    run(test())


STOPPED_BY_SIGNAL = """
import asyncio, sys
from energy.clock import SystemClock
from meters.collector import Collector, Polled
from tests.meters.test_collector import counting

class Telling:
    def __init__(self, reader):
        self.reader, self.meter = reader, reader.meter

    async def read(self):
        reading = await self.reader.read()
        print("polled", flush=True)
        return reading

    async def close(self):
        await self.reader.close()

def keep(readings):
    for one in readings:
        print("kept", int(one.import_kwh), flush=True)

async def main():
    one = counting("a")
    collector = Collector([Polled(reader=Telling(one), seconds=0.25)], keep, SystemClock(), batch_seconds=30)
    collector.stop_on_signals()
    print("running", flush=True)
    await collector.run()
    print("asked", len(one.asked), flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(sign):
    child = subprocess.Popen([sys.executable, "-c", STOPPED_BY_SIGNAL], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert [child.stdout.readline() for _ in range(4)] == ["running\n", *["polled\n"] * 3]
        os.kill(child.pid, sign)
        said, _ = child.communicate(timeout=10)
    finally:
        child.kill()
    *kept, asked = [line for line in said.split("\n")[:-1] if line != "polled"]
    assert child.returncode == 0
    assert kept == [f"kept {k + 1}" for k in range(int(asked.removeprefix("asked ")))]
    assert len(kept) >= 3
