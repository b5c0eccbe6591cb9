"""What an edge box may hand over, and what it is told: against a real server."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from energy.clock import HeldClock
from energy.errors import StoreError
from energy.model.horizon import Interval
from energy.model.meter import ReadingQuality
from energy.store import Store
from tests.api.door import BOX, BOX_TOKEN, GATEWAY_TOKEN, T0, app, opened, served

BUFFER = "b" * 32
SPAN = Interval(T0 - timedelta(days=2), T0 + timedelta(days=2))
MS = timedelta(milliseconds=1)


class Door:
    """The centre at noon, and somebody who calls there."""

    def __init__(self, store: Store, clock: HeldClock, address: str) -> None:
        self.store, self.clock = store, clock
        self._http = httpx.Client(base_url=address, trust_env=False, timeout=20)

    def post(self, body: bytes | dict[str, Any], token: str | None = BOX_TOKEN, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self._http.post("/v1/readings", content=content, headers=headers)

    def get(self, path: str, token: str | None = BOX_TOKEN) -> httpx.Response:
        return self._http.get(path, headers={} if token is None else {"Authorization": f"Bearer {token}"})

    def kept(self, meter: str = "m-1") -> list[float | None]:
        return [one.import_kwh for one in self.store.readings.of(meter, SPAN)]

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    clock = HeldClock(T0)
    with closing(opened(tmp_path / "centre.sqlite")) as store, served(app(store, clock)) as address:
        made = Door(store, clock, address)
        yield made
        made.close()


def row(number: int, meter: str = "m-1", **more: object) -> dict[str, object]:
    taken_at = (T0 - timedelta(seconds=100 - number)).isoformat()
    return {"number": number, "meter": meter, "taken_at": taken_at, "import_kwh": 1000.0 + number} | more


def batch(first: int, last: int, *rows: dict[str, object], **more: object) -> dict[str, object]:
    made = list(rows) or [row(number) for number in range(first, last + 1)]
    said = {"version": 1, "box": BOX, "buffer": BUFFER, "first": first, "last": last, "sent_at": T0.isoformat()}
    return said | {"readings": made} | more


# --- who may call ---


@pytest.mark.parametrize(
    ("token", "status"),
    [(None, 401), ("x", 401), ("wrong" * 9, 401), (BOX_TOKEN + "x", 401), (BOX_TOKEN[:-1], 401), (GATEWAY_TOKEN, 403)],
)
def test_only_the_box_itself_may_hand_over(door: Door, token: str | None, status: int) -> None:
    said = door.post(batch(1, 3), token)
    assert said.status_code == status
    assert BOX_TOKEN not in said.text
    assert door.kept() == []


def test_a_token_speaks_for_no_other_box(door: Door) -> None:
    assert door.post(batch(1, 3, box="hall-4")).status_code == 403
    assert door.kept() == []


def test_the_scheme_is_bearer(door: Door) -> None:
    said = door.post(batch(1, 1), None, Authorization=f"Basic {BOX_TOKEN}")
    assert (said.status_code, said.headers["WWW-Authenticate"]) == (401, "Bearer")


# --- numbers ---


def test_a_batch_that_comes_again_is_acknowledged_again_and_stored_once(door: Door) -> None:
    first, second = (door.post(batch(1, 3)).json() for _ in range(2))
    assert (first["acknowledged"], first["new"]) == (3, 3)
    assert (second["acknowledged"], second["new"]) == (3, 0)
    assert door.kept() == [1001.0, 1002.0, 1003.0]


def test_batches_may_be_cut_anew(door: Door) -> None:
    """After a kill the box does not remember how it had cut them."""
    for first, last in ((1, 5), (3, 8), (1, 2), (9, 9)):
        assert door.post(batch(first, last)).json()["acknowledged"] == last
    assert door.kept() == [1000.0 + n for n in range(1, 10)]
    edge = door.store.edges.get(BOX)
    assert edge is not None and (edge.last, edge.received) == (9, 9)


def test_a_gap_is_not_taken_and_the_box_is_told_where_to_begin(door: Door) -> None:
    door.post(batch(1, 3))
    said = door.post(batch(6, 8))
    assert (said.status_code, said.json()["expected"]) == (409, 4)
    assert door.kept() == [1001.0, 1002.0, 1003.0]


def test_a_gap_that_the_box_cannot_close_is_taken_counted_and_written_down(door: Door) -> None:
    door.post(batch(1, 3))
    assert door.post(batch(6, 8, lost_before=True)).json()["acknowledged"] == 8
    edge = door.store.edges.get(BOX)
    assert edge is not None and (edge.last, edge.missing) == (8, 2)
    (entry,) = door.store.journal.read()
    assert "readings 4 to 5" in entry.detail
    assert door.post(batch(9, 9)).status_code == 200


def test_numbers_that_are_left_out_within_a_batch_are_no_gap(door: Door) -> None:
    """Thinned, or held back at the box."""
    assert door.post(batch(1, 9, row(2), row(7))).json()["acknowledged"] == 9
    assert door.post(batch(10, 10)).status_code == 200


def test_a_new_buffer_begins_anew_and_the_old_one_is_remembered(door: Door) -> None:
    door.post(batch(1, 50))
    other = batch(1, 1, row(1, taken_at=T0.isoformat()), buffer="c" * 32)
    assert door.post(other).json()["new"] == 1
    assert door.post(batch(51, 51)).status_code == 200
    assert door.post(batch(2, 2, row(2, taken_at=(T0 + MS).isoformat()), buffer="c" * 32)).status_code == 200


def test_a_buffer_that_was_set_back_loses_nothing(door: Door) -> None:
    """A box whose card was restored gives old numbers to new readings: they are kept all the same."""
    door.post(batch(1, 50))
    said = door.post(batch(11, 11, row(11, taken_at=T0.isoformat()))).json()
    assert (said["acknowledged"], said["new"]) == (11, 1)
    edge = door.store.edges.get(BOX)
    assert edge is not None and edge.last == 50


# --- what cannot be taken ---


def test_an_unknown_meter_is_named_with_the_known_ones_and_nothing_is_kept(door: Door) -> None:
    said = door.post(batch(1, 3, row(1), row(2, "m-11"), row(3, "furnace")))
    answer = said.json()
    assert said.status_code == 422
    assert [(one["number"], one["meter"]) for one in answer["refused"]] == [(2, "m-11"), (3, "furnace")]
    assert "m-1" in answer["mistakes"][0]["what"] and answer["mistakes"][0]["where"] == "readings[1].meter"
    assert door.kept() == []
    edge = door.store.edges.get(BOX)
    assert edge is not None and "furnace" in edge.trouble and edge.last == 0
    door.post(batch(1, 3, row(1)))
    edge = door.store.edges.get(BOX)
    assert edge is not None and edge.trouble == ""


def test_all_mistakes_are_listed(door: Door) -> None:
    odd = batch(
        1,
        3,
        row(1, import_kwh="12"),
        row(2, taken_at="2026-05-20T12:00:00"),
        row(3, quality="splendid", voltage=230),
        version=2,
    )
    said = door.post(odd)
    assert said.status_code == 400
    assert {m["where"] for m in said.json()["mistakes"]} == {
        "version",
        "readings[0].import_kwh",
        "readings[1].taken_at",
        "readings[2].quality",
        "readings[2].voltage",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        json.dumps(batch(1, 1)).replace("1001.0", "NaN").encode(),
        json.dumps(batch(1, 1)).replace("1001.0", "1e999").encode(),
        json.dumps(batch(3, 1)).encode(),
        json.dumps(batch(1, 3, row(2), row(2))).encode(),
        json.dumps(batch(1, 3, row(4))).encode(),
        json.dumps(batch(1, 1, row(0))).encode(),
        json.dumps(batch(1, 1, row(1, import_kwh=True))).encode(),
        json.dumps(batch(1, 1, buffer="")).encode(),
    ],
)
def test_what_is_no_batch_is_refused(door: Door, body: bytes) -> None:
    said = door.post(body)
    assert said.status_code == 400 and said.json()["mistakes"]
    assert door.kept() == []


# --- bodies ---


def test_gzip_is_understood(door: Door) -> None:
    said = door.post(gzip.compress(json.dumps(batch(1, 3)).encode()), **{"Content-Encoding": "gzip"})
    assert said.json()["new"] == 3


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 20_000_000, 9, mtime=0), "gzip", 413),  # a thousand times as much as it seems
        (b" " * 1_000_001, "identity", 413),
        (gzip.compress(b"{}", mtime=0)[:-3], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + b"more", "gzip", 400),
        (b"not gzip at all", "gzip", 400),
        (b"{}", "br", 415),
    ],
    ids=["bomb", "large", "cut off", "with more", "not gzip", "other packing"],
)
def test_a_body_is_bounded(door: Door, body: bytes, encoding: str, status: int) -> None:
    assert door.post(body, **{"Content-Encoding": encoding}).status_code == status


# --- time ---


@pytest.mark.parametrize(
    ("taken_seconds", "age_seconds", "good"),
    [
        (0, 0, True),
        (0, None, True),
        (-86_400, None, True),  # from before a restart: nobody knows better
        (-86_400, 86_400, True),  # a day without network
        (20, None, True),  # two clocks that are kept right
        (3_600, 0, False),  # an hour ahead
        (3_600, None, False),
        (-3_600, 0, False),  # an hour behind: it says an hour ago, and was taken just now
        (-3_600, 7_200, False),  # the clock was set back meanwhile
        (0, 1e15, False),  # no time at all
        (0, -1e15, False),
    ],
)
def test_a_reading_that_was_stamped_by_a_wrong_clock_is_doubted(
    door: Door, taken_seconds: float, age_seconds: float | None, good: bool
) -> None:
    taken_at = (T0 + timedelta(seconds=taken_seconds)).isoformat()
    door.post(batch(1, 1, row(1, taken_at=taken_at, age_seconds=age_seconds)))
    (kept,) = door.store.readings.of("m-1", SPAN)
    assert (kept.quality is ReadingQuality.GOOD) == good
    assert ("clock" in kept.note) != good
    assert kept.import_kwh == 1001.0


@pytest.mark.parametrize("quality", ["released", "rejected"])
def test_a_box_does_not_speak_for_people(door: Door, quality: str) -> None:
    said = door.post(batch(1, 1, row(1, quality=quality)))
    assert said.status_code == 400
    assert said.json()["mistakes"][0]["where"] == "readings[0].quality"
    assert "by a person" in said.json()["mistakes"][0]["what"]
    assert door.kept() == []


@pytest.mark.parametrize("name", ["taken_at", "sent_at"])
def test_a_time_beyond_the_calendar_is_a_mistake_and_no_fault_of_ours(door: Door, name: str) -> None:
    odd = "0001-01-01T00:00:00+14:00"
    said = door.post(batch(1, 1, row(1, taken_at=odd)) if name == "taken_at" else batch(1, 1, row(1)) | {name: odd})
    assert said.status_code == 400
    assert said.json()["mistakes"][0]["where"].endswith(name)


# --- a store that fails ---


def test_what_is_not_on_disk_is_not_acknowledged(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StoreError("the store cannot be read or written: disk full")

    with monkeypatch.context() as broken:
        broken.setattr(door.store.readings, "add", full)
        said = door.post(batch(1, 3))
    assert (said.status_code, said.headers["Retry-After"]) == (503, "5")
    assert door.store.edges.get(BOX) is None
    assert door.post(batch(1, 3)).json()["new"] == 3


# --- what is shown ---


def test_boxes_and_health(door: Door) -> None:
    assert door.get("/v1/health", token=None).json()["status"] == "ok"
    assert door.get("/v1/boxes", token=None).status_code == 401
    assert door.get("/v1/boxes").json()[0]["seen_at"] is None
    waits = {"waiting": 7, "oldest_at": T0.isoformat(), "trouble": "no network"}
    ahead: Callable[[float], str] = lambda s: (T0 + timedelta(seconds=s)).isoformat()  # noqa: E731
    door.post(batch(1, 3, backlog=waits, sent_at=ahead(2.5)))
    (box,) = door.get("/v1/boxes").json()
    assert (box["name"], box["last"], box["ahead_seconds"], box["backlog"]["waiting"]) == (BOX, 3, 2.5, 7)


def test_nothing_else_is_behind_the_door(door: Door) -> None:
    for path in ("/", "/docs", "/openapi.json", "/redoc", "/v1", "/v2/readings"):
        assert door.get(path).status_code == 404
