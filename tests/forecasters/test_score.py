"""Scores by hand: four slots, one of which nobody knows."""

from datetime import UTC, datetime
from statistics import NormalDist

import numpy as np
import pytest

from energy.forecasters import score as s
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

HORIZON = Horizon(datetime(2026, 3, 2, tzinfo=UTC), 4, 60)
CAME = Series.of(HORIZON, [10, 20, float("nan"), 40], "kW")


def forecast(p10: list[float], p50: list[float], p90: list[float]) -> Forecast:
    low, middle, high = (Series.of(HORIZON, values, "kW") for values in (p10, p50, p90))
    return Forecast(target=Target.BASE_LOAD, issued_at=HORIZON.start, p10=low, p50=middle, p90=high, source="x")


GOOD = forecast([8, 18, 0, 30], [12, 19, 5, 34], [14, 22, 9, 38])


def test_a_score_by_hand() -> None:
    found = s.score([GOOD], CAME)
    assert found.slots == 3
    assert found.mae == pytest.approx((2 + 1 + 6) / 3)
    assert found.bias == pytest.approx((2 - 1 - 6) / 3)
    assert found.coverage_80 == pytest.approx(2 / 3)  # 40 lies above 38
    assert found.mape == pytest.approx((2 / 10 + 1 / 20 + 6 / 40) / 3)
    assert found.pct_of_peak == pytest.approx(100 * 3 / 40)


def test_a_share_of_nothing_does_not_count() -> None:
    assert s.mape(np.array([5.0, 12.0]), np.array([0.0, 10.0])) == pytest.approx(0.2)
    assert np.isnan(s.mape(np.array([5.0]), np.array([0.0])))


def test_the_crps_of_a_point_is_its_error() -> None:
    """All quantiles alike: the mean pinball loss over symmetric levels is half the error."""
    point = forecast([12, 19, 0, 34], [12, 19, 0, 34], [12, 19, 0, 34])
    assert s.score([point], CAME).crps == pytest.approx((2 + 1 + 6) / 3)


def test_the_crps_of_a_normal_distribution() -> None:
    """Of a standard normal, at 0, it is (sqrt(2) - 1) / sqrt(pi) = 0.2337; told levels with lines between come near."""
    levels = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
    values = [NormalDist().inv_cdf(level) for level in levels]
    told = tuple((level, Series.constant(HORIZON, value, "kW")) for level, value in zip(levels, values, strict=True))
    named = {f"p{100 * level:.0f}": series for level, series in told if level in (0.1, 0.5, 0.9)}
    normal = Forecast(target=Target.BASE_LOAD, issued_at=HORIZON.start, source="x", quantiles=told, **named)
    found = s.score([normal], Series.constant(HORIZON, 0.0, "kW"))
    assert found.crps == pytest.approx((2**0.5 - 1) / np.pi**0.5, rel=0.025)


def test_percentiles_are_read_as_the_forecast_reads_them() -> None:
    read = s.percentiles(GOOD)
    for level in (0.01, 0.1, 0.3, 0.5, 0.77, 0.9, 0.99):
        assert read[round(100 * level) - 1] == pytest.approx(GOOD.at(level).values)


def test_skill_against_a_yardstick() -> None:
    flat = forecast([5] * 4, [25] * 4, [45] * 4)
    assert s.skill([GOOD], [flat], CAME) == pytest.approx(1 - 9 / 35)
    assert s.skill([flat], [GOOD], CAME) < 0


def test_nothing_to_hold_it_against() -> None:
    found = s.score([GOOD], Series.unknown(HORIZON, "kW"))
    assert found.slots == 0
    assert all(np.isnan(x) for x in (found.mae, found.bias, found.crps, found.coverage_80))
    assert np.isnan(s.skill([GOOD], [GOOD], Series.unknown(HORIZON, "kW")))
    assert s.score([], CAME).slots == 0


def test_the_best_quantile_is_the_quantile() -> None:
    came = np.random.default_rng(1).normal(0, 1, 20000)
    losses = {q: s.pinball(np.full(20000, q), came, 0.9) for q in (0.9, 1.2816, 1.7)}
    assert min(losses, key=losses.__getitem__) == 1.2816


def test_a_told_level_is_told_to_the_last_digit() -> None:
    values = np.random.default_rng(7).normal(0, 1e3, (3, 4))
    p10, p50, p90 = np.sort(values, axis=0)
    told = forecast(p10.tolist(), p50.tolist(), p90.tolist())
    for level, same in ((0.1, p10), (0.5, p50), (0.9, p90), (0.99, p90), (0.01, p10)):
        assert (told.at(level).values == same).all()
    assert (np.diff([told.at(level).values for level in (0.01, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95)], axis=0) >= 0).all()
