"""The production plan as released."""

from collections.abc import Sequence

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.job import AsIsEntry
from energy.store.repository import Query, Repository, put_version
from energy.store.tables import AsIsRow, table

entry_table = table(AsIsRow)


class AsIs(Repository):
    """The production plan as released: one frozen entry a job; production's own changes are newer entries."""

    def add(self, entries: Sequence[AsIsEntry]) -> None:
        """Keep entries; one that is the newest of its job already is not kept twice."""
        with self._writing() as connection:
            for entry in entries:
                key = {"site": self._site, "job": entry.planned.job}
                newest = self._of_site(entry_table.c.current, entry_table.c.job == entry.planned.job)
                before = connection.execute(newest).first()
                if before is None or load(AsIsEntry, before.body) != entry:
                    columns = {"start": entry.planned.start, "end": entry.planned.end, "body": dump(entry)}
                    put_version(connection, entry_table, key, columns)

    def current(self, span: Interval | None = None) -> dict[str, AsIsEntry]:
        """The newest entry of each job (of those placed within a span), by job id."""
        placed = () if span is None else (entry_table.c.start < span.end, entry_table.c.end > span.start)
        query = self._of_site(entry_table.c.current, *placed).order_by(entry_table.c.job)
        return {row.job: load(AsIsEntry, row.body) for row in self._rows(query)}

    def history(self, job: str) -> list[AsIsEntry]:
        """All entries of a job, first as-is first."""
        query = self._of_site(entry_table.c.job == job).order_by(entry_table.c.version)
        return [load(AsIsEntry, row.body) for row in self._rows(query)]

    def _of_site(self, *those: sa.ColumnElement[bool]) -> Query:
        return sa.select(entry_table.c.job, entry_table.c.body).where(entry_table.c.site == self._site, *those)
