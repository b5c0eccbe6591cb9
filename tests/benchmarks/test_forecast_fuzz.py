"""A few of the odd inputs of the fuzz, and that it would notice a wrong answer."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.forecast.fuzz import combined, figures, tried, wrong
from benchmarks.forecast.odd import Odd, odd
from energy.model.forecast import Forecast, Target
from energy.model.series import Series


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_odd_inputs_are_answered(first: int) -> None:
    for seed in range(first, first + 10):
        assert tried(seed, limited=False)["wrong"] == [], odd(seed).words


@pytest.mark.parametrize("seed", [107, 165, 55, 61, 199, 126, 134, 589, 5175, 5677])
def test_what_was_once_answered_wrongly(seed: int) -> None:
    """Nothing known of the last 70 days; errors in old scales after a level change; quantiles that crossed by rounding."""
    assert tried(seed, limited=False)["wrong"] == [], odd(seed).words


def test_a_seed_is_always_the_same_input() -> None:
    assert odd(5).past == odd(5).past
    assert odd(5).past.target != odd(6).past.target


def answered(target: Target) -> tuple[Odd, Forecast]:
    """An odd input of which enough is known, and its answer."""
    cases = (odd(seed) for seed in range(200))
    case = next(
        c for c in cases if c.target is target and "daily, no gaps" in c.words and c.past.target.horizon.slots > 900
    )
    return case, combined(limited=False).forecast(case.target, case.past, case.horizon)


def test_wrong_answers_are_noticed() -> None:
    case, told = answered(Target.PRICE)
    assert wrong(case, told) == []
    horizon, unit = told.horizon, told.p50.unit

    def of(value: float) -> Series:
        return Series(horizon, np.full(horizon.slots, value), unit)

    assert any("values that are none" in why for why in wrong(case, replace(told, quantiles=(), p90=of(np.nan))))
    assert any(
        "cross" in why for why in wrong(case, replace(told, quantiles=(), p10=of(101.0), p50=of(100.0), p90=of(110.0)))
    )
    assert any("far off" in why for why in wrong(case, replace(told, quantiles=(), p90=of(1e7))))
    assert any("not its quantile" in why for why in wrong(case, replace(told, p50=of(100.0))))
    assert any("no flag" in why for why in wrong(case, replace(told, source="naive", flags=())))
    assert any("another horizon" in why for why in wrong(replace(case, target=Target.PV), told))


def test_figures() -> None:
    rows = [
        {"seed": k, "wrong": ["x"] if k == 3 else [], "seconds": k / 100, "cpu": 0.0, "flagged": k < 50}
        for k in range(101)
    ]
    found = figures(rows)
    assert (found["cases"], found["broken"], found["flagged"]) == (101, 1, 50)
    assert found["p99"] == pytest.approx(0.99)
    assert found["first_broken"][0]["seed"] == 3
