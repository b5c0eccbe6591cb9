"""Day-ahead prices: answers as the service gives them, and as it should never give them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from energy.errors import ConfigError, FeedError
from energy.feeds import energy_charts
from energy.feeds.energy_charts import EnergyCharts, Settings
from energy.http import MOST_BYTES, client
from energy.model.horizon import Interval

DAY = Interval(datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC))
START = int(DAY.start.timestamp())
LICENCE = "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de"


def body(prices, seconds=None, **other):
    seconds = [START + 900 * i for i in range(len(prices))] if seconds is None else seconds
    said = {"license_info": LICENCE, "unix_seconds": seconds, "price": prices, "unit": "EUR / MWh", "deprecated": False}
    return said | other


def feed(context, answer: Callable[[httpx.Request], httpx.Response] | dict, zone="DE-LU") -> EnergyCharts:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answer) if isinstance(answer, dict) else answer(request)

    web = client(transport=httpx.MockTransport(handler), backoff_seconds=0.001)
    return EnergyCharts(Settings(zone=zone), context, web)


def test_prices_per_kwh_with_source_licence_and_time(context):
    asked: list[httpx.URL] = []

    def handler(request):
        asked.append(request.url)
        return httpx.Response(200, json=body([87.1, 84.02, None, -5.0]))

    (values,) = feed(context, handler).fetch(DAY)
    assert asked[0].host == "api.energy-charts.info"
    assert dict(asked[0].params) == {"bzn": "DE-LU", "start": "2025-12-31T23:00Z", "end": "2026-01-01T23:00Z"}
    assert (values.key, values.series.unit) == ("price.day_ahead", "EUR/kWh")
    np.testing.assert_allclose(values.series.values, [0.0871, 0.08402, np.nan, -0.005])
    assert (values.series.horizon.start, values.series.horizon.step_minutes) == (DAY.start, 15)
    assert (values.source, values.licence) == ("Energy-Charts.info, DE-LU", LICENCE)
    assert (values.retrieved_at, len(values.raw_digest)) == (context.clock.now(), 32)


def test_a_zone_without_open_licence_says_so(context):
    (values,) = feed(context, body([1.0, 2.0]), zone="SE1").fetch(DAY)
    assert values.licence.endswith("private and internal use only")


@pytest.mark.parametrize("said", [body([]), body([None, None]), {"unix_seconds": None, "price": None}])
def test_what_is_not_published_yet_is_missing(context, said):
    assert feed(context, said).fetch(DAY) == []


@pytest.mark.parametrize("status", [404, 204])
def test_no_data_is_not_a_fault(context, status):
    assert feed(context, lambda _: httpx.Response(status)).fetch(DAY) == ()


def test_without_the_day_that_is_not_published_the_others_are_asked_for(context):
    ends = []

    def handler(request):
        ends.append(request.url.params["end"])
        return httpx.Response(200, json=body([1.0, 2.0])) if len(ends) == 3 else httpx.Response(404)

    (values,) = feed(context, handler).fetch(Interval(DAY.start, DAY.start + timedelta(days=3)))
    assert ends == ["2026-01-03T23:00Z", "2026-01-02T23:00Z", "2026-01-01T23:00Z"]
    assert values.series.horizon.slots == 2


def test_order_does_not_matter_and_an_equal_second_word_is_one(context):
    seconds = [START + 1800, START, START + 900, START]
    (values,) = feed(context, body([3.0, 1.0, 2.0, 1.0], seconds)).fetch(DAY)
    np.testing.assert_allclose(values.series.values, [0.001, 0.002, 0.003])


def test_a_missing_stamp_is_a_gap(context):
    (values,) = feed(context, body([1.0, 2.0, 4.0], [START, START + 900, START + 2700])).fetch(DAY)
    np.testing.assert_allclose(values.series.values, [0.001, 0.002, np.nan, 0.004])


def test_a_price_as_text_is_a_price(context):
    (values,) = feed(context, body(["87.1", "84.02"])).fetch(DAY)
    np.testing.assert_allclose(values.series.values, [0.0871, 0.08402])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (body([1.0, 2.0, 9.0], [START, START + 900, START]), "two values for 2025-12-31 23:00 UTC: 0.001 and 0.009"),
        (body([1.0, "NaN"]), "'NaN' at 2025-12-31 23:15 UTC is not a number"),
        (body([1.0, "much"]), "'much' at"),
        (body([1.0, True]), "True at"),
        (body([1.0, [2]]), "is not a number"),
        (body([1.0, 10_001.0]), "10.001 at 2025-12-31 23:15 UTC is outside -1 to 10"),
        (body([1.0, 2.0], [START, START + 1000]), "no step of a market"),
        (body([1.0, 2.0, 3.0], [START, START + 900, START + 2400]), "not on one 15 min grid"),
        (body([1.0], [START, START + 900]), "one price for each time"),
        (body([1.0, 2.0], ["2026-01-01", "2026-01-02"]), "not a time in seconds"),
        (body([1.0, 2.0], [START * 1000, START * 1000 + 900_000]), "not a time in seconds"),
        (body([1.0, 2.0], unit="ct/kWh"), "prices in 'ct/kWh', not EUR/MWh"),
        (body([1.0]), "one value alone"),
    ],
)
def test_an_answer_that_cannot_be_believed_is_refused_with_the_reason(context, said, why):
    with pytest.raises(FeedError, match=f"energy-charts: .*{why}"):
        feed(context, said).fetch(DAY)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            lambda _: httpx.Response(200, html="<!DOCTYPE html><title>Maintenance</title>"),
            "not JSON but text/html.*Maint",
        ),
        (lambda _: httpx.Response(200, text='{"price": [NaN]}'), "not JSON"),
        (lambda _: httpx.Response(200, json=[1, 2]), "is list, not an object"),
        (lambda _: httpx.Response(200, content=b"[" + b" " * (2 * MOST_BYTES) + b"]"), "larger than 5 MB"),
        (lambda _: httpx.Response(422, text="bad bzn"), "answered 422, 'bad bzn'"),
        (lambda _: httpx.Response(401), "the key is missing or wrong"),
        (lambda _: httpx.Response(503), "answered 503"),
        (lambda _: httpx.Response(302, headers={"Location": "http://169.254.169.254/"}), "redirects to http://169.254"),
        (lambda _: httpx.Response(302, headers={"Location": "http://api.energy-charts.info/price"}), "not followed"),
        (lambda request: httpx.Response(302, headers={"Location": str(request.url)}), "in a circle"),
    ],
)
def test_an_answer_that_is_none_is_refused_with_the_reason(context, answer, why):
    with pytest.raises(FeedError, match=f"energy-charts: .*{why}"):
        feed(context, answer).fetch(DAY)


def raising(error):
    def handler(request):
        raise error("stalled", request=request)

    return handler


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (httpx.ReadTimeout, "api.energy-charts.info does not answer in time"),
        (httpx.ConnectTimeout, "cannot be reached within 5 s; is a proxy needed"),
        (httpx.ConnectError, "cannot be reached"),
    ],
)
def test_silence_is_refused_with_the_reason(context, error, why):
    with pytest.raises(FeedError, match=why):
        feed(context, raising(error)).fetch(DAY)


def test_silence_is_asked_again_three_times(context):
    calls = []

    def handler(request):
        calls.append(request)
        raise httpx.ReadTimeout("stalled", request=request)

    with pytest.raises(FeedError):
        feed(context, handler).fetch(DAY)
    assert len(calls) == 4


def test_a_redirect_on_the_same_host_is_followed(context):
    def handler(request):
        if request.url.path == "/price":
            return httpx.Response(301, headers={"Location": "/v2/price"})
        return httpx.Response(200, json=body([1.0, 2.0]))

    assert len(feed(context, handler).fetch(DAY)) == 1


def test_a_busy_service_is_asked_again_and_its_wish_to_be_left_alone_kept(context):
    calls = []

    def handler(request):
        calls.append(request.url)
        if len(calls) == 1:
            return httpx.Response(429, headers={"Retry-After": "0"})
        if len(calls) == 2:
            return httpx.Response(200, json=body([1.0, 2.0]))
        return httpx.Response(429, headers={"Retry-After": "3600"})

    asked = feed(context, handler)
    assert len(asked.fetch(DAY)) == 1
    for _ in range(2):  # the second time the service is not even asked
        with pytest.raises(FeedError, match=r"asks to be left alone for another 3[56]\d\d s"):
            asked.fetch(DAY)
    assert len(calls) == 3


@pytest.mark.parametrize(("day", "slots"), [("2026-03-29", 92), ("2026-10-25", 100), ("2026-06-01", 96)])
def test_a_clock_change_day_has_its_own_number_of_slots(context, day, slots):
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    start, end = energy_charts.whole_days(Interval(noon, noon + timedelta(hours=1)))
    seconds = [int(start.timestamp()) + 900 * i for i in range(slots)]
    (values,) = feed(context, body([float(i) for i in range(slots)], seconds)).fetch(Interval(start, end))
    assert values.series.horizon.slots == slots
    assert values.series.horizon.end == end
    assert bool(values.series.known.all())


def test_the_day_on_which_the_market_went_from_hours_to_quarters(context):
    change = datetime(2025, 9, 30, 22, tzinfo=UTC)  # midnight CEST
    hours = [int((change - timedelta(hours=24 - i)).timestamp()) for i in range(24)]
    quarters = [int((change + timedelta(minutes=15 * i)).timestamp()) for i in range(96)]
    span = Interval(change - timedelta(days=1), change + timedelta(days=1))
    first, second = feed(context, body([50.0] * 24 + [60.0] * 96, hours + quarters)).fetch(span)
    assert (first.series.horizon.step_minutes, first.series.horizon.slots) == (60, 24)
    assert (second.series.horizon.step_minutes, second.series.horizon.slots) == (15, 96)
    assert first.series.horizon.end == second.series.horizon.start == change


def test_only_the_span_is_returned(context):
    span = Interval(DAY.start + timedelta(minutes=20), DAY.start + timedelta(minutes=45))
    (values,) = feed(context, body([1.0, 2.0, 3.0, 4.0])).fetch(span)
    np.testing.assert_allclose(values.series.values, [0.002, 0.003])


def test_it_is_built_with_the_companys_proxy_and_speaks_only_euro(context):
    with energy_charts.build(Settings(zone="FR"), replace(context, proxy="http://127.0.0.1:9")).client as web:
        assert not web.is_closed
    with pytest.raises(ConfigError, match="gives EUR, the site counts SEK"):
        energy_charts.build(Settings(zone="SE3"), replace(context, site=replace(context.site, currency="SEK")))


def test_the_literal_example(context):
    said = json.loads(
        '{"license_info":"CC BY 4.0","unix_seconds":[1767222000,1767222900,1767223800],'
        '"price":[87.1,84.02,null],"unit":"EUR / MWh","deprecated":false}'
    )
    (values,) = feed(context, said).fetch(DAY)
    assert values.series.horizon.start == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert values.series.known.tolist() == [True, True, False]
