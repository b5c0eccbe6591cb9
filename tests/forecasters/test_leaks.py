"""Leaks are planted, and each must be found; the real forecasters and all members have none."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from energy.clock import HeldClock
from energy.commands.backtest import unhurried
from energy.forecasters import leaks as l
from energy.forecasters.backtest import LastWeek, Trial, issue
from energy.forecasters.combined.days import Days, laid_out
from energy.forecasters.combined.members import known_members
from energy.forecasters.combined.recipes import RECIPES
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.plugins import kind
from energy.ports import Context, Forecaster

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 50


@cache
def trial(target: Target = Target.BASE_LOAD, *, windy: bool = False) -> Trial:
    """Fifty hourly days of a shape with noise that a driver explains in part; of a windy one by day and night."""
    rng = np.random.default_rng(3)
    hours = np.arange(24 * DAYS)
    driver = rng.normal(0, 1, len(hours))
    values = np.maximum(0, 100 * np.sin((hours % 24 - 6) / 12 * np.pi)) * (1 + 0.2 * driver)
    values += 0 if target is Target.PV and not windy else 50 + 10 * (hours // 24 % 7 < 5) + rng.normal(0, 3, len(hours))
    horizon = Horizon(START, len(hours), 60)
    return Trial(
        target=target,
        actual=Series(horizon, values, "kW"),
        drivers=(("weather", Series(horizon, driver, "")),),
        days=4,
        slots_ahead=24,
    )


class Told:
    """A forecaster that says what a rule makes of its past and of what it was built with."""

    name = "told"

    def __init__(self, rule: Callable[[Past, Horizon], float]) -> None:
        self._rule = rule

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        said = Series.constant(horizon, self._rule(past, horizon), "kW")
        return Forecast(target=target, issued_at=past.known_at, p10=said, p50=said, p90=said, source=self.name)

    def components(self, target: Target) -> Sequence[Component]:
        return ()


def target_by_a_back_door(t: Trial) -> Forecaster:
    return Told(lambda past, horizon: float(t.actual.over(horizon).values.mean()))


def target_of_a_later_day(t: Trial) -> Forecaster:
    return Told(lambda past, horizon: float(t.actual.values[-1]))


def driver_beyond_the_horizon(t: Trial) -> Forecaster:
    return Told(lambda past, horizon: t.drivers[0][1].at(horizon.end))


def what_it_was_asked_before(t: Trial) -> Forecaster:
    longest: list[Series] = []

    def rule(past: Past, horizon: Horizon) -> float:
        longest[:] = sorted([*longest, past.target], key=lambda series: series.horizon.slots)[-1:]
        return float(longest[0].values[-1])

    return Told(rule)


def nothing_of_the_future(t: Trial) -> Forecaster:
    return Told(lambda past, horizon: float(past.target.values[-1]) + past.drivers[0][1].at(horizon.start))


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (target_by_a_back_door, (l.TARGET,)),
        (target_of_a_later_day, (l.TARGET,)),
        (driver_beyond_the_horizon, (l.DRIVER,)),
        (what_it_was_asked_before, (l.EARLIER_CALL,)),
        (nothing_of_the_future, ()),
    ],
)
def test_a_planted_leak_is_found(make: Callable[[Trial], Forecaster], found: tuple[str, ...]) -> None:
    at = trial().issue_times()[0]
    assert l.leaks(trial(), make, at) == found
    assert l.sees_the_future(trial(), make, at) == bool(found)


def test_a_back_test_that_gives_back_forecasts_of_later_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leak is in the back-test itself: what is issued is not asked when it was."""

    def ungated(
        trial: Trial, forecasters: Sequence[Forecaster], at: datetime, before: Sequence[l.Issued] = ()
    ) -> l.Issued:
        moved = [
            l.Issued(at=at - trial.actual.horizon.step, forecasts=_backdated(day, at), seconds={}) for day in before
        ]
        return issue(trial, forecasters, at, moved)

    def _backdated(day: l.Issued, at: datetime) -> dict[str, Forecast]:
        from dataclasses import replace

        return {name: replace(f, issued_at=at - f.horizon.step) for name, f in day.forecasts.items()}

    monkeypatch.setattr(l, "issue", ungated)

    def learns_of_its_errors(t: Trial) -> Forecaster:
        return Told(lambda past, horizon: sum(float(f.p50.values.mean()) for f in past.issued))

    assert l.leaks(trial(), learns_of_its_errors, trial().issue_times()[0]) == (l.LATER_FORECASTS,)


@pytest.mark.parametrize("name", ["naive", "combined"])
@pytest.mark.parametrize("target", list(Target))
def test_the_real_forecasters_see_nothing_of_the_future(name: str, target: Target) -> None:
    site = Site(id="a", name="A", zone="UTC", currency="EUR", import_limit_kw=1000, export_limit_kw=0)
    module = kind("forecasters", name)

    def make(t: Trial) -> Forecaster:
        forecaster: Forecaster = module.build(unhurried(module.Settings), Context(site=site, clock=HeldClock(START)))
        return forecaster

    t = trial(target)
    at, *_, last = t.issue_times()
    before = [issue(t, [make(t)], at), issue(t, [make(t)], last)]
    assert l.leaks(t, make, last, before) == ()
    assert l.leaks(t, lambda _: LastWeek(), last) == ()


def days_of(target: Target, *, windy: bool = False) -> Days:
    t = trial(target, windy=windy)
    at = t.issue_times()[-1]
    laid = laid_out(target, t.past_at(at), t.horizon_at(at), most_days=DAYS)
    assert laid is not None
    return laid.days


class Peeking:
    """Says of each day what came on it, where that is in its rows: a perfect member, and a cheat."""

    name = "peeking"
    least_days = 1

    def forecast(self, days: Days, issues: Sequence[int]) -> np.ndarray:
        return np.array([days.y[issue : issue + days.ahead] for issue in issues])


class PeekingFurther(Peeking):
    def forecast(self, days: Days, issues: Sequence[int]) -> np.ndarray:
        ahead = [days.drivers["weather"][min(issue + days.ahead, days.rows - 1)][None] for issue in issues]
        return np.array(ahead)


class FittingOnAll(Peeking):
    """Fits once on all rows before the last issue, and answers for earlier issues with that fit: in-sample."""

    def forecast(self, days: Days, issues: Sequence[int]) -> np.ndarray:
        mean = np.nanmean(days.y[: days.issue], axis=0)
        return np.array([np.tile(mean, (days.ahead, 1)) for _ in issues])


@pytest.mark.parametrize(
    ("member", "found"), [(Peeking(), (l.TARGET,)), (PeekingFurther(), (l.DRIVER,)), (FittingOnAll(), (l.TARGET,))]
)
def test_a_member_that_peeks_is_found(member: Peeking, found: tuple[str, ...]) -> None:
    days = days_of(Target.BASE_LOAD)
    assert l.peeks(member, days, days.issue - 5) == found


@pytest.mark.parametrize(
    ("target", "name"),
    [*((target, name) for target in Target for name in RECIPES[target].members), (Target.PRICE, "hourly")],
)
def test_no_member_peeks(target: Target, name: str) -> None:
    days = days_of(target, windy=name == "wind")
    assert l.peeks(known_members()[name](), days, days.issue - 5) == ()
