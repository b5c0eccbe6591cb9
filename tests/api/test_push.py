"""What gateways and data loggers may push, in the forms in which they do."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from energy.clock import HeldClock
from energy.model.horizon import Interval
from energy.model.meter import Reading, ReadingQuality
from energy.store import Store
from tests.api.door import BOX_TOKEN, GATEWAY_TOKEN, T0, app, opened, served

SPAN = Interval(T0 - timedelta(days=2), T0 + timedelta(days=2))
AUTH = {"Authorization": f"Bearer {GATEWAY_TOKEN}"}
EPOCH = int(T0.timestamp())
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(opened(tmp_path / "centre.sqlite")) as made:
        yield made


@pytest.fixture
def http(store: Store) -> Iterator[httpx.Client]:
    with (
        served(app(store, HeldClock(T0))) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=20, headers=AUTH) as made,
    ):
        yield made


def kept(store: Store) -> list[Reading]:
    return store.readings.of("p-1", SPAN)


@pytest.mark.parametrize(
    ("sent", "kwh", "kw"),
    [
        ({"json": {"time": "2026-05-20T12:00:00Z", "import_kwh": 12.5, "power_kw": -3}}, 12.5, -3.0),
        ({"json": {"time": "2026-05-20T14:00:00+02:00", "import_wh": 12_500, "power_w": 2_000}}, 12.5, 2.0),
        ({"json": {"timestamp": EPOCH, "import_mwh": 1.5}}, 1500.0, None),
        ({"json": {"timestamp": EPOCH * 1000, "import_kwh": 12.5, "power_kw": None}}, 12.5, None),
        ({"json": {"import_kwh": 12.5}}, 12.5, None),  # without a time: now
        ({"content": f"time={EPOCH}&import_kwh=12.5", "headers": FORM}, 12.5, None),
        ({"params": {"import_kwh": "12.5", "power_w": "500"}}, 12.5, 0.5),
        ({"params": {"time": str(EPOCH)}, "json": {"import_kwh": 12.5}}, 12.5, None),
    ],
)
def test_each_form_is_one_reading(
    store: Store, http: httpx.Client, sent: dict[str, object], kwh: float, kw: float | None
) -> None:
    said = http.post("/v1/push/p-1", **sent)  # type: ignore[arg-type]
    assert said.json() == {"meter": "p-1", "taken": 1, "new": 1, "doubted": []}
    assert kept(store) == [Reading(meter="p-1", taken_at=T0, import_kwh=kwh, power_kw=kw)]
    assert http.post("/v1/push/p-1", **sent).json()["new"] == 0  # type: ignore[arg-type]


def test_a_list_is_taken_whole_or_not_at_all(store: Store, http: httpx.Client) -> None:
    rows = [{"time": EPOCH - 60 * n, "import_kwh": 100 - n} for n in range(5)]
    odd = http.post("/v1/push/p-1", json=[*rows, {"time": "soon", "import_kwh": "much", "volts": 3}, {"time": EPOCH}])
    assert odd.status_code == 400
    assert [m["where"] for m in odd.json()["mistakes"]] == ["[5].time", "[5].import_kwh", "[5].volts", "[6]"]
    assert kept(store) == []
    assert http.post("/v1/push/p-1", json=rows).json()["new"] == 5
    assert [one.import_kwh for one in kept(store)] == [96, 97, 98, 99, 100]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"content": b"hello"},
        {"json": []},
        {"json": [1]},
        {"json": {"time": "2026-05-20T12:00:00", "import_kwh": 1}},  # in which zone?
        {"json": {"import_kwh": True}},
        {"content": b'{"import_kwh": NaN}'},
        {"json": {"import_kwh": 1, "import_wh": 1000}},
        {"content": b"import_kwh=1&import_kwh=2", "headers": FORM},
        {"json": {"time": EPOCH, "timestamp": EPOCH, "import_kwh": 1}},
        {"json": {"time": 1e300, "import_kwh": 1}},
    ],
)
def test_what_is_no_reading_is_refused(store: Store, http: httpx.Client, sent: dict[str, object]) -> None:
    said = http.post("/v1/push/p-1", **sent)  # type: ignore[arg-type]
    assert said.status_code == 400 and said.json()["mistakes"]
    assert kept(store) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"json": [{f"a{n}": 1} for n in range(9_000)]},
        {"json": {f"a{n}": 1 for n in range(20_000)}},
        {"content": "&".join(f"a{n}=1" for n in range(201)), "headers": AUTH | FORM},
    ],
)
def test_mistakes_without_end_are_not_looked_for(
    store: Store, http: httpx.Client, sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("energy.api.pushes.nearest", lambda name, _known: asked.append(name) or "")
    said = http.post("/v1/push/p-1", **sent)
    assert said.status_code == 400
    assert 1 <= len(said.json()["mistakes"]) <= 100
    assert len(asked) <= 100
    assert store.readings.count(SPAN) == 0


def test_what_cannot_be_is_kept_and_doubted(store: Store, http: httpx.Client) -> None:
    rows = [(0, 1000.0, 90.0), (60, 1001.0, 60_000.0), (120, 400.0, 90.0), (86_400, 401.0, 90.0)]
    told = [
        http.post("/v1/push/p-1", json={"time": EPOCH - 3600 + s, "import_kwh": kwh, "power_kw": kw}).json()["doubted"]
        for s, kwh, kw in rows
    ]
    assert told[0] == [] and "60000.0 kW" in told[1][0] and "went down" in told[2][0] and "future" in told[3][0]
    assert [one.quality is ReadingQuality.GOOD for one in kept(store)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("meter", "token", "status"),
    [("p-1", "x", 401), ("p-1", "nobody" * 6, 401), ("p-1", BOX_TOKEN, 404), ("m-1", GATEWAY_TOKEN, 404)],
)
def test_a_gateway_speaks_for_its_own_meters_alone(http: httpx.Client, meter: str, token: str, status: int) -> None:
    said = http.post(f"/v1/push/{meter}", json={"import_kwh": 1}, headers={"Authorization": f"Bearer {token}"})
    assert said.status_code == status
