"""What all repositories share: the site, reading and writing, and nouns that are kept as versions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from energy.store.engine import Database

Row = sa.Row[*tuple[Any, ...]]
Query = sa.Select[*tuple[Any, ...]]
CHUNK = 5_000


class Repository:
    """A noun of one site."""

    def __init__(self, database: Database, site: str) -> None:
        self._database = database
        self._site = site

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return self._database.writing(self._site)

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._database.reading()

    def _rows(self, query: Query) -> Sequence[Row]:
        with self._reading() as connection:
            return connection.execute(query).all()

    def _first(self, query: Query) -> Row | None:
        with self._reading() as connection:
            return connection.execute(query.limit(1)).first()


def insert_new(connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert the rows whose key is not there yet; how many those were."""
    if connection.dialect.name == "sqlite":
        statement = sqlite.insert(table).on_conflict_do_nothing()
        return sum(connection.execute(statement, some).rowcount for some in _chunks(rows))
    # psycopg does not count over many rows; what comes back does.
    counted = postgresql.insert(table).on_conflict_do_nothing().returning(sa.literal(1))
    return sum(len(connection.execute(counted, some).all()) for some in _chunks(rows))


def insert_all(connection: sa.Connection, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
    for some in _chunks(rows):
        connection.execute(sa.insert(table), some)


def put_version(connection: sa.Connection, table: sa.Table, key: Mapping[str, Any], columns: Mapping[str, Any]) -> int:
    """Keep the next version of a noun; the one before is no longer the current one. Returns its number."""
    same = [table.c[name] == value for name, value in key.items()]
    before = connection.execute(sa.select(sa.func.max(table.c.version)).where(*same)).scalar_one() or 0
    connection.execute(sa.update(table).where(*same, table.c.current).values(current=False))
    connection.execute(sa.insert(table).values(**key, **columns, version=before + 1, current=True))
    return int(before) + 1


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    source = iter(rows)
    while some := [dict(row) for row in islice(source, CHUNK)]:
        yield some
