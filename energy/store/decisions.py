"""What planners said."""

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.horizon import Interval
from energy.model.proposal import Decision
from energy.store.repository import Repository, insert_new
from energy.store.tables import DecisionRow, table

decision_table = table(DecisionRow)


class Decisions(Repository):
    """What planners said: append-only, keyed by the client's id."""

    def add(self, decision: Decision) -> bool:
        """Keep a decision; False where that id is already known (a double click)."""
        key = {"site": self._site, "id": decision.id, "offer": decision.offer, "at": decision.at}
        with self._writing() as connection:
            return insert_new(connection, decision_table, [{**key, "body": dump(decision)}]) == 1

    def get(self, id: str) -> Decision | None:
        found = self._decisions(decision_table.c.id == id)
        return found[0] if found else None

    def of_offer(self, offer: str) -> list[Decision]:
        return self._decisions(decision_table.c.offer == offer)

    def made(self, span: Interval) -> list[Decision]:
        return self._decisions(decision_table.c.at >= span.start, decision_table.c.at < span.end)

    def _decisions(self, *those: sa.ColumnElement[bool]) -> list[Decision]:
        """Oldest first."""
        query = sa.select(decision_table.c.body).where(decision_table.c.site == self._site, *those)
        rows = self._rows(query.order_by(decision_table.c.at, decision_table.c.id))
        return [load(Decision, row.body) for row in rows]
