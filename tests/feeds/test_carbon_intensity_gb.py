"""Carbon intensity of Great Britain."""

from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from energy.errors import FeedError
from energy.feeds.carbon_intensity_gb import CarbonIntensityGB, Settings
from energy.http import client
from energy.model.horizon import Interval

START = datetime(2018, 1, 20, 12, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(hours=1))


def row(half_hours, forecast, actual, **change):
    start = START + timedelta(minutes=30 * half_hours)
    return {
        "from": f"{start:%Y-%m-%dT%H:%MZ}",
        "to": f"{start + timedelta(minutes=30):%Y-%m-%dT%H:%MZ}",
        "intensity": {"forecast": forecast, "actual": actual, "index": "moderate"},
    } | change


def feed(context, rows, asked=None):
    def handler(request):
        if asked is not None:
            asked.append(request.url.path)
        return httpx.Response(200, json=rows if isinstance(rows, dict) else {"data": rows})

    return CarbonIntensityGB(Settings(), context, client(transport=httpx.MockTransport(handler)))


def test_what_was_and_what_is_expected_are_two_series(context):
    asked: list[str] = []
    actual, forecast = feed(context, [row(0, 266, 263), row(1, 270, None)], asked).fetch(SPAN)
    assert asked == ["/intensity/2018-01-20T12:01Z/2018-01-20T13:00Z"]
    assert (actual.key, forecast.key) == ("carbon.intensity", "carbon.forecast")
    np.testing.assert_allclose(actual.series.values, [0.263, np.nan])
    np.testing.assert_allclose(forecast.series.values, [0.266, 0.270])
    assert (actual.series.unit, actual.series.horizon.step_minutes) == ("kg CO2e/kWh", 30)
    assert (actual.basis, actual.licence) == ("grid average, direct", "CC BY 4.0, carbonintensity.org.uk")


def test_nothing_measured_yet_is_a_forecast_alone(context):
    (forecast,) = feed(context, [row(0, 266, None)]).fetch(SPAN)
    assert forecast.key == "carbon.forecast"


def test_an_empty_list_is_nothing(context):
    assert feed(context, []).fetch(SPAN) == []


def test_a_long_span_is_asked_in_parts(context):
    asked: list[str] = []
    feed(context, [], asked).fetch(Interval(START, START + timedelta(days=30)))
    assert len(asked) == 3
    assert asked[1].startswith("/intensity/2018-02-02T12:01Z")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ({"error": {"code": "400 Bad Request", "message": "string"}}, "no list of intensities.*400 Bad Request"),
        ([row(0, 266, 263), row(0, 267, 263)], "two values"),
        ([row(0, 266, 263, to="2018-01-20T13:00Z"), row(1, 266, 263)], "different lengths"),
        ([row(0, -1, 263), row(1, 1, 263)], "outside 0 to 3"),
        ([row(0, "NaN", 263), row(1, 1, 263)], "not a number"),
        ([row(0, 266, 263, **{"from": "2018-01-20T12:00"})], "cannot read"),
        ([row(0, 266, 263, intensity=None)], "cannot read"),
        (["x"], "cannot read"),
    ],
)
def test_what_cannot_be_believed_is_refused(context, rows, why):
    with pytest.raises(FeedError, match=f"carbon-intensity-gb: .*{why}"):
        feed(context, rows).fetch(SPAN)
