"""`loadstone forecast` says in words what the Forecast page shows."""

import json

from energy.commands.forecast import plain, told
from tests.dashboard import gallery


def test_the_page_in_lines() -> None:
    text = "\n".join(told(gallery.forecast_page()))
    assert "Base load, kW, by combined" in text
    assert "carried by hourly 38% (alone off by 18.4), trees 34%" in text
    assert "drift: 31% below the forecast since 10:00" in text
    row = next(line for line in text.splitlines() if line.startswith("  1 "))
    assert row.split() == ["1", "17", "26", "35%", "80%", "30"]


def test_as_json_unknown_is_null() -> None:
    page = json.loads(json.dumps(plain(gallery.forecast_page()), allow_nan=False))
    load = page["targets"][0]
    assert load["skill"][0]["days_ahead"] == 1
    assert load["actual"][-1] is None
    assert len(load["p50"]) == len(load["actual"])
