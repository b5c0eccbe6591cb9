"""What goes when the buffer of an edge box is full: as little as can be, the oldest first, and never energy.

Of each meter the first and the last good reading of each quarter hour stay, so that every quarter hour keeps its energy;
what lies between them (shape, doubted readings, silences) goes, but for a reading that tells that the clock was set. Only
when all of that is gone are the edges of quarter hours thinned to those of hours, then of days, and at the very end all but
the newest good reading of each meter: counters go on counting, so even then the energy of the whole time stays known.
"""

import sqlite3
from dataclasses import dataclass

SHARE = 10  # a tenth of the rows is looked at in one go
LEAST_PORTION = 100
MINUTE = 60_000_000  # microseconds
HOUR, DAY = 60, 1440  # minutes
EVER = 0  # no edges at all

BETWEEN_EDGES = """
SELECT number FROM (
    SELECT number, counts,
        row_number() OVER (PARTITION BY meter, counts, taken_at / :slot ORDER BY taken_at, number) AS from_first,
        row_number() OVER (PARTITION BY meter, counts, taken_at / :slot ORDER BY taken_at DESC, number DESC) AS from_last
    FROM reading WHERE number > :done AND number <= :last)
WHERE counts = 0 OR (counts = 1 AND from_first > 1 AND from_last > 1)
"""
ALL_BUT_NEWEST = """
SELECT number FROM reading WHERE number > :done AND number <= :last
    AND number NOT IN (SELECT max(number) FROM reading WHERE counts > 0 GROUP BY meter)
"""
COUNTED = """
SELECT count(*), coalesce(sum(state = 0 AND number > :acknowledged), 0)
FROM reading WHERE number IN ({going})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """What one portion gave up: within intervals (thinned), and at their edges (dropped); so many of them had waited."""

    thinned: int
    dropped: int
    waiting: int
    span: str


def levels(keep_minutes: int) -> tuple[tuple[int, str], ...]:
    """(minutes, in words) whose edges stay at each level, gentlest first."""
    wider = tuple((m, word) for m, word in ((HOUR, "hours"), (DAY, "days")) if m > keep_minutes)
    return ((keep_minutes, f"{keep_minutes} minutes"), *wider, (EVER, "all time"))


def thin(db: sqlite3.Connection, acknowledged: int, keep_minutes: int) -> Went | None:
    """Thin the oldest portion at the gentlest level that still has something to give up; None where none has. Each level
    remembers how far it has come. Runs inside the caller's transaction."""
    rows = db.execute("SELECT count(*) FROM reading").fetchone()[0]
    portion = max(LEAST_PORTION, rows // SHARE)
    for level, (minutes, words) in enumerate(levels(keep_minutes)):
        while (span := _next_portion(db, level, portion)) is not None:
            going = BETWEEN_EDGES if minutes else ALL_BUT_NEWEST
            values = {"slot": minutes * MINUTE, "done": span[0], "last": span[1], "acknowledged": acknowledged}
            count, waiting = db.execute(COUNTED.format(going=going), values).fetchone()
            db.execute(f"DELETE FROM reading WHERE number IN ({going})", values)
            db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (_key(level), str(span[1])))
            if count:
                thinned = count if level == 0 else 0
                return Went(thinned=thinned, dropped=count - thinned, waiting=waiting, span=words)
    return None


def _next_portion(db: sqlite3.Connection, level: int, portion: int) -> tuple[int, int] | None:
    """(after this number, up to that one): what a level looks at next. A small rest at the end waits until it has grown,
    or its few readings would all be edges."""
    found = db.execute("SELECT value FROM about WHERE key = ?", (_key(level),)).fetchone()
    done = 0 if found is None else int(found[0])
    beyond = "SELECT number FROM reading WHERE number > ? ORDER BY number LIMIT ?"
    last, count = db.execute(f"SELECT max(number), count(*) FROM ({beyond})", (done, portion)).fetchone()
    return (done, int(last)) if count == portion else None


def _key(level: int) -> str:
    return f"thinned until, level {level}"
