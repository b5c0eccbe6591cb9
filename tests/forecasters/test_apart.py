"""A forecaster in a process of its own: it answers, and what hangs, fails or dies there is answered by similar days."""

import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.build import forecasters
from energy.clock import HeldClock
from energy.config.settings import KindSettings
from energy.forecasters import combined, naive
from energy.forecasters.apart import Apart, Helper
from energy.forecasters.combined.forecaster import Combined
from energy.forecasters.naive import Naive
from energy.forecasters.similar import Depth
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.ports import Context

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PAST = Past(
    target=Series(Horizon(NOW - timedelta(days=30), 720, 60), np.tile(np.arange(24.0), 30), "kW"), drivers=(),
    known_at=NOW, zone="UTC",
)  # fmt: skip
SITE = Site(id="a", name="A", zone="UTC", currency="EUR", import_limit_kw=100, export_limit_kw=0)
HORIZON = Horizon(NOW, 24, 60)


class Talking(Naive):
    """Prints, as libraries do, and has a part to show."""

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        print("a library says hello")
        return super().forecast(target, past, horizon)

    def components(self, target: Target) -> Sequence[Component]:
        return (Component(name="day", x=("00:00",), y=(1.0,), unit="kW"),)


class Hanging(Naive):
    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        time.sleep(1000)
        raise AssertionError


class Failing(Naive):
    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        raise ZeroDivisionError("in a library")


class Dying(Naive):
    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        os._exit(7)


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    made = Helper()
    yield made
    made.end()
    assert made.pid is None


def test_the_answer_is_that_of_the_forecaster_itself(helper: Helper) -> None:
    apart = Apart(Talking(Depth()), helper, seconds=60)
    assert apart.forecast(Target.BASE_LOAD, PAST, HORIZON) == Naive(Depth()).forecast(Target.BASE_LOAD, PAST, HORIZON)
    assert [part.name for part in apart.components(Target.BASE_LOAD)] == ["day"]
    first = helper.pid
    apart.forecast(Target.BASE_LOAD, PAST, HORIZON)
    assert helper.pid == first is not None


@pytest.mark.parametrize(
    ("kind", "seconds", "why"),
    [
        (Hanging, 0.2, "no answer within 0.2 s"),
        (Failing, 60, "it failed (ZeroDivisionError: in a library)"),
        (Dying, 60, "its process ended"),
    ],
)
def test_without_an_answer_similar_days_answer(helper: Helper, kind: type[Naive], seconds: float, why: str) -> None:
    apart = Apart(kind(Depth()), helper, seconds=seconds)
    forecast = apart.forecast(Target.BASE_LOAD, PAST, HORIZON)
    assert forecast.flags == (f"similar days instead of naive: {why}",)
    assert forecast.p50.values.tolist() == list(range(24))
    assert apart.components(Target.BASE_LOAD) == ()

    again = Apart(Naive(Depth()), helper, seconds=60)
    assert again.forecast(Target.BASE_LOAD, PAST, HORIZON).flags == ()


def test_kinds_that_know_a_limit_of_time_are_asked_apart() -> None:
    context = Context(site=SITE, clock=HeldClock(NOW))
    kinds = {
        Target.PRICE: KindSettings(group="forecasters", kind="combined", options=combined.Settings()),
        Target.PV: KindSettings(group="forecasters", kind="naive", options=naive.Settings()),
        Target.CARBON: KindSettings(group="forecasters", kind="combined", options=combined.Settings(seconds=None)),
    }
    built = forecasters(kinds, context)
    assert {target: type(made) for target, made in built.items()} == {
        Target.PRICE: Apart, Target.PV: Naive, Target.CARBON: Combined,
    }  # fmt: skip
    assert built[Target.PRICE].name == "combined"
