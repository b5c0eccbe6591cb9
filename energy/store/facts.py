"""What the floor reported."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.fact import Fact
from energy.model.horizon import Interval
from energy.store.repository import Repository, insert_new
from energy.store.tables import FactRow, table

fact_table = table(FactRow)


class Facts(Repository):
    """What the floor reported."""

    def add(self, fact: Fact) -> bool:
        """Keep a fact; False where that id is already known."""
        row = {"site": self._site, "id": fact.id, "reported_at": fact.reported_at, "plan": "", "body": dump(fact)}
        with self._writing() as connection:
            return insert_new(connection, fact_table, [row]) == 1

    def of(self, span: Interval) -> list[Fact]:
        """The facts reported in a span, oldest first."""
        return self._facts(fact_table.c.reported_at >= span.start, fact_table.c.reported_at < span.end)

    def unanswered(self) -> list[Fact]:
        """Facts that no re-plan has taken in yet."""
        return self._facts(fact_table.c.answered_at.is_(None))

    def mark_answered(self, ids: Sequence[str], at: datetime, plan: str) -> None:
        """Keep which plan took these facts in; the first one stays."""
        those = (fact_table.c.site == self._site, fact_table.c.id.in_(ids), fact_table.c.answered_at.is_(None))
        with self._writing() as connection:
            connection.execute(sa.update(fact_table).where(*those).values(answered_at=at, plan=plan))

    def _facts(self, *those: sa.ColumnElement[bool]) -> list[Fact]:
        query = sa.select(fact_table.c.body).where(fact_table.c.site == self._site, *those)
        return [load(Fact, row.body) for row in self._rows(query.order_by(fact_table.c.reported_at, fact_table.c.id))]
