"""Learn, the verb: on the frozen week's plant, from its counters to the record of a machine and day."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from energy.clock import day_bounds
from energy.model.horizon import Interval
from energy.model.insight import Basis, Detail, LearnedProfile, MachineDay, PowerState
from energy.model.site import LearnedProfiles
from energy.steps.learn import learn
from tests.loop.plant import ZONE, SmallPlant, at, oven_job, press_job

SUN, MON, TUE, WED = (date(2026, 10, 25) + timedelta(days=n) for n in range(4))


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory):
    """Sunday with 25 hours to Tuesday night: each day both jobs run, the oven at 08:00, the press at 09:00."""
    made = SmallPlant(Path(tmp_path_factory.mktemp("learn")), start=SUN)
    made.publish(SUN - timedelta(days=1), WED)
    made.order(*(job(day) for day in (MON, TUE) for job in (oven_job, press_job)))
    for day in (MON, TUE):
        made.ran(f"oven-{day:%d}", "oven", at(day, 8))
        made.ran(f"press-{day:%d}", "press", at(day, 9))
    made.live_to(at(WED, 1, 30))
    assert made.service.learn_due() == TUE
    yield made
    made.store.close()


def record(plant: SmallPlant, machine: str, day: date) -> MachineDay:
    (found,) = plant.store.machine_days.of(day, day, machine)
    return found


def test_a_working_day_by_hand(plant: SmallPlant) -> None:
    oven = record(plant, "oven", MON)
    assert oven.detail is Detail.INTERVALS and "interval means" in oven.notes[0]
    # 10 kW for 24 h and 200 kW on top from 08:00 to 10:00, at 0.30 there
    assert oven.kwh == pytest.approx(640)
    running, idle = oven.state(PowerState.RUNNING), oven.state(PowerState.IDLE)
    assert (running.hours, running.kwh) == (pytest.approx(2), pytest.approx(420))
    assert running.money == pytest.approx(126)
    # idle: 6–8 and 10–12 at 0.30, 12–14 at 0.10, the 16 others at 0.20
    assert (idle.hours, idle.kwh) == (pytest.approx(22), pytest.approx(220))
    assert idle.money == pytest.approx(10 * (4 * 0.3 + 2 * 0.1 + 16 * 0.2))
    (cycle,) = oven.cycles
    assert (cycle.job, cycle.product, cycle.kwh) == ("oven-26", "oven parts", pytest.approx(420))
    (run,) = oven.runs
    assert run.kwh == pytest.approx(400) and run.typed_kwh == pytest.approx(400)
    # Never seen off, so all of the 10 kW could be spared; half an hour before the run is its restart.
    assert sum(w.kwh for w in oven.waste) == pytest.approx(215)


def test_a_day_of_25_hours_has_25(plant: SmallPlant) -> None:
    press = record(plant, "press", SUN)
    assert sum(e.hours for e in press.energy) == pytest.approx(25)
    # The first slot of all has no counter stand before it: a quarter of an hour is unknown, the rest at 5 kW.
    assert press.state(PowerState.UNKNOWN).hours == pytest.approx(0.25)
    assert press.kwh == press.state(PowerState.IDLE).kwh == pytest.approx(24.75 * 5)


def test_the_same_again_writes_nothing_and_late_readings_a_new_version(plant: SmallPlant) -> None:
    assert plant.service.learn_due() == TUE
    assert plant.store.machine_days.versions("oven", TUE) == 1
    before = record(plant, "oven", TUE)
    late = [v for v in plant.store.intervals.of("m-oven", Interval(*day_bounds(TUE, ZONE))) if v.start == at(TUE, 20)]
    plant.store.intervals.put([replace(late[0], import_kwh=5.0)], plant.clock.now() + timedelta(hours=1))
    plant.service.learn_due()
    assert plant.store.machine_days.versions("oven", TUE) == 2
    assert record(plant, "oven", TUE).kwh == pytest.approx((before.kwh or 0) + 2.5)


def test_a_dead_meter_is_unknown(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path, start=SUN)
    plant.publish(SUN - timedelta(days=1), WED)
    plant.dead["m-oven"] = [(at(MON, 12), at(MON, 18))]
    plant.ran("x", "oven", at(MON, 8))
    plant.live_to(at(TUE, 1, 30))
    plant.service.learn_due()
    oven = record(plant, "oven", MON)
    plant.store.close()
    assert oven.state(PowerState.UNKNOWN).hours == pytest.approx(6, abs=0.6)
    assert oven.known_share == pytest.approx(0.75, abs=0.03)
    assert any("unknown" in note for note in oven.notes)
    assert oven.state(PowerState.OFF).hours == 0


def test_learning_needs_no_price(plant: SmallPlant) -> None:
    house = plant.service.house
    far = date(2026, 11, 20)
    made = learn(
        plant.store, site=house.site, calendar=house.calendar, tariff=house.tariff, day=far, now=plant.clock.now()
    )
    assert {r.detail for r in made} == {Detail.NOTHING}  # of machines that were heard before: a day nobody knows
    assert all(r.energy == () and r.waste == () and r.kwh is None for r in made)


@pytest.mark.parametrize(("setting", "oven_kw"), [(LearnedProfiles.SHOWN, 200.0), (LearnedProfiles.USED, 190.0)])
def test_a_plan_is_made_with_what_the_plant_believes(tmp_path: Path, setting: LearnedProfiles, oven_kw: float) -> None:
    plant = SmallPlant(tmp_path, start=SUN)
    house = plant.service.house
    house.site = replace(house.site, machines=tuple(replace(m, learned_profiles=setting) for m in house.site.machines))
    profile = LearnedProfile(
        machine="oven", product="oven parts", mode="", basis=Basis.POWER, p10=(185.0,), p50=(190.0,), p90=(196.0,),
        runs=9, left_out=0, first=SUN, last=SUN, minutes=120.0, spread=0.02,
    )  # fmt: skip
    plant.store.learned.put_profile(profile, plant.clock.now())
    plant.publish(SUN - timedelta(days=8), WED)
    plant.order(oven_job(MON), press_job(MON))
    plant.live_to(at(SUN, 13, 16))
    plant.service.predict()
    problem = plant.service.problem_now()
    plant.store.close()
    oven, press = (next(j for j in problem.jobs if j.id.startswith(id)) for id in ("oven", "press"))
    assert oven.options[0].power_kw == (oven_kw,) * 8
    assert press.options[0].power_kw == (100.0,) * 8
    said = [note for note in problem.notes if "learned power" in note]
    assert len(said) == (setting is LearnedProfiles.USED)
