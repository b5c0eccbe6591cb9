"""Prices, carbon and weather from a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy.errors import FeedError
from energy.feeds import file
from energy.model.horizon import Interval

START = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = Interval(START, START + timedelta(days=1))


def feed(context, text=None, **settings):
    if text is not None:
        (Path(context.folder) / "in.csv").write_text(text)
    return file.build(file.Settings(path=Path("in.csv"), **settings), context)


def test_prices_of_local_hours(context):
    (values,) = feed(context, "time,value\n2026-01-01 01:00,87.1\n2026-01-01 02:00,\n2026-01-01 03:00,-5\n").fetch(SPAN)
    assert (values.key, values.series.unit, values.series.horizon.step_minutes) == ("price.day_ahead", "EUR/kWh", 60)
    assert values.series.horizon.start == START
    np.testing.assert_allclose(values.series.values, [0.0871, np.nan, -0.005])
    assert values.source == "file in.csv"


def test_carbon_in_grams_with_decimal_comma_in_another_zone(context):
    text = "Zeit;Wert\n01.01.2026 00:00;263,5\n01.01.2026 00:15;270\n"
    asked = feed(context, text, series="carbon", unit="g_per_kWh", zone="UTC", basis="life cycle")
    (values,) = asked.fetch(SPAN)
    np.testing.assert_allclose(values.series.values, [0.2635, 0.270])
    assert (values.key, values.series.unit, values.basis) == ("carbon.intensity", "kg CO2e/kWh", "life cycle")


def test_a_file_that_is_not_there_yet_says_nothing(context):
    assert feed(context).fetch(SPAN) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,value\n2026-01-01 01:00,87.1\n2026-01-01 02:00,much\n", "line 3, column value: 'much' is not a number"),
        ("time,value\nyesterday,87.1\n", "line 2, column time: 'yesterday' is not a time"),
        ("when,value\n1,2\n", "column time: is missing"),
        ("time,value\n2026-01-01 01:00,87.1\n2026-01-01 02:00,99999\n", "outside -1 to 10"),
    ],
)
def test_a_file_that_cannot_be_believed_is_refused_with_the_place(context, text, why):
    with pytest.raises(FeedError, match=why):
        feed(context, text).fetch(SPAN)
