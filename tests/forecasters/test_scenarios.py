"""Scenarios: ranks by hand, and whether days drawn whole hang together as days do."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from energy.forecasters.scenarios import ENOUGH_DAYS, Seen, scenarios
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def forecast(at: datetime, slots: int, p10: float = 0.0, p50: float = 10.0, p90: float = 20.0) -> Forecast:
    horizon = Horizon(at, slots, 60)
    low, middle, high = (Series.constant(horizon, value, "kW") for value in (p10, p50, p90))
    return Forecast(target=Target.BASE_LOAD, issued_at=at, p10=low, p50=middle, p90=high, source="test")


def seen(came: Floats, *, now: Forecast | None = None, reach: int = 24) -> Seen:
    """Days before a Monday, each forecast at midnight as 0 … 10 … 20, and what came (days, 24)."""
    first = MONDAY - len(came) * DAY
    return Seen(
        expected=now or forecast(MONDAY, 72),
        issued=[forecast(first + day * DAY, reach) for day in range(len(came))],
        came=Series(Horizon(first, came.size, 60), came.ravel(), "kW"),
    )


def test_ranks_by_hand() -> None:
    """20 days: in the first hour each day came higher than the day before it, in the second the other way round. Today's
    band is 100 … 200 … 400: the newest path begins with the highest of 20 places and falls to the lowest."""
    came = np.zeros((20, 24))
    came[:, 0], came[:, 1] = np.arange(20.0), 19.0 - np.arange(20.0)
    today = forecast(MONDAY, 24, 100.0, 200.0, 400.0)
    paths = scenarios({"load": seen(came, now=today)}, Horizon(MONDAY, 2, 60), zone="UTC", count=30)["load"]
    assert paths.shape == (20, 2)
    newest, oldest = paths[0], paths[-1]
    assert newest.tolist() == [400.0, 100.0]  # the 0.975 and the 0.025 lie beyond the told P90 and P10
    assert oldest.tolist() == [100.0, 400.0]
    assert paths[10, 0] == pytest.approx(200.0 - 100.0 * 0.025 / 0.4)  # the place of 0.475, between P10 and P50


def test_paths_spread_over_the_band_evenly_at_each_slot() -> None:
    came = np.random.default_rng(0).normal(10.0, 8.0, (40, 24))
    paths = scenarios({"load": seen(came)}, Horizon(MONDAY, 24, 60), zone="UTC", count=40)["load"]
    assert (np.sort(paths, axis=0) == np.sort(paths[:, :1], axis=0)).all()
    assert (paths < 10.0).mean() == 0.5
    assert (paths <= 0.0).mean() == pytest.approx(3 / 28)  # of 28 working days


def test_load_and_price_of_the_same_day_come_together() -> None:
    came = np.random.default_rng(1).normal(10.0, 8.0, (30, 24))
    now = forecast(MONDAY, 24, 0.1, 0.2, 0.3)
    paths = scenarios({"load": seen(came), "price": seen(came * 0.5, now=now), "sun": seen(20.0 - came)},
                      Horizon(MONDAY, 24, 60), zone="UTC", count=30)  # fmt: skip
    assert np.corrcoef(paths["load"].ravel(), paths["price"].ravel())[0, 1] > 0.99
    assert np.corrcoef(paths["load"].ravel(), paths["sun"].ravel())[0, 1] < -0.99


def test_the_sum_of_a_day_is_as_uncertain_as_days_were() -> None:
    """Errors that fade with 0.9 from hour to hour: the sum of a day spreads four times as far as it would if each hour
    were drawn for itself."""
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((60, 24))
    for hour in range(1, 24):
        noise[:, hour] = 0.9 * noise[:, hour - 1] + np.sqrt(1 - 0.81) * noise[:, hour]
    came = 10.0 + 10.0 / 1.2816 * noise
    paths = scenarios({"load": seen(came)}, Horizon(MONDAY, 24, 60), zone="UTC", count=60)["load"]
    alone = np.array([rng.permutation(column) for column in paths.T]).T
    real = came.sum(axis=1).std()
    assert 0.75 * real < paths.sum(axis=1).std() < 1.1 * real  # the told band ends at P10 and P90
    assert alone.sum(axis=1).std() < 0.4 * real


def test_days_of_the_same_kind_where_there_are_enough() -> None:
    """50 days before a Monday hold 35 working days, which alone are drawn from; of 21 days 15 are, so all are."""
    weekend = np.array([(MONDAY - back * DAY).weekday() >= 5 for back in range(50, 0, -1)])
    came = np.where(weekend, 1000.0, 10.0)[:, None] + np.arange(50.0)[:, None] / 100 + np.zeros((50, 24))
    horizon = Horizon(MONDAY, 24, 60)
    assert len(scenarios({"load": seen(came)}, horizon, zone="UTC", count=60)["load"]) == 35
    assert len(scenarios({"load": seen(came[-21:])}, horizon, zone="UTC", count=60)["load"]) == 21
    assert len(scenarios({"load": seen(came)}, horizon, zone="UTC", count=24)["load"]) == 24


def test_too_few_days_give_nothing() -> None:
    came = np.random.default_rng(3).normal(10.0, 5.0, (ENOUGH_DAYS - 1, 24))
    horizon = Horizon(MONDAY, 24, 60)
    assert scenarios({"load": seen(came)}, horizon, zone="UTC", count=30) == {}
    assert scenarios({}, horizon, zone="UTC", count=30) == {}
    enough = np.random.default_rng(3).normal(10.0, 5.0, (30, 24))
    assert scenarios({"load": seen(enough), "price": seen(came)}, horizon, zone="UTC", count=30) == {}


def test_a_longer_horizon_goes_on_with_the_forecasts_that_followed() -> None:
    came = np.random.default_rng(4).normal(10.0, 8.0, (40, 24))
    horizon = Horizon(MONDAY + timedelta(hours=6), 60, 60)
    paths = scenarios({"load": seen(came)}, horizon, zone="UTC", count=30)["load"]
    assert paths.shape == (28, 60)
    assert np.isfinite(paths).all()


def test_the_same_inputs_give_the_same_paths() -> None:
    came = np.round(np.random.default_rng(5).normal(10.0, 8.0, (40, 24)), -1)  # many equal places: ranked by lot
    horizon = Horizon(MONDAY, 24, 60)
    first, again, other = (
        scenarios({"load": seen(came)}, horizon, zone="UTC", count=30, seed=seed)["load"] for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert not (first == other).all()
