"""Demand-response events and the commitments made from them."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.event import Commitment, Event, EventState
from energy.model.horizon import Interval
from energy.store.repository import Query, Repository, put_version
from energy.store.tables import CommitmentRow, EventRow, table

event_table = table(EventRow)
commitment_table = table(CommitmentRow)


class Events(Repository):
    """Demand-response events and the commitments made from them."""

    def put(self, event: Event) -> bool:
        """Keep an event or its change; False where nothing changed. A program that lists the same terms as open
        again does not undo the plant's answer; changed terms take the state that the program says."""
        with self._writing() as connection:
            before = self.get(event.id)
            if before is not None:
                event = replace(event, received_at=before.received_at)
                same_terms = replace(event, state=before.state) == before
                if same_terms and event.state in (before.state, EventState.OPEN):
                    return False
            self._keep(connection, event, event.received_at)
            return True

    def set_state(self, id: str, state: EventState, at: datetime) -> None:
        """Keep the plant's answer; KeyError where there is no such event."""
        with self._writing() as connection:
            before = self.get(id)
            if before is None:
                raise KeyError(f"no event {id!r} in the store")
            if before.state is not state:
                self._keep(connection, replace(before, state=state), at)

    def get(self, id: str) -> Event | None:
        row = self._first(self._events(event_table.c.id == id))
        return None if row is None else load(Event, row.body)

    def touching(self, span: Interval) -> list[Event]:
        """The events of a span, by start."""
        query = self._events(event_table.c.start < span.end, event_table.c.end > span.start)
        return [load(Event, row.body) for row in self._rows(query.order_by(event_table.c.start, event_table.c.id))]

    def commit(self, commitment: Commitment, at: datetime) -> None:
        """Keep the commitment of an event; a newer one supersedes it, the same writes nothing."""
        key = {"site": self._site, "event": commitment.event}
        with self._writing() as connection:
            same = [commitment_table.c[name] == value for name, value in key.items()]
            query = sa.select(commitment_table.c.body).where(*same, commitment_table.c.current)
            body = connection.execute(query).scalar()
            if body is None or load(Commitment, body) != commitment:
                when = {"at": at, "start": commitment.interval.start, "end": commitment.interval.end}
                put_version(connection, commitment_table, key, {**when, "body": dump(commitment)})

    def commitments(self, span: Interval) -> list[Commitment]:
        """The commitments in force (of accepted events) that touch a span."""
        of_event = sa.and_(event_table.c.site == commitment_table.c.site, event_table.c.id == commitment_table.c.event)
        query = (
            sa.select(commitment_table.c.body)
            .join(event_table, of_event)
            .where(
                commitment_table.c.site == self._site,
                commitment_table.c.current,
                event_table.c.current,
                event_table.c.state == EventState.ACCEPTED.value,
                commitment_table.c.start < span.end,
                commitment_table.c.end > span.start,
            )
            .order_by(commitment_table.c.start, commitment_table.c.event)
        )
        return [load(Commitment, row.body) for row in self._rows(query)]

    def _events(self, *those: sa.ColumnElement[bool]) -> Query:
        return sa.select(event_table.c.body).where(event_table.c.site == self._site, event_table.c.current, *those)

    def _keep(self, connection: sa.Connection, event: Event, at: datetime) -> None:
        when = {"at": at, "start": event.interval.start, "end": event.interval.end}
        columns = {**when, "state": event.state.value, "body": dump(event)}
        put_version(connection, event_table, {"site": self._site, "id": event.id}, columns)
