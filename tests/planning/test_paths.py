"""Paths become the scenarios of a problem: rounded, with the fees of the tariff, published prices as they are."""

from datetime import UTC, datetime

import numpy as np

from energy.model.horizon import Horizon, Interval
from energy.model.problem import Problem
from energy.model.series import Series
from energy.model.tariff import EnergyRate, Tariff
from energy.planning.pose import pose
from energy.planning.situation import Expected, Path, Situation
from tests.twin.hallmoor import CALENDAR, SITE

HORIZON = Horizon(datetime(2026, 5, 18, tzinfo=UTC), 4, 15)


def kw(*values: float) -> Series:
    return Series(HORIZON, np.array(values), "kW")


def situation(*paths: Path) -> Situation:
    price = Series(HORIZON, np.array([0.10003, 0.10003, 0.2, 0.2]), "EUR/kWh")
    return Situation(
        site=SITE, calendar=CALENDAR, tariff=Tariff(currency="EUR", rates=(EnergyRate(name="fees", per_kwh=0.05),)),
        horizon=HORIZON, now=HORIZON.start, jobs=(), runs=(), as_is={}, accepted={}, offered={}, untouchable={}, facts=(),
        market_price=Expected(middle=price, low=price, high=price), published=(True, True, False, False),
        carbon=Series.constant(HORIZON, 0.3, "kg CO2e/kWh"), carbon_basis="grid average, direct",
        base_load=Expected(middle=kw(100, 100, 100, 100)), pv=Expected(middle=kw(0, 0, 10, 10)), peaks_so_far={},
        commitments=(), battery_kwh=43.0, movable=Interval(HORIZON.start, HORIZON.end), paths=paths,
    )  # fmt: skip


def posed(*paths: Path) -> Problem:
    return pose(situation(*paths)).problem


def path(price: float) -> Path:
    return Path(
        base_load=kw(90.04, 100, 110, 120.26),
        market_price=Series.constant(HORIZON, price, "EUR/kWh"),
        pv=kw(0, 0, 9, 8),
    )


def test_a_path_is_a_scenario_with_fees_and_few_digits() -> None:
    (one,) = posed(path(0.123456)).scenarios
    assert one.weight == 1.0
    assert one.base_load_kw == (90.0, 100.0, 110.0, 120.3)
    assert one.pv_kw == (0.0, 0.0, 9.0, 8.0)
    assert one.import_price[2:] == (0.1735, 0.1735)


def test_a_published_price_does_not_err() -> None:
    problem = posed(path(0.9))
    assert problem.scenarios[0].import_price[:2] == problem.import_price[:2]


def test_what_a_path_does_not_say_comes_as_forecast() -> None:
    (one,) = posed(Path(base_load=kw(1, 2, 3, 4))).scenarios
    assert (one.pv_kw, one.import_price) == ((), ())


def test_the_same_paths_give_the_same_problem() -> None:
    assert posed(path(0.1)).digest == posed(path(0.1 + 1e-9)).digest
    assert posed(path(0.1)).digest != posed(path(0.2)).digest
    assert posed().scenarios == ()
