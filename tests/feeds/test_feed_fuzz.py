"""Whatever JSON a service answers, it is values within the band or a FeedError; and the examples of the docs load."""

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.config import load_settings
from energy.errors import FeedError
from energy.feeds import carbon_intensity_gb, energy_charts
from energy.http import client
from energy.model.horizon import Interval

ROOT = Path(__file__).parent.parent.parent
DAY = Interval(datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC))
START = int(DAY.start.timestamp())
odd = st.sampled_from([None, True, -1, 0, 1e30, 10**20, 2**40, "x", "NaN", "1", "", [], {}, [1], {"a": 1}])
second = st.integers(-2, 8).map(lambda i: START + 900 * i) | odd
price = st.floats(-2000, 11_000).map(lambda p: round(p, 2)) | odd
answers = odd | st.fixed_dictionaries(
    {},
    optional={
        "unix_seconds": odd | st.lists(second, max_size=6),
        "price": odd | st.lists(price, max_size=6),
        "unit": odd | st.just("EUR / MWh"),
        "license_info": odd,
    },
)
stamp = st.integers(0, 6).map(lambda i: f"{DAY.start + timedelta(minutes=30 * i):%Y-%m-%dT%H:%MZ}") | odd
row = odd | st.fixed_dictionaries(
    {"from": stamp, "to": stamp, "intensity": odd | st.fixed_dictionaries({"forecast": price, "actual": price})}
)


def fetch(context, module, settings, answer):
    web = client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))
    kind = {"energy_charts": "EnergyCharts", "carbon_intensity_gb": "CarbonIntensityGB"}[module.__name__.split(".")[-1]]
    try:
        found = getattr(module, kind)(settings, context, web).fetch(DAY)
    except FeedError:
        return
    for values in found:
        known = values.series.values[values.series.known]
        assert len(known) == 0 or (np.isfinite(known).all() and known.min() >= -1.0 and known.max() <= 10.0)
        assert values.series.horizon.end <= DAY.end + timedelta(hours=1)
        assert not math.isnan(values.series.horizon.step_minutes)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers)
def test_any_prices(context, answer):
    fetch(context, energy_charts, energy_charts.Settings(zone="DE-LU"), answer)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd | st.fixed_dictionaries({"data": odd | st.lists(row, max_size=4)}))
def test_any_carbon(context, answer):
    fetch(context, carbon_intensity_gb, carbon_intensity_gb.Settings(), answer)


def test_the_example_of_the_docs_loads(tmp_path):
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "feeds.md").read_text(), flags=re.DOTALL)
    plant = "site: {id: p, zone: UTC, currency: EUR, import_limit_kw: 5}\ntariff: {market: day_ahead}\n"
    (tmp_path / "config.yaml").write_text(plant + example)
    assert [feed.kind for feed in load_settings(tmp_path / "config.yaml", {}).feeds] == ["energy-charts", "file"]
