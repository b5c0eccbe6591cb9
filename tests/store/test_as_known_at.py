"""Whatever was written, moment after moment: a series reads as it was known at each of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.horizon import Horizon
from energy.model.meter import IntervalEnergy, Quality
from energy.model.series import Series
from energy.store.store import Store

T0 = datetime(2026, 3, 28, 22, tzinfo=UTC)  # the night of a clock change; UTC knows nothing of it
QUARTERS = 16
WHOLE = Horizon(T0, QUARTERS)
VALUES = [float("nan"), 1.0, 2.0, 0.1]
STEPS = (15, 30, 60)
keys = (f"key-{number}" for number in count())


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store.open("sqlite://", "plant") as opened:
        yield opened


@st.composite
def writes(draw: st.DrawFn) -> tuple[datetime, Series]:
    """A series of any step within the sixteen quarters, and when it became known."""
    step = draw(st.sampled_from(STEPS))
    steps = QUARTERS * 15 // step
    first = draw(st.integers(0, steps - 1))
    values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=steps - first))
    start = T0 + first * timedelta(minutes=step)
    known_at = T0 - timedelta(hours=draw(st.integers(0, 4)))
    return known_at, Series.of(Horizon(start, len(values), step), values, "EUR/kWh")


Writes = list[tuple[datetime, Series]]


def in_order(said: Writes) -> Writes:
    """As the world tells it. (A word that says the same as the one before is not kept, so whoever then slips another
    one in between the two changes what was known after it.)"""
    return sorted(said, key=lambda one: one[0])


def as_known(said: Writes, at: datetime) -> list[float]:
    """The plain way: lay each value over its quarters, in the order in which they became known."""
    quarters = [float("nan")] * QUARTERS
    for _, series in (one for one in in_order(said) if one[0] <= at):
        for slot, value in enumerate(series.values):
            first = (series.horizon.time_of(slot) - T0) // timedelta(minutes=15)
            for quarter in range(first, first + series.horizon.step_minutes // 15):
                if not np.isnan(value):
                    quarters[quarter] = float(value)
    return quarters


@settings(max_examples=60, deadline=None)
@given(said=st.lists(writes(), max_size=5))
def test_a_series_is_what_was_known(store: Store, said: Writes) -> None:
    key = next(keys)
    for known_at, series in in_order(said):
        store.series.add(key, series, known_at=known_at, source="market")
    for hours in range(-5, 1):
        at = T0 + timedelta(hours=hours)
        np.testing.assert_array_equal(store.series.get(key, WHOLE, at).values, as_known(said, at))
    np.testing.assert_array_equal(store.series.get(key, WHOLE).values, as_known(said, T0))


@settings(max_examples=40, deadline=None)
@given(said=st.lists(writes(), max_size=4))
def test_the_same_again_writes_nothing(store: Store, said: Writes) -> None:
    key = next(keys)
    for known_at, series in said:
        store.series.add(key, series, known_at=known_at, source="market")
        assert store.series.add(key, series, known_at=known_at, source="market") == 0
    latest = store.series.get(key, WHOLE)
    assert store.series.add(key, latest, known_at=T0, source="market") == 0


@settings(max_examples=40, deadline=None)
@given(
    said=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 3), st.one_of(st.none(), st.sampled_from([1.0, 2.0]))), max_size=12
    )
)
def test_an_interval_is_what_was_known(store: Store, said: list[tuple[int, int, float | None]]) -> None:
    meter = next(keys)
    for known, slot, kwh in sorted(said, key=lambda one: one[0]):
        quality = Quality.MISSING if kwh is None else Quality.MEASURED
        energy = IntervalEnergy(
            meter=meter, start=WHOLE.time_of(slot), minutes=15, import_kwh=kwh, export_kwh=None, quality=quality
        )
        store.intervals.put([energy], T0 + timedelta(hours=known))
    for known in range(5):
        at = T0 + timedelta(hours=known)
        latest = {slot: kwh for when, slot, kwh in sorted(said, key=lambda one: one[0]) if when <= known}
        kept = store.intervals.of(meter, WHOLE.interval(0), at) + store.intervals.of(meter, WHOLE.interval(3), at)
        assert [one.import_kwh for one in kept] == [latest[slot] for slot in (0, 3) if slot in latest]
        taken, _ = store.intervals.power(meter, WHOLE, at)
        wanted = [np.nan if latest.get(slot) is None else 4 * latest[slot] for slot in range(QUARTERS)]
        np.testing.assert_array_equal(taken.values, wanted)
