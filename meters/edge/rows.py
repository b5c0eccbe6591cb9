"""The rows of the buffer file of an edge box: what stands in them, and what can still be read where the file is broken."""

import logging
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from energy.exchange.codec import load
from energy.model.meter import Reading

log = logging.getLogger("loadstone.edge")

SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reading (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, not even after all rows have gone
    state INTEGER NOT NULL DEFAULT 0,
    meter TEXT NOT NULL,
    taken_at INTEGER NOT NULL,                 -- epoch microseconds
    counts INTEGER NOT NULL,                   -- 1: energy is made of it; 2: it tells that the clock was set
    boot TEXT NOT NULL,
    steady REAL NOT NULL,                      -- seconds of that boot's own clock
    body TEXT NOT NULL,
    why TEXT NOT NULL DEFAULT ''               -- why it is held
);
CREATE INDEX IF NOT EXISTS special ON reading (state) WHERE state <> 0;
"""
PLAIN, HELD, AGAIN = 0, 1, 2
# Said as the index `special` says it: without that SQLite would go through all that is kept, acknowledged or not.
IS_HELD, IS_AGAIN = (f"state <> {PLAIN} AND state = {state}" for state in (HELD, AGAIN))
EPOCH = datetime.fromtimestamp(0, UTC)
MICROSECOND = timedelta(microseconds=1)
RESCUED_AT_MOST = 1_000_000  # a small box has little memory


def release(db: sqlite3.Connection, meter: str = "") -> int:
    """Let held readings wait again; the box that runs sees it at its next look."""
    again = f"UPDATE reading SET state = {AGAIN}, why = '' WHERE {IS_HELD} AND (? = '' OR meter = ?)"
    return db.execute(again, (meter, meter)).rowcount


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged."""
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "malformed" in str(error)


def is_full(error: sqlite3.Error) -> bool:
    """Whether there is no room, in the file or on the disk."""
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.startswith(("SQLITE_FULL", "SQLITE_IOERR_WRITE"))


def rescued(path: Path) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """What can still be read of a broken buffer: what it knew of itself, and its rows that the centre has not, from both
    ends up to where it breaks. One that the centre has after all is sent once more, which does no harm."""
    about: dict[str, str] = {}
    rows: dict[int, tuple[Any, ...]] = {}
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    try:
        about = _all_that_come(db, "SELECT key, value FROM about", about)
        wanted = f"number > {int(about.get('acknowledged', '0'))} OR state <> {PLAIN}"
        for order in ("ASC", "DESC"):
            columns = "number, state, meter, taken_at, counts, boot, steady, body, why"
            query = f"SELECT {columns} FROM reading NOT INDEXED WHERE {wanted} ORDER BY number {order}"
            try:
                for number, *rest in db.execute(query):
                    if number in rows or len(rows) >= RESCUED_AT_MOST:
                        break
                    if is_row(rest):
                        rows[number] = tuple(rest)
            except sqlite3.Error as error:
                log.warning("%s breaks off: %s", path.name, error)
    finally:
        db.close()
    return about, [rows[number] for number in sorted(rows)]


def _all_that_come(db: sqlite3.Connection, query: str, found: dict[str, str]) -> dict[str, str]:
    try:
        for key, value in db.execute(query):
            found[str(key)] = str(value)
    except sqlite3.Error as error:
        log.warning("the broken buffer does not say what it knew of itself: %s", error)
    return found


def is_row(values: Sequence[Any]) -> bool:
    """Whether what was read of a broken file is still a reading."""
    try:
        state, meter, _, _, _, _, body, _ = values
        return state in {PLAIN, HELD, AGAIN} and load(Reading, body).meter == meter
    except (ValueError, TypeError):
        return False
