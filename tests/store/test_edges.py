"""Edge boxes in the store, the same on SQLite and on PostgreSQL; and a whole batch on both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from energy.exchange.batches import Batch, sent_reading
from energy.model.edge import Backlog, Edge
from energy.model.meter import Reading
from energy.steps.receive import GapError, receive
from energy.store.store import Store

T0 = datetime(2026, 5, 20, 12, tzinfo=UTC)
BOX = Edge(
    name="hall-3",
    buffer="b" * 32,
    last=2**40,
    seen_at=T0,
    backlog=Backlog(waiting=7, oldest_at=T0 - timedelta(hours=1), held=2, thinned=3, dropped=1, trouble="no network"),
    ahead_seconds=-1.5,
    received=12,
    missing=3,
    former=(("a" * 32, 50),),
)


def test_a_box_comes_back_as_it_was_and_is_one(store: Store) -> None:
    assert store.edges.get("hall-3") is None
    store.edges.put(BOX)
    assert store.edges.get("hall-3") == BOX
    later = replace(BOX, last=2**40 + 1, seen_at=T0 + timedelta(minutes=1))
    store.edges.put(later)
    store.edges.put(replace(BOX, name="a-box"))
    assert store.edges.all() == [replace(BOX, name="a-box"), later]


def test_readings_and_number_hold_together_or_not_at_all(store: Store) -> None:
    def keep_and_fail() -> None:
        with store.unit():
            store.readings.add([Reading(meter="m", taken_at=T0, import_kwh=1.0)])
            store.edges.put(BOX)
            raise RuntimeError("killed in between")

    with pytest.raises(RuntimeError):
        keep_and_fail()
    assert store.edges.get("hall-3") is None
    assert store.readings.latest() == {}


def batch(*numbers: int) -> Batch:
    readings = [Reading(meter="m", taken_at=T0 + timedelta(seconds=n), import_kwh=100.0 + n) for n in numbers]
    return Batch(
        version=1,
        box="hall-3",
        buffer="b" * 32,
        first=numbers[0],
        last=numbers[-1],
        lost_before=False,
        sent_at=T0,
        readings=tuple(sent_reading(n, r) for n, r in zip(numbers, readings, strict=True)),
    )


def test_a_batch_is_received_once(store: Store) -> None:
    now = T0 + timedelta(minutes=1)
    news = [
        receive(store, batch=batch(*numbers), meters={"m"}, now=now).new for numbers in ((1, 2, 3), (2, 3, 4), (1,))
    ]
    assert news == [3, 1, 0]
    with pytest.raises(GapError) as error:
        receive(store, batch=batch(6), meters={"m"}, now=now)
    assert error.value.expected == 5
    kept = store.edges.get("hall-3")
    assert kept is not None
    assert (kept.last, kept.received) == (4, 4)
