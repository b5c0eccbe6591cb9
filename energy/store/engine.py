"""Connections and units of work. The only file that knows how SQLite and PostgreSQL differ while they run."""

import hashlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from energy.errors import StoreError

T = TypeVar("T")

# A thousand meters touch a thousand pages in each commit: they stay in memory, and go to the file once for many commits.
FOR_MANY_METERS = ("cache_size=-16000", "wal_autocheckpoint=4000")
BUSY_MS = 5_000  # how long SQLite itself waits for another writer
BUSY_SECONDS = 30.0  # how long we try in all before saying so
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's word for having waited too long
BUSY_TEXT = (
    f"the store is busy: somebody else has been writing for {BUSY_SECONDS:.0f} s. "
    "Look for a process that hangs in a unit of work, end it, and try again"
)
MEMORY = ("", ":memory:")


class Database:
    """One database: a connection for each thread that is at work, and the unit of work that the thread is in."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.path = Path(url.database or "") if self.is_sqlite else None
        self._here = threading.local()
        in_memory = self.is_sqlite and (url.database or "") in MEMORY
        # A database in memory is one connection, so its threads take turns.
        self._turn = threading.RLock() if in_memory else nullcontext()
        self.engine = _sqlite(url, in_memory) if self.is_sqlite else _postgresql(url)

    @contextmanager
    def unit(self, lock: str, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction that writes, alone of its kind for `lock` (on SQLite: for the whole file). Inside another one
        it is a part of that: undone alone when it fails, kept when the outer one is kept."""
        outer = self._connection()
        if outer is not None:
            with outer.begin_nested():
                yield outer
            return
        with self._turn, _said(), self.engine.connect() as connection, self._begin(connection, lock, durable):
            self._here.connection = connection
            try:
                yield connection
            finally:
                self._here.connection = None

    @contextmanager
    def writing(self, lock: str) -> Iterator[sa.Connection]:
        """The unit that this thread is in, or a durable one of its own."""
        outer = self._connection()
        if outer is not None:
            yield outer
            return
        with self.unit(lock) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The unit that this thread is in, or the last commit, the same for the whole block."""
        outer = self._connection()
        if outer is not None:
            yield outer
            return
        with self._turn, _said(), self.engine.connect() as connection:
            if not self.is_sqlite:  # there each statement would see a commit of its own
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()

    def _connection(self) -> sa.Connection | None:
        return getattr(self._here, "connection", None)

    def _begin(self, connection: sa.Connection, lock: str, durable: bool) -> sa.RootTransaction:
        if self.is_sqlite:
            return _begin_immediate(connection, durable)
        begun = connection.begin()
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{BUSY_SECONDS:.0f}s'"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_number(lock))))
        if not durable:
            connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        return begun


def lock_number(name: str) -> int:
    """The number that stands for a lock's name on PostgreSQL, the same in every process."""
    return int.from_bytes(hashlib.blake2b(f"loadstone {name}".encode(), digest_size=8).digest(), signed=True)


def is_busy(error: BaseException) -> bool:
    """Whether SQLite says that another one is writing."""
    name: str = getattr(getattr(error, "orig", error), "sqlite_errorname", "")
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _sqlite(url: sa.URL, in_memory: bool) -> sa.Engine:
    pool: dict[str, Any] = {"poolclass": sa.StaticPool} if in_memory else {"pool_size": 8, "max_overflow": -1}
    # isolation_level None: the driver begins nothing by itself, or a stale read would come before the write lock.
    arguments = {"isolation_level": None, "check_same_thread": False, "timeout": BUSY_MS / 1000}
    engine = sa.create_engine(url, connect_args=arguments, **_as_text(), **pool)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=24, **_as_text())


def _as_text() -> dict[str, Any]:
    """Bodies are JSON text already when they come to the driver."""
    return {"json_serializer": _same, "json_deserializer": _same}


def _same(text: str) -> str:
    return text


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (f"busy_timeout={BUSY_MS}", "synchronous=FULL", "foreign_keys=ON", *FOR_MANY_METERS):
        connection.execute(f"PRAGMA {pragma}").close()
    # Two that open a new file at once: SQLite answers the second at once with busy, without waiting.
    _retry(lambda: connection.execute("PRAGMA journal_mode=WAL").close(), sqlite3.OperationalError)


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _begin_immediate(connection: sa.Connection, durable: bool) -> sa.RootTransaction:
    """Take the write lock at once, so that nothing read after it can change before it is written."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}").close()  # not changeable once begun
    connection.execution_options(begin="BEGIN IMMEDIATE")
    return _retry(connection.begin, OperationalError)


def _retry(call: Callable[[], T], errors: type[Exception]) -> T:
    """Call until the other writer is done; waits a little longer each time, and gives up with words."""
    started, wait = time.monotonic(), 0.01
    while True:
        try:
            return call()
        except errors as error:
            if not is_busy(error):
                raise
            if time.monotonic() - started > BUSY_SECONDS:
                raise StoreError(BUSY_TEXT) from error
        time.sleep(wait * random.uniform(0.5, 1.0))
        wait = min(2 * wait, 0.5)


@contextmanager
def _said() -> Iterator[None]:
    """What the database cannot do (disk full, server gone) as an error that a person can read."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise StoreError(BUSY_TEXT) from error
        raise StoreError(f"the store cannot be read or written: {str(error.orig).strip()}") from error
