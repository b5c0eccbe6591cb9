"""The simulated plant: every kWh is somewhere, counters count up, and it is the same plant whoever asks."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import LoadstoneError
from energy.model.meter import Measures, Meter, Role
from energy.model.site import Battery, Machine, Site
from energy.twin.battery import Store
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
        part = f"machine {meter.machine}" if meter.machine else meter.id.removeprefix("m-")
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


def test_another_plant_without_battery_or_sun_lives_too() -> None:
    """Half an hour off the full hour in time zone, an import of its own for everything that is no machine."""
    machines = (
        Machine(id="grid", name="Furnace G", group="furnaces", rated_kw=200, idle_kw=10),
        Machine(id="crane", name="Crane", group="cranes", rated_kw=50, idle_kw=2),
    )
    site = Site(
        id="other",
        name="Other",
        zone="Asia/Kolkata",
        currency="INR",
        import_limit_kw=900,
        export_limit_kw=0,
        machines=machines,
    )
    meters = [
        Meter(id="in", name="In", role=Role.SETTLEMENT, measures=Measures.GRID, connection_kw=900),
        Meter(id="rest", name="Rest", role=Role.SUB, measures=Measures.OTHER, connection_kw=900),
    ]
    plant = Twin(site, meters, CALENDAR, seed=1, start=MONDAY, others=lambda _: np.full(1440, 500.0))
    before = plant.stand("in"), plant.stand("rest")
    plant.advance_to(MONDAY + timedelta(days=1))
    grid, rest = (
        now.import_kwh - then.import_kwh
        for now, then in zip((plant.stand("in"), plant.stand("rest")), before, strict=True)
    )
    assert rest == pytest.approx(24 * 500)
    assert 12_300 < grid < 12_000 + 24 * 250
    assert {job.modes[0].machine for job in plant.jobs()} == {"grid"}


def test_the_battery_charges_from_surplus_only_and_never_beyond_its_bounds() -> None:
    store = Store(
        Battery(
            capacity_kwh=100, charge_kw=50, discharge_kw=40, min_kwh=10, charge_efficiency=0.9, discharge_efficiency=0.8
        ),
        10,
    )
    assert store.step(30, 1) == (0, 0)  # empty: the grid gives
    assert store.step(-60, 1) == (50, 0)  # no faster than it can
    assert store.stored_kwh == pytest.approx(10 + 45)
    assert store.step(30, 1) == (0, 30)
    assert store.stored_kwh == pytest.approx(55 - 37.5)
    assert store.step(30, 1) == (0, pytest.approx(7.5 * 0.8))  # the last of it
    assert store.stored_kwh == pytest.approx(10)
    store.stored_kwh = 98.2
    assert store.step(-60, 1) == (pytest.approx(2.0), 0)  # full


def test_an_unknown_meter_is_named() -> None:
    with pytest.raises(LoadstoneError, match=r"no meter 'm-oven'; it has grid, pv"):
        twin().stand("m-oven")
