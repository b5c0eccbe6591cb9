"""From the buffer of an edge box through its sender and a real server into the centre's store."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from energy.clock import HeldClock
from energy.exchange.batches import SentBacklog, SentReading
from energy.http import Client, client
from energy.model.edge import Backlog
from energy.model.horizon import Interval
from energy.model.meter import Reading, ReadingQuality
from energy.store import Store
from meters.edge.buffer import Buffer
from meters.edge.sender import Sender
from tests.api.door import BOX, BOX_TOKEN, T0, Steadied, app, doors, opened, reading, served

SPAN = Interval(T0 - timedelta(days=1), T0 + timedelta(days=2))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(opened(tmp_path / "centre.sqlite")) as made:
        yield made


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    with closing(Buffer(tmp_path / "edge.sqlite", max_bytes=10**8)) as made:
        yield made


@pytest.fixture
def way() -> Iterator[Client]:
    with closing(client(read_seconds=10)) as made:
        yield made


def sender(buffer: Buffer, way: Client, centre: str, **more: object) -> Sender:
    return Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, **{"most_in_batch": 10} | more)  # type: ignore[arg-type]


def send_all(sending: Sender, buffer: Buffer, turns: int = 100) -> None:
    for _ in range(turns):
        if not buffer.backlog().waiting:
            return
        sending.turn()
    raise AssertionError(f"still {buffer.backlog()}")


def test_readings_arrive_as_they_were_taken_once_and_in_order(store: Store, buffer: Buffer, way: Client) -> None:
    taken = [reading(n, "m-1" if n % 2 else "m-2") for n in range(35)]
    buffer.add(taken)
    with served(app(store)) as centre:
        send_all(sender(buffer, way, centre), buffer)
    got = sorted([*store.readings.of("m-1", SPAN), *store.readings.of("m-2", SPAN)], key=lambda one: one.taken_at)
    assert got == taken
    edge = store.edges.get(BOX)
    assert edge is not None and (edge.last, edge.received, edge.missing) == (35, 35, 0)
    assert edge.backlog.waiting == 0


def test_nothing_of_a_reading_is_left_behind(store: Store, buffer: Buffer, way: Client) -> None:
    full = Reading(
        meter="m-1",
        taken_at=T0 + timedelta(microseconds=250_001),
        import_kwh=0.1 + 0.2,
        export_kwh=1e-9,
        power_kw=-12.25,
        quality=ReadingQuality.SUSPECT,
        note="jumped",
        values=(("voltage_l1", 230.1), ("current_l1", 5.0)),
        raw='{"3": {"0": [1, 2]}}',
        clock_step_seconds=-3600.0,
    )
    buffer.add([full, replace(full, taken_at=T0, quality=ReadingQuality.NO_ANSWER, import_kwh=None)])
    with served(app(store)) as centre:
        send_all(sender(buffer, way, centre), buffer)
    assert store.readings.of("m-1", SPAN)[1] == full


def test_every_field_of_a_reading_has_its_place_on_the_wire() -> None:
    own = {"number", "age_seconds"}
    assert set(SentReading.model_fields) - own == {field.name for field in fields(Reading)}
    assert set(SentBacklog.model_fields) == {field.name for field in fields(Backlog)}


@pytest.mark.parametrize(
    ("wrong_by", "mended", "good"),
    [
        (0.0, True, True),
        (
            3600.0,
            True,
            False,
        ),  # an hour ahead, set right before it is sent: one more reading of an hour that was not yet
        (-3600.0, True, False),  # an hour behind, set right
        (-3600.0, False, False),  # an hour behind, and still
        (4.0, False, True),
    ],
)
def test_what_a_wrong_clock_has_stamped_is_doubted_and_what_a_right_one_has_is_not(
    store: Store, tmp_path: Path, way: Client, wrong_by: float, mended: bool, good: bool
) -> None:
    """The box is offline for two hours; its clock is wrong when the reading is taken."""
    wrong, real = timedelta(seconds=wrong_by), HeldClock(T0)
    clock, steady = HeldClock(T0 + wrong), Steadied(real)
    with (
        closing(Buffer(tmp_path / "clock.sqlite", max_bytes=10**8, clock=clock, steady=steady)) as buffer,
        served(app(store, real)) as centre,
    ):
        buffer.add([reading(wrong_by)])
        for moved in (clock, real):
            moved.advance(timedelta(hours=2))
        if mended:
            clock.move_to(real.now())
        buffer.add([reading(7200.0 + (0.0 if mended else wrong_by), kwh=1100.0)])
        send_all(sender(buffer, way, centre), buffer)
    first, second = store.readings.of("m-1", SPAN)
    assert (first.quality is ReadingQuality.GOOD) == good
    assert (second.quality is ReadingQuality.GOOD) == (mended or good)
    edge = store.edges.get(BOX)
    assert edge is not None
    assert edge.ahead_seconds == (0.0 if mended else wrong_by)


def test_an_unknown_meter_holds_up_no_other(store: Store, buffer: Buffer, way: Client) -> None:
    buffer.add([reading(n, "m-1" if n % 2 else "strange") for n in range(20)])
    with served(app(store)) as centre:
        send_all(sender(buffer, way, centre), buffer)
        assert len(store.readings.of("m-1", SPAN)) == 10
        edge = store.edges.get(BOX)
        assert edge is not None and edge.backlog.held == 10 == buffer.backlog().held
    with served(app(store, of=doors(("m-1", "strange")))) as centre:
        assert buffer.release() == 10
        buffer.add([reading(99)])
        send_all(sender(buffer, way, centre), buffer)
    assert len(store.readings.of("strange", SPAN)) == 10
    assert len(store.readings.of("m-1", SPAN)) == 11
