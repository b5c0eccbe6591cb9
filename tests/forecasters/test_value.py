"""The value of a price forecast, on days that can be checked by hand."""

import numpy as np
import pytest

from energy.forecasters import value as v

CAME = np.array([30.0, 10, 20, 10, 40, 40, 40, 50, 60, 60, 40, 40])  # mean 36.67; cheapest 10, 10, 20, 30, a block


def test_perfect_foresight_is_worth_one() -> None:
    assert v.value_of(CAME[None], CAME[None]) == v.Value(cheapest_hours=1.0, cheapest_block=1.0, battery_cycle=1.0)


def test_the_gains_of_perfect_foresight() -> None:
    assert v.cheapest_hours(CAME, CAME) == pytest.approx(CAME.mean() - 17.5)
    assert v.cheapest_block(CAME, CAME) == pytest.approx(CAME.mean() - 17.5)
    assert v.battery_cycle(CAME, CAME) == pytest.approx(0.9 * 120 - 20)


def test_a_forecast_that_turns_the_day_about_loses() -> None:
    told = CAME[::-1]
    found = v.value_of(told[None], CAME[None])
    assert found.cheapest_hours < 0
    assert v.cheapest_hours(told, CAME) == pytest.approx(CAME.mean() - (60 + 60 + 40 + 40) / 4)


def test_charging_comes_before_discharging() -> None:
    falling = np.array([90.0, 80, 70, 60, 50, 40, 30, 20])
    assert v.battery_cycle(falling, falling) == 0.0  # nothing is worth it
    assert np.isnan(v.value_of(falling[None], falling[None]).battery_cycle)


def test_a_cycle_that_only_seems_worth_it_costs() -> None:
    flat = np.full(8, 50.0)
    told = np.array([10.0, 10, 50, 50, 50, 50, 90, 90])
    assert v.battery_cycle(told, flat) == pytest.approx(0.9 * 100 - 100)


def test_days_with_more_to_gain_count_more() -> None:
    calm, wild = CAME / 10, CAME * 10
    found = v.value_of(np.array([CAME[::-1], CAME]), np.array([calm, wild]))
    assert found.cheapest_hours > 0.97


def test_days_with_a_gap_do_not_count() -> None:
    gap = np.where(np.arange(12) == 3, np.nan, CAME)
    assert v.value_of(np.array([CAME[::-1], CAME]), np.array([gap, CAME])).cheapest_hours == 1.0
    assert np.isnan(v.value_of(CAME[None], gap[None]).cheapest_hours)


def test_only_the_order_of_hours_matters_for_what_is_bought() -> None:
    told = np.sqrt(CAME) - 100
    assert v.value_of(told[None], CAME[None]).cheapest_hours == 1.0
