"""The invented market: functions of time, and a feed that knows no more than a real one would."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.clock import HeldClock
from energy.feeds import simulated
from energy.model.horizon import Horizon, Interval
from energy.model.series import (
    CARBON_FORECAST,
    CARBON_INTENSITY,
    IRRADIANCE,
    PRICE_DAY_AHEAD,
    TEMPERATURE,
    Series,
)
from energy.plugins import kind
from energy.ports import Context, Feed
from energy.twin import market, weather
from tests.twin.hallmoor import SITE, ZONE

YEAR = Horizon(datetime(2026, 1, 1, tzinfo=UTC), 365 * 96)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fetched(now: datetime, start: datetime, end: datetime, seed: int = 7) -> dict[str, Series]:
    feed = simulated.build(simulated.Settings(seed=seed), Context(site=SITE, clock=HeldClock(now)))
    assert isinstance(feed, Feed)
    answer = feed.fetch(Interval(start, end))
    assert {values.source for values in answer} <= {"simulated market"}
    return {values.key: values.series for values in answer}


@pytest.mark.parametrize(
    ("now", "known_until"),
    [
        ("2026-05-18 10:56", "2026-05-18 22:00"),  # 12:56 in Berlin: the auction is not over
        ("2026-05-18 10:57", "2026-05-19 22:00"),
        ("2026-05-18 21:59", "2026-05-19 22:00"),
        ("2026-05-18 22:00", "2026-05-19 22:00"),  # a new day has begun
        ("2026-03-28 11:56", "2026-03-28 23:00"),
        ("2026-03-28 11:57", "2026-03-29 22:00"),  # tomorrow has 23 hours
        ("2026-03-29 10:57", "2026-03-30 22:00"),  # 12:57 in summer time
        ("2026-10-24 10:57", "2026-10-25 23:00"),  # tomorrow has 25 hours
        ("2026-10-25 11:56", "2026-10-25 23:00"),
        ("2026-10-25 11:57", "2026-10-26 23:00"),
    ],
)
def test_prices_are_known_as_far_as_the_auction_went(now: str, known_until: str) -> None:
    start = at(now) - timedelta(days=2)
    said = fetched(at(now), start, at(now) + timedelta(days=4))
    assert said[PRICE_DAY_AHEAD].horizon.end == at(known_until)
    assert said[CARBON_FORECAST].horizon.end == at(known_until)
    assert said[CARBON_INTENSITY].horizon.end <= at(now)
    assert said[PRICE_DAY_AHEAD].known.all()


def test_a_span_that_is_not_published_is_missing() -> None:
    now = at("2026-05-18 08:00")
    said = fetched(now, now + timedelta(days=3), now + timedelta(days=4))
    assert set(said) == {TEMPERATURE, IRRADIANCE}


def test_published_prices_do_not_change() -> None:
    start = at("2026-05-18 00:00")
    early = fetched(at("2026-05-17 11:00"), start, start + timedelta(hours=20))[PRICE_DAY_AHEAD]
    late = fetched(at("2026-05-20 11:00"), start, start + timedelta(hours=20))[PRICE_DAY_AHEAD]
    assert early == late
    assert early != fetched(at("2026-05-17 11:00"), start, start + timedelta(hours=20), seed=8)[PRICE_DAY_AHEAD]


def test_forecasts_are_wrong_and_get_better() -> None:
    noon = at("2026-05-20 10:00")
    span = noon, noon + timedelta(hours=4)
    truth = fetched(noon + timedelta(days=1), *span)
    near, far = fetched(noon - timedelta(hours=1), *span), fetched(noon - timedelta(hours=30), *span)
    for key in (TEMPERATURE, IRRADIANCE):
        near_error = np.abs(near[key].values - truth[key].values).mean()
        far_error = np.abs(far[key].values - truth[key].values).mean()
        assert 0 < near_error < far_error


def test_a_part_of_the_year_is_the_same_as_in_the_whole_year() -> None:
    part = Horizon(datetime(2026, 6, 14, 5, 15, tzinfo=UTC), 77)
    first = YEAR.slot_of(part.start)
    for whole, some in [
        (market.price(YEAR, 7, ZONE), market.price(part, 7, ZONE)),
        (market.carbon(YEAR, 7, ZONE), market.carbon(part, 7, ZONE)),
        (weather.temperature(YEAR, 7), weather.temperature(part, 7)),
        (weather.irradiance(YEAR, 7), weather.irradiance(part, 7)),
    ]:
        assert whole[first : first + part.slots] == pytest.approx(some, abs=1e-9)


def test_the_market_is_believable() -> None:
    price, carbon = market.price(YEAR, 7, ZONE), market.carbon(YEAR, 7, ZONE)
    assert 0.06 < price.mean() < 0.11
    assert 0 < (price < 0).mean() < 0.02
    assert price.max() < 0.35
    assert 0.25 < carbon.mean() < 0.45
    assert np.corrcoef(price, carbon)[0, 1] > 0.6
    summer = Horizon(datetime(2026, 5, 4, tzinfo=UTC), 56 * 96)
    by_hour = market.price(summer, 7, ZONE).reshape(56, 24, 4).mean(axis=(0, 2))
    assert by_hour[11] < min(by_hour[5], by_hour[17]) - 0.02  # noon (13 o'clock) against morning and evening
    weekday = price[: 52 * 7 * 96].reshape(52, 7, 96).mean(axis=(0, 2))
    assert weekday[3] < weekday[5]  # the year began on a Thursday: Sundays against Tuesdays


def test_the_sun_sets() -> None:
    sun = weather.irradiance(YEAR, 7, 48.7, 9.2).reshape(365, 96)
    assert (sun[:, :8] == 0).all()  # midnight to 2 o'clock UTC
    assert 900 < sun.max() < 1080
    power = weather.pv_power(sun, np.full_like(sun, 10.0), 380)
    assert 250 < power.max() <= 380
    assert 850 < power.sum() / 4 / 380 < 1150  # kWh a year and kW of peak power


def test_the_kind_is_found_by_its_name() -> None:
    assert kind("feeds", "simulated") is simulated
    with pytest.raises(ValueError, match="sede"):
        simulated.Settings(sede=3)  # type: ignore[call-arg]
