"""What a person can read of a forecast: parts that add up to it, whoever made it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.forecasters.combined.forecaster import Combined
from energy.forecasters.prophet import reading
from energy.forecasters.prophet.fit import FitError
from energy.forecasters.prophet.reading import REST, readable
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

END = datetime(2026, 3, 1, 23, tzinfo=UTC)  # local midnight before a Monday
HORIZON = Horizon(END, 96)


def past(days: int) -> Past:
    """A load that rises by 0.2 kW a day in its second half, has a summer, and is lower on days off."""
    span = Horizon.between(END - timedelta(days=days), END, 60)
    t = np.arange(span.slots) / 24
    weekday = (t.astype(int) - days) % 7
    y = (
        300
        + 40 * np.sin(2 * np.pi * t)
        + np.maximum(t - days / 2, 0)
        - 30 * np.cos(2 * np.pi * (t - days + 60) / 365.25)
    )
    y = y - 60 * (weekday >= 5) + np.random.default_rng(2).normal(0, 3, span.slots)
    return Past(target=Series(span, y, "kW"), drivers=(), known_at=END, zone="Europe/Berlin", country="DE")


def said(level: float = 333.0) -> Forecast:
    p50 = Series(HORIZON, np.full(96, level), "kW")
    return Forecast(target=Target.BASE_LOAD, issued_at=END, p10=p50, p50=p50, p90=p50, source="combined")


def over_the_horizon(parts: dict[str, Component]) -> np.ndarray:
    names = [name for name in ("trend", "time of year", "daily, working day", REST) if name in parts]
    return np.sum([parts[name].y for name in names], axis=0)


def test_parts_add_up_to_what_another_forecaster_said() -> None:
    parts = {part.name: part for part in readable(past(60), said(), seconds=5)}
    assert {"trend", "trend so far", "daily, working day", "weekly", REST} <= set(parts)
    assert over_the_horizon(parts) == pytest.approx(np.full(24, 333.0), abs=1e-6)


def test_trend_and_time_of_year_are_told_apart_over_two_years() -> None:
    parts = {part.name: part for part in readable(past(735), said(), seconds=5)}
    yearly, line = np.array(parts["yearly"].y), np.array(parts["trend so far"].y)
    truth = -np.cos(2 * np.pi * (np.arange(-52, 1) * 7 + 60) / 365.25)
    assert np.corrcoef(yearly, truth)[0, 1] > 0.9
    half = len(line) // 2
    assert line[-1] - line[half] > 20 + line[half] - line[0]
    assert over_the_horizon(parts) == pytest.approx(np.full(24, 333.0), abs=1e-6)


def test_a_short_past_has_no_trend_and_a_very_short_one_no_parts() -> None:
    names = {part.name for part in readable(past(20), said(), seconds=5)}
    assert "trend so far" not in names
    assert "yearly" not in names
    assert readable(past(5), said(), seconds=5) == ()


def test_a_failed_fit_has_no_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise FitError("Prophet's fit did not converge")

    monkeypatch.setattr(reading, "fitted", fails)
    assert readable(past(30), said(), seconds=5) == ()


def test_the_combined_forecast_can_be_read() -> None:
    combined, known = Combined(members=("similar", "week")), past(40)
    assert combined.components(Target.BASE_LOAD) == ()
    forecast = combined.forecast(Target.BASE_LOAD, known, HORIZON)
    parts = {part.name: part for part in combined.components(Target.BASE_LOAD)}
    hours = forecast.p50.values.reshape(24, 4).mean(axis=1)
    assert over_the_horizon(parts) == pytest.approx(hours, abs=1e-6)
