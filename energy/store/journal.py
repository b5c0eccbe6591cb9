"""Who did what, when."""

from datetime import datetime

import sqlalchemy as sa

from energy.store.records import JournalEntry
from energy.store.repository import Repository
from energy.store.tables import JournalRow, table

journal = table(JournalRow)

FIELDS = (journal.c.at, journal.c.who, journal.c.role, journal.c.what, journal.c.subject, journal.c.detail)


class Journal(Repository):
    """Who did what, when; append-only."""

    def write(self, entry: JournalEntry) -> None:
        said = {column.name: getattr(entry, column.name) for column in FIELDS}
        with self._writing() as connection:
            connection.execute(sa.insert(journal).values(site=self._site, **said))

    def read(self, limit: int = 200, before: datetime | None = None) -> list[JournalEntry]:
        """The newest entries first."""
        earlier = () if before is None else (journal.c.at < before,)
        query = sa.select(*FIELDS).where(journal.c.site == self._site, *earlier)
        rows = self._rows(query.order_by(journal.c.at.desc(), journal.c.id.desc()).limit(limit))
        return [JournalEntry(**row._mapping) for row in rows]
