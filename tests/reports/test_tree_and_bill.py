"""A lived day with feeders, a virtual meter, and the network operator's word: what is shown, and what accounts are made of."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.metering.bill import remark
from energy.clock import day_bounds
from energy.commands.imports import imports
from energy.model.horizon import Horizon, Interval
from energy.model.meter import IntervalEnergy, Measures, Meter, Part, Quality, Role
from energy.reports.billing import compared_day
from energy.reports.tree import meter_tree
from energy.steps.verify import first_again
from tests.loop.plant import BASE_KW, OVEN_IDLE_KW, PRESS_IDLE_KW, ZONE, SmallPlant, at

DAY = date(2026, 10, 26)
REST = Meter(
    id="rest",
    name="Rest",
    role=Role.VIRTUAL,
    measures=Measures.OTHER,
    connection_kw=500.0,
    parts=(Part(meter="grid"), Part(meter="m-oven", factor=-1.0), Part(meter="m-press", factor=-1.0)),
)
OVEN_DEAD = (at(DAY, 10), at(DAY, 12))


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> SmallPlant:
    made = SmallPlant(Path(tmp_path_factory.mktemp("tree")), start=DAY - timedelta(days=5))
    made.store.put_meters([*made.store.meters(), REST])
    made.publish(DAY - timedelta(days=5), DAY)
    made.dead["m-oven"] = [OVEN_DEAD]
    made.live_to(OVEN_DEAD[0] + timedelta(hours=1, minutes=1))
    return made


def rest_at(plant: SmallPlant, t: datetime) -> IntervalEnergy | None:
    found = plant.store.intervals.of("rest", Interval(t, t + timedelta(minutes=15)))
    return found[0] if found else None


def test_a_virtual_meter_has_the_past_of_its_parts(plant: SmallPlant) -> None:
    one = rest_at(plant, at(DAY - timedelta(days=2), 9))
    assert one is not None
    assert one.import_kwh == pytest.approx(BASE_KW / 4)
    assert one.quality is Quality.MEASURED


def test_while_a_part_is_dead_it_is_modelled_and_then_measured_after_all(plant: SmallPlant) -> None:
    dead = at(DAY, 10, 15)
    one = rest_at(plant, dead)
    assert one is not None
    assert (one.import_kwh, one.quality) == (pytest.approx(BASE_KW / 4), Quality.MODELLED)
    states = {row.meter.id: row for row in plant.service.meters_page().rows}
    assert states["rest"].silent
    assert "its part is silent: Oven" in states["rest"].detail
    plant.live_to(at(DAY, 15))
    one = rest_at(plant, dead)
    assert one is not None
    # The counter went on: what flowed in the gap is known, though not its shape.
    assert (one.import_kwh, one.quality) == (pytest.approx(BASE_KW / 4), Quality.SPREAD)


def test_the_tree_tells_what_the_meters_below_explain(plant: SmallPlant) -> None:
    plant.live_to(at(DAY, 18))
    nodes = {node.meter.id: node for node in meter_tree(plant.store, Interval(at(DAY, 13), at(DAY, 17)))}
    grid = nodes["grid"]
    assert (grid.depth, nodes["m-oven"].depth, nodes["rest"].depth) == (0, 1, 0)
    assert grid.net_kwh == pytest.approx(4 * (BASE_KW + OVEN_IDLE_KW + PRESS_IDLE_KW))
    assert grid.unexplained_kwh == pytest.approx(4 * BASE_KW)
    assert not grid.over


@pytest.mark.parametrize(("upper", "lower", "over"), [("m-oven", "m-press", False), ("m-press", "m-oven", True)])
def test_meters_that_count_more_than_flows_above_them_are_told(
    plant: SmallPlant, upper: str, lower: str, over: bool
) -> None:
    assert OVEN_IDLE_KW > 1.2 * PRESS_IDLE_KW  # so that one of the two cannot hang below the other
    known = plant.store.meters()
    plant.store.put_meters([replace(meter, above=upper) if meter.id == lower else meter for meter in known])
    nodes = {node.meter.id: node for node in meter_tree(plant.store, Interval(at(DAY, 13), at(DAY, 17)))}
    plant.store.put_meters(known)
    assert nodes[upper].over is over
    assert nodes[lower].depth == 2


# ---- the network operator's word


def file_of(folder: Path, day: date, factor: float, missing: int = 0) -> Path:
    """A D+1 file of the grid: what the meter counted, times a factor."""
    horizon = Horizon.between(*day_bounds(day, ZONE))
    kwh = (BASE_KW + OVEN_IDLE_KW + PRESS_IDLE_KW) / 4 * factor
    path = folder / f"{day}-{factor}.csv"
    lines = [f"{t:%Y-%m-%dT%H:%MZ},{kwh:.4f}" for t in list(horizon.times())[: horizon.slots - missing]]
    path.write_text("\n".join(["time,kWh", *lines]) + "\n")
    return path


def brought(plant: SmallPlant, path: Path, *more: str) -> str:
    config = plant.folder / "config.yaml"
    said = ["readings", str(path), "--meter", "grid", "--column", "kWh", "--config", str(config), *more]
    result = CliRunner().invoke(imports, said, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_operators_word_is_what_accounts_are_made_of_and_the_difference_is_shown(plant: SmallPlant) -> None:
    day = DAY - timedelta(days=3)
    plant.live_to(at(DAY, 20))
    before = plant.service.verify(day)
    told = brought(plant, file_of(plant.folder, day, 1.05), "--billing")
    assert "difference +" in told
    assert "differs: look at the ratio" in told
    assert first_again(plant.store, ZONE) == day
    after = {account.day: account for account in plant.service.verify_due()}[day]
    assert after.metered_money == pytest.approx(1.05 * (before.metered_money or 0.0), rel=1e-4)
    assert after.import_kwh == pytest.approx(1.05 * (before.import_kwh or 0.0), rel=1e-4)
    assert first_again(plant.store, ZONE) is None
    own = plant.store.intervals.of("grid", Interval(*day_bounds(day, ZONE)))
    kwh = (BASE_KW + OVEN_IDLE_KW + PRESS_IDLE_KW) * 24
    assert sum(one.import_kwh or 0.0 for one in own) == pytest.approx(kwh)  # what we counted stays what we counted
    (shown,) = (one for one in plant.service.meters_page().billed if one.day == day)
    assert (shown.own_kwh, shown.billed_kwh) == (pytest.approx(kwh), pytest.approx(1.05 * kwh, rel=1e-4))
    titles = [item.title for item in plant.service.overview().attention]
    assert "The bill differs from our own meter on 1 day" in titles


def test_a_file_that_agrees_raises_no_hand(plant: SmallPlant) -> None:
    day = DAY - timedelta(days=2)
    told = brought(plant, file_of(plant.folder, day, 1.001, missing=4), "--billing")
    assert "differs" not in told
    (shown,) = (one for one in plant.service.meters_page().billed if one.day == day)
    assert (shown.compared, shown.only_billed, shown.not_billed) == (92, 0, 4)


def test_where_our_meter_was_not_there_nothing_is_compared(plant: SmallPlant) -> None:
    told = brought(plant, file_of(plant.folder, DAY - timedelta(days=9), 1.0), "--billing")
    assert f"{DAY - timedelta(days=9)}  nothing to compare; 96 intervals, missed by our meter" in told
    assert "billed 0.0" not in told


def test_only_the_settlement_meter_is_billed(plant: SmallPlant) -> None:
    config = str(plant.folder / "config.yaml")
    path = file_of(plant.folder, DAY, 1.0)
    said = ["readings", str(path), "--meter", "m-oven", "--column", "kWh", "--config", config, "--billing"]
    result = CliRunner().invoke(imports, said)
    assert result.exit_code == 2
    assert "only the settlement meter is billed; that is 'grid'" in result.output


def test_what_was_fed_in_is_compared_too() -> None:
    """24 hours at 10 kWh of import and 4 kWh of export each; the operator says 10 and 4.5, and one hour we missed."""
    start = day_bounds(DAY, ZONE)[0]
    hours = [start + timedelta(hours=k) for k in range(24)]

    def said(export_kwh: float, at: list[datetime], quality: Quality) -> list[IntervalEnergy]:
        return [
            IntervalEnergy(meter="g", start=t, minutes=60, import_kwh=10.0, export_kwh=export_kwh, quality=quality)
            for t in at
        ]

    own = {one.start: one for one in said(4.0, hours[:-1], Quality.MEASURED)}
    day = compared_day(DAY, said(4.5, hours, Quality.IMPORTED), own, ZONE)
    assert (day.compared, day.only_billed, day.difference_kwh, day.differs) == (23, 1, 0.0, False)
    assert (day.own_export_kwh, day.billed_export_kwh) == (pytest.approx(92.0), pytest.approx(103.5))
    assert day.export_differs
    same = compared_day(DAY, said(4.1, hours, Quality.IMPORTED), own, ZONE)
    assert same.export_difference_kwh == pytest.approx(2.3) and not same.export_differs
    assert "what was fed in differs by +11.5 kWh" in remark(day).replace("\u202f", " ").replace("\xa0", " ")
    assert "fed in" not in remark(same)
