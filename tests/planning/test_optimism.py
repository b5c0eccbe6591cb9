"""How much of a forecast price difference comes true: choices by hand, shares by evidence, and 300 days of noise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from energy.model.savings import PriceChoice
from energy.planning.optimism import (
    BEFORE_DAYS,
    DEFAULT_KEPT,
    RUNS,
    choice,
    choices,
    drawn_back,
    kept_of,
    kept_share,
)

FEW = settings(max_examples=50, deadline=None, derandomize=True)
Floats = NDArray[np.float64]


def row(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("forecast", "came", "slots", "open_", "expected"),
    [
        # The third hour looked 0.05 cheaper than the mean of 0.15, and was 0.01 cheaper than the mean of 0.16.
        ((0.20, 0.15, 0.10), (0.18, 0.15, 0.15), 1, None, (0.05, 0.01)),
        # As forecast: all of it came.
        ((0.20, 0.15, 0.10), (0.20, 0.15, 0.10), 1, None, (0.05, 0.05)),
        # Dear where it looked cheap.
        ((0.20, 0.10), (0.10, 0.20), 1, None, (0.05, -0.05)),
        # Two hours in a row: means 0.30, 0.20, 0.20 by the forecast; the first of the equal ones is taken.
        ((0.40, 0.20, 0.20, 0.20), (0.40, 0.20, 0.40, 0.20), 2, None, (0.7 / 3 - 0.2, 0.0)),
        # Nobody works in the third hour, so it cannot be chosen.
        ((0.20, 0.16, 0.10), (0.20, 0.16, 0.10), 1, (True, True, False), (0.02, 0.02)),
        # Of the second hour nobody knows what came.
        ((0.20, 0.10, 0.14), (0.20, float("nan"), 0.14), 1, None, (0.03, 0.03)),
        # Nothing to choose from.
        ((0.20, 0.10), (0.20, 0.10), 2, None, None),
        ((0.20, 0.10), (0.20, 0.10), 3, None, None),
        ((0.20, 0.10, 0.30), (0.20, 0.10, 0.30), 1, (True, False, False), None),
    ],
)
def test_a_choice_by_hand(forecast: Any, came: Any, slots: int, open_: Any, expected: Any) -> None:
    found = choice(row(*forecast), row(*came), slots, None if open_ is None else np.array(open_))
    assert found == (expected if expected is None else pytest.approx(expected))


def test_a_day_has_a_choice_for_each_lead_and_length_of_run() -> None:
    came = np.linspace(0.1, 0.2, 24)
    found = choices({2: came[::-1], 1: came}, came, 1.0)
    assert [(c.lead_days, c.hours) for c in found] == [(1, 1.0), (1, 3.0), (1, 6.0), (2, 1.0), (2, 3.0), (2, 6.0)]
    assert all(c.realised == pytest.approx(c.estimated if c.lead_days == 1 else -c.estimated) for c in found)
    quarters = choices({1: np.repeat(came, 4)}, np.repeat(came, 4), 0.25)
    assert [c.hours for c in quarters] == [hours for _, hours in RUNS]
    assert quarters[0].estimated == pytest.approx(found[0].estimated)


@pytest.mark.parametrize(
    ("said_and_came", "share"),
    [
        ([], DEFAULT_KEPT),
        ([(0.05, 0.05)] * 10, (DEFAULT_KEPT + 1.0) / 2),  # ten days weigh as much as the default
        ([(0.05, 0.0)] * 30, DEFAULT_KEPT / 4),
        ([(0.05, 0.10)] * 90, (DEFAULT_KEPT + 9.0) / 10),  # better than promised is not promised
        ([(0.05, -0.10)] * 90, DEFAULT_KEPT / 10),
        ([(0.0, 0.0)] * 10, DEFAULT_KEPT),  # flat prices say nothing
        ([(0.10, 0.06), (0.02, 0.06)] * 5, (DEFAULT_KEPT + 1.0) / 2),  # sums, not the mean of ratios
    ],
)
def test_the_share_goes_from_the_default_to_what_came(said_and_came: Any, share: float) -> None:
    assert BEFORE_DAYS == 10
    assert kept_share(said_and_came) == pytest.approx(share)


def test_every_lead_and_length_has_a_share() -> None:
    kept = kept_of([PriceChoice(lead_days=2, hours=3.0, estimated=0.1, realised=0.1)] * 10)
    assert {(k.lead_days, k.up_to_hours): (k.share, k.days) for k in kept} == {
        **{(lead, up_to): (DEFAULT_KEPT, 0) for lead in (1, 2) for up_to, _ in RUNS},
        (2, 5.0): (pytest.approx((DEFAULT_KEPT + 1) / 2), 10),
    }


def test_forecast_prices_are_drawn_back_to_the_mean_of_their_day() -> None:
    price = row(0.1, 0.3, 0.1, 0.3, 0.0, 0.4)
    published = np.array([True, True, False, False, False, False])
    sober = drawn_back(price, published, np.array([0, 0, 1, 1, 2, 2]), {1: 0.8, 2: 0.5})
    assert sober == pytest.approx([0.1, 0.3, 0.12, 0.28, 0.1, 0.3])
    assert drawn_back(price, ~published, np.array([0, 0, 1, 1, 5, 5]), {1: 0.8, 2: 0.5})[:2] == pytest.approx(
        [0.12, 0.28]
    )  # what should be published today, and is not, counts like tomorrow


@FEW
@given(
    prices=st.lists(st.floats(-0.1, 0.5), min_size=24, max_size=24),
    error=st.lists(st.floats(-0.1, 0.1), min_size=24, max_size=24),
    days=st.integers(0, 50),
)
def test_a_share_lies_between_nothing_and_all(prices: list[float], error: list[float], days: int) -> None:
    came = row(*prices)
    pair = choice(came + row(*error), came, 2)
    assert pair is not None
    assert pair[0] >= -1e-12
    assert 0.0 <= kept_share([pair] * days) <= 1.0
    assert choice(came, came, 2) == pytest.approx((pair[0], pair[0])) if not any(error) else True


def test_over_300_days_the_corrected_estimate_is_what_came_where_the_raw_one_flatters() -> None:
    """Prices that differ by 0.03 EUR around a daily shape, forecast with errors of the same size; each day a run of an
    hour goes from each of the 24 hours to the one that looks cheapest. The share is learned from the 60 days before."""
    rng = np.random.default_rng(7)
    shape = 0.12 - 0.02 * np.cos(np.arange(24) / 24 * 2 * np.pi)
    past: list[tuple[float, float]] = []
    raw, corrected, came = [], [], []
    for _ in range(300):
        actual = shape + rng.normal(0, 0.03, 24)
        forecast = actual + rng.normal(0, 0.03, 24)
        best = int(np.argmin(forecast))
        sober = drawn_back(
            forecast, np.zeros(24, bool), np.ones(24, int), dict.fromkeys((1, 2), kept_share(past[-60:]))
        )
        raw.append((forecast - forecast[best]).mean())
        corrected.append((sober - sober[best]).mean())
        came.append((actual - actual[best]).mean())
        pair = choice(forecast, actual, 1)
        assert pair is not None
        past.append(pair)
    error = np.std(np.array(came) - np.array(corrected)) / np.sqrt(300)
    assert np.mean(raw) > 1.3 * np.mean(came)
    assert abs(np.mean(corrected) - np.mean(came)) < 2 * error
    assert abs(np.mean(corrected) - np.mean(came)) < 0.05 * np.mean(came)
    assert (np.array(corrected) <= np.array(raw) + 1e-12).all()
