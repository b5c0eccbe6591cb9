"""Opening a store: migrated to the newest schema, or an error that says what to do."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from energy.errors import StoreError
from energy.store.engine import Database
from energy.store.migrations import NEWEST, VERSION_TABLE
from energy.store.opening import FOLDER, open_database
from energy.store.store import Store
from energy.store.tables import Base


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    return made


def test_the_steps_from_empty_lead_to_the_tables_of_the_code(url: str) -> None:
    database = open_database(url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "target_metadata": Base.metadata}
        )
        assert compare_metadata(context, Base.metadata) == [], "tables.py changed: write a migration (docs/store.md)"
        assert context.get_current_revision() == NEWEST
    database.close()


def test_a_forgotten_migration_would_be_noticed() -> None:
    extra = sa.Table("forgotten", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    database = open_database("sqlite://")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)
        for one in (*Base.metadata.sorted_tables, extra):
            one.to_metadata(metadata)
        assert [change[0] for change in compare_metadata(context, metadata)] == ["add_table"]
    database.close()


def test_the_newest_step_is_the_one_that_the_code_names() -> None:
    steps = list(ScriptDirectory.from_config(config()).walk_revisions())
    assert steps[0].revision == NEWEST
    assert all(re.fullmatch(r"\d{4}", step.revision) for step in steps)


def test_the_steps_lead_back_to_empty() -> None:
    database = Database(sa.make_url("sqlite://"))
    with database.unit("schema") as connection:
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, "head")
        command.downgrade(made, "base")
        assert sa.inspect(connection).get_table_names() == [VERSION_TABLE]
    database.close()


def test_a_new_store_is_made_once_by_all_who_open_it(url: str) -> None:
    def write(number: int) -> None:
        with Store.open(url, "plant") as store:
            store.note(f"seen {number}", number)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, number) for number in range(4)]:
            done.result(timeout=150)
    with Store.open(url, "plant") as store:
        assert [store.note(f"seen {number}") for number in range(4)] == [0, 1, 2, 3]


def test_the_folders_of_the_file_are_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'a' / 'b' / 'store.sqlite'}", "plant").close()
    assert (tmp_path / "a" / "b" / "store.sqlite").exists()


def test_postgresql_means_psycopg(postgres_url: str) -> None:
    Store.open(postgres_url.replace("postgresql+psycopg", "postgresql"), "plant").close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("loadstone.sqlite", "is not a database that is known here. Write sqlite:///var/loadstone.sqlite"),
        ("nosuch:///x", "is not a database that is known here. Write"),
        ("mysql+pymysql://root@localhost/x", "no driver 'mysql+pymysql'. Write sqlite:///"),
        ("postgresql+psycopg2://localhost/x", "no driver 'postgresql+psycopg2'. Write"),
        (
            "postgresql+psycopg://nobody@127.0.0.1:1/x?connect_timeout=2",
            "Is the server running, and is store.url right?",
        ),
    ],
)
def test_a_url_that_leads_nowhere(url: str, says: str) -> None:
    with pytest.raises(StoreError) as error:
        Store.open(url, "plant")
    assert says in str(error.value)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(StoreError) as error:
        Store.open("postgresql+psycopg://nobody:geheim@127.0.0.1:1/x?connect_timeout=2", "plant")
    assert "geheim" not in str(error.value)


def test_a_folder_that_cannot_be_made_or_is_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"the folder .*file cannot be made"):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'store.sqlite'}", "plant")
    with pytest.raises(StoreError, match="is a folder; name a file in it"):
        Store.open(f"sqlite:///{tmp_path}", "plant")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr("energy.store.opening.os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(StoreError, match="cannot be written; give the user of Loadstone the right"):
        Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "plant")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_text("meter;time;kWh\n" * 100)
    with pytest.raises(StoreError, match="is not a database"):
        Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "plant")


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match=r"holds other tables \(bookmarks"):
        Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "plant")


def test_a_store_of_a_newer_loadstone(url: str) -> None:
    database = open_database(url)
    with database.unit("schema") as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9000'"))
    database.close()
    with pytest.raises(StoreError, match=r"made by a newer Loadstone \(schema 9000, this one knows"):
        Store.open(url, "plant")
