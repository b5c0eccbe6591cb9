"""The buffer of an edge box: readings on its own disk, numbered in the order in which they were taken, until the centre has
them.

One SQLite file in WAL mode, each batch on disk (synchronous=FULL) before it counts as kept. A row is waiting (its number is
above `acknowledged`), held (the centre refused it; a person or a new config of the centre releases it), to be sent again (it
was released), or acknowledged and kept a while for a centre that was restored from a backup.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from uuid import uuid4

from energy.clock import Clock, SystemClock
from energy.exchange.codec import dump, load
from energy.model.edge import Backlog
from energy.model.meter import Reading
from meters.edge import thinning
from meters.edge.rows import (
    AGAIN,
    EPOCH,
    HELD,
    IS_AGAIN,
    IS_HELD,
    MICROSECOND,
    PLAIN,
    SCHEMA,
    is_broken,
    is_full,
    release,
    rescued,
)
from meters.edge.steady import Steady

log = logging.getLogger("loadstone.edge")

FULL_AT = 0.9  # of the room: what is beyond makes room by being thinned
LEAST_BYTES = 400_000  # below it a buffer could not even hold its own structure
BUSY_SECONDS = 10.0
EVER = 2**62  # microseconds
WAL_BYTES = 4_000_000
FORGOTTEN_AT_ONCE = 20_000
KEPT_ANYWAY = 1_000  # the newest rows, acknowledged or not: a restart begins from them
CHECKED_BYTES = 200_000_000
BROKEN_KEPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A reading that is to be sent, with its number and, within this boot, when it was taken by the steady clock."""

    number: int
    reading: Reading
    steady: float | None
    again: bool = False  # it was released, and is sent although later ones are acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What one batch carries, and the numbers that it covers."""

    first: int
    last: int
    rows: tuple[Row, ...]
    lost_before: bool = False


class Buffer:
    """The buffer file; threads may share it. An error of sqlite3 means that nothing was changed."""

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        keep_minutes: int = 15,
        clock: Clock | None = None,
        steady: Steady | None = None,
    ) -> None:
        self.path = path
        self.max_bytes = max(max_bytes, LEAST_BYTES)
        self.keep_minutes = keep_minutes
        self.clock = clock or SystemClock()
        self.steady = steady or Steady()
        self._lock = threading.RLock()
        self._db = self._opened()
        self._read_about()

    # ---- opening

    def _opened(self) -> sqlite3.Connection:
        """The file, sound; one that cannot be read any more is moved aside, and what it still says is rescued."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not is_broken(error):
                raise
            return self._anew(error)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL").close()
            db.execute("PRAGMA synchronous=FULL").close()
            db.execute(f"PRAGMA journal_size_limit={WAL_BYTES}").close()
            page = int(db.execute("PRAGMA page_size").fetchone()[0])
            db.execute(f"PRAGMA max_page_count={max(64, self.max_bytes // page)}").close()
            db.executescript(SCHEMA)
            small = self.path.stat().st_size < CHECKED_BYTES  # a larger one shows its damage where it is read
            if small and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("database disk image is malformed")
            db.execute("INSERT OR IGNORE INTO about VALUES ('buffer', ?)", (uuid4().hex,))
        except BaseException:
            db.close()
            raise
        return db

    def _anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        aside = self.path.with_name(f"{self.path.name}.broken-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:4]}")
        for end in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + end)
            if part.exists():
                part.rename(aside.with_name(aside.name + end))
        db = self._connect()
        about, rows = rescued(aside)
        about["broken"] = str(int(about.get("broken", "0")) + 1)
        for key in ("thinned", "dropped", "broken"):
            db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, about.get(key, "0")))
        columns = "state, meter, taken_at, counts, boot, steady, body, why"
        try:
            db.execute("BEGIN IMMEDIATE")
            db.executemany(f"INSERT INTO reading ({columns}) VALUES (?,?,?,?,?,?,?,?)", rows)
            db.execute("COMMIT")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            log.exception("%d readings of %s do not fit into the new buffer; they are there still", len(rows), aside)
            rows = []
        self._keep_few_broken()
        log.error(
            "the buffer could not be read (%s); it was moved aside as %s, a new one goes on with the %d readings that could "
            "be rescued from it",
            error,
            aside.name,
            len(rows),
        )
        return db

    def _keep_few_broken(self) -> None:
        """Broken files are kept to be looked into, but not until they fill the disk."""
        found = sorted(self.path.parent.glob(f"{self.path.name}.broken-*"))
        whole = [path for path in found if not path.name.endswith(("-wal", "-shm"))]
        for old in whole[:-BROKEN_KEPT]:
            log.error("the broken buffer file %s goes, as there are newer ones", old.name)
            for part in self.path.parent.glob(f"{old.name}*"):
                part.unlink()

    def _read_about(self) -> None:
        about = dict(self._db.execute("SELECT key, value FROM about").fetchall())
        self.id = str(about["buffer"])
        self.acknowledged = int(about.get("acknowledged", "0"))
        self._lost_before = about.get("lost_before") == "1"
        self._counts = {key: int(about.get(key, "0")) for key in ("thinned", "dropped", "broken")}
        self._plain = self._count(f"state = {PLAIN} AND number > ?", self.acknowledged)  # counted once, then kept up
        self.trouble = about.get("trouble", "")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # ---- keeping

    def add(self, readings: Sequence[Reading]) -> None:
        """Keep readings; on disk when this returns. What does not fit makes room by the stated rule, or raises."""
        with self._mending():
            self.make_room()
            try:
                self._insert(readings)
            except sqlite3.OperationalError as error:
                if not is_full(error):
                    raise
                log.error("no room for %d readings (%s); older ones are thinned", len(readings), error)
                self._db.execute(
                    "PRAGMA wal_checkpoint(RESTART)"
                ).close()  # its file is used again: room where there is none
                self.make_room(hard=True)
                self._insert(readings)

    def _insert(self, readings: Sequence[Reading]) -> None:
        boot, steady, now = self.steady.boot, self.steady.now(), self.clock.now()
        readings = [writable(one) for one in readings]
        rows = [
            (
                one.meter,
                (one.taken_at - EPOCH) // MICROSECOND,
                2 if one.clock_step_seconds is not None else int(one.quality.counts),
                boot,
                steady - (now - one.taken_at).total_seconds(),
                dump(one),
            )
            for one in readings
        ]
        with self._unit():
            self._db.executemany(
                "INSERT INTO reading (meter, taken_at, counts, boot, steady, body) VALUES (?,?,?,?,?,?)", rows
            )
        self._plain += len(rows)

    # ---- sending

    def cut(self, most: int) -> Cut:
        """The next batch, oldest number first; empty where nothing waits."""
        with self._mending():
            found = self._to_send("number, state, body, boot, steady", most)
            rows = tuple(
                Row(
                    number=number,
                    reading=said,
                    steady=steady if boot == self.steady.boot else None,
                    again=state == AGAIN,
                )
                for number, state, body, boot, steady in found
                if (said := self._read(number, body)) is not None
            )
            next_up = self.acknowledged + 1
            if not rows:
                return Cut(first=next_up, last=next_up - 1, rows=(), lost_before=self._lost_before)
            first = min(next_up, rows[0].number)
            return Cut(first=first, last=rows[-1].number, rows=rows, lost_before=self._lost_before)

    def _to_send(self, columns: str, most: int) -> list[tuple[Any, ...]]:
        """The first rows that wait, oldest number first: those released, and those after what is acknowledged."""
        each = f"SELECT {columns} FROM reading WHERE {{}} ORDER BY number LIMIT :most"
        both = (each.format(which) for which in (IS_AGAIN, f"state = {PLAIN} AND number > :acknowledged"))
        found: list[tuple[Any, ...]] = []
        for query in both:  # what was released may lie far back, or among what was not sent yet
            found += self._db.execute(query, {"acknowledged": self.acknowledged, "most": most}).fetchall()
        return sorted(found)[:most]

    def _read(self, number: int, body: str) -> Reading | None:
        """A reading as it was written; one that another version wrote in its own way is held, and keeps no other back."""
        try:
            return load(Reading, body)
        except ValueError as error:
            log.error("reading %d in the buffer is not understood and held: %s", number, error)
            self.hold([(number, "it is not understood by this version of the box")])
            return None

    def acknowledge(self, cut: Cut) -> None:
        """The centre has a batch on disk: its readings wait no longer."""
        with self._mending(), self._unit():
            again = [(row.number,) for row in cut.rows if row.again]
            self._db.executemany(f"UPDATE reading SET state = {PLAIN} WHERE number = ?", again)
            self.acknowledged = max(self.acknowledged, cut.last)
            self._put("acknowledged", self.acknowledged)
            if self._lost_before:
                self._lost_before = False
                self._put("lost_before", 0)
            self._plain -= len(cut.rows) - len(again)

    def rewind(self, expected: int) -> int:
        """The centre wants all from a number on (it was restored from a backup). How many can be sent again; what is not
        here any more is told as lost."""
        with self._mending(), self._unit():
            least = self._one("SELECT min(number) FROM reading WHERE number >= ?", expected)
            begin = self.acknowledged + 1 if least is None else min(int(least), self.acknowledged + 1)
            self._lost_before = begin > expected
            again = self._count(f"state = {PLAIN} AND number BETWEEN ? AND ?", begin, self.acknowledged)
            self.acknowledged = begin - 1
            self._put("acknowledged", self.acknowledged)
            self._put("lost_before", int(self._lost_before))
            self._plain += again
        return again

    def hold(self, refused: Sequence[tuple[int, str]]) -> None:
        """Set readings aside that the centre will not take, so that the others are not kept waiting by them."""
        with self._mending(), self._unit():
            for number, why in refused:
                hold = f"UPDATE reading SET state = {HELD}, why = ? WHERE number = ? AND state = "
                if not self._db.execute(f"{hold}{AGAIN}", (why, number)).rowcount:
                    held = self._db.execute(f"{hold}{PLAIN}", (why, number)).rowcount
                    self._plain -= held if number > self.acknowledged else 0

    def release(self, meter: str = "") -> int:
        """Let held readings wait again, of one meter or of all; how many. They are sent before all others."""
        with self._mending(), self._unit():
            return release(self._db, meter)

    # ---- room

    def forget(self, before: datetime, keep: int = KEPT_ANYWAY) -> int:
        """Let acknowledged readings go that were taken before a time, but for the newest `keep`; how many went."""
        with self._mending(), self._unit():
            return self._forget((before - EPOCH) // MICROSECOND, keep)

    def _forget(self, before: int, keep: int = 0) -> int:
        """Of the oldest readings only: to look through all that stay would take long, and others wait meanwhile."""
        oldest = f"SELECT number, taken_at FROM reading WHERE state = {PLAIN} AND number <= ? ORDER BY number LIMIT ?"
        return self._db.execute(
            f"DELETE FROM reading WHERE number IN (SELECT number FROM ({oldest}) WHERE taken_at < ?)",
            (min(self.acknowledged, self._newest() - keep), FORGOTTEN_AT_ONCE, before),
        ).rowcount

    def _newest(self) -> int:
        return int(self._one("SELECT coalesce(max(number), 0) FROM reading"))

    def last_good(self) -> dict[str, Reading]:
        """The newest good reading of each meter that is still here: what the first one after a restart is held against."""
        with self._mending():
            newest = "SELECT max(number) FROM reading WHERE counts > 0 GROUP BY meter"
            found = self._db.execute(f"SELECT meter, body FROM reading WHERE number IN ({newest})").fetchall()
            return {meter: load(Reading, body) for meter, body in found}

    def make_room(self, *, hard: bool = False) -> None:
        """Where the file comes near its limit: acknowledged readings go first, then the oldest that wait are thinned."""
        while hard or self.used_bytes() > FULL_AT * self.max_bytes:
            hard = False
            with self._unit():
                if self._forget(EVER):
                    continue
                went = thinning.thin(self._db, self.acknowledged, self.keep_minutes)
                if went is None:
                    raise sqlite3.OperationalError("the buffer is full, and nothing in it may go")
                self._plain -= went.waiting
                for key, count in (("thinned", went.thinned), ("dropped", went.dropped)):
                    self._counts[key] += count
                    self._put(key, self._counts[key])
            log.error(
                "the buffer is full (%s of %s MB): %d readings between the edges of %s thinned, %d dropped (in all %d and %d); "
                "counters carry their energy",
                f"{self.used_bytes() / 1e6:.1f}",
                f"{self.max_bytes / 1e6:.1f}",
                went.thinned,
                went.span,
                went.dropped,
                self._counts["thinned"],
                self._counts["dropped"],
            )

    def used_bytes(self) -> int:
        """What the rows take, without what is free to be used again."""
        pages = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), "
        return int(self._one(pages + "pragma_page_size()"))

    # ---- telling

    def backlog(self) -> Backlog:
        """What waits now, and what had to go."""
        with self._mending():
            oldest = self._to_send("number, taken_at", 1)
            return Backlog(
                waiting=self._plain + self._count(IS_AGAIN),
                oldest_at=EPOCH + oldest[0][1] * MICROSECOND if oldest else None,
                held=self._count(IS_HELD),
                trouble=self.trouble,
                **self._counts,
            )

    def tell(self, trouble: str, contact: datetime | None = None) -> None:
        """Keep what last went wrong and when the centre last answered, for `loadstone edge status`."""
        with self._mending(), self._unit():
            self.trouble = trouble
            self._put("trouble", trouble)
            if contact is not None:
                self._put("contact", contact.isoformat())

    # ---- inside

    @contextmanager
    def _mending(self) -> Iterator[None]:
        """Alone with the file. One that turns out to be broken is replaced at once; the call that found it raises."""
        with self._lock:
            try:
                yield
            except sqlite3.DatabaseError as error:
                if is_broken(error):
                    self._db.close()
                    self._db = self._anew(error)
                    self._read_about()
                raise

    @contextmanager
    def _unit(self) -> Iterator[None]:
        """A transaction, on disk when it ends; what is remembered beside the file goes back with it where it fails."""
        if self._db.in_transaction:
            yield
            return
        before = (self.acknowledged, self._lost_before, self._plain, dict(self._counts), self.trouble)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self.acknowledged, self._lost_before, self._plain, self._counts, self.trouble = before
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _put(self, key: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, str(value)))

    def _one(self, query: str, *values: object) -> Any:
        return self._db.execute(query, values).fetchone()[0]

    def _count(self, which: str, *values: object) -> int:
        return int(self._one(f"SELECT count(*) FROM reading WHERE {which}", *values))


def writable(reading: Reading) -> Reading:
    """The reading without numbers that are none: they are not known, and must not keep the others of a batch back."""
    numbers = (reading.import_kwh, reading.export_kwh, reading.power_kw, *(value for _, value in reading.values))
    if all(value is None or isfinite(value) for value in numbers):
        return reading
    return replace(
        reading,
        import_kwh=finite(reading.import_kwh),
        export_kwh=finite(reading.export_kwh),
        power_kw=finite(reading.power_kw),
        values=tuple((name, value) for name, value in reading.values if isfinite(value)),
    )


def finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
