"""Loads: what days are examples of what, when a level has changed, and which values are not believed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from numpy.typing import NDArray

from energy.forecasters.combined.change import changes, levelled, stood_still
from energy.forecasters.combined.change import codes as day_codes
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.load import frozen_runs, thawed
from energy.forecasters.combined.members.analog import AnalogDays, pooled_median
from energy.forecasters.combined.members.boosted import BoostedLoad, Growth
from energy.forecasters.combined.members.driven import driven_part, is_plan
from energy.model.forecast import Target

Floats = NDArray[np.float64]

SLOTS = 24  # hourly, so that the tables stay small
MONDAY = date(2026, 1, 5).toordinal()
WORK, BASE = 100.0, 20.0


def plant(days: int, *, noise: float = 0.0, seed: int = 1) -> Floats:
    """A plant of one shift: 100 kW from six to eighteen on working days, until noon on Saturdays, else 20 kW."""
    y = np.full((days, SLOTS), BASE)
    for row in range(days):
        if row % 7 < 5:
            y[row, 6:18] = WORK
        elif row % 7 == 5:
            y[row, 6:12] = WORK
    rng = np.random.default_rng(seed)
    return y * (1 + noise * rng.standard_normal((days, 1))) * (1 + 0.03 * rng.standard_normal((days, SLOTS)))


def days_of(y: Floats, *, ahead: int = 1, drivers: Mapping[str, Floats] | None = None) -> Days:
    """Days from a Monday on, of which the last `ahead` are to be forecast."""
    ordinal = MONDAY + np.arange(len(y))[:, None] * np.ones((1, SLOTS), dtype=np.int64)
    weekday = (ordinal + 6) % 7
    known = y.copy()
    known[len(y) - ahead :] = np.nan
    return Days(
        target=Target.BASE_LOAD, y=known, drivers=drivers or {}, issue=len(y) - ahead, step_minutes=60,
        minute=np.arange(SLOTS) * 60, ordinal=ordinal, kind=np.where(weekday == 6, 2, np.where(weekday == 5, 1, 0)),
    )  # fmt: skip


def asked(days: Days) -> Floats:
    said: Floats = AnalogDays().forecast(days, [days.issue])[0]
    return said


def test_an_analog_day_follows_the_calendar() -> None:
    y = plant(43)  # the last is a Monday
    assert np.abs(asked(days_of(y))[0] - y[-1]).mean() < 0.05 * WORK
    sunday = plant(42)
    assert np.abs(asked(days_of(sunday))[0] - BASE).max() < 0.1 * BASE


def test_a_plant_that_is_unexpectedly_down_is_expected_to_stay_down_until_the_weekend_is_over() -> None:
    y = plant(72)  # ends with a Wednesday
    y[70] = BASE  # the Monday before it nobody worked
    assert asked(days_of(y[:72]))[0].mean() < 1.5 * BASE
    free_sunday = plant(71)  # a Monday after a Sunday without work, as usual
    assert asked(days_of(free_sunday))[0].mean() > 2 * BASE


def test_trees_have_no_answer_for_the_day_after_the_plant_stood_still() -> None:
    y = plant(58)  # ends with a Tuesday
    y[56] = BASE
    trees, shifts = BoostedLoad(Growth(trees=20)), np.where(y > 60, 1.0, 0.0)
    assert np.isnan(trees.forecast(days_of(y), [57])[0]).all()
    assert not np.isnan(trees.forecast(days_of(y, drivers={"shifts": shifts}), [57])[0]).any()


def test_a_plan_says_more_than_the_calendar() -> None:
    y = plant(60)
    shifts = np.where(y > 60, 1.0, 0.0)
    y[20], y[41], shifts[20], shifts[41] = BASE, BASE, 0.0, 0.0  # two free days, as planned
    shifts[59] = 0.0  # and one to come, on a Thursday
    assert is_plan(shifts)
    assert asked(days_of(y, drivers={"shifts": shifts}))[0].mean() < 1.2 * BASE
    assert asked(days_of(y))[0].mean() > 2 * BASE


def test_what_weather_moves_is_moved_with_it() -> None:
    rng = np.random.default_rng(3)
    cold = np.repeat(rng.normal(10.0, 5.0, 60), SLOTS).reshape(60, SLOTS)
    y = plant(60) - 3.0 * (cold - 10.0)
    days = days_of(y, drivers={"temperature": cold})
    moved = driven_part(days, days.issue, 0, days.y[: days.issue])
    slope = (moved[-1] - moved[-2]) / (cold[-1] - cold[-2])
    assert slope == pytest.approx(-3.0, abs=0.3)
    with_it, without = asked(days)[0], asked(days_of(y))[0]
    assert np.abs(with_it - y[-1]).mean() < 0.5 * np.abs(without - y[-1]).mean()


@pytest.mark.parametrize("member", [AnalogDays(), BoostedLoad(Growth(trees=20), refit_days=7)], ids=lambda m: m.name)
def test_nothing_said_of_a_day_rests_on_what_came_after(member: AnalogDays | BoostedLoad) -> None:
    y = plant(60, noise=0.05)
    weather = np.random.default_rng(5).normal(size=y.shape)
    other = y.copy()
    other[50:] = other[50:][::-1] * 4.0 + 17.0
    first, second = (
        member.forecast(days_of(each, ahead=2, drivers={"wind": weather}), range(46, 59)) for each in (y, other)
    )
    assert np.array_equal(first[:5], second[:5], equal_nan=True)  # issues 46 to 50
    assert not np.array_equal(first[6:], second[6:], equal_nan=True)
    assert not np.isnan(first[:-1]).any()


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.3, 1.5])
def test_a_change_of_level_is_noticed_within_three_working_days(factor: float) -> None:
    y = plant(90, noise=0.02)
    y[70:] *= factor  # from a Monday on
    days = days_of(y)
    (change,) = changes(days)
    assert change.row == 70
    assert change.known_from <= 73
    older = levelled(days, days.issue, 0, [change])[63:70]
    assert older.mean() == pytest.approx(days.y[70:77].mean(), rel=0.05)
    assert np.array_equal(levelled(days, change.known_from - 1, 0, [change]), days.y[: change.known_from - 1])
    assert change.told(days, "kW").startswith("level changed on 16 March: ")
    assert "; older days" in change.told(days, "kW")
    assert " ;" not in change.told(days, "")  # of a file that names no unit


def test_a_machine_that_runs_day_and_night_is_added_not_multiplied() -> None:
    y = plant(90)
    y[70:] += 40.0
    days = days_of(y)
    older = levelled(days, days.issue, 0, changes(days))[:70]
    assert older[:, :5].mean() == pytest.approx(BASE + 40.0, rel=0.05)
    assert older[0, 8:16].mean() == pytest.approx(WORK + 40.0, rel=0.05)


@pytest.mark.parametrize("factor", [0.6, 1.4])
def test_three_days_after_a_change_the_error_is_nearly_as_before(factor: float) -> None:
    y = plant(100, noise=0.02)
    y[84:] *= factor
    days = days_of(y)
    said = AnalogDays().forecast(days, range(77, 100))[:, 0]
    error = np.abs(said[:-1] - y[77:99]).mean(axis=1) / y[77:99].mean(axis=1)
    assert error[7] > 0.2  # the first day on the new level
    assert error[7 + 3 :].mean() < 2 * error[:7].mean() + 0.01


@pytest.mark.parametrize("noise", [0.02, 0.06, 0.15])
def test_chance_alone_is_no_change(noise: float) -> None:
    alarms = [len(changes(days_of(plant(150, noise=noise, seed=seed)))) for seed in range(8)]
    assert sum(alarms) <= 1


def test_a_week_without_work_is_no_new_level() -> None:
    y = plant(100)
    y[70:77] = BASE * 0.9
    days = days_of(y)
    assert changes(days) == ()
    still = stood_still(days.y[: days.issue], day_codes(days))
    assert still[70:75].all()
    assert still.sum() <= 7


def test_a_frozen_meter_is_unknown_and_a_plant_that_is_off_is_off() -> None:
    y = plant(60)
    y[50, 7:16] = 97.3  # nine hours of one value at work
    y[52] = 20.0  # a day off, read by a coarse meter
    y[53, 8:16] = 0.0  # a plant that never draws nothing
    days, notes = thawed(days_of(y))
    assert np.isnan(days.y[50, 7:16]).all()
    assert np.isnan(days.y[53, 8:16]).all()
    assert (days.y[52] == 20.0).all()
    assert np.isnan(days.y[: days.issue]).sum() == 17
    assert notes == ["17 h of one frozen value, last on 27 February at 0: not learned"]


def test_a_load_that_is_constant_by_nature_is_believed() -> None:
    steps = np.repeat([20.0, 100.0, 60.0], 8)
    assert frozen_runs(np.tile(steps, 30), 60) == []
    shop = np.tile(np.concatenate([np.zeros(12), np.linspace(5, 9, 12)]), 30)  # nothing at night
    assert frozen_runs(shop, 60) == []


def test_nothing_for_days_up_to_now_is_believed() -> None:
    y = plant(60)
    y[55:] = 0.0
    days, notes = thawed(days_of(y))
    assert not np.isnan(days.y[: days.issue]).any()
    assert notes == []


def test_unknown_hours_are_not_learned_as_zero() -> None:
    y = plant(60)
    holes = replace(days_of(y))
    holes.y[20:50:2, 8:14] = np.nan
    said = asked(holes)[0]
    assert said[8:14] == pytest.approx(y[-1, 8:14], rel=0.1)


def test_a_weighted_median() -> None:
    profiles = np.array([[1.0, 10.0], [2.0, np.nan], [9.0, 30.0]])
    assert pooled_median(profiles, np.array([1.0, 1.0, 1.0]), 0) == pytest.approx([2.0, 10.0])
    assert pooled_median(profiles, np.array([1.0, 1.0, 3.0]), 0) == pytest.approx([9.0, 30.0])
