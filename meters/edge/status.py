"""What an edge box's buffer says to somebody who looks at it from outside, while the box runs or not."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from energy.errors import LoadstoneError
from meters.edge.rows import EPOCH, IS_AGAIN, IS_HELD, MICROSECOND, PLAIN, release
from meters.edge.sender import age

OLD = timedelta(minutes=15)  # a backlog older than this is not well
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The buffer in words, and whether all is well with it."""

    lines: tuple[str, ...]
    well: bool


def look(path: Path, now: datetime | None = None) -> Told:
    """What waits, how old it is, and what went wrong."""
    now = now or datetime.now(UTC)
    with closing(_opened(path)) as db:
        about = dict(db.execute("SELECT key, value FROM about").fetchall())
        acknowledged = int(about.get("acknowledged", "0"))
        waiting = f"(state = {PLAIN} AND number > {acknowledged}) OR ({IS_AGAIN})"
        count, oldest = db.execute(f"SELECT count(*), min(taken_at) FROM reading WHERE {waiting}").fetchone()
        held = db.execute(
            f"SELECT meter, why, count(*) FROM reading WHERE {IS_HELD} GROUP BY meter, why ORDER BY meter"
        ).fetchall()
        newest = db.execute("SELECT max(taken_at) FROM (SELECT taken_at FROM reading ORDER BY number DESC LIMIT 100)")
        last = newest.fetchone()[0]
    old = None if oldest is None else now - (EPOCH + oldest * MICROSECOND)
    lines = [f"{count} readings wait for the centre" + (f", the oldest for {age(old)}" if old is not None else "")]
    taken = None if last is None else now - (EPOCH + last * MICROSECOND)
    lines.append("no reading was taken yet" if taken is None else f"last reading taken {age(taken)} ago")
    if "contact" in about:
        lines.append(f"the centre last answered {age(now - datetime.fromisoformat(about['contact']))} ago")
    lines += [f"held: {number} readings of {meter}: {why}" for meter, why, number in held]
    for key, words in (
        ("thinned", "readings between the edges of intervals thinned for want of room"),
        ("dropped", "readings at the edges of intervals dropped for want of room"),
        ("broken", "broken buffer files moved aside"),
    ):
        if int(about.get(key, "0")):
            lines.append(f"{about[key]} {words}")
    trouble = about.get("trouble", "")
    if trouble:
        lines.append(f"trouble: {trouble}")
    lines.append(f"{path}: {sum(part.stat().st_size for part in path.parent.glob(path.name + '*')) / 1e6:.1f} MB")
    return Told(lines=tuple(lines), well=not trouble and not held and (old is None or old < OLD))


def release_held(path: Path, meter: str = "") -> int:
    """Offer the centre again what it refused; how many readings."""
    with closing(_opened(path)) as db:
        return release(db, meter)


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise LoadstoneError(f"{path}: there is no buffer yet; `loadstone edge` makes it when it first runs")
    db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        db.execute("SELECT 1 FROM reading LIMIT 1").fetchone()
    except sqlite3.Error as error:
        db.close()
        raise LoadstoneError(f"{path} cannot be read: {error}; `loadstone edge` moves a broken one aside") from error
    return db
