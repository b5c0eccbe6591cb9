"""What each step has done, and what failed."""

from datetime import datetime

import sqlalchemy as sa

from energy.store.repository import Repository, insert_new
from energy.store.tables import FailureRow, StepRow, table

step_table = table(StepRow)
failure = table(FailureRow)


class Steps(Repository):
    """What each step has done, keyed (step, slot, inputs): the same inputs write nothing new."""

    def done(self, step: str, slot: datetime, inputs: str) -> bool:
        key = (step_table.c.slot == slot, step_table.c.inputs == inputs)
        return self._first(sa.select(step_table.c.id).where(*self._of(step), *key)) is not None

    def record(self, step: str, slot: datetime, inputs: str, at: datetime, seconds: float, note: str = "") -> bool:
        """Keep that a step ran; False where the same key is already there. Either way it has succeeded, and what
        failed before is no longer a failure."""
        row = {"site": self._site, "step": step, "slot": slot, "inputs": inputs}
        open_failures = (failure.c.site == self._site, failure.c.step == step, failure.c.cleared_at.is_(None))
        with self._writing() as connection:
            connection.execute(sa.update(failure).where(*open_failures).values(cleared_at=at))
            return insert_new(connection, step_table, [{**row, "at": at, "seconds": seconds, "note": note}]) == 1

    def succeeded(self, step: str, at: datetime) -> None:
        """A step has worked (again): what failed before is no longer a failure. Writes only where there was one."""
        open_failures = (failure.c.site == self._site, failure.c.step == step, failure.c.cleared_at.is_(None))
        if self._first(sa.select(failure.c.id).where(*open_failures)) is not None:
            with self._writing() as connection:
                connection.execute(sa.update(failure).where(*open_failures).values(cleared_at=at))

    def last(self, step: str) -> tuple[datetime, datetime, str] | None:
        """(slot, at, note) of the newest record of a step."""
        query = sa.select(step_table.c.slot, step_table.c.at, step_table.c.note).where(*self._of(step))
        row = self._first(query.order_by(step_table.c.at.desc(), step_table.c.id.desc()))
        return None if row is None else (row.slot, row.at, row.note)

    def failed(self, step: str, slot: datetime, at: datetime, error: str) -> None:
        """Keep that a step failed, with the text a person can act on."""
        with self._writing() as connection:
            said = {"site": self._site, "step": step, "slot": slot, "at": at, "error": error}
            connection.execute(sa.insert(failure).values(said))

    def failures(self, since: datetime) -> list[tuple[str, datetime, str]]:
        """(step, at, error) of failures not followed by a success of the same step."""
        those = (failure.c.site == self._site, failure.c.cleared_at.is_(None), failure.c.at >= since)
        query = sa.select(failure.c.step, failure.c.at, failure.c.error).where(*those)
        return [(row.step, row.at, row.error) for row in self._rows(query.order_by(failure.c.at, failure.c.id))]

    def _of(self, step: str) -> tuple[sa.ColumnElement[bool], ...]:
        return (step_table.c.site == self._site, step_table.c.step == step)
