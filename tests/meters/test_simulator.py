import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.clock import HeldClock
from energy.errors import MeterError
from energy.model.horizon import Horizon
from energy.model.meter import ReadingQuality
from energy.model.series import Series
from energy.ports import Context
from energy.twin.stand import Stand
from meters.modbus import build
from meters.simulator.replay import LoadReplay
from meters.simulator.server import Simulator
from tests.meters.wire import SITE, Fixed, free_port, meter, read_once, run, settings, simulator

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


def test_several_meters_of_different_profiles_behind_one_address():
    async def test():
        port = free_port()
        one = settings(port, unit=1, profile="siemens-pac")
        two = settings(port, unit=7, profile="carlo-gavazzi-em340")
        source = Fixed(of={"one": Stand(10.0, 0.0, 50.0), "two": Stand(20.0, 0.0, 60.0)})
        async with simulator(("one", one), ("two", two), source=source) as plant:
            assert plant.addresses == (f"127.0.0.1:{port}",)
            first, second = await asyncio.gather(read_once(one), read_once(two))
        assert (first.import_kwh, first.power_kw) == (10.0, 50.0)
        assert (second.import_kwh, second.power_kw) == (20.0, 60.0)

    run(test())


def test_a_unit_that_is_not_there_does_not_answer():
    async def test():
        said = settings(free_port(), unit=1)
        async with simulator(("m", said)):
            reading = await read_once(settings(said.port, unit=9, timeout_seconds=0.3))
        assert reading.quality is ReadingQuality.NO_ANSWER
        assert "unit 9 did not answer" in reading.note

    run(test())


def test_counters_only_count_up_whatever_the_model_says():
    async def test():
        source = Fixed(Stand(100.0, 5.0, 1.0))
        said = settings(free_port())
        async with simulator(("m", said), source=source):
            await read_once(said)
            source.default = Stand(99.0, 4.0, 2.0)
            reading = await read_once(said)
        assert (reading.import_kwh, reading.export_kwh, reading.power_kw) == (100.0, 5.0, 2.0)

    run(test())


def test_a_model_that_fails_is_a_broken_meter(caplog):
    class Broken:
        def stand(self, meter: str) -> Stand:
            raise KeyError(meter)

    async def test():
        said = settings(free_port())
        made = Simulator([("m", said)], Broken())
        await made.start()
        reading = await read_once(said)
        await made.stop()
        assert "exception 4" in reading.note

    run(test())
    assert "the simulated meter m has nothing to say" in caplog.text


def test_an_address_that_is_taken_is_named():
    async def test():
        said = settings(free_port())
        async with simulator(("m", said)):
            with pytest.raises(MeterError, match=f"cannot listen on 127.0.0.1:{said.port}"):
                await Simulator([("m", said)], Fixed()).start()

    run(test())


# ---- a measured load, replayed

LOAD = Series.of(Horizon(NOON, 4), [100.0, 40.0, -20.0, 0.0], "kW")


@pytest.mark.parametrize(
    ("minute", "stand"),
    [
        (-5, Stand(0.0, 0.0, 0.0)),  # not begun
        (0, Stand(0.0, 0.0, 100.0)),
        (6, Stand(10.0, 0.0, 100.0)),
        (15, Stand(25.0, 0.0, 40.0)),
        (30, Stand(35.0, 0.0, -20.0)),
        (36, Stand(35.0, 2.0, -20.0)),
        (45, Stand(35.0, 5.0, 0.0)),
        (60, Stand(35.0, 5.0, 0.0)),  # over
        (600, Stand(35.0, 5.0, 0.0)),
    ],
)
def test_a_replayed_load(minute, stand):
    found = LoadReplay({"m": LOAD}, HeldClock(NOON + timedelta(minutes=minute))).stand("m")
    assert (found.import_kwh, found.export_kwh, found.power_kw) == (
        pytest.approx(stand.import_kwh),
        pytest.approx(stand.export_kwh),
        stand.power_kw,
    )


def test_a_load_with_gaps_is_refused():
    gappy = Series(LOAD.horizon, np.array([1.0, np.nan, 2.0, np.nan]), "kW")
    with pytest.raises(ValueError, match=r"meter m has 2 gaps, the first at 2026-05-18T12:15"):
        LoadReplay({"m": gappy}, HeldClock(NOON))


def test_a_replayed_load_goes_over_the_wire_into_the_same_intervals():
    """Series → counter → Modbus → readings → intervals: the energy of each slot comes back."""
    from energy.metering import intervals

    async def test():
        clock = HeldClock(NOON)
        said = settings(free_port(), profile="siemens-pac")
        made = Simulator([("m", said)], LoadReplay({"m": LOAD}, clock))
        await made.start()
        asking = build(said, Context(site=SITE, clock=clock, meters=(meter(),)))
        readings = []
        for minute in range(0, 61, 5):
            clock.move_to(NOON + timedelta(minutes=minute))
            readings.append(await asking.read())
        await asking.close()
        await made.stop()
        found = intervals(readings, meter(), LOAD.horizon)
        assert [one.net_kw for one in found] == pytest.approx(list(LOAD.values), abs=1e-6)
        assert [one.max_power_kw for one in found] == [100.0, 40.0, -20.0, 0.0]

    run(test())
