"""The first days: a profile by branch, scaled to the meter, said in words; nothing where nothing is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import pytest

from energy.config.sections import SiteSection
from energy.forecasters.cold import branches, cold_forecast, known_days, profiles, sky_over
from energy.forecasters.combined.forecaster import Combined
from energy.model.forecast import LEVELS, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

ZONE = "Europe/Berlin"
TUESDAY = datetime(2026, 3, 2, 23, tzinfo=UTC)  # local midnight
DAY = timedelta(days=1)
AHEAD = Horizon(TUESDAY, 24, 60)


def past_of(values: list[float], **more: object) -> Past:
    """The hours before Tuesday."""
    horizon = Horizon(TUESDAY - timedelta(hours=len(values)), len(values), 60)
    said = {"target": Series.of(horizon, values, "kW"), "drivers": (), "known_at": TUESDAY, "zone": ZONE, **more}
    return Past(**said)  # type: ignore[arg-type]


def shape(branch: str, kind: int = 0) -> np.ndarray:
    return profiles()[branch][1][kind]


def test_every_branch_that_may_be_configured_has_a_profile_of_whole_days() -> None:
    (allowed,) = (set(get_args(field.annotation)) for n, field in SiteSection.model_fields.items() if n == "branch")
    assert allowed == {"", *branches()}
    for _, table in profiles().values():
        assert table.shape == (3, 24)
        assert (table > 0).all()
    assert all(profiles()[branch][1].max() == 1.0 for branch in branches())


def test_two_metered_days_give_the_level_of_the_profile() -> None:
    """Saturday and Sunday of a two-shift plant at 200 kW of a working day's peak: Tuesday follows the profile."""
    weekend = [*(200 * shape("two-shift", 1)), *(200 * shape("two-shift", 2))]
    past = past_of([*weekend], branch="two-shift")
    monday = replace(past, target=Series(Horizon(TUESDAY - 3 * DAY, 48, 60), past.target.values, "kW"))
    forecast = cold_forecast(Target.BASE_LOAD, monday, AHEAD)
    assert forecast is not None
    assert forecast.p50.values == pytest.approx(200 * shape("two-shift"))
    assert forecast.flags == ("profile of a two-shift plant, scaled to 2 days of metering",)
    assert forecast.p90.values.mean() > 1.2 * forecast.p50.values.mean()


def test_a_metered_day_of_the_same_kind_weighs_as_much_as_the_profile() -> None:
    """Monday was flat at 100 kW: each hour of Tuesday is halfway between that and the profile at the same energy."""
    forecast = cold_forecast(Target.BASE_LOAD, past_of([100.0] * 24, branch="office"), AHEAD)
    assert forecast is not None
    profile = shape("office") / shape("office").mean() * 100
    assert forecast.p50.values == pytest.approx((100 + profile) / 2)


def test_before_any_metering_the_bills_or_the_connection_give_the_level() -> None:
    by_bills = cold_forecast(Target.BASE_LOAD, past_of([], branch="continuous", yearly_kwh=876_000.0), AHEAD)
    assert by_bills is not None
    assert by_bills.p50.values.mean() == pytest.approx(100, rel=0.03)
    assert by_bills.flags == ("profile of a plant that runs around the clock, not yet scaled to any metering",)
    by_connection = cold_forecast(Target.BASE_LOAD, past_of([], branch="office", peak_kw=1000.0), AHEAD)
    assert by_connection is not None
    assert by_connection.p50.values.max() == pytest.approx(400)
    assert by_connection.p10.values.min() >= 0


@pytest.mark.parametrize(
    ("target", "more"),
    [
        (Target.BASE_LOAD, {}),
        (Target.BASE_LOAD, {"branch": "office"}),
        (Target.BASE_LOAD, {"branch": "circus", "yearly_kwh": 1e6}),
        (Target.PRICE, {}),
        (Target.CARBON, {}),
        (Target.PV, {"peak_kw": 100.0}),
        (Target.PV, {"latitude": 48.7, "longitude": 9.2}),
    ],
)
def test_without_shape_or_level_nothing_is_invented(target: Target, more: dict[str, object]) -> None:
    past = past_of([], **more)
    assert cold_forecast(target, past, AHEAD) is None
    assert not Combined().forecast(target, past, AHEAD).p50.known.any()


def test_a_price_has_two_humps_and_carbon_is_even() -> None:
    price = cold_forecast(Target.PRICE, past_of([0.1] * 10), AHEAD)
    assert price is not None
    by_hour = price.p50.values
    assert by_hour[3] < by_hour[7] > by_hour[13] < by_hour[18]
    assert by_hour.mean() == pytest.approx(0.1, rel=0.3)
    carbon = cold_forecast(Target.CARBON, past_of([0.3] * 10), AHEAD)
    assert carbon is not None
    assert carbon.p50.values == pytest.approx(np.full(24, 0.3))


def test_pv_follows_the_clear_sky_to_the_size_of_the_roof() -> None:
    roof = {"peak_kw": 100.0, "latitude": 48.7, "longitude": 9.2}
    june = datetime(2026, 6, 20, 22, tzinfo=UTC)
    past = replace(past_of([], **roof), known_at=june)
    forecast = cold_forecast(Target.PV, past, Horizon(june, 24, 60))
    assert forecast is not None
    assert forecast.p90.values[[0, 1, 2, 23]].tolist() == [0.0] * 4
    assert 13 <= int(forecast.p50.values.argmax()) <= 13  # summer time, nine degrees east: the sun is highest at 13:25
    assert 40 < forecast.p50.values.max() < 60
    assert forecast.at(0.99).values.max() <= 100
    march = replace(past, target=Series(Horizon(june - DAY, 24, 60), forecast.p50.values / 2, "kW"))
    measured = cold_forecast(Target.PV, march, Horizon(june, 24, 60))
    assert measured is not None
    assert measured.p50.values.sum() == pytest.approx(forecast.p50.values.sum() / 2, rel=0.01)


@pytest.mark.parametrize(
    ("day", "latitude", "least", "most"),
    [(datetime(2026, 6, 21, tzinfo=UTC), 48.7, 15.5, 16.5), (datetime(2026, 12, 21, tzinfo=UTC), 48.7, 7.8, 8.8)],
)
def test_the_length_of_the_day(day: datetime, latitude: float, least: float, most: float) -> None:
    lit = (sky_over(Horizon(day, 24 * 60, 1), latitude, 0.0) > 0).sum() / 60
    assert least < lit < most


@pytest.mark.parametrize(
    ("hours", "source"), [(1, "profile"), (24, "profile"), (6 * 24, "profile"), (8 * 24, "combined")]
)
def test_similar_days_know_better_after_a_week(hours: int, source: str) -> None:
    past = past_of([100.0 + n % 24 for n in range(hours)], branch="office")
    assert known_days(past, AHEAD) == min(7, -(-hours // 24))
    forecast = Combined().forecast(Target.BASE_LOAD, past, AHEAD)
    assert forecast.source == source
    assert forecast.degraded
    assert np.isfinite([forecast.at(level).values for level in LEVELS]).all()
