"""How far each accepted job has come on the floor."""

from datetime import datetime

import sqlalchemy as sa

from energy.model.proposal import FloorState
from energy.store.repository import Query, Repository
from energy.store.tables import FloorRow, table

floor = table(FloorRow)

Said = tuple[FloorState, datetime, str]


class Floor(Repository):
    """How far each accepted job has come: accepted → dispatched → seen → started → finished."""

    def put(self, job: str, offer: str, state: FloorState, at: datetime, note: str = "") -> None:
        """Keep the next state of a job; what is the last word already is not kept twice."""
        said = {"offer": offer, "state": state.value, "note": note}
        with self._writing() as connection:
            last = connection.execute(self._of(job).order_by(floor.c.id.desc()).limit(1)).mappings().first()
            if last is None or any(last[name] != value for name, value in said.items()):
                connection.execute(sa.insert(floor).values(site=self._site, job=job, at=at, **said))

    def state(self, job: str) -> Said | None:
        row = self._first(self._of(job).order_by(floor.c.id.desc()))
        return None if row is None else (FloorState(row.state), row.at, row.note)

    def history(self, job: str) -> list[Said]:
        return [(FloorState(row.state), row.at, row.note) for row in self._rows(self._of(job).order_by(floor.c.id))]

    def _of(self, job: str) -> Query:
        columns = (floor.c.offer, floor.c.state, floor.c.at, floor.c.note)
        return sa.select(*columns).where(floor.c.site == self._site, floor.c.job == job)
