"""Bands around a combined middle: tables by hand, and made-up plants whose errors are known to be what they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from energy.forecasters.combined.adapt import wider
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.pools import weighted
from energy.forecasters.combined.scale import scale_of
from energy.forecasters.combined.shift import shift_of
from energy.forecasters.combined.spread import change_by_day, quantiles_of, within_limits
from energy.forecasters.combined.told import Told, told_of
from energy.model.forecast import LEVELS, Target

Floats = NDArray[np.float64]

FEW = settings(max_examples=25, deadline=None, derandomize=True)
P10, P50, P90 = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))


def days_of(y: Floats, issue: int, target: Target = Target.PRICE) -> Days:
    """Days of which those from `issue` on are not known yet; the first is a Monday."""
    y = y.copy()
    y[issue:] = np.nan
    rows, slots = y.shape
    ordinal = 735_236 + np.arange(rows)[:, None] + np.zeros((1, slots), dtype=np.int64)
    weekday = np.arange(rows) % 7
    kind = np.where(weekday < 5, 0, weekday - 4)[:, None] + np.zeros((1, slots), dtype=np.int64)
    minute = np.arange(slots, dtype=np.int64) * (1440 // slots)
    return Days(target=target, y=y, drivers={}, issue=issue, step_minutes=1440 // slots, minute=minute,
                ordinal=ordinal, kind=kind)  # fmt: skip


def told(days: Days, middle: Floats, members: Floats, back: int) -> Told:
    """What was told at the last issues and now, one row ahead."""
    first = max(0, days.issue - back)
    issues = tuple(range(first, days.issue + 1))
    seen = slice(first, days.issue + 1)
    return told_of(days, issues, middle[seen, None], members[:, seen, None], days.y[seen, None])


class Plant:
    """Noise that is three times as wide in the afternoon, five times on wild days (which members that disagree
    announce), and hangs together within a day."""

    def __init__(self, rows: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.wild = rng.random(rows) < 0.3
        fresh = rng.standard_normal((rows, 24))
        noise = fresh.copy()
        for hour in range(1, 24):
            noise[:, hour] = 0.6 * noise[:, hour - 1] + 0.8 * fresh[:, hour]
        hours = np.where(np.arange(24) < 12, 1.0, 3.0)
        self.size = hours * np.where(self.wild, 5.0, 1.0)[:, None]
        self.middle = 50.0 + np.zeros((rows, 24))
        self.y = self.middle + self.size * noise
        apart = np.where(self.wild, 2.0, 0.4)[:, None] * rng.uniform(0.8, 1.2, (rows, 24))
        self.members = np.stack([self.middle + apart, self.middle - apart])

    def quantiles(self, issue: int, back: int = 90) -> Floats:
        days = days_of(self.y[: issue + 1], issue)
        return quantiles_of(days, told(days, self.middle, self.members, back))[:, 0]


def crps(quantiles: Floats, came: Floats) -> float:
    above = came - quantiles
    level = np.array(LEVELS)[:, None]
    loss = np.maximum(level * above, (level - 1.0) * above).mean(axis=1)
    return float(2.0 * np.trapezoid(loss, LEVELS))


def plain(middle: Floats, errors: Floats) -> Floats:
    """Plain conformal quantiles: at each hour as far on both sides as the last errors were large."""
    levels = np.array(LEVELS)
    return middle + np.sign(levels - 0.5)[:, None] * np.quantile(np.abs(errors[-60:]), np.abs(2 * levels - 1), axis=0)


def test_quantiles_of_values_that_count_differently() -> None:
    """1 counts one day, 3 counts three: their middles stand at 1/8 and 5/8, and half way lies between them."""
    assert weighted(np.array([3.0, 1.0]), np.array([3.0, 1.0]), np.array([0.1, 0.375, 0.9])).tolist() == [1.0, 2.0, 3.0]


def test_an_error_two_days_ahead_is_known_two_days_later() -> None:
    days = days_of(np.zeros((6, 24)), 5)
    one = told(days, np.zeros((6, 24)), np.zeros((1, 6, 24)), 3)
    assert (one.known_before(1.0, 0) > 0).sum(axis=1).tolist() == [0, 1, 2, 3]
    assert (one.known_before(1.0, 1) > 0).sum(axis=1).tolist() == [0, 0, 1, 2]
    assert one.known_before(1.0, 0)[3].tolist() == [0.125, 0.25, 0.5, 0.0]


def test_eight_tenths_come_within_the_band_and_it_beats_the_plain_one() -> None:
    plant, inside, own, other = Plant(200, seed=3), [], [], []
    for issue in range(100, 200):
        quantiles, came = plant.quantiles(issue), plant.y[issue]
        inside.append((quantiles[P10] <= came) & (came <= quantiles[P90]))
        own.append(crps(quantiles, came))
        errors = plant.y[:issue] - plant.middle[:issue]
        other.append(crps(plain(plant.middle[issue], errors), came))
    assert 0.76 < np.mean(inside) < 0.85
    assert abs(np.mean(inside, axis=0) - 0.8).max() < 0.13  # 100 days: three standard deviations of one hour
    assert np.mean(own) < 0.95 * np.mean(other)


def test_a_day_on_which_members_disagree_has_a_wider_band() -> None:
    plant = Plant(160, seed=5)
    wide = {
        wild: np.mean(
            [np.diff(plant.quantiles(issue)[[P10, P90]], axis=0).mean() for issue in range(140, 160)
             if plant.wild[issue] == wild]
        )
        for wild in (True, False)
    }  # fmt: skip
    assert wide[True] > 1.8 * wide[False]


def test_nothing_is_learned_from_what_was_not_known_yet() -> None:
    plant = Plant(80, seed=1)
    before = plant.quantiles(60)
    plant.y[60:] = 1e6
    assert (plant.quantiles(60) == before).all()


def test_a_member_that_is_right_against_the_others_draws_the_middle_to_it() -> None:
    rng = np.random.default_rng(2)
    truth = 50.0 + rng.normal(0.0, 5.0, (90, 24))
    members = np.stack([truth + rng.normal(0.0, 0.3, truth.shape), truth + rng.normal(0.0, 6.0, truth.shape)])
    days = days_of(truth, 89)
    one = told(days, members.mean(axis=0), members, 80)
    scale = scale_of(one, [], prior=np.ones(24), other_kinds=1.0, bell_hours=1.0)
    middle = one.middle + shift_of(one, scale)
    assert np.abs(middle[-1] - truth[89]).mean() < 0.7 * np.abs(one.middle[-1] - truth[89]).mean()


def test_few_errors_shift_nothing() -> None:
    plant = Plant(12, seed=4)
    assert plant.quantiles(11, back=10)[P50] == pytest.approx(plant.middle[11])


@pytest.mark.parametrize("known", [1, 2, 8])
def test_before_any_error_is_known_the_band_is_as_wide_as_days_differ(known: int) -> None:
    y = 100.0 + 10.0 * np.random.default_rng(0).standard_normal((known + 1, 24))
    days = days_of(y, known, Target.BASE_LOAD)
    middle = np.full((known + 1, 24), 100.0)
    quantiles = quantiles_of(days, told(days, middle, middle[None], 0))[:, 0]
    assert (quantiles[P10] < 95).all()
    assert (quantiles[P90] > 105).all()


def test_the_changes_from_day_to_day() -> None:
    y = np.tile([[1.0, 10.0], [3.0, 10.0], [1.0, 10.0], [np.nan, np.nan]], (1, 1))
    assert change_by_day(days_of(y, 3)).tolist() == [1.5, 0.5]  # 2, 2 and 0, 0; two days of their mean, which is 1
    assert change_by_day(days_of(y[:2], 1)).tolist() == [4.5, 4.5]  # one day: 1 and 10 are 4.5 from their mean


def test_limits() -> None:
    y = np.tile(np.where(np.arange(24) // 6 % 3 == 1, 8.0, 0.0), (30, 1))
    days = days_of(y, 29, Target.PV)
    wanted = np.linspace(-5.0, 12.0, len(LEVELS))[:, None, None] + np.zeros((1, 1, 24))
    kept = within_limits(days, wanted)
    assert kept.min() == 0.0
    assert kept.max() == 8.0
    assert kept[:, 0, :6].max() == 0.0  # night
    assert within_limits(days_of(y, 29, Target.PRICE), wanted).min() == -5.0
    assert within_limits(days_of(y, 29, Target.BASE_LOAD), wanted)[:, 0, 0].tolist() == wanted.clip(0)[:, 0, 0].tolist()
    assert within_limits(days_of(y - 4.0, 29, Target.BASE_LOAD), wanted).min() == -5.0  # a net load


@FEW
@given(seed=st.integers(0, 10_000), gaps=st.floats(0.0, 0.9), back=st.integers(0, 40), slots=st.sampled_from([24, 96]))
def test_quantiles_rise_whatever_is_missing(seed: int, gaps: float, back: int, slots: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.standard_cauchy((45, slots)) * 10.0 ** rng.integers(-3, 4)
    members = y[None] + rng.standard_normal((3, 45, slots))
    y = np.where(rng.random(y.shape) < gaps, np.nan, y)
    members[0, :20] = np.nan
    y[0] = 1.0
    days = days_of(y, 44)
    with np.errstate(invalid="ignore"):
        quantiles = quantiles_of(days, told(days, np.nan_to_num(members[2]), members, back))
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=0) >= 0).all()


def test_bands_that_held_too_little_are_widened_and_others_are_left() -> None:
    """60 days of bands one wide on each side: at night 4 of 10 lay within them, by day 8 of 10."""
    rows = np.arange(61) % 10
    y = np.where(np.arange(24) < 12, np.where(rows[:, None] < 4, 0.0, 5.0), np.where(rows[:, None] < 8, 0.0, 5.0))
    days = days_of(y, 60)
    edge = np.ones((1, 24))
    issued = {row: {"P10": -edge, "P90": edge} for row in range(60)}
    issues = tuple(range(61))
    zero = np.zeros((61, 1, 24))
    factor = wider(told_of(days, issues, zero, zero[None], days.y[issues, None], issued))
    assert factor[6] > 1.2
    assert factor[18] == pytest.approx(1.0, abs=0.02)
    assert wider(told_of(days, issues, zero, zero[None], days.y[issues, None])).tolist() == [1.0] * 24
