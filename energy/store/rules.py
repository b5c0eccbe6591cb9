"""Standing refusals."""

from datetime import datetime

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.proposal import StandingRule
from energy.store.repository import Repository, insert_new
from energy.store.tables import RuleRow, table

rule_table = table(RuleRow)


class Rules(Repository):
    """Standing refusals."""

    def add(self, rule: StandingRule) -> None:
        """Keep a rule; an id that is already known is not kept twice."""
        key = {"site": self._site, "id": rule.id, "since": rule.since, "until": rule.until}
        with self._writing() as connection:
            insert_new(connection, rule_table, [{**key, "body": dump(rule)}])

    def in_force(self, at: datetime) -> list[StandingRule]:
        """The rules that hold at a time, oldest first."""
        query = sa.select(rule_table.c.body).where(
            rule_table.c.site == self._site,
            rule_table.c.since <= at,
            rule_table.c.until > at,
            sa.or_(rule_table.c.ended_at.is_(None), rule_table.c.ended_at > at),
        )
        rows = self._rows(query.order_by(rule_table.c.since, rule_table.c.id))
        return [load(StandingRule, row.body) for row in rows]

    def end(self, id: str, at: datetime) -> None:
        """A rule holds no longer; the first end stays."""
        those = (rule_table.c.site == self._site, rule_table.c.id == id, rule_table.c.ended_at.is_(None))
        with self._writing() as connection:
            connection.execute(sa.update(rule_table).where(*those).values(ended_at=at))
