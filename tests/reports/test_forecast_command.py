"""`loadstone forecast` says in words what the Forecast page shows."""

import json

from energy.commands.forecast import plain, told
from energy.forecasters.combined.members import known_members
from energy.reports.models import MODELS, component_words, flag_words, remarks, troubles
from tests.dashboard import gallery


def test_the_page_in_lines() -> None:
    text = "\n".join(told(gallery.forecast_page()))
    assert "Base load, kW, by several models" in text
    assert "38% Prophet for each hour, alone off by 18.4" in text
    assert "drift: 31% below the forecast since 10:00" in text
    row = next(line for line in text.splitlines() if line.startswith("  1 "))
    assert row.split() == ["1", "17", "26", "35%", "80%", "30"]


def test_as_json_unknown_is_null() -> None:
    page = json.loads(json.dumps(plain(gallery.forecast_page()), allow_nan=False))
    load = page["targets"][0]
    assert load["skill"][0]["days_ahead"] == 1
    assert load["actual"][-1] is None
    assert len(load["p50"]) == len(load["actual"])


def test_every_model_has_words() -> None:
    assert set(MODELS) == set(known_members())
    assert len(set(MODELS.values())) == len(MODELS)


def test_flags_and_parts_in_words() -> None:
    assert flag_words("without lasso, mix trees: no time was left") == (
        "without straight lines for each hour; forecast mix, corrected by decision trees: no time was left"
    )
    assert (
        flag_words("without weather.temperature: it never changed") == "without outdoor temperature: it never changed"
    )
    assert flag_words("no time was left to see how well boosted and similar did lately") == (
        "no time was left to see how well “decision trees on calendar and last days” and “mean of similar days” did lately"
    )
    assert flag_words("carbon.forecast ends at 2026-06-18 00:00: beyond that the forecast does without it").startswith(
        "the grid operator's forecast ends at 2026-06-18 00:00"
    )
    assert flag_words("only 9 days of history") == "only 9 days of history"
    assert component_words("daily, working day") == "time of day, working day"
    assert component_words("driver weather.temperature") == "outdoor temperature"


def test_a_clock_that_was_set_right_is_no_trouble() -> None:
    flags = ("radiation runs 60 min late: shifted", "only 9 days of history")
    assert troubles(flags) == ("only 9 days of history",)
    assert troubles(["without wind, similar: no time was left"]) == ()  # they weigh next to nothing
    assert troubles(["no time was left to see how well boosted did lately"]) == ()
    assert troubles(["without boosted, similar: no time was left"]) == (
        "without decision trees on calendar and last days: no time was left",
    )
    assert remarks(flags) == ("radiation runs 60 min late: shifted",)
