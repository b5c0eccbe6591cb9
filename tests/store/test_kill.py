"""A writer that is killed at any moment: what it acknowledged is there, once; what it did not finish is not."""

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from energy.model.horizon import Interval
from energy.model.meter import Reading
from energy.model.proposal import Decision, DecisionKind
from energy.store.store import Store

KILLS = 15
T0 = datetime(2026, 5, 20, tzinfo=UTC)
ALWAYS = Interval(T0, T0 + timedelta(days=900))


def when(number: int) -> datetime:
    return T0 + timedelta(seconds=number)


def write_until_killed(url: str, acknowledged: Connection) -> None:
    with Store.open(url, "plant") as store:
        while True:
            with store.unit():
                number = store.note("count") or 0
                said = Decision(
                    id=str(number),
                    offer="o",
                    version=1,
                    kind=DecisionKind.ACCEPT,
                    by="Kim",
                    role="planner",
                    at=when(number),
                )
                store.decisions.add(said)
                store.readings.add([Reading(meter="grid", taken_at=when(number), import_kwh=float(number))])
                store.note("count", number + 1)
            acknowledged.send(number)


def received(acknowledged: Connection) -> list[int]:
    """What the writer acknowledged before it was killed; its last word may be cut off."""
    numbers: list[int] = []
    try:
        while True:
            numbers.append(acknowledged.recv())
    except (EOFError, OSError):
        return numbers


def test_killed_at_any_moment(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["energy.store.store"])
    chance = random.Random(7)
    acknowledged: list[int] = []
    for kill in range(KILLS):
        here, there = processes.Pipe(duplex=False)
        writer = processes.Process(target=write_until_killed, args=(url, there))
        writer.start()
        there.close()
        if kill % 2:  # else it may still be opening the store
            assert here.poll(120), "the writer never got to write"
        writer.join(chance.uniform(0.03, 0.3))
        assert writer.exitcode is None, "the writer ended by itself"
        writer.kill()
        writer.join(10)
        acknowledged += received(here)
        here.close()
        with Store.open(url, "plant") as store:
            count = store.note("count") or 0
            decided = [int(said.id) for said in store.decisions.made(ALWAYS)]
            taken = [int(said.import_kwh or 0) for said in store.readings.of("grid", ALWAYS)]
        assert decided == taken == list(range(count))  # whole units, each once
        assert acknowledged == sorted(set(acknowledged))
        assert set(acknowledged) <= set(decided)
    assert len(acknowledged) >= KILLS // 2
