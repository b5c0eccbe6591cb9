"""Prophet behind the port: where it cannot answer, what its parts say, and what it leaves behind."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy.clock import HeldClock, local
from energy.forecasters import prophet
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.ports import Context, Forecaster

ZONE = "Europe/Berlin"
END = datetime(2026, 3, 1, 23, tzinfo=UTC)  # local midnight before a Monday
HORIZON = Horizon(END, 96)
SITE = Site(id="a", name="A", zone=ZONE, currency="EUR", import_limit_kw=1000, export_limit_kw=0)


def made(**settings: object) -> Forecaster:
    return prophet.build(prophet.Settings.model_validate(settings), Context(site=SITE, clock=HeldClock(END)))


def past(*, days: int = 28, driver: bool = False) -> Past:
    """A working day 100 kW higher than a Saturday or Sunday, and 5 kW more for each degree of frost."""
    span = Horizon.between(END - timedelta(days=days), END, 15)
    reach = Horizon(span.start, span.slots + 96)
    rng = np.random.default_rng(11)
    cold = np.repeat(rng.normal(0, 4, reach.slots // 96), 96)
    values = np.array([300.0 if local(t, ZONE).weekday() < 5 else 200.0 for t in span.times()])
    values = values + rng.normal(0, 1, span.slots) - (5 * cold[: span.slots] if driver else 0)
    drivers = (("temperature", Series(reach, cold, "degC")),) if driver else ()
    return Past(target=Series(span, values, "kW"), drivers=drivers, known_at=END, zone=ZONE)


def test_a_late_fit_is_answered_by_similar_days(monkeypatch: pytest.MonkeyPatch) -> None:
    from energy.forecasters.prophet.exact import backend

    monkeypatch.setattr(backend, "covers", lambda _: False)  # then Stan is asked, within its time limit
    forecast = made(seconds=0.001).forecast(Target.BASE_LOAD, past(), HORIZON)
    assert forecast.source == "naive"
    assert any("similar days instead of Prophet" in flag for flag in forecast.flags)
    assert abs(forecast.p50.values - 300).max() < 5


def test_a_failed_fit_is_answered_by_similar_days(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Error during optimization! Command 'x' failed")

    from prophet import Prophet

    monkeypatch.setattr(Prophet, "fit", fails)
    forecaster = made()
    forecast = forecaster.forecast(Target.BASE_LOAD, past(), HORIZON)
    assert (forecast.source, forecaster.components(Target.BASE_LOAD)) == ("naive", ())
    assert "did not converge" in forecast.flags[0]


def test_too_little_history_is_answered_by_similar_days() -> None:
    forecast = made().forecast(Target.BASE_LOAD, past(days=10), HORIZON)
    assert forecast.source == "naive"
    assert "10 days of history, 14 needed" in forecast.flags[0]


def test_a_known_driver_is_used_and_an_unknown_one_is_flagged() -> None:
    cold = past(driver=True)
    with_driver = made().forecast(Target.BASE_LOAD, cold, HORIZON)
    expected = 300 - 5 * cold.drivers[0][1].over(HORIZON).values
    assert abs(with_driver.p50.values - expected).mean() < 4
    ends = (("temperature", cold.drivers[0][1].over(cold.target.horizon)),)
    without = Past(target=cold.target, drivers=ends, known_at=END, zone=ZONE)
    assert made().forecast(Target.BASE_LOAD, without, HORIZON).flags == (
        "driver 'temperature' is not used: not known over the horizon",
    )


def test_its_parts_add_up_to_its_forecast() -> None:
    forecaster = made()
    forecast = forecaster.forecast(Target.BASE_LOAD, past(driver=True), HORIZON)
    parts = {part.name: part for part in forecaster.components(Target.BASE_LOAD)}
    assert {"trend", "weekly", "daily, working day", "daily, Saturday", "daily, Sunday or holiday", "similar days",
            "the day before", "a week before", "driver temperature"} == set(parts)  # fmt: skip
    over_the_horizon = ["trend", "similar days", "the day before", "a week before", "driver temperature"]
    total = sum(np.array(parts[name].y) for name in [*over_the_horizon, "daily, working day"])
    assert total == pytest.approx(forecast.p50.values, abs=0.5)
    assert parts["daily, working day"].x[:2] == ("00:00", "00:15")
    week = dict(zip(parts["weekly"].x, parts["weekly"].y, strict=True))
    assert week["Tuesday"] > week["Sunday"]
    assert {part.unit for part in parts.values()} == {"kW"}


def test_the_same_past_gives_the_same_forecast() -> None:
    first, second = (made().forecast(Target.BASE_LOAD, past(), HORIZON) for _ in range(2))
    assert first == second


def test_our_way_into_stan_finds_what_prophets_own_finds() -> None:
    """The same fit through Prophet's own backend and through ours."""
    import pandas as pd
    from prophet import Prophet

    from energy.forecasters.prophet.stan import TimedStan

    rng = np.random.default_rng(2)
    ds = pd.date_range("2026-01-05", periods=24 * 21, freq="h")
    x = rng.normal(size=len(ds))
    frame = pd.DataFrame(
        {"ds": ds, "x": x, "y": 100 + 30 * np.sin(ds.hour / 24 * 2 * np.pi) + 5 * x + rng.normal(size=len(ds))}
    )
    found = []
    for own in (True, False):
        model = Prophet(growth="flat", weekly_seasonality=False, uncertainty_samples=0)
        model.add_regressor("x")
        if not own:
            model.stan_backend = TimedStan(20)
        model.fit(frame, seed=1)
        found.append(model.predict(frame.drop(columns="y"))["yhat"].to_numpy())
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def test_a_band_holds_what_comes() -> None:
    forecast = made().forecast(Target.BASE_LOAD, past(days=56), HORIZON)
    came = 300 + np.random.default_rng(99).normal(0, 1, 96)
    inside = ((forecast.p10.values <= came) & (came <= forecast.p90.values)).mean()
    assert 0.6 <= inside <= 0.97
    assert (forecast.p90.values - forecast.p10.values).mean() < 6


def test_it_leaves_no_files_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    import cmdstanpy

    before = set(Path(cmdstanpy._TMPDIR).rglob("*"))
    for seconds in (20, 0.001):
        made(seconds=seconds).forecast(Target.BASE_LOAD, past(), HORIZON)

    assert set(Path(cmdstanpy._TMPDIR).rglob("*")) == before
    assert capfd.readouterr() == ("", "")


def test_the_kind_is_light_until_it_is_built() -> None:
    code = "import sys, energy.forecasters.prophet, energy.forecasters.naive; print({'prophet', 'pandas'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"
