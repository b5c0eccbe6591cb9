"""Opening a database at a URL and bringing it to the newest schema. Each error says what to do."""

import os
import sqlite3
import threading
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from energy.errors import StoreError
from energy.store.engine import MEMORY, Database
from energy.store.migrations import NEWEST, VERSION_TABLE

EXAMPLES = "sqlite:///var/loadstone.sqlite for one plant, postgresql+psycopg://user@host/loadstone for many"
FOLDER = Path(__file__).parent / "migrations"

_one_at_a_time = threading.Lock()  # Alembic's context is one for the whole process


def open_database(url: str) -> Database:
    """The database of a URL at the newest schema; made where there is none."""
    place = read_url(url)
    if place.get_backend_name() == "sqlite":
        _prepare_folder(place)
    try:
        database = Database(place)
    except ModuleNotFoundError as error:
        raise StoreError(f"store.url {url}: {error}. Install it: pip install 'loadstone[postgres]'") from error
    try:
        _migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def read_url(url: str) -> sa.URL:
    """A store URL, checked; `postgresql://` means psycopg 3."""
    try:
        place = sa.make_url(url)
        driver = place.get_driver_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreError(f"store.url {url!r} is not a database that is known here. Write {EXAMPLES}") from error
    backend = place.get_backend_name()
    if "+" not in place.drivername and backend == "postgresql":
        place, driver = place.set(drivername="postgresql+psycopg"), "psycopg"
    if (backend, driver) not in {("sqlite", "pysqlite"), ("postgresql", "psycopg")}:
        raise StoreError(f"store.url: no driver {place.drivername!r}. Write {EXAMPLES}")
    return place


def schema_version(connection: sa.Connection) -> str | None:
    """The schema version that a database says it has; None where it is not (yet) a store."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return version


def is_known(version: str | None) -> bool:
    """Whether this Loadstone knows the way from a schema version to its own."""
    # Versions count up and have four digits, so a newer one is known without asking Alembic, which is slow to load.
    return version is None or version <= NEWEST


def _prepare_folder(place: sa.URL) -> None:
    name = place.database or ""
    if name in MEMORY or name.startswith("file:"):
        return
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store.url: the folder {path.parent} cannot be made: {error.strerror}") from error
    for needed in (path.parent, *([path] if path.exists() else [])):
        if not os.access(needed, os.W_OK):
            raise StoreError(f"store.url: {needed} cannot be written; give the user of Loadstone the right to")
    if path.is_dir():
        raise StoreError(f"store.url: {path} is a folder; name a file in it, such as {path / 'loadstone.sqlite'}")


def _migrate(database: Database) -> None:
    """Bring the schema to the newest version; one process does it, the others wait for it."""
    where = database.url.render_as_string(hide_password=True)
    try:
        with database.reading() as connection:
            version = schema_version(connection)
        if version == NEWEST:
            return
        if not is_known(version):
            raise StoreError(
                f"{where} was made by a newer Loadstone (schema {version}, this one knows {NEWEST}). "
                "Install that version, or restore a backup of before (`loadstone restore FILE`)"
            )
        with _one_at_a_time, database.unit("schema") as connection:
            _refuse_strangers(connection, where)
            _upgrade(connection)
    except (StoreError, DatabaseError, sqlite3.Error) as error:  # a driver's own where the first PRAGMA failed
        raise _explained(error, database, where) from error


def _refuse_strangers(connection: sa.Connection, where: str) -> None:
    """A SQLite file that holds somebody else's tables is not ours to add to."""
    if connection.dialect.name != "sqlite" or schema_version(connection) is not None:
        return
    others = sa.inspect(connection).get_table_names()
    if others:
        raise StoreError(f"{where} holds other tables ({', '.join(others[:3])} …): it is no store. Name another file")


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    command.upgrade(config, "head")


def _explained(error: Exception, database: Database, where: str) -> Exception:
    """The same mistake with the place and the way out."""
    said = error.__cause__ if isinstance(error, StoreError) else error
    origin = getattr(said, "orig", said)
    if isinstance(origin, sqlite3.Error):
        if getattr(origin, "sqlite_errorname", "") == "SQLITE_NOTADB":
            return StoreError(f"{where} is not a database. Name another file, or move this one away")
        if getattr(origin, "sqlite_errorname", "").startswith("SQLITE_CANTOPEN"):
            return StoreError(f"{where} cannot be opened: {origin}. Look at the rights of the file and its folder")
        return StoreError(f"{where} cannot be opened: {origin}. `loadstone restore FILE` brings back a backup")
    if isinstance(said, OperationalError) and not database.is_sqlite:
        text = str(origin).strip().splitlines()[0]
        return StoreError(f"{where} does not answer: {text}. Is the server running, and is store.url right?")
    return error
