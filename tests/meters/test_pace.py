"""How punctual the collector is: lateness told to a tenth, missed ticks counted, and both said each while."""

import asyncio
import logging
from types import SimpleNamespace

import pytest

from energy.clock import SystemClock
from meters.collector import Collector, Polled, Standing, as_note
from meters.commands import commit_seconds
from meters.pace import Pace
from tests.meters.test_collector import Kept, counting
from tests.meters.wire import run, until


def test_percentiles_are_right_to_a_tenth():
    pace = Pace()
    assert pace.percentile(0.5) is None
    for millisecond in range(1, 1001):
        pace.took(millisecond / 1000)
    assert pace.percentile(0.5) == pytest.approx(0.5, rel=0.1)
    assert pace.percentile(0.99) == pytest.approx(0.99, rel=0.1)
    assert pace.percentile(1.0) == pace.latest_seconds == 1.0
    assert pace.polls == 1000


def test_what_is_on_time_or_hours_late_has_its_place_too():
    pace = Pace()
    for late in (-0.001, 0.0, 0.0005):
        pace.took(late)
    assert pace.percentile(1.0) == 0.0005
    pace.took(1e6)
    assert pace.percentile(1.0) == pytest.approx(0.001 * 1.1**159)


def test_counts_add_up():
    one, other = Pace(), Pace()
    one.took(0.002)
    other.took(0.5)
    other.missed = 3
    one.add(other)
    assert (one.polls, one.missed, one.latest_seconds) == (2, 3, 0.5)
    assert one.percentile(0.5) == pytest.approx(0.002, rel=0.1)


def test_ticks_that_pass_while_a_meter_is_asked_are_counted_and_told(caplog):
    async def test():
        told: list[Standing] = []
        slow = counting("slow", hang_seconds=0.6)
        collecting = Collector(
            [Polled(reader=slow, seconds=0.25)], Kept(), SystemClock(), report=told.append, report_seconds=0.05
        )
        running = asyncio.create_task(collecting.run())
        await until(lambda: len(slow.asked) >= 2 and told and told[-1].in_all.polls >= 1)
        collecting.stop()
        await running
        assert collecting.missed >= 2 * (len(slow.asked) - 1) >= 2
        assert told[-1].in_all.missed == collecting.missed  # the last word comes at the end
        assert sum(one.lately.polls for one in told) == told[-1].in_all.polls
        note = as_note(told[-1])
        assert note["in_all"]["late_p50_seconds"] >= 0.5
        assert (note["meters"], note["waiting"]) == (1, 0)

    with caplog.at_level(logging.INFO):
        run(test())
    assert "ticks missed" in caplog.text


def test_a_report_that_fails_ends_nothing(caplog):
    async def test():
        one, kept = counting("a"), Kept()

        def report(standing: Standing) -> None:
            raise OSError("database is locked")

        collecting = Collector(
            [Polled(reader=one, seconds=0.25)], kept, SystemClock(), report=report, report_seconds=0.05
        )
        running = asyncio.create_task(collecting.run())
        await until(lambda: len(one.asked) >= 2)
        collecting.stop()
        await running
        assert len(kept.readings) == len(one.asked)

    with caplog.at_level(logging.ERROR):
        run(test())
    assert "could not be told" in caplog.text


@pytest.mark.parametrize(
    ("meters", "seconds", "commit"), [(5, 10.0, 1.0), (600, 1.0, 3.0), (1000, 1.0, 5.0), (5000, 1.0, 5.0)]
)
def test_many_meters_are_written_less_often(meters, seconds, commit):
    assert commit_seconds([SimpleNamespace(seconds=seconds)] * meters) == pytest.approx(commit)
