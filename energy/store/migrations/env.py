"""How Alembic runs the steps: on the connection that it is given, inside that connection's transaction."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from energy.store.migrations import VERSION_TABLE
from energy.store.tables import Base


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Columns written in SQLAlchemy's own words, so that a step stands alone."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """On a shared PostgreSQL other tables are none of our business."""
    return kind != "table" or name in Base.metadata.tables


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_name=include_name,
    render_item=render_item,
    transactional_ddl=True,
)
context.run_migrations()
