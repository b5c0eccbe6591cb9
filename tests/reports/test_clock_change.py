"""The Sunday of 25 hours: the clock goes back at 03:00 on 25 October 2026."""

from datetime import date
from pathlib import Path

import pytest

from tests.loop.plant import SmallPlant, at, oven_job, press_job

SAT, SUN, MON = date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> SmallPlant:
    made = SmallPlant(Path(tmp_path_factory.mktemp("clock")))
    made.publish(date(2026, 10, 16), date(2026, 10, 28))
    made.order(oven_job(MON), press_job(MON))
    return made


def test_today_and_tomorrow_are_49_hours(plant: SmallPlant) -> None:
    plant.live_to(at(SAT, 13, 16))
    plant.service.heartbeat()
    picture = plant.service.overview().picture
    assert picture is not None
    assert picture.horizon.slots == 4 * (24 + 25)
    assert picture.import_plan.known[1:].all()  # no stand lies before the plant's very first quarter hour
    assert not picture.import_plan.known[0]


def test_the_long_day_costs_25_hours(plant: SmallPlant) -> None:
    # 115 kW: 6 h at 0.30, 2 h at 0.10, 17 h at 0.20. At noon 13 hours have passed.
    plant.live_to(at(SUN, 12))
    plant.service.heartbeat()
    page = plant.service.overview()
    assert page.cost_today == pytest.approx(115 * (6 * 0.30 + 2 * 0.10 + 17 * 0.20))
    grid = next(row for row in plant.service.meters_page().rows if row.meter.id == "grid")
    assert grid.energy_today_kwh == pytest.approx(13 * 115)
    assert grid.day_kw is not None
    assert grid.day_kw.horizon.slots == 96  # the last 24 hours are 24 hours


def test_the_long_night_is_one_night(plant: SmallPlant) -> None:
    # Nobody is there from Friday 22:00 to Monday 06:00; the Overview shows Sunday and Monday.
    picture = plant.service.overview().picture
    assert picture is not None
    assert (picture.nights[0].start, picture.nights[0].end) == (at(SUN, 0), at(MON, 6))
