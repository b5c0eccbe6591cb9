"""Planning cycles: a problem with its three plans."""

from datetime import datetime

import sqlalchemy as sa

from energy.exchange.codec import pack, unpack
from energy.model.horizon import Interval
from energy.store.records import Planning
from energy.store.repository import Query, Repository, insert_new
from energy.store.tables import PlanningRow, table

cycle = table(PlanningRow)


class Plans(Repository):
    """Planning cycles, keyed by the hash of their problem."""

    def add(self, planning: Planning) -> bool:
        """Keep a cycle; False where the same problem already has its plan. That plan is then the latest again: a
        problem can come back (a breakdown that was reported by mistake)."""
        made = {"made_at": planning.made_at, "last_made_at": planning.made_at}
        row = {"site": self._site, "digest": planning.digest, **made, "packed": pack(planning)}
        with self._writing() as connection:
            if insert_new(connection, cycle, [row]):
                return True
            same = (cycle.c.site == self._site, cycle.c.digest == planning.digest)
            earlier = cycle.c.last_made_at < planning.made_at
            connection.execute(sa.update(cycle).where(*same, earlier).values(last_made_at=planning.made_at))
            return False

    def latest(self) -> Planning | None:
        query = sa.select(cycle.c.packed).where(cycle.c.site == self._site)
        return self._planning(query.order_by(cycle.c.last_made_at.desc(), cycle.c.digest))

    def by_digest(self, digest: str) -> Planning | None:
        return self._planning(sa.select(cycle.c.packed).where(cycle.c.site == self._site, cycle.c.digest == digest))

    def made(self, span: Interval) -> list[tuple[datetime, str]]:
        """(made_at, digest) of the cycles of a span, oldest first."""
        within = (cycle.c.made_at >= span.start, cycle.c.made_at < span.end)
        query = sa.select(cycle.c.made_at, cycle.c.digest).where(cycle.c.site == self._site, *within)
        return [(row.made_at, row.digest) for row in self._rows(query.order_by(cycle.c.made_at, cycle.c.digest))]

    def _planning(self, query: Query) -> Planning | None:
        row = self._first(query)
        return None if row is None else unpack(Planning, row.packed)
