"""Scores by hand: four slots, one of which nobody knows."""

from datetime import UTC, datetime

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
    p10, p50, p90 = (0.1 * (2 + 2 + 10) / 3, 0.5 * 9 / 3, (0.1 * 4 + 0.1 * 2 + 0.9 * 2) / 3)
    assert found.crps == pytest.approx(2 * (p10 + p50 + p90) / 3)


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
