"""Scenarios from the store: what was issued on the last days, and what came of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from energy.model.calendar import Calendar
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon
from energy.model.series import BASE_LOAD, PRICE_DAY_AHEAD, Series
from energy.model.site import Site
from energy.planning.situation import Expected
from energy.reports.scenarios import drawn
from energy.store import Store

NOW = datetime(2026, 3, 31, 6, tzinfo=UTC)  # a Tuesday, two days after the clocks changed
DAY = timedelta(days=1)
SITE = Site(id="p", name="P", zone="Europe/Berlin", currency="EUR", import_limit_kw=500, export_limit_kw=0)
AHEAD = Horizon(NOW, 48, 60)
NOBODY = Calendar(shifts=())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('drawn') / 'store.sqlite'}"


@pytest.fixture
def store(database: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A site of its own for each test, in one database."""
    with Store.open(database, request.node.name) as opened:
        yield opened


def said(target: Target, at: datetime, middle: float, unit: str) -> Forecast:
    """A band of a tenth of the middle on each side, two days ahead."""
    low, p50, high = (Series.constant(Horizon(at, 48, 60), middle * by, unit) for by in (0.9, 1.0, 1.1))
    return Forecast(target=target, issued_at=at, p10=low, p50=p50, p90=high, source="test")


def lived(store: Store, days: int) -> dict[Target, Expected]:
    """So many days on which load and price erred alike, forecast each morning."""
    error = np.repeat(np.random.default_rng(0).normal(0.0, 0.08, days), 24)
    behind = Horizon(NOW - days * DAY, days * 24, 60)
    expected = {}
    for target, key, middle, unit in (
        (Target.BASE_LOAD, BASE_LOAD, 200.0, "kW"),
        (Target.PRICE, PRICE_DAY_AHEAD, 0.1, "EUR/kWh"),
    ):
        store.series.add(key, Series(behind, middle * (1.0 + error), unit), known_at=NOW, source="test")
        for back in range(days, -1, -1):
            store.forecasts.add(said(target, NOW - back * DAY, middle, unit))
        now = said(target, NOW, middle, unit)
        expected[target] = Expected(middle=now.p50, low=now.p10, high=now.p90)
    return expected


def test_load_and_price_come_as_they_came_together(store: Store) -> None:
    paths = drawn(store, SITE, NOBODY, AHEAD, lived(store, 40))
    assert 20 <= len(paths) <= 30
    load = np.array([path.base_load.values for path in paths if path.base_load])
    price = np.array([path.market_price.values for path in paths if path.market_price])
    assert load.shape == price.shape == (len(paths), 48)
    assert np.corrcoef(load[:, :12].ravel(), price[:, :12].ravel())[0, 1] > 0.95
    assert load.min() >= 180.0 - 1e-9
    assert load.max() <= 220.0 + 1e-9
    assert all(path.pv is None for path in paths)


def test_a_published_price_is_no_part_of_them(store: Store) -> None:
    expected = lived(store, 40)
    expected[Target.PRICE] = Expected(middle=expected[Target.PRICE].middle)
    paths = drawn(store, SITE, NOBODY, AHEAD, expected)
    assert paths
    assert all(path.market_price is None for path in paths)


def test_a_young_plant_has_none(store: Store) -> None:
    assert drawn(store, SITE, NOBODY, AHEAD, lived(store, 12)) == ()


def test_asked_again_they_are_the_same(store: Store) -> None:
    expected = lived(store, 40)
    first, again = (drawn(store, SITE, NOBODY, AHEAD, expected) for _ in range(2))
    assert first == again
