"""What the sender makes of all that may come back: only the centre's own answer to this batch is an acknowledgement."""

import gzip
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from energy.errors import StoreError
from energy.http import client
from energy.model.horizon import Interval
from energy.store import Store
from meters.edge import sender as sending
from meters.edge.buffer import Buffer
from meters.edge.sender import Sender, status_line
from tests.api.door import BOX, BOX_TOKEN, T0, app, doors, opened, reading, served

SPAN = Interval(T0 - timedelta(days=1), T0 + timedelta(days=2))
CENTRE = "https://energy.example"
Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    with closing(Buffer(tmp_path / "edge.sqlite", max_bytes=10**8)) as made:
        made.add([reading(n) for n in range(25)])
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(opened(tmp_path / "centre.sqlite")) as made:
        yield made


def to(buffer: Buffer, answers: Answers, **more: object) -> Sender:
    """A sender whose network is a function."""
    way = client(transport=httpx.MockTransport(answers))
    return Sender(buffer, way, name=BOX, centre=CENTRE, token=BOX_TOKEN, **{"most_in_batch": 10} | more)  # type: ignore[arg-type]


def acknowledgement(**more: object) -> dict[str, object]:
    return {"version": 1, "box": BOX, "acknowledged": 10, "new": 10, "at": T0.isoformat()} | more


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route to host")


def cut_off(_: httpx.Request) -> httpx.Response:
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


LOGIN = "<html><body>Please log in to the guest network</body></html>"


@pytest.mark.parametrize(
    "answers",
    [
        lambda _: httpx.Response(500, text="Internal Server Error"),
        lambda _: httpx.Response(502, html="<html>Bad gateway</html>"),
        lambda _: httpx.Response(503, json={"error": "the store cannot be written now"}, headers={"Retry-After": "5"}),
        lambda _: httpx.Response(503, headers={"Retry-After": "3600"}),
        lambda _: httpx.Response(200, html=LOGIN),  # a captive portal
        lambda _: httpx.Response(200, text=""),
        lambda _: httpx.Response(200, json={"ok": True}),
        lambda _: httpx.Response(204),
        lambda _: httpx.Response(302, headers={"Location": "https://login.example/"}),
        lambda _: httpx.Response(301, headers={"Location": f"{CENTRE}/other"}),
        lambda _: httpx.Response(404, text="not found"),
        lambda _: httpx.Response(401, json={"error": "a token is needed"}),
        lambda _: httpx.Response(400, json={"error": "cannot be read", "mistakes": []}),
        lambda _: httpx.Response(200, json=acknowledgement(buffer="somebody else's")),
        lambda _: httpx.Response(200, content=b"x" * 6_000_000),
        unreachable,
        cut_off,
    ],
)
def test_whatever_is_no_acknowledgement_changes_nothing(buffer: Buffer, answers: Answers) -> None:
    made = to(buffer, answers)
    for _ in range(3):
        assert made.turn() > 0  # it waits before it asks again
    assert buffer.acknowledged == 0
    assert buffer.backlog().waiting == 25
    assert buffer.backlog().trouble


@pytest.mark.parametrize("wrong", [{"acknowledged": 9}, {"acknowledged": 25}, {"box": "hall-4"}, {"version": 2}])
def test_an_acknowledgement_of_something_else_is_none(buffer: Buffer, wrong: dict[str, object]) -> None:
    made = to(buffer, lambda _: httpx.Response(200, json=acknowledgement(buffer=buffer.id) | wrong))
    made.turn()
    assert buffer.acknowledged == 0


def test_the_right_one_is_one_and_later_centres_may_say_more(buffer: Buffer) -> None:
    made = to(buffer, lambda _: httpx.Response(200, json=acknowledgement(buffer=buffer.id, weather="fine")))
    made.turn()
    assert buffer.acknowledged == 10
    assert buffer.backlog().waiting == 15


def test_the_token_goes_to_the_centre_alone_and_into_no_log(buffer: Buffer, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[httpx.Request] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/v1/readings"})

    with caplog.at_level(logging.DEBUG, "loadstone.edge"):
        to(buffer, away).turn()
    assert [request.url.host for request in asked] == ["energy.example"]
    assert BOX_TOKEN not in caplog.text


def test_pauses_grow_and_end_with_the_first_success(buffer: Buffer) -> None:
    well = False

    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=acknowledgement(buffer=buffer.id)) if well else httpx.Response(500)

    made = to(buffer, answers)
    pauses = [made.turn() for _ in range(7)]
    assert pauses[0] <= sending.FIRST_PAUSE and sending.LONGEST_PAUSE * 0.7 <= pauses[-1] <= sending.LONGEST_PAUSE
    well = True
    made.turn()
    assert buffer.backlog().trouble == ""
    well = False
    assert made.turn() <= sending.FIRST_PAUSE


def test_too_much_for_the_centre_is_sent_in_smaller_parts(store: Store, buffer: Buffer) -> None:
    with served(app(store, of=doors(most_bytes=1_500))) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, most_in_batch=25)
        for _ in range(60):
            made.turn()
    assert len(store.readings.of("m-1", SPAN)) == 25


def test_a_batch_that_is_never_understood_is_held_after_some_tries_and_the_rest_goes_on(buffer: Buffer) -> None:
    """The centre is older than the box, say: it does not name single readings."""

    def answers(request: httpx.Request) -> httpx.Response:
        said = json.loads(gzip.decompress(request.content))
        if said["first"] == 1 and said["readings"] and said["readings"][0]["number"] == 1:
            return httpx.Response(400, json={"error": "cannot be read", "mistakes": []})
        return httpx.Response(200, json=acknowledgement(buffer=buffer.id, acknowledged=said["last"]))

    made = to(buffer, answers)
    for _ in range(sending.POISON_TRIES - 1):
        made.turn()
    assert buffer.backlog().held == 0
    for _ in range(4):
        made.turn()
    assert (buffer.backlog().held, buffer.backlog().waiting) == (10, 0)


def test_a_reading_that_an_older_centre_does_not_understand_is_held_alone(buffer: Buffer) -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        said = json.loads(gzip.decompress(request.content))
        odd = [i for i, one in enumerate(said["readings"]) if one["number"] in {3, 7}]
        if odd:
            mistakes = [{"where": f"readings[{i}].moon", "what": "unknown"} for i in odd]
            return httpx.Response(400, json={"error": "cannot be read", "mistakes": mistakes})
        return httpx.Response(200, json=acknowledgement(buffer=buffer.id, acknowledged=said["last"]))

    made = to(buffer, answers)
    for _ in range(5):
        made.turn()
    assert (buffer.backlog().held, buffer.backlog().waiting) == (2, 0)


def test_held_readings_are_offered_again_by_themselves(store: Store, buffer: Buffer) -> None:
    now = 0.0
    with served(app(store, of=doors(("m-2",)))) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, monotonic=lambda: now)
        made.turn()
        assert buffer.backlog().held == 25
    with served(app(store)) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, monotonic=lambda: now)
        now += sending.HELD_AGAIN - 1
        made.turn()
        assert buffer.backlog().held == 25
        now += 1
        made.turn()
    assert len(store.readings.of("m-1", SPAN)) == 25


def test_what_is_refused_batch_after_batch_is_said_once(store: Store, buffer: Buffer, caplog) -> None:
    with served(app(store, of=doors(("m-2",)))) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, most_in_batch=5)
        with caplog.at_level("INFO", logger="loadstone.edge"):
            for _ in range(10):
                made.turn()
    assert buffer.backlog().held == 25
    ours = [record.levelname for record in caplog.records if record.name == "loadstone.edge"]
    assert ours == ["ERROR"]
    assert buffer.backlog().trouble == ""


def test_a_box_with_nothing_to_say_gives_a_sign_of_life(store: Store, buffer: Buffer) -> None:
    now = 0.0
    with served(app(store)) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, monotonic=lambda: now)
        made.turn()
        spoke = store.edges.get(BOX)
        made.turn()
        assert store.edges.get(BOX) == spoke
        now += sending.SIGN_OF_LIFE
        made.turn()
        again = store.edges.get(BOX)
    assert spoke is not None and again is not None and again.seen_at > spoke.seen_at
    assert again.last == 25


def test_a_centre_that_was_restored_from_a_backup_gets_all_again(store: Store, buffer: Buffer, tmp_path: Path) -> None:
    with served(app(store)) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, most_in_batch=10)
        made.turn()
        store.backup(tmp_path / "backup.sqlite")
        for _ in range(3):
            made.turn()
    assert buffer.acknowledged == 25
    with (
        closing(opened(tmp_path / "backup.sqlite")) as restored,
        served(app(restored)) as centre,
        closing(client()) as way,
    ):
        buffer.add([reading(30)])
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN, most_in_batch=10)
        for _ in range(4):
            made.turn()
        assert restored.readings.of("m-1", SPAN) == [reading(n) for n in [*range(25), 30]]
        edge = restored.edges.get(BOX)
        assert edge is not None and (edge.last, edge.missing) == (26, 0)


def test_a_centre_that_was_restored_too_late_is_told_what_is_gone(store: Store, buffer: Buffer) -> None:
    buffer.acknowledge(buffer.cut(20))
    buffer.forget(reading(15).taken_at, keep=0)
    with served(app(store)) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN)
        for _ in range(3):
            made.turn()
    assert store.readings.of("m-1", SPAN) == [reading(n) for n in range(15, 25)]
    edge = store.edges.get(BOX)
    assert edge is not None and (edge.last, edge.missing) == (25, 15)


def test_a_mistake_of_ours_ends_no_box(buffer: Buffer, caplog: pytest.LogCaptureFixture) -> None:
    def bug(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    assert to(buffer, bug).turn() > 0
    assert "ZeroDivisionError" in caplog.text
    assert buffer.backlog().waiting == 25


# --- a network that is only half there ---


@contextmanager
def mute(port: int = 0) -> Iterator[int]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        held: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):
                while True:
                    held.append(listening.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            for one in held:
                one.close()


def test_a_half_open_connection_and_a_closed_port_cost_nothing_but_time(buffer: Buffer) -> None:
    with mute() as port, closing(client(read_seconds=0.2)) as way:
        made = Sender(buffer, way, name=BOX, centre=f"http://127.0.0.1:{port}", token=BOX_TOKEN)
        made.turn()
        assert "does not answer in time" in buffer.backlog().trouble
    with closing(client(read_seconds=0.2)) as way:
        made = Sender(buffer, way, name=BOX, centre=f"http://127.0.0.1:{port}", token=BOX_TOKEN)
        made.turn()
        assert "refused the connection" in buffer.backlog().trouble
    assert buffer.backlog().waiting == 25


def test_an_acknowledgement_that_gets_lost_costs_nothing(store: Store, buffer: Buffer) -> None:
    """The centre has the batch on disk, and the answer never comes: it is sent again, and kept once."""
    with served(app(store)) as centre, closing(httpx.Client(trust_env=False)) as real:

        def answers(request: httpx.Request) -> httpx.Response:
            said = real.post(f"{centre}/v1/readings", content=request.content, headers=request.headers)
            if drop:
                raise httpx.ReadTimeout("lost", request=request)
            return httpx.Response(said.status_code, content=said.content)

        drop = True
        made = to(buffer, answers)
        made.turn()
        assert buffer.acknowledged == 0
        drop = False
        for _ in range(3):
            made.turn()
    assert store.readings.of("m-1", SPAN) == [reading(n) for n in range(25)]


def test_a_centre_with_a_full_disk_gets_it_later(store: Store, buffer: Buffer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StoreError("disk full")

    with served(app(store)) as centre, closing(client()) as way:
        made = Sender(buffer, way, name=BOX, centre=centre, token=BOX_TOKEN)
        with monkeypatch.context() as broken:
            broken.setattr(store.readings, "add", full)
            made.turn()
            assert "503" in buffer.backlog().trouble
        made.turn()
    assert len(store.readings.of("m-1", SPAN)) == 25


def test_catching_up_leaves_the_centre_room_to_breathe(buffer: Buffer) -> None:
    now = 100.0

    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=acknowledgement(buffer=buffer.id, acknowledged=buffer.acknowledged + 10))

    made = to(buffer, answers, per_second=5.0, monotonic=lambda: now)
    assert made.turn() == pytest.approx(2.0)  # ten readings at five a second


def test_the_line_of_the_log() -> None:
    from energy.model.edge import Backlog

    backlog = Backlog(waiting=1200, oldest_at=T0, held=3, thinned=40, trouble="energy.example cannot be reached")
    assert status_line(backlog, T0 + timedelta(hours=5)) == (
        "1200 readings wait for the centre; the oldest for 5 hours; 3 held: the centre refused them; "
        "40 thinned and 0 dropped for want of room; energy.example cannot be reached"
    )
