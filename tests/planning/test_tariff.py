"""The contract over a horizon, against calendars one can look up."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from energy.clock import day_bounds, wall_to_utc
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.tariff import DemandRate, EnergyRate, Period, Tariff, Window
from energy.planning.tariff import (
    demand_windows,
    export_price,
    import_price,
    in_window,
    metered_peaks,
    period_bounds,
    period_key,
    window_mask,
)

ZONE = "Europe/Berlin"


def day(year: int, month: int, of_month: int, step: int = 15) -> Horizon:
    return Horizon.between(*day_bounds(date(year, month, of_month), ZONE), step)


def hours(text: str) -> time:
    return time.fromisoformat(text)


HIGH_LOAD = Window(
    start=hours("16:30"), end=hours("19:30"), weekdays=(0, 1, 2, 3, 4), months=(12, 1, 2), on_holidays=False
)
NIGHT = Window(start=hours("22:00"), end=hours("06:00"), weekdays=(4,))  # the night from Friday to Saturday
ROUND = Window(start=hours("06:00"), end=hours("06:00"), weekdays=(4,))  # Friday 06:00 to Saturday 06:00
EVENING = Window(start=hours("20:00"), end=hours("00:00"))


@pytest.mark.parametrize(
    ("window", "wall", "inside"),
    [
        (HIGH_LOAD, "2026-01-14 16:30", True),  # a Wednesday in January
        (HIGH_LOAD, "2026-01-14 19:15", True),
        (HIGH_LOAD, "2026-01-14 19:30", False),  # end is exclusive
        (HIGH_LOAD, "2026-01-17 17:00", False),  # Saturday
        (HIGH_LOAD, "2026-03-11 17:00", False),  # March
        (HIGH_LOAD, "2026-01-06 17:00", False),  # Epiphany, a Tuesday
        (NIGHT, "2026-05-22 22:00", True),  # Friday night
        (NIGHT, "2026-05-23 05:45", True),  # still Friday's night
        (NIGHT, "2026-05-22 05:45", False),  # Thursday's
        (NIGHT, "2026-05-23 06:00", False),
        (EVENING, "2026-05-22 23:45", True),
        (EVENING, "2026-05-22 00:00", False),
        (ROUND, "2026-05-22 06:00", True),
        (ROUND, "2026-05-23 05:45", True),
        (ROUND, "2026-05-22 05:45", False),
        (Window(), "2026-05-22 00:00", True),
        (Window(weekdays=(6,)), "2026-05-24 12:00", True),
    ],
)
def test_window(window, wall, inside):
    assert in_window(window, datetime.fromisoformat(wall), {date(2026, 1, 6)}) is inside


@pytest.mark.parametrize(
    ("when", "slots", "in_night"),
    [
        ((2026, 3, 29), 92, 4 * 4),  # 00–05 without 02–03: four hours
        ((2026, 10, 25), 100, 6 * 4),  # 02–03 twice: six hours
        ((2026, 5, 20), 96, 5 * 4),
    ],
)
def test_a_clock_change_day_has_the_windows_its_clock_shows(when, slots, in_night):
    horizon = day(*when)
    assert horizon.slots == slots
    assert window_mask([Window(start=hours("00:00"), end=hours("05:00"))], horizon, ZONE).sum() == in_night
    assert window_mask([Window(start=hours("22:00"))], horizon, ZONE).sum() == 8  # until midnight
    assert window_mask([], horizon, ZONE).all()


def test_the_price_is_the_market_with_its_factor_and_what_is_in_force():
    horizon = Horizon(wall_to_utc(date(2026, 1, 14), hours("15:00"), ZONE), 5, 60)
    market = Series.of(horizon, [0.10, 0.20, np.nan, -0.05, 0.0], "EUR/kWh")
    tariff = Tariff(
        currency="EUR",
        market_factor=1.1,
        rates=(
            EnergyRate(name="levies", per_kwh=0.02),
            EnergyRate(name="high load", per_kwh=0.05, windows=(Window(start=hours("17:00"), end=hours("19:00")),)),
        ),
        export_per_kwh=None,
    )
    assert import_price(tariff, market, ZONE).values == pytest.approx(
        [0.11 + 0.02, 0.22 + 0.02, np.nan, -0.055 + 0.07, 0.02], nan_ok=True
    )
    assert export_price(tariff, market) == market


def test_a_fixed_price_needs_no_market():
    market = Series.unknown(day(2026, 5, 20), "EUR/kWh")
    tariff = Tariff(
        currency="EUR", fixed_per_kwh=0.18, export_per_kwh=0.06, rates=(EnergyRate(name="fee", per_kwh=0.03),)
    )
    assert import_price(tariff, market, ZONE).values == pytest.approx([0.21] * 96)
    assert export_price(tariff, market).values == pytest.approx([0.06] * 96)


MONTHLY = DemandRate(name="monthly peak", per_kw=9.0, period=Period.MONTH, target_kw=500)
ANNUAL = DemandRate(name="annual peak", per_kw=100.0, period=Period.YEAR)


def test_a_horizon_over_the_end_of_a_month_has_a_window_for_each_month():
    horizon = Horizon(wall_to_utc(date(2026, 5, 31), hours("22:00"), ZONE), 16)
    found = demand_windows(
        Tariff(currency="EUR", demand=(MONTHLY, ANNUAL)),
        horizon,
        ZONE,
        so_far={("monthly peak", "2026-05"): (610.0, 640.0), ("annual peak", "2026"): (700.0, 700.0)},
    )
    assert [(w.name, w.slots[0], w.slots[-1], w.so_far_kw, w.as_is_so_far_kw) for w in found] == [
        ("monthly peak 2026-05", 0, 7, 610, 640),
        ("monthly peak 2026-06", 8, 15, 0, 0),
        ("annual peak 2026", 0, 15, 700, 700),
    ]
    assert found[0].floor_kw == 610
    assert found[1].floor_kw == 500  # the agreed target


def test_a_seasonal_window_is_there_only_in_its_season():
    rate = DemandRate(name="high load", per_kw=22, period=Period.YEAR, windows=(HIGH_LOAD,))
    tariff = Tariff(currency="EUR", demand=(rate,))
    winter, summer, feast = day(2026, 1, 14), day(2026, 7, 15), day(2026, 1, 6)
    assert demand_windows(tariff, winter, ZONE)[0].slots == tuple(range(66, 78))  # 16:30 to 19:30
    assert demand_windows(tariff, summer, ZONE) == ()
    assert demand_windows(tariff, feast, ZONE, {date(2026, 1, 6)}) == ()


def test_metered_intervals_start_on_the_half_hour():
    rate = DemandRate(name="peak", per_kw=10, period=Period.MONTH, minutes=30)
    horizon = Horizon(datetime(2026, 5, 20, 4, 15, tzinfo=UTC), 6)  # cuts the first and the last half hour
    (window,) = demand_windows(Tariff(currency="EUR", demand=(rate,)), horizon, ZONE)
    assert (window.slots, window.interval_slots) == ((1, 2, 3, 4), 2)


def test_a_step_that_does_not_fit_the_meter_is_refused():
    rate = DemandRate(name="peak", per_kw=10, period=Period.MONTH, minutes=15)
    with pytest.raises(ValueError, match="no whole number of slots"):
        demand_windows(Tariff(currency="EUR", demand=(rate,)), day(2026, 5, 20, 10), ZONE)


def test_periods_are_local():
    last_hour = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # already 2027 in Berlin
    assert period_key(MONTHLY, last_hour, ZONE) == "2027-01"
    assert period_key(ANNUAL, last_hour, "UTC") == "2026"
    year = period_bounds(ANNUAL, last_hour, ZONE)
    assert (year.start, year.end) == (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 12, 31, 23, tzinfo=UTC))
    march = period_bounds(MONTHLY, datetime(2026, 3, 15, tzinfo=UTC), ZONE)
    assert march.hours == 31 * 24 - 1


def test_peaks_of_a_metered_profile_leave_gaps_unknown():
    horizon = Horizon(wall_to_utc(date(2026, 5, 31), hours("23:00"), ZONE), 8)
    metered = Series.of(horizon, [100, 900, np.nan, 300, np.nan, np.nan, 200, 210], "kW")
    half_hours = DemandRate(name="peak", per_kw=10, period=Period.MONTH, minutes=30)
    assert metered_peaks(half_hours, metered, ZONE) == {
        "2026-05": (500.0, horizon.time_of(0)),
        "2026-06": (205.0, horizon.time_of(6)),
    }
    assert metered_peaks(MONTHLY, metered, ZONE)["2026-05"] == (900.0, horizon.time_of(1))
    assert metered_peaks(MONTHLY, Series.unknown(horizon, "kW"), ZONE) == {}
