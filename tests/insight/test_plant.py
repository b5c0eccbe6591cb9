"""Insight on the simulated plant: from counters and job runs through the store to what the screens say."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from energy.build import service_of
from energy.clock import HeldClock, day_bounds
from energy.commands.machines import machines
from energy.config import load_settings
from energy.errors import LoadstoneError
from energy.model.horizon import Horizon
from energy.model.insight import DriftOf, PowerState
from energy.model.meter import Reading
from energy.model.series import PRICE_DAY_AHEAD, Series
from energy.reports.attention import worn
from energy.service import LoadstoneService
from energy.twin.history import history

ROOT = Path(__file__).parents[2]
START, WORN, END = (datetime(2026, 5, 1, 22, tzinfo=UTC) + timedelta(days=n) for n in (0, 20, 31))
WEAR = 1.08
KEPT = ("grid", "m-furnace-2", "m-press-1", "m-compressors")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config of the demo, with learned power used in plans."""
    path = Path(tmp_path_factory.mktemp("plant")) / "config.yaml"
    path.write_text((ROOT / "config.yaml").read_text().replace("machines:", "learned_profiles: used\n  machines:", 1))
    return path


@pytest.fixture(scope="module")
def plant(config: Path):
    """A month of the plant of the demo; furnace 2 takes 8 % more for its work in the last eleven days."""
    settings = load_settings(config, {})
    service = service_of(settings, HeldClock(END + timedelta(hours=3)))
    meters = [m.meter for m in settings.meters if m.meter.id in KEPT]
    past = history(settings.site, meters, settings.calendar, seed=7, start=START, end=END)
    store = service.house.store
    store.readings.add([r for r in past.readings if r.meter != "m-furnace-2"])
    store.readings.add(with_wear([r for r in past.readings if r.meter == "m-furnace-2"]))
    store.jobs.reconcile(past.jobs, START, complete=False)
    store.runs.put(past.runs)
    hours = Horizon.between(START - timedelta(days=1), END + timedelta(days=1))
    store.series.add(PRICE_DAY_AHEAD, Series.constant(hours, 0.08, "EUR/kWh"), known_at=START, source="test")
    service.collect()
    service.learn_due()
    yield service
    store.close()


def with_wear(readings: list[Reading]) -> list[Reading]:
    """The counter of a machine that takes more for its work (what it draws above idle) from a day on."""
    stands = np.array([r.import_kwh for r in readings])
    above = np.maximum(0.0, np.diff(stands, prepend=stands[0]) - 18.0 / 4)
    late = np.array([r.taken_at > WORN for r in readings])
    more = np.cumsum(np.where(late, (WEAR - 1) * above, 0.0))
    return [
        replace(r, import_kwh=r.import_kwh + e, power_kw=None) for r, e in zip(readings, more.tolist(), strict=True)
    ]


def test_the_worn_furnace_is_found_and_nothing_else(plant: LoadstoneService) -> None:
    found = plant.house.store.learned.drifts()
    assert {d.machine for d in found} == {"furnace-2"}
    (drift,) = [d for d in found if d.of is DriftOf.WORK]
    assert drift.size == pytest.approx(WEAR - 1, abs=0.015)
    assert drift.size_low < WEAR - 1 < drift.size_high
    assert drift.since_first <= WORN + timedelta(days=3) and drift.since_last >= WORN
    assert abs(drift.since - WORN) <= timedelta(days=3)
    assert drift.confidence > 0.99


def test_the_overview_asks_for_a_hand(plant: LoadstoneService) -> None:
    (line,) = worn(plant.house.store, plant.house.rules)
    assert line.title == "Furnace 2 needs more energy for the same work"
    assert line.view == "machines" and "since about" in line.detail


def test_profiles_follow_the_orders_and_since_the_drift_the_worn_machine(plant: LoadstoneService) -> None:
    profiles = plant.house.store.learned.profiles()
    press = [p for (machine, *_), p in profiles.items() if machine == "press-1"]
    assert len(press) == 4 and all(p.runs >= 5 and p.spread < 0.04 for p in press)
    assert all(np.mean(p.p50) == pytest.approx(1.0, abs=0.03) for p in press)  # as typed in: that is how it is made
    worn_since = [p for (machine, *_), p in profiles.items() if machine == "furnace-2" and p.drifting]
    assert all(np.mean(p.p50) == pytest.approx(WEAR, abs=0.03) for p in worn_since)


def test_a_week_of_the_page_adds_up(plant: LoadstoneService) -> None:
    page = plant.machines_page("2026-W19")
    start, end = day_bounds(date(2026, 5, 4), "Europe/Berlin")[0], page.span.end
    assert page.span.start == start and (end - start) == timedelta(days=7)
    lines = {line.id: line for line in page.lines}
    furnace = lines["furnace-2"]
    metered = plant.house.store.intervals.power("m-furnace-2", Horizon.between(start, end))[0]
    assert furnace.kwh == pytest.approx(float(metered.values.sum()) / 4, rel=1e-6)
    assert sum(e.hours for e in furnace.energy) == pytest.approx(168)
    assert furnace.levels is not None and furnace.levels.idle_kw == pytest.approx(18.0, rel=0.05)
    # Idle at 18 kW while it is on, 6.3 kW when it is off; fees and market: 0.1282 EUR/kWh.
    assert furnace.waste_money == pytest.approx(0.1282 * furnace.waste_kwh, rel=1e-3)
    assert 0 < furnace.waste_kwh < next(e.kwh for e in furnace.energy if e.state is PowerState.IDLE)
    assert furnace.advice and furnace.advice[0].text.startswith("switch off between")
    assert lines["m-compressors"].name == "Compressors"
    assert "Press 2" not in page.unmetered  # it has a meter, though nothing was read from it


def test_a_machine_on_its_own(plant: LoadstoneService) -> None:
    page = plant.machine_page("furnace-2")
    assert page.used == "used"
    assert len(page.work) > 30 and all(w.against_typed is not None for w in page.work)
    assert page.line.drifts
    with pytest.raises(LoadstoneError, match="known: furnace-1"):
        plant.machine_page("lathe")
    with pytest.raises(LoadstoneError, match="write it like 2026-W24"):
        plant.machines_page("last week")


@pytest.mark.usefixtures("plant")
def test_the_command_prints_the_week_and_json(config: Path) -> None:
    told = CliRunner().invoke(machines, ["--config", str(config)], catch_exceptions=False)
    assert "Furnace 2 needs more energy for the same work" in told.output
    press = CliRunner().invoke(machines, ["--config", str(config), "--machine", "press-1"], catch_exceptions=False)
    assert "Learned power above idle, used:" in press.output and "No drift found." in press.output
    asked = ["--config", str(config), "--week", "2026-W19", "--json"]
    said = json.loads(CliRunner().invoke(machines, asked, catch_exceptions=False).output)
    assert said["week"] == "2026-W19" and len(said["machines"]) == 8
    assert said["drifts"][0]["machine"] == "furnace-2"
