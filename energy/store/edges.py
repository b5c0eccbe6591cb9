"""Edge boxes as the centre knows them."""

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.edge import Edge
from energy.store.repository import Repository
from energy.store.tables import EdgeRow, table

edge = table(EdgeRow)


class Edges(Repository):
    """The boxes of a site: the last reading that is here of each, and what it told of itself."""

    def get(self, name: str) -> Edge | None:
        said = self._first(sa.select(edge.c.body).where(*self._named(name)))
        return None if said is None else load(Edge, said.body)

    def all(self) -> list[Edge]:
        """Every box that has ever spoken, by name."""
        query = sa.select(edge.c.body).where(edge.c.site == self._site).order_by(edge.c.name)
        return [load(Edge, row.body) for row in self._rows(query)]

    def put(self, box: Edge) -> None:
        """Keep what is now known of a box. Inside the unit that keeps its readings, so that both hold or neither."""
        row = {"last_batch": box.last, "seen_at": box.seen_at, "body": dump(box)}
        with self._writing() as connection:
            changed = connection.execute(sa.update(edge).where(*self._named(box.name)).values(**row))
            if changed.rowcount == 0:
                connection.execute(sa.insert(edge).values(site=self._site, name=box.name, **row))

    def _named(self, name: str) -> tuple[sa.ColumnElement[bool], ...]:
        return (edge.c.site == self._site, edge.c.name == name)
