"""Backup and restore of a store in one file, while others go on writing."""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from energy.errors import StoreError
from energy.store.engine import MEMORY, Database, is_busy
from energy.store.migrations import NEWEST, VERSION_TABLE
from energy.store.opening import is_known, read_url

ON_A_SERVER = "with the server's own tool: `pg_dump --format=custom` to keep, `pg_restore` to bring back"


def backup(database: Database, path: Path) -> None:
    """Write the last commit of everything to a file of its own; nobody has to wait for it."""
    if not database.is_sqlite:
        raise StoreError(f"a store on PostgreSQL is kept {ON_A_SERVER}")
    if path.exists():
        raise StoreError(f"{path} is already there; a backup overwrites nothing. Name another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with database.engine.connect() as connection:
            source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            _copy(source, path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the backup {path} could not be written: {error}") from error


def restore(path: Path, url: str) -> Path | None:
    """Put a backup in the place of a store; returns where the old store now is, None where there was none.

    Refused where the store is in use, or where either was made by a newer Loadstone."""
    place = read_url(url)
    target = Path(place.database or "")
    if place.get_backend_name() != "sqlite":
        raise StoreError(f"a store on PostgreSQL is brought back {ON_A_SERVER}")
    if str(target) in MEMORY:
        raise StoreError("a store in memory cannot be restored; name a file in store.url")
    _check_backup(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source:
            fresh = target.with_name(f"{target.name}.restoring")
            fresh.unlink(missing_ok=True)
            _copy(source, fresh)
        beside = _set_aside(target) if target.exists() else None
        os.replace(fresh, target)
        _to_disk(target.parent)
    except OSError as error:
        raise StoreError(f"{path} could not be restored to {target}: {error}") from error
    return beside


def _check_backup(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"there is no backup {path}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as backup_file:
            version = _version(backup_file)
            sound = backup_file.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is no backup of a store: {error}") from error
    if version is None:
        raise StoreError(f"{path} is no backup of a store: it says no schema version")
    if not is_known(version):
        raise StoreError(f"{path} was made by a newer Loadstone (schema {version}, this one knows {NEWEST})")
    if sound != "ok":
        raise StoreError(f"{path} is damaged ({sound}); take an older backup")


def _version(connection: sqlite3.Connection) -> str | None:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).fetchone()
    row = there and connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return str(row[0]) if row else None


def _set_aside(target: Path) -> Path:
    """Keep the store that is to be replaced under another name, whole in its one file."""
    beside = target.with_name(f"{target.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
    try:
        with closing(sqlite3.connect(target, timeout=1, isolation_level=None)) as old:
            version = _version(old)
            if not is_known(version):
                raise StoreError(f"{target} was made by a newer Loadstone (schema {version}); it is left as it is")
            # Leaving WAL needs the file for oneself, so it fails where anybody has the store open; and it brings
            # what is still in the WAL into the file.
            old.execute("PRAGMA journal_mode=DELETE")
            old.execute("BEGIN EXCLUSIVE")
            _link(target, beside)
            old.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise StoreError(f"{target} cannot be set aside: {error}") from error
        raise StoreError(f"{target} is in use; stop Loadstone (`loadstone run`, the dashboard) first") from error
    except sqlite3.DatabaseError:  # damaged: that is what a restore is for
        _link(target, beside)
        for rest in ("-wal", "-shm"):  # they belong to the damaged file, not to what takes its place
            leftover = target.with_name(target.name + rest)
            if leftover.exists():
                leftover.rename(beside.with_name(beside.name + rest))
    return beside


def _link(target: Path, beside: Path) -> None:
    """A second name for the same file, so that the store is never without one; a copy where links are not known."""
    try:
        os.link(target, beside)
    except OSError:
        shutil.copy2(target, beside)


def _copy(source: sqlite3.Connection, path: Path) -> None:
    """Copy a database as of one moment into a single file, and be sure that it is on disk before it has its name."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part, isolation_level=None)) as made:
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    os.replace(part, path)
    _to_disk(path.parent)


def _to_disk(folder: Path) -> None:
    """Make a new name in a folder last; not every system lets one do so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
