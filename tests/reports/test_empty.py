"""A plant in its first minute: every page works, and says that nothing is known."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from energy.errors import LoadstoneError
from energy.model.fact import Fact, FactKind
from energy.reports.files import savings_file
from tests.loop.plant import SmallPlant, at
from tests.reports.lived import PAGES, all_pages


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> SmallPlant:
    made = SmallPlant(Path(tmp_path_factory.mktemp("empty")))
    made.clock.move_to(at(date(2026, 10, 26), 9))
    return made


def test_every_page_works(plant: SmallPlant) -> None:
    assert set(all_pages(plant)) == set(PAGES)


def test_unknown_is_none_and_never_zero(plant: SmallPlant) -> None:
    page = plant.service.overview()
    assert (page.cost_today, page.cost_today_as_is, page.picture, page.cheapest) == (None, None, None, None)
    assert (page.yesterday_verified, page.next_event, page.running.closes_at_kw) == (None, None, None)
    year = plant.service.year_page()
    assert (year.heat, year.monthly_max, year.worst) == ((), (), ())
    assert (year.hours_of_use, year.bill_at_this_rate, year.energy_kwh) == (None, None, None)
    savings = plant.service.savings_page()
    assert (savings.as_is_money, savings.real_money, savings.carbon_accounts) == (None, None, ())
    forecast = plant.service.forecast_page()
    assert forecast.targets == ()
    assert forecast.missing
    plan = plant.service.plan_page()
    assert (plan.bars, plan.picture, plan.made_at, plan.tightest_slack_minutes) == ((), None, None, None)
    sheet = plant.service.shift_sheet()
    assert (sheet.rows, sheet.peak_kw, sheet.crew) == ((), None, "day")


def test_all_meters_are_silent_with_the_settlement_meter_first(plant: SmallPlant) -> None:
    # Each was read once, at the start; that is more than five minutes ago.
    page = plant.service.overview()
    assert page.silent_meters == ("Grid", "Oven", "Press")
    first = page.attention[0]
    assert (first.title, first.level, first.view) == ("Settlement meter silent: Grid", "urgent", "meters")
    assert "no data since" in first.detail
    assert {row.state for row in plant.service.meters_page().rows} == {"silent"}


def test_how_well_a_meter_is_known_comes_from_its_table_not_from_its_values(plant: SmallPlant) -> None:
    known = plant.store.meters()
    plant.store.put_meters([replace(known[0], profile="acrel-adw300", confidence="1 source: verify"), *known[1:]])
    rows = {row.meter.id: row for row in plant.service.meters_page().rows}
    plant.store.put_meters(known)
    assert (rows["grid"].single_source, rows["grid"].source) == (True, "acrel-adw300 · 1 source: verify")
    assert (rows["m-oven"].single_source, rows["m-oven"].source) == (False, "")


def test_missing_prices_are_said(plant: SmallPlant) -> None:
    titles = [item.title for item in plant.service.overview().attention]
    assert "Prices are missing" in titles
    assert "Grid carbon is not known" in titles


def test_a_consequence_that_cannot_be_reckoned_says_so(plant: SmallPlant) -> None:
    now = datetime(2026, 10, 26, 8, tzinfo=UTC)
    fact = Fact(id="x", kind=FactKind.MACHINE_DOWN, at=now, machine="oven", reported_at=now)
    found = plant.service.consequence(fact)
    assert "cannot be reckoned now" in found.sentence
    assert (found.cost, found.moved) == (None, ())
    assert plant.store.facts.unanswered() == []  # nothing is written


def test_an_unknown_meter_is_refused_by_name(plant: SmallPlant) -> None:
    with pytest.raises(LoadstoneError, match="known: grid, m-oven, m-press"):
        plant.service.meter_page("gird")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf"])
def test_files_of_an_empty_month(plant: SmallPlant, kind: str) -> None:
    name, content = plant.service.savings_file("2026-10", kind)
    assert name == f"savings-small-2026-10.{kind}"
    assert content


def test_an_unknown_kind_of_file(plant: SmallPlant) -> None:
    with pytest.raises(LoadstoneError, match="csv, xlsx, pdf"):
        plant.service.savings_file("2026-10", "doc")


def test_a_title_is_never_a_formula(plant: SmallPlant) -> None:
    page = plant.service.savings_page("2026-10")
    odd = replace(page, header=replace(page.header, name="=1+1 Łódź"))
    assert savings_file(odd, "pdf")[1].startswith(b"%PDF")
