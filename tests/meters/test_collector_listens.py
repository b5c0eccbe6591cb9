"""The collector and meters that speak by themselves: what is told is kept; who stops telling is asked again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from energy.clock import SystemClock
from energy.model.meter import Meter, Reading, ReadingQuality
from meters import collector
from meters.collector import Collector, Told, of_kind
from tests.meters.test_collector import Kept, counting
from tests.meters.wire import meter, run, until


@dataclass
class Telling:
    """A meter that tells so many readings each time it is listened to, and then ends, raises, or is silent."""

    meter: Meter
    ends: Sequence[str] = ("silent",)  # how the first hearing ends, the second …; the last for good
    tells: int = 2
    hearings: int = 0
    told: int = 0
    cancelled: bool = False
    closed: bool = False

    async def listen(self, give: Callable[[Reading], None]) -> None:
        how = self.ends[min(self.hearings, len(self.ends) - 1)]
        self.hearings += 1
        for _ in range(self.tells):
            self.told += 1
            give(Reading(meter=self.meter.id, taken_at=SystemClock().now(), import_kwh=float(self.told)))
        if how == "raises":
            raise ConnectionResetError("the broker is gone")
        if how == "silent":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise

    async def close(self) -> None:
        self.closed = True


def good(kept: Kept, meter: str) -> list[float | None]:
    return [one.import_kwh for one in kept.of(meter) if one.quality is ReadingQuality.GOOD]


def silent(kept: Kept, meter: str) -> list[str]:
    return [one.note for one in kept.of(meter) if one.quality is ReadingQuality.NO_ANSWER]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "FIRST_RETRY_SECONDS", 0.02)


class Acknowledged(Telling):
    """One whose far end waits to hear that its readings are kept."""

    acknowledged = False

    def kept(self, readings: Sequence[Reading]) -> None:
        if self.meter.id == "broken":
            raise RuntimeError("the far end is gone")
        self.safe = [one.import_kwh for one in readings]


def test_a_far_end_that_cannot_be_told_stops_nothing(caplog):
    async def test():
        broken, well = Acknowledged(meter("broken")), Acknowledged(meter("well"))
        asked, kept = counting("asked"), Kept()
        made = [of_kind(one, 0.25) for one in (broken, well, asked)]
        collecting = Collector(made, kept, SystemClock(), batch_seconds=0.05)
        running = asyncio.create_task(collecting.run())
        await until(lambda: len(kept.of("asked")) >= 3)
        collecting.stop()
        await running
        assert well.safe == [1.0, 2.0]
        assert collecting.waiting == 0

    run(test())
    assert "meter broken: 2 readings are kept, but that could not be said" in caplog.text


def test_what_is_told_is_kept_beside_what_is_asked_and_the_end_is_clean():
    async def test():
        asked, telling, kept = counting("asked"), Telling(meter("told")), Kept()
        made = [of_kind(asked, 0.25), of_kind(telling, 0.25)]
        assert [type(one).__name__ for one in made] == ["Polled", "Told"]
        collecting = Collector(made, kept, SystemClock(), batch_seconds=0.05)
        running = asyncio.create_task(collecting.run())
        await until(lambda: kept.of("asked") and len(kept.of("told")) == 2)
        collecting.stop()
        await running
        assert good(kept, "told") == [1.0, 2.0]
        assert telling.cancelled
        assert telling.closed
        assert asked.closed
        assert collecting.kept == len(kept.readings)
        assert (collecting.waiting, collecting.dropped) == (0, 0)

    run(test())


@pytest.mark.parametrize(
    ("how", "note"),
    [
        ("ends", "its listener ended; tried again in"),
        ("raises", "its listener failed: the broker is gone; tried again in"),
    ],
)
def test_a_listener_that_stops_is_a_silent_meter_until_it_is_heard_again(how, note, caplog):
    async def test():
        telling, other, kept = Telling(meter("m"), ends=(how, "silent")), Telling(meter("other")), Kept()
        collecting = Collector([Told(listener=telling), Told(listener=other)], kept, SystemClock(), batch_seconds=0.02)
        running = asyncio.create_task(collecting.run())
        await until(lambda: len(good(kept, "m")) == 4)
        collecting.stop()
        await running
        assert telling.hearings == 2
        assert good(kept, "m") == [1.0, 2.0, 3.0, 4.0]
        assert len(silent(kept, "m")) == 1
        assert silent(kept, "m")[0].startswith(note)
        assert other.hearings == 1  # nobody else was disturbed

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "the listener of meter m" in caplog.text


@dataclass
class Pauses:
    """Stands for asyncio.sleep in the collector: remembers how long was asked for, and waits next to nothing."""

    asked: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await REAL_SLEEP(0)


REAL_SLEEP = asyncio.sleep


@pytest.mark.parametrize(
    ("tells", "pauses"),
    [
        (0, [0.02, 0.04, 0.08, 0.16, 0.2, 0.2]),  # nothing heard: later each time, up to the longest
        (1, [0.02] * 6),  # heard in between: soon
    ],
)
def test_it_is_started_again_later_each_time_unless_it_was_heard(tells, pauses, monkeypatch):
    async def test():
        slept = Pauses()
        monkeypatch.setattr(collector, "LONGEST_RETRY_SECONDS", 0.2)
        monkeypatch.setattr(asyncio, "sleep", slept)
        telling, kept = Telling(meter("m"), ends=("raises",), tells=tells), Kept()
        collecting = Collector([Told(listener=telling)], kept, SystemClock(), batch_seconds=0.01)
        running = asyncio.create_task(collecting.run())
        while telling.hearings < 7:
            await REAL_SLEEP(0)
        collecting.stop()
        await running
        of_listener = [seconds for seconds in slept.asked if seconds != 60.0]  # but between reports
        assert of_listener[:6] == pytest.approx(pauses)

    run(test())


def test_one_that_cannot_be_closed_is_said_and_the_others_are_closed(caplog):
    async def test():
        stuck, other = Telling(meter("stuck")), Telling(meter("other"))

        async def close() -> None:
            raise OSError("no such handle")

        stuck.close = close  # type: ignore[method-assign]
        collecting = Collector([Told(listener=stuck), Told(listener=other)], Kept(), SystemClock())
        collecting.stop()
        await collecting.run()
        assert other.closed

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "meter stuck could not be closed: no such handle" in caplog.text
