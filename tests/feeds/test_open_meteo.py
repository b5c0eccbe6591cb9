"""Weather from Open-Meteo: the shape of its answers, stamps at the end of an hour, and what is not believed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.clock import HeldClock
from energy.errors import FeedError
from energy.feeds.open_meteo import OpenMeteo, Settings
from energy.http import client
from energy.model.horizon import Horizon, Interval
from energy.ports import Context
from tests.feeds.test_http import say, server

NOW = datetime(2026, 1, 1, 13, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = Interval(MIDNIGHT, MIDNIGHT + timedelta(hours=4))
UNITS = {
    "time": "unixtime", "temperature_2m": "°C", "shortwave_radiation": "W/m²", "wind_speed_10m": "m/s",
    "wind_speed_80m": "m/s", "wind_speed_120m": "m/s", "cloud_cover": "%",
}  # fmt: skip
HOURLY = {
    "time": [1767225600 + 3600 * n for n in range(-1, 6)],  # from 23:00 of the day before
    "temperature_2m": [2.4, 2.2, 2.0, 1.9, 1.7, None, None],
    "shortwave_radiation": [0.0, 0.0, 10.0, 20.0, 30.0, 40.0, None],
    "wind_speed_10m": [3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6],
    "wind_speed_80m": [6.0, 6.0, 6.0, None, 6.0, 6.0, 6.0],
    "wind_speed_120m": [8.0, 8.0, 7.0, 8.0, 8.0, 8.0, 8.0],
    "cloud_cover": [100, 90, 80, 70, 60, 50, 40],
}
ANSWER = {
    "latitude": 48.7, "longitude": 9.2, "generationtime_ms": 0.1, "utc_offset_seconds": 0, "timezone": "GMT",
    "timezone_abbreviation": "GMT", "elevation": 250.0, "hourly_units": UNITS, "hourly": HOURLY,
}  # fmt: skip


@pytest.fixture
def place(context: Context) -> Context:
    return replace(context, site=replace(context.site, latitude=48.7, longitude=9.2))


def feed(place: Context, answer: object, asked: list[httpx.Request] | None = None, **said: object) -> OpenMeteo:
    def handler(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        return httpx.Response(200, json=answer)

    return OpenMeteo(Settings.model_validate(said), place, client(transport=httpx.MockTransport(handler)))


def values(found, key: str) -> list[float]:
    (one,) = (each for each in found if each.key == key)
    return one.series.over(Horizon(MIDNIGHT, 4, 60)).values.tolist()


def test_each_quantity_at_the_start_of_its_hour(place: Context) -> None:
    found = feed(place, ANSWER).fetch(SPAN)
    assert values(found, "weather.temperature") == [2.2, 2.0, 1.9, 1.7]
    # the mean of the preceding hour, stamped 01:00, is that of the hour from midnight on
    assert values(found, "weather.irradiance") == [10.0, 20.0, 30.0, 40.0]
    assert values(found, "weather.wind_speed") == [3.1, 3.2, 3.3, 3.4]
    np.testing.assert_allclose(values(found, "weather.wind_speed_100m"), [7.0, 6.5, np.nan, 7.0])
    assert values(found, "weather.cloud_cover") == [90, 80, 70, 60]
    assert {one.series.unit for one in found} == {"degC", "W/m2", "m/s", "%"}
    assert {one.retrieved_at for one in found} == {NOW}
    assert "commercial use needs a subscription" in found[0].licence


def test_what_is_asked_weeks_back_at_first_and_then_only_the_span(place: Context) -> None:
    asked: list[httpx.Request] = []
    weather = feed(place, ANSWER, asked, key="secret", past_days=30)
    span = Interval(NOW - timedelta(days=1), NOW + timedelta(days=2))
    weather.fetch(span)
    weather.fetch(span)
    first, second = (dict(request.url.params) for request in asked)
    assert (first["past_days"], second["past_days"]) == ("31", "2")
    assert first["forecast_days"] == second["forecast_days"] == "4"
    assert (first["timezone"], first["timeformat"], first["wind_speed_unit"]) == ("GMT", "unixtime", "ms")
    assert (first["latitude"], first["longitude"], first["apikey"]) == ("48.7000", "9.2000", "secret")
    assert "apikey" not in dict(httpx.URL(feed(place, ANSWER).settings.url).params)


def test_over_a_real_connection(place: Context) -> None:
    body = json.dumps(ANSWER).encode()
    with server(lambda handler: say(handler, body=body)) as (url, asked), client() as web:
        found = OpenMeteo(Settings(url=f"{url}/v1/forecast"), place, web).fetch(SPAN)
    assert len(found) == 5
    assert parse_qs(urlsplit(asked[0]).query)["latitude"] == ["48.7000"]


def test_without_a_place_it_says_what_is_missing(context: Context) -> None:
    with pytest.raises(FeedError, match=r"site\.latitude and site\.longitude"):
        feed(context, ANSWER).fetch(SPAN)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"hourly_units": UNITS | {"temperature_2m": "°F"}}, "'°F', not in °C"),
        ({"hourly_units": UNITS | {"wind_speed_10m": "km/h"}}, "'km/h', not in m/s"),
        ({"hourly_units": UNITS | {"time": "iso8601"}}, "not seconds of UTC"),
        ({"utc_offset_seconds": 3600}, "not seconds of UTC"),
        ({"hourly": HOURLY | {"temperature_2m": [99.0] * 7}}, "outside -70 to 60"),
        ({"hourly": HOURLY | {"shortwave_radiation": [-1.0] * 7}}, "outside 0 to 1500"),
        ({"hourly": HOURLY | {"temperature_2m": ["warm"] * 7}}, "not a number"),
        ({"hourly": HOURLY | {"temperature_2m": [1.0]}}, "no temperature_2m for each time"),
        ({"hourly": {"time": HOURLY["time"]}}, "no temperature_2m for each time"),
        ({"hourly": HOURLY | {"time": ["2026-01-01T00:00"] * 7}}, "no time in seconds"),
        ({"hourly": HOURLY | {"time": [10**20] * 7}}, "is no time"),
        ({"hourly": HOURLY | {"time": [1767225600] * 7}}, "two values"),
        ({"hourly": None}, "no hourly values"),
        ({"error": True, "reason": "x", "hourly": None, "hourly_units": None}, "no hourly values"),
    ],
)
def test_what_cannot_be_believed_is_refused(place: Context, change: dict[str, object], why: str) -> None:
    with pytest.raises(FeedError, match=f"open-meteo: .*{why}"):
        feed(place, ANSWER | change).fetch(SPAN)


odd = st.sampled_from([None, True, -1, 0, 1e30, 10**20, "x", "NaN", "1", "", [], {}, [1], {"a": 1}])
row = odd | st.lists(st.floats(-10, 100).map(lambda v: round(v, 1)) | odd, max_size=7)
hours = st.lists(st.integers(-2, 8).map(lambda n: 1767225600 + 3600 * n) | odd, max_size=7)
tables = st.fixed_dictionaries({}, optional=dict.fromkeys(HOURLY, row) | {"time": hours | st.just(HOURLY["time"])})


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd | st.fixed_dictionaries({"hourly": odd | tables, "hourly_units": odd | st.just(UNITS)}))
def test_any_answer_is_values_within_the_band_or_refused(place: Context, answer: object) -> None:
    held = replace(place, clock=HeldClock(NOW))
    try:
        found = feed(held, answer).fetch(SPAN)
    except FeedError:
        return
    for one in found:
        known = one.series.values[one.series.known]
        assert len(known) == 0 or (known.min() >= -70 and known.max() <= 1500)
