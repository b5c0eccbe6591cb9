"""The simulated plant: every kWh is somewhere, counters count up, and it is the same plant whoever asks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import LoadstoneError
from energy.twin.plant import Twin
from tests.twin.hallmoor import CALENDAR, METERS, SITE

MONDAY = datetime(2026, 5, 17, 22, tzinfo=UTC)  # 0 o'clock in Berlin
SATURDAY = datetime(2026, 5, 23, 6, tzinfo=UTC)


def twin(start: datetime = MONDAY, seed: int = 7) -> Twin:
    return Twin(SITE, METERS, CALENDAR, seed=seed, start=start)


@pytest.mark.parametrize("start", [MONDAY + timedelta(hours=8), SATURDAY])
def test_in_every_minute_the_parts_make_the_grid(start: datetime) -> None:
    plant = twin(start)
    for minute in range(600):
        plant.advance_to(start + timedelta(minutes=minute))
        parts = plant.parts_kw()
        grid = parts.pop("grid")
        assert grid == pytest.approx(sum(parts.values()), abs=1e-9)
        assert plant.stand("grid").power_kw == grid


def test_energies_add_up_over_a_weekend_with_surplus() -> None:
    plant = twin(SATURDAY)
    before = {meter.id: plant.stand(meter.id) for meter in METERS}
    kwh = dict.fromkeys(plant.parts_kw(), 0.0)
    for minute in range(1, 2 * 1440 + 1):
        for part, kw in plant.parts_kw().items():
            kwh[part] += kw / 60
        plant.advance_to(SATURDAY + timedelta(minutes=minute))
    for meter in METERS:
        part = meter.machine or meter.id.removeprefix("m-")
        now = plant.stand(meter.id)
        net = (now.import_kwh - before[meter.id].import_kwh) - (now.export_kwh - before[meter.id].export_kwh)
        assert net == pytest.approx(kwh[part], abs=1e-6), meter.id
    battery = plant.stand("battery")
    charged = battery.import_kwh - before["battery"].import_kwh
    discharged = battery.export_kwh - before["battery"].export_kwh
    assert min(charged, discharged) > 50
    assert discharged <= (charged * 0.96 + 430 - 43) * 0.96


def test_counters_only_count_up_from_where_they_stood() -> None:
    plant = twin()
    last = {meter.id: plant.stand(meter.id) for meter in METERS}
    assert all(stand.import_kwh > 1000 for stand in last.values())
    for quarter in range(1, 4 * 48):
        plant.advance_to(MONDAY + timedelta(minutes=15 * quarter))
        for meter in METERS:
            now = plant.stand(meter.id)
            assert now.import_kwh >= last[meter.id].import_kwh
            assert now.export_kwh >= last[meter.id].export_kwh
            last[meter.id] = now


@given(st.lists(st.floats(1, 40_000), min_size=1, max_size=12))
@settings(max_examples=10, deadline=None)
def test_the_same_whatever_is_asked_in_between(seconds: list[float]) -> None:
    end = MONDAY + timedelta(hours=12, seconds=7)
    at_once, in_steps = twin(), twin()
    at_once.advance_to(end)
    for second in sorted(seconds):
        in_steps.advance_to(MONDAY + timedelta(seconds=second))
        in_steps.stand("grid")
    in_steps.advance_to(end)
    assert [at_once.stand(meter.id) for meter in METERS] == [in_steps.stand(meter.id) for meter in METERS]
    assert at_once.runs() == in_steps.runs()


def test_another_seed_is_another_plant() -> None:
    one, other = twin(seed=7), twin(seed=8)
    for plant in (one, other):
        plant.advance_to(MONDAY + timedelta(hours=12))
    assert one.stand("grid") != other.stand("grid")
    assert [job.id for job in one.jobs()] == [job.id for job in one.jobs()]
    assert one.runs() != other.runs()


def test_an_unknown_meter_is_named() -> None:
    with pytest.raises(LoadstoneError, match=r"no meter 'm-oven'; it has grid, pv"):
        twin().stand("m-oven")
