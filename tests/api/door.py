"""A plant with a door, and a real server for it on a free port."""

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from energy.api.app import Doors, create_app
from energy.api.tokens import Tokens
from energy.clock import Clock, HeldClock, SystemClock
from energy.model.meter import Measures, Meter, Reading, ReadingQuality, Role
from energy.plugins import build
from energy.ports import Context
from energy.store import Store
from meters.edge.steady import Steady
from tests.meters.wire import SITE

BOX, GATEWAY = "hall-3", "logger-1"
BOX_TOKEN, GATEWAY_TOKEN = "b0x-" + "Qm4kz7Wd2Lr9" * 3, "gat-" + "Xp3vt8Ns6Hy1" * 3
T0 = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


class Steadied(Steady):
    """A steady clock that goes with one of the test, whatever else is set."""

    def __init__(self, real: HeldClock) -> None:
        super().__init__()
        self._real = real

    def now(self) -> float:
        return self._real.now().timestamp()


def meter(id: str) -> Meter:
    return Meter(id=id, name=id, role=Role.SUB, measures=Measures.OTHER, connection_kw=500.0)


METERS = tuple(meter(id) for id in ("m-1", "m-2", "p-1"))


def reading(
    second: float, meter: str = "m-1", kwh: float | None = None, quality: ReadingQuality = ReadingQuality.GOOD
) -> Reading:
    stand = 1000.0 + second / 100.0 if kwh is None else kwh
    return Reading(
        meter=meter, taken_at=T0 + timedelta(seconds=second), import_kwh=stand, power_kw=36.0, quality=quality
    )


def doors(boxes: Sequence[str] = ("m-1", "m-2"), most_bytes: int = 1_000_000) -> Doors:
    from meters.push import Settings

    context = Context(site=SITE, clock=SystemClock(), meters=METERS)
    return Doors(
        tokens=Tokens({BOX: BOX_TOKEN, GATEWAY: GATEWAY_TOKEN}),
        boxes={BOX: frozenset(boxes)},
        gateways={GATEWAY: frozenset({"p-1"})},
        judges={"p-1": build("meters", "push", Settings(id="p-1"), context)},
        most_bytes=most_bytes,
    )


@cache
def empty() -> bytes:
    """A store with its tables and meters, to be copied: making them takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.sqlite"
        with Store.open(f"sqlite:///{path}", "plant") as store:
            store.put_meters(METERS)
        return path.read_bytes()


def opened(path: Path) -> Store:
    """The store of the plant in that file; a new one where there is none."""
    if not path.exists():
        path.write_bytes(empty())
    return Store.open(f"sqlite:///{path}", "plant")


def app(store: Store, clock: Clock | None = None, of: Doors | None = None) -> FastAPI:
    return create_app(store, clock or SystemClock(), of or doors())


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of a server that runs in a thread of this process."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    ready = threading.Event()
    startup = server.startup

    async def started(sockets: object = None) -> None:
        await startup()
        ready.set()

    server.startup = started  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert ready.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
