"""The test of Diebold and Mariano, against tables and against luck."""

import numpy as np
import pytest

from energy.forecasters.significance import better, long_run_variance, upper_tail


@pytest.mark.parametrize(
    ("t", "degrees", "p"),
    [  # from tables of Student's distribution
        (0.0, 7, 0.5),
        (6.314, 1, 0.05),
        (2.920, 2, 0.05),
        (2.353, 3, 0.05),
        (2.228, 10, 0.025),
        (2.764, 10, 0.01),
        (1.671, 60, 0.05),
        (1.649, 363, 0.05),
        (-2.228, 10, 0.975),
        (-1.699, 29, 0.95),
    ],
)
def test_students_distribution(t: float, degrees: int, p: float) -> None:
    assert upper_tail(t, degrees) == pytest.approx(p, abs=2e-4)


def test_the_variance_of_independent_days_is_the_plain_one() -> None:
    values = np.random.default_rng(2).normal(0, 2, 5000)
    assert long_run_variance(values, 8) == pytest.approx(4, rel=0.1)


def test_days_that_come_together_tell_less() -> None:
    """Each day twice is no more evidence than each day once."""
    values = np.repeat(np.random.default_rng(2).normal(0, 2, 2500), 2)
    assert long_run_variance(values, 8) == pytest.approx(8, rel=0.25)


def test_days_that_take_turns_tell_more() -> None:
    """Up and down by one in turn, 12 days: lag 1 is -11/12, lag 2 is 10/12, weighed with 2/3 and 1/3 on both sides."""
    lead = 0.5 + np.tile([1.0, -1.0], 6)
    assert long_run_variance(lead, 0) == pytest.approx(1)
    assert long_run_variance(lead, 2) == pytest.approx(1 + 2 * (2 / 3 * -11 / 12 + 1 / 3 * 10 / 12))


def test_who_is_better() -> None:
    rng = np.random.default_rng(4)
    good = rng.gamma(2, 1, 200)
    bad = good + rng.normal(0.5, 1, 200)
    assert better(good, bad) < 0.001
    assert better(bad, good) == pytest.approx(1 - better(good, bad))
    assert better(good, good) == 0.5
    assert better(good, good + 1) == 0.0
    assert np.isnan(better(good[:9], bad[:9]))


def test_luck_is_called_significant_as_often_as_it_should() -> None:
    rng = np.random.default_rng(5)
    found = [better(rng.gamma(2, 1, 60), rng.gamma(2, 1, 60)) for _ in range(600)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_days_that_either_does_not_know_do_not_count() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(1, 0.2, 40), rng.normal(1.2, 0.2, 40)
    with_gap = np.append(a, np.nan)
    assert better(with_gap, np.append(b, 7.0)) == better(a, b)
