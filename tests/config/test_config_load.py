"""The config of the repository loads, and what it says arrives in the nouns of the model."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from energy.config import load_settings
from energy.model.forecast import Target
from energy.model.horizon import Interval
from energy.model.meter import Measures, Role
from energy.model.site import BatteryRule

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def settings():
    return load_settings(ROOT / "config.yaml", {"HOME": "/nowhere"})


def test_the_site(settings):
    site = settings.site
    assert (site.id, site.zone, site.currency, site.import_limit_kw) == ("plant-2", "Europe/Berlin", "EUR", 1440)
    assert site.machine("furnace-3").rated_kw == 320
    assert site.battery is not None
    assert site.battery.rule is BatteryRule.SELF_CONSUMPTION


def test_meters_are_nouns_with_their_kind_beside(settings):
    grid = settings.meters[0]
    assert (grid.meter.role, grid.meter.measures, grid.kind) == (Role.SETTLEMENT, Measures.GRID, "modbus")
    furnace = next(m.meter for m in settings.meters if m.meter.id == "m-furnace-1")
    assert (furnace.machine, furnace.profile) == ("furnace-1", "eastron-sdm630")


def test_the_calendar_has_crews_holidays_and_offer_rules(settings):
    calendar = settings.calendar
    night = next(shift for shift in calendar.shifts if shift.crew == "night")
    assert (night.weekdays, night.start, night.end) == ((0, 1, 2, 3), time(22, 0), time(6, 0))
    assert calendar.rules.closes == time(15, 0)
    year = settings.clock().now().year
    assert date(year, 10, 3) in calendar.holidays  # German Unity Day
    assert date(year, 11, 1) in calendar.holidays  # All Saints: Baden-Wuerttemberg, not all of Germany


def test_a_weekly_closure_is_one_interval_each_week(settings):
    week = Interval(datetime(2026, 3, 22, 23, tzinfo=UTC), datetime(2026, 4, 5, 22, tzinfo=UTC))
    closed = settings.calendar.closed_within(week, "Europe/Berlin")
    # 13:00 of the plant: noon UTC before the clock change, 11:00 after it
    starts = [c.interval.start for c in closed if c.why == "maintenance"]
    assert starts == [
        datetime(2026, 3, 25, 12, tzinfo=UTC),
        datetime(2026, 4, 1, 11, tzinfo=UTC),
    ]


def test_the_tariff(settings):
    tariff = settings.tariff
    assert tariff.export_per_kwh == 0.062
    assert [rate.per_kw for rate in tariff.demand] == [118.0, 22.0]
    assert tariff.demand[1].windows[0].months == (12, 1, 2)
    assert tariff.fixed_per_kwh is None


def test_relative_paths_start_at_the_file(settings):
    assert settings.store.url == f"sqlite:///{ROOT}/var/loadstone.sqlite"
    assert settings.context().folder == str(ROOT)


def test_every_target_has_a_forecaster(settings):
    assert {target: kind.kind for target, kind in settings.forecasters.items()} == dict.fromkeys(Target, "combined")
    assert settings.history_days == 1096


def test_the_context_knows_meters_and_environment(settings):
    context = settings.context()
    assert context.secrets["HOME"] == "/nowhere"
    assert [m.id for m in context.meters][:2] == ["grid", "pv"]
