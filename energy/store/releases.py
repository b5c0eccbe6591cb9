"""What people said of doubted readings, and which meters were replaced."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.meter import Exchange, Release
from energy.store.repository import Repository, insert_new
from energy.store.tables import ExchangeRow, ReleaseRow, table
from energy.store.times import from_micros, micros

release_table = table(ReleaseRow)
exchange_table = table(ExchangeRow)


class Releases(Repository):
    """What people said of doubted readings: append-only; of several words on one reading the newest counts."""

    def add(self, release: Release) -> bool:
        """Keep a word; False where that very word (meter, reading, moment) is already known."""
        row = {
            "site": self._site,
            "meter": release.meter,
            "taken_at": micros(release.taken_at),
            "at": micros(release.at),
            "right": release.right,
            "body": dump(release),
        }
        with self._writing() as connection:
            return insert_new(connection, release_table, [row]) == 1

    def of(self, meter: str, span: Interval) -> list[Release]:
        """All words on the readings of a meter that were taken in a span, in the order in which they were said."""
        query = self._query(
            release_table.c.meter == meter,
            release_table.c.taken_at >= micros(span.start),
            release_table.c.taken_at < micros(span.end),
        )
        return [load(Release, row.body) for row in self._rows(query)]

    def newest(self, meter: str, span: Interval) -> dict[datetime, Release]:
        """The word that counts on each reading of a meter that was taken in a span and spoken of."""
        return {word.taken_at: word for word in self.of(meter, span)}

    def right_before(self, meter: str, t: datetime) -> datetime | None:
        """When the newest reading before `t` was taken that the newest word on it calls right."""
        newest = _newest_words().subquery()
        query = sa.select(sa.func.max(newest.c.taken_at)).where(
            newest.c.site == self._site, newest.c.meter == meter, newest.c.right, newest.c.taken_at < micros(t)
        )
        found = self._rows(query)[0][0]
        return None if found is None else from_micros(found)

    def said(self, since: datetime | None = None) -> list[Release]:
        """All words that were said at a time or later, oldest first."""
        later = () if since is None else (release_table.c.at >= micros(since),)
        return [load(Release, row.body) for row in self._rows(self._query(*later))]

    def _query(self, *those: sa.ColumnElement[bool]) -> sa.Select[tuple[str]]:
        return (
            sa.select(release_table.c.body)
            .where(release_table.c.site == self._site, *those)
            .order_by(release_table.c.at, release_table.c.taken_at, release_table.c.meter)
        )


class Exchanges(Repository):
    """Which meters were replaced, when, and where both counters stood: append-only."""

    def add(self, exchange: Exchange) -> bool:
        """Keep an exchange; False where that id is already known (a double click)."""
        key = {"site": self._site, "id": exchange.id, "meter": exchange.meter, "at": exchange.at}
        with self._writing() as connection:
            return insert_new(connection, exchange_table, [{**key, "body": dump(exchange)}]) == 1

    def of(self, meter: str, span: Interval) -> list[Exchange]:
        """The exchanges of a meter in a span, oldest first. Of two that name the same moment the later report counts,
        so that a mistyped stand can be put right."""
        found = self._exchanges(
            exchange_table.c.meter == meter, exchange_table.c.at >= span.start, exchange_table.c.at < span.end
        )
        return list({one.at: one for one in sorted(found, key=lambda one: (one.at, one.reported_at, one.id))}.values())

    def said(self) -> list[Exchange]:
        """All that was ever reported, in the order of the reports."""
        return sorted(self._exchanges(), key=lambda one: (one.reported_at, one.id))

    def _exchanges(self, *those: sa.ColumnElement[bool]) -> list[Exchange]:
        query = sa.select(exchange_table.c.body).where(exchange_table.c.site == self._site, *those)
        return [load(Exchange, row.body) for row in self._rows(query)]


def words_on(connection: sa.Connection, site: str, readings: Mapping[str, int]) -> dict[str, Release]:
    """The word that counts on one reading of each of several meters (meter → when it was taken, epoch microseconds)."""
    if not readings:
        return {}
    keys = sa.tuple_(release_table.c.meter, release_table.c.taken_at)
    query = (
        sa.select(release_table.c.meter, release_table.c.body)
        .where(release_table.c.site == site, keys.in_(list(readings.items())))
        .order_by(release_table.c.at)
    )
    return {row.meter: load(Release, row.body) for row in connection.execute(query)}


def _newest_words() -> sa.Select[tuple[str, str, int, bool]]:
    other = release_table.alias()
    newest = (
        sa.select(sa.func.max(other.c.at))
        .where(
            other.c.site == release_table.c.site,
            other.c.meter == release_table.c.meter,
            other.c.taken_at == release_table.c.taken_at,
        )
        .correlate(release_table)
        .scalar_subquery()
    )
    columns = (release_table.c.site, release_table.c.meter, release_table.c.taken_at, release_table.c.right)
    return sa.select(*columns).where(release_table.c.at == newest)
