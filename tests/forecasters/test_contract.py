"""What every kind of forecaster keeps to: the same tables for all that are found through the entry points."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.clock import HeldClock, local
from energy.model.forecast import Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.plugins import kind, kinds
from energy.ports import Context, Forecaster

ZONE = "Europe/Berlin"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday; local midnight is 23:00 UTC of the day before
SITE = Site(id="a", name="A", zone=ZONE, currency="EUR", import_limit_kw=1000, export_limit_kw=0)
UNITS = {Target.BASE_LOAD: "kW", Target.PV: "kW", Target.PRICE: "EUR/kWh", Target.CARBON: "kg CO2e/kWh"}


@pytest.fixture(params=sorted(kinds("forecasters")))
def forecaster(request: pytest.FixtureRequest) -> Forecaster:
    module = kind("forecasters", request.param)
    unhurried = {"seconds": 3600.0} if "seconds" in module.Settings.model_fields else {}  # whatever the machine's load
    made = module.build(module.Settings(**unhurried), Context(site=SITE, clock=HeldClock(MONDAY)))
    assert isinstance(made, Forecaster)
    return made


def plant(t: datetime) -> float:
    """A plant of two shifts: 100 kW at night and on Sundays, 300 kW from six to ten, 200 kW on Saturdays."""
    wall = local(t, ZONE)
    if wall.weekday() == 6 or not 6 <= wall.hour < 22:
        return 100.0
    return 200.0 if wall.weekday() == 5 else 300.0


def sun(t: datetime) -> float:
    return max(0.0, 200.0 * np.sin((local(t, ZONE).hour - 6) / 12 * np.pi))


def past_of(
    shape: Callable[[datetime], float], *, days: float, step: int = 15, end: datetime = MONDAY, noise: float = 0.0
) -> Past:
    horizon = Horizon.between(end - timedelta(days=days), end, step)
    values = np.array([shape(t) for t in horizon.times()])
    values = values + noise * np.random.default_rng(7).standard_normal(len(values))
    return Past(target=Series(horizon, values, "kW"), drivers=(), known_at=end, zone=ZONE, country="DE")


def check(forecast: Forecast, past: Past, horizon: Horizon) -> Forecast:
    """What holds for any forecast."""
    for series in (forecast.p10, forecast.p50, forecast.p90):
        assert series.horizon == horizon
        assert series.unit == past.target.unit
        assert np.isfinite(series.values).all()
    assert (forecast.p10.values <= forecast.p50.values).all()
    assert (forecast.p50.values <= forecast.p90.values).all()
    assert forecast.issued_at == past.known_at
    assert forecast.source
    return forecast


def mae(forecast: Forecast, shape: Callable[[datetime], float]) -> float:
    return float(
        np.mean([abs(v - shape(t)) for t, v in zip(forecast.horizon.times(), forecast.p50.values, strict=True)])
    )


@pytest.mark.parametrize("target", list(Target))
def test_four_weeks_of_history(forecaster: Forecaster, target: Target) -> None:
    past, horizon = past_of(sun if target is Target.PV else plant, days=28, noise=2.0), Horizon(MONDAY, 96)
    forecast = check(forecaster.forecast(target, past, horizon), past, horizon)
    assert forecast.target is target
    assert forecast.flags == ()
    assert mae(forecast, sun if target is Target.PV else plant) < 40
    assert [part.unit for part in forecaster.components(target)] == ["kW" for _ in forecaster.components(target)]


@pytest.mark.parametrize("days", [0.25, 1, 3, 9])
def test_a_short_history_is_answered_and_flagged(forecaster: Forecaster, days: float) -> None:
    past, horizon = past_of(plant, days=days), Horizon(MONDAY, 192)
    forecast = check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon)
    assert forecast.degraded
    assert forecast.p50.values.min() >= 100
    assert forecast.p50.values.max() <= 300


def test_nothing_known_is_said_and_not_invented(forecaster: Forecaster) -> None:
    past = Past(target=Series.unknown(Horizon(MONDAY, 0), "kW"), drivers=(), known_at=MONDAY, zone=ZONE)
    forecast = forecaster.forecast(Target.BASE_LOAD, past, Horizon(MONDAY, 96))
    assert any("nothing is known" in flag for flag in forecast.flags)
    assert not forecast.p50.known.any()
    gaps = past_of(lambda _: float("nan"), days=30)
    assert not forecaster.forecast(Target.BASE_LOAD, gaps, Horizon(MONDAY, 96)).p50.known.any()


def test_a_constant_load_stays_constant(forecaster: Forecaster) -> None:
    past, horizon = past_of(lambda _: 50.0, days=28), Horizon(MONDAY, 96)
    forecast = check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon)
    assert forecast.p50.values == pytest.approx(np.full(96, 50.0), abs=0.5)


def test_gaps_are_not_learned_as_zero(forecaster: Forecaster) -> None:
    whole = past_of(plant, days=35, noise=2.0)
    values = whole.target.values.copy()
    values[-96 * 3 : -96] = np.nan  # Friday and Saturday
    values[96 * 10 : 96 * 10 + 40] = np.nan
    past = Past(target=Series(whole.target.horizon, values, "kW"), drivers=(), known_at=MONDAY, zone=ZONE)
    forecast = check(forecaster.forecast(Target.BASE_LOAD, past, Horizon(MONDAY, 96)), past, Horizon(MONDAY, 96))
    assert forecast.p50.values.min() > 80
    assert mae(forecast, plant) < 40


def test_prices_may_be_negative_and_loads_may_not(forecaster: Forecaster) -> None:
    def price(t: datetime) -> float:
        return -0.05 if local(t, ZONE).hour == 13 else 0.03

    past, horizon = past_of(price, days=28, step=60, noise=0.002), Horizon(MONDAY, 24, 60)
    forecast = check(forecaster.forecast(Target.PRICE, past, horizon), past, horizon)
    assert forecast.p50.values[12] < -0.02
    low, horizon = past_of(lambda t: max(0.0, plant(t) - 100), days=28), Horizon(MONDAY, 96)
    assert check(forecaster.forecast(Target.BASE_LOAD, low, horizon), low, horizon).p10.values.min() >= 0


def test_hourly_prices_on_quarters(forecaster: Forecaster) -> None:
    past, horizon = past_of(plant, days=28, step=60, noise=2.0), Horizon(MONDAY, 96)
    forecast = check(forecaster.forecast(Target.PRICE, past, horizon), past, horizon)
    by_hour = forecast.p50.values.reshape(24, 4)
    assert (by_hour == by_hour[:, :1]).all()


def test_no_sun_at_night(forecaster: Forecaster) -> None:
    past, horizon = past_of(sun, days=28), Horizon(MONDAY, 96)
    forecast = check(forecaster.forecast(Target.PV, past, horizon), past, horizon)
    night = np.array([sun(t) < 0.01 for t in horizon.times()])
    assert forecast.p90.values[night].max() == 0
    assert forecast.p10.values.min() >= 0
    assert forecast.p50.values.max() > 150


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_the_day_keeps_its_wall_time_over_a_clock_change(forecaster: Forecaster, change: datetime) -> None:
    """Learned on the old time, asked for the working week after the change: the shift still starts at six."""
    end = change - timedelta(hours=2)
    past, horizon = past_of(plant, days=28, end=end, noise=2.0), Horizon(end, 96 * 3)
    forecast = check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon)
    monday = [t for t in horizon.times() if local(t, ZONE).weekday() == 0]
    at = {(wall := local(t, ZONE)).hour * 60 + wall.minute: forecast.p50.at(t) for t in monday}
    assert at[6 * 60 + 30] > 220
    assert at[5 * 60 + 15] < 180


def test_a_holiday_is_like_a_sunday(forecaster: Forecaster) -> None:
    good_friday = datetime(2026, 4, 2, 22, tzinfo=UTC)
    past, horizon = past_of(plant, days=42, end=good_friday, noise=2.0), Horizon(good_friday, 96)
    forecast = check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon)
    assert forecast.p50.values.max() < 200


def test_what_comes_after_the_issue_changes_nothing(forecaster: Forecaster) -> None:
    """A past that reaches into the horizon: its values there are not looked at."""
    horizon = Horizon(MONDAY, 96)
    long = past_of(plant, days=28, end=MONDAY + timedelta(days=2), noise=2.0).target
    told = long.values.copy()
    told[-192:] = 9999.0
    forecasts = [
        forecaster.forecast(
            Target.BASE_LOAD,
            Past(target=Series(long.horizon, values, "kW"), drivers=(), known_at=MONDAY, zone=ZONE),
            horizon,
        )
        for values in (long.values, told)
    ]
    assert forecasts[0].p50 == forecasts[1].p50
    assert (forecasts[0].p10, forecasts[0].p90) == (forecasts[1].p10, forecasts[1].p90)


def test_published_prices_help_with_the_days_after_them(forecaster: Forecaster) -> None:
    """Tomorrow's prices are out and four times as high: the day after follows, tomorrow is forecast as if unknown."""
    whole = past_of(plant, days=30, end=MONDAY + timedelta(days=2), step=60, noise=2.0).target
    high = whole.values.copy()
    high[-48:] *= 4
    horizon = Horizon(MONDAY, 72 * 4)
    forecasts = []
    for values in (whole.values, high):
        past = Past(target=Series(whole.horizon, values, "kW"), drivers=(), known_at=MONDAY, zone=ZONE)
        forecasts.append(check(forecaster.forecast(Target.PRICE, past, horizon), past, horizon))
    usual, followed = (forecast.p50.values for forecast in forecasts)
    assert (usual[:192] == followed[:192]).all()
    assert followed[192:].mean() > 1.2 * usual[192:].mean()


def test_a_horizon_that_starts_later_and_at_odd_times(forecaster: Forecaster) -> None:
    """Issued at 10:15 with the last values of 09:00, for sixty hours."""
    issued = MONDAY + timedelta(hours=9, minutes=15)
    past = past_of(plant, days=28, end=issued - timedelta(minutes=75), noise=2.0)
    horizon = Horizon(issued, 240)
    assert mae(check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon), plant) < 45


def test_drivers_with_gaps_or_without_a_future_are_survived(forecaster: Forecaster) -> None:
    whole = past_of(plant, days=28, noise=2.0)
    ends = Series.constant(whole.target.horizon, 10.0, "degC")
    reaches = Horizon(whole.target.horizon.start, whole.target.horizon.slots + 96)
    wavy = np.sin(np.arange(reaches.slots) / 300) * 10
    wavy[500:520] = np.nan
    drivers = (("ends", ends), ("wavy", Series(reaches, wavy, "degC")))
    past = Past(target=whole.target, drivers=drivers, known_at=MONDAY, zone=ZONE)
    horizon = Horizon(MONDAY, 96)
    assert mae(check(forecaster.forecast(Target.BASE_LOAD, past, horizon), past, horizon), plant) < 40
