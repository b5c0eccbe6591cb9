"""`collect` and `simulate` as the command line runs them: config, real Modbus, a real store."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.build import open_store
from energy.clock import SpeedClock
from energy.config import load_settings
from energy.errors import LoadstoneError
from energy.metering import intervals
from energy.model.horizon import Horizon, Interval
from energy.model.meter import Quality, ReadingQuality
from energy.twin.stand import Stand
from meters.commands import _clock, _collect, _simulate
from meters.modbus import Settings as ModbusSettings
from tests.meters.wire import Fixed, free_port, run, simulator, until

PLANT = """
site: {{id: p, name: Plant, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900, export_limit_kw: 0, country: DE,
  machines: [{{id: press-1, name: Press 1, group: presses, rated_kw: 110, idle_kw: 9}}]}}
tariff: {{fixed_per_kwh: 0.2}}
store: {{url: "sqlite:///loadstone.sqlite"}}
schedule: {{clock: clock.json}}
meters:
  - {{id: grid, name: Grid, kind: modbus, profile: siemens-pac, host: 127.0.0.1, port: {port}, unit: 1, poll_seconds: 15,
     role: settlement, measures: grid, connection_kw: 900}}
  - {{id: m-press, name: Press, kind: modbus, profile: abb-b23, host: 127.0.0.1, port: {port}, unit: 2, poll_seconds: 15,
     role: sub, measures: machine, machine: press-1, connection_kw: 160}}
twin: {{seed: 7}}
"""


@pytest.fixture
def plant(tmp_path: Path):
    (tmp_path / "config.yaml").write_text(PLANT.format(port=free_port()))
    SpeedClock(datetime(2026, 5, 19, 6, 0, tzinfo=UTC), datetime.now(UTC), 60).save(tmp_path / "clock.json")
    return load_settings(tmp_path / "config.yaml")


async def collect_for(settings, enough) -> None:
    """Run the collector until `enough`, then end it as a supervisor does."""
    collecting = asyncio.create_task(_collect(settings))
    try:
        await until(enough, 15)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(collecting, 10)
    finally:
        collecting.cancel()


def test_collect_keeps_what_the_meters_say(plant):
    async def test():
        source = Fixed(of={"grid": Stand(5000.0, 1.0, 300.0), "m-press": Stand(70.0, 0.0, 9.0)})
        spoken = [(m.meter.id, m.options) for m in plant.meters]
        store = open_store(plant)
        everything = Interval(plant.clock().now() - timedelta(days=1), plant.clock().now() + timedelta(days=9))
        async with simulator(*spoken, source=source):
            await collect_for(plant, lambda: store.readings.count(everything) >= 6)
        kept = {meter: store.readings.of(meter, everything) for meter in ("grid", "m-press")}
        for meter, readings in kept.items():
            assert {one.quality for one in readings} == {ReadingQuality.GOOD}
            assert {(one.import_kwh, one.power_kw) for one in readings} == {
                (source.of[meter].import_kwh, source.of[meter].power_kw)
            }
        assert dict(kept["grid"][0].values)["frequency"] == 50.0

    run(test(), 60)


def test_the_simulated_plant_is_collected_into_intervals_that_add_up(plant):
    """Twin → Modbus → collector → store → intervals, at six hundred times the speed of life."""

    async def test():
        living = asyncio.create_task(_simulate(plant, _clock(plant, 600)))
        store = open_store(plant)
        began = plant.clock().now()
        everything = Interval(began - timedelta(days=1), began + timedelta(days=9))
        hour = timedelta(minutes=50)
        collecting = asyncio.create_task(_collect(plant))
        try:
            await until(
                lambda: any(
                    one.taken_at > began + hour and one.quality is ReadingQuality.GOOD
                    for one in store.readings.latest().values()
                ),
                30,
            )
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
        for said in plant.meters:
            assert isinstance(said.options, ModbusSettings)
            readings = [
                one for one in store.readings.of(said.meter.id, everything) if one.quality is ReadingQuality.GOOD
            ]
            edges = Horizon(began.replace(minute=0, second=0, microsecond=0), 8)
            made = intervals(readings, said.meter, edges)
            assert len(made) >= 2
            assert Quality.MISSING not in {one.quality for one in made}
            counted = readings[-1].import_kwh - readings[0].import_kwh
            assert 0 <= sum(one.import_kwh for one in made) <= counted + 1e-6
        assert (plant.folder / "var" / "orders" / "jobs.csv").exists()

    run(test(), 60)


def test_the_config_knows_what_a_profile_of_your_own_says(tmp_path):
    text = PLANT.format(port=502).replace("profile: abb-b23", "profile: acme.yaml")
    (tmp_path / "config.yaml").write_text(text)
    (tmp_path / "acme.yaml").write_text(
        "{name: Acme, registers: {total_import: {at: 0, type: u32, unit: kWh, rollover: 1000000}}}"
    )
    known = load_settings(tmp_path / "config.yaml").meters[1].meter
    assert (known.rollover_kwh, known.confidence, known.single_source) == (1e6, "your own", False)
    (tmp_path / "acme.yaml").write_text("{name: Acme, registers: {total_imort: {at: 0, type: u32, unit: kWh}}}")
    with pytest.raises(LoadstoneError, match=r"meters\[1\].*did you mean 'total_import'"):
        load_settings(tmp_path / "config.yaml")


def test_another_speed_is_the_same_time_for_all_processes(plant):
    before = plant.clock().now()
    made = _clock(plant, 600)
    assert made.speed == plant.clock().speed == 600
    assert timedelta(0) <= plant.clock().now() - before < timedelta(hours=2)


def test_another_speed_needs_a_clock_that_all_go_by(plant):
    from dataclasses import replace

    alone = replace(plant, schedule=replace(plant.schedule, clock=None))
    with pytest.raises(LoadstoneError, match="--speed needs `schedule"):
        _clock(alone, 60)
