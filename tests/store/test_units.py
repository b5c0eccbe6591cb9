"""Units of work: together or not at all, one writer after the other, and on disk when they are done."""

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa

from energy.errors import StoreError
from energy.store import engine
from energy.store.store import Store

OpenStore = Callable[..., Store]
TIMES = 25


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start at once, because the store is loaded already where they are forked from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["energy.store.store"])
    return context


def count_up(store: Store) -> None:
    """Read, then write: the update that gets lost where units are not alone."""
    for _ in range(TIMES):
        with store.unit(durable=False):
            store.note("count", (store.note("count") or 0) + 1)


def count_up_in_a_process(url: str) -> None:
    with Store.open(url, "plant") as store:
        count_up(store)


def test_threads_lose_no_update(store: Store) -> None:
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(count_up, store) for _ in range(3)]:
            done.result(timeout=150)
    assert store.note("count") == 3 * TIMES


def test_processes_lose_no_update(url: str, store: Store, processes: ForkServerContext) -> None:
    others = [processes.Process(target=count_up_in_a_process, args=(url,)) for _ in range(2)]
    for other in others:
        other.start()
    count_up(store)
    for other in others:
        other.join(150)
    assert [other.exitcode for other in others] == [0, 0]
    assert store.note("count") == 3 * TIMES


class Stumbled(Exception):
    pass


def note_and_stumble(store: Store, key: str) -> None:
    with store.unit():
        store.note(key, 1)
        raise Stumbled


def note_inside_and_stumble(store: Store, key: str) -> None:
    with store.unit():
        with store.unit():
            store.note(key, 1)
        raise Stumbled


def test_a_unit_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(Stumbled):
        note_and_stumble(store, "a")
    assert store.note("a") is None
    store.note("a", 2)  # and the store goes on
    assert store.note("a") == 2


def test_a_unit_inside_another_is_a_part_of_it(store: Store) -> None:
    with store.unit():
        store.note("outer", 1)
        with pytest.raises(Stumbled):
            note_and_stumble(store, "failed")
        with store.unit():
            store.note("inner", 1)
    assert [store.note(key) for key in ("outer", "failed", "inner")] == [1, None, 1]
    with pytest.raises(Stumbled):
        note_inside_and_stumble(store, "lost")
    assert store.note("lost") is None


def in_a_thread(call: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(timeout=30)


def test_others_see_a_unit_when_it_is_done_and_do_not_wait_for_it(store: Store) -> None:
    store.note("a", 1)
    with store.unit():
        store.note("a", 2)
        assert store.note("a") == 2
        assert in_a_thread(lambda: store.note("a")) == 1
    assert in_a_thread(lambda: store.note("a")) == 2


def test_a_second_writer_waits_for_the_first(store: Store) -> None:
    inside, order = threading.Event(), []

    def second() -> None:
        inside.wait(10)
        with store.unit():
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        with store.unit():
            inside.set()
            threading.Event().wait(0.1)
            order.append("first")
        waiting.result(timeout=30)
    assert order == ["first", "second"]


def test_on_postgresql_sites_do_not_wait_for_each_other(postgres_url: str) -> None:
    with Store.open(postgres_url, "here") as here, Store.open(postgres_url, "there") as there, here.unit():
        in_a_thread(lambda: there.note("a", 1))


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "plant") as store:
        yield store


def asked(store: Store, pragma: str) -> object:
    with store._database.reading() as connection:
        return connection.execute(sa.text(f"PRAGMA {pragma}")).scalar()


def test_what_is_acknowledged_is_on_disk(sqlite_store: Store) -> None:
    full, normal = 2, 1
    for durable, level in ((True, full), (False, normal), (True, full)):
        with sqlite_store.unit(durable=durable):
            assert asked(sqlite_store, "synchronous") == level
    with sqlite_store.unit(durable=False):
        pass
    with sqlite_store._database.writing("plant"):  # what a repository does by itself
        assert asked(sqlite_store, "synchronous") == full
    assert asked(sqlite_store, "journal_mode") == "wal"
    assert asked(sqlite_store, "foreign_keys") == 1


def test_a_store_that_stays_busy_says_so(url: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1.0)
    monkeypatch.setattr(engine, "BUSY_MS", 100)
    with Store.open(url, "plant") as impatient, store.unit():

        def write() -> None:
            with pytest.raises(StoreError, match="the store is busy"):
                impatient.note("a", 1)

        in_a_thread(write)


def test_a_month_of_one_meter_is_found_by_its_key(sqlite_store: Store) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT * FROM interval WHERE channel = (SELECT id FROM channel WHERE site = 'plant' AND "
        "kind = 'meter' AND key = 'm') AND start > 0 AND start < 9"
    )
    with sqlite_store._database.reading() as connection:
        steps = [row.detail for row in connection.execute(sa.text(query))]
    assert steps[0] == "SEARCH interval USING PRIMARY KEY (channel=? AND start>? AND start<?)"
