"""Backup and restore: whole, consistent, and never over something that is still needed."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.commands.keep import backup, restore
from energy.errors import StoreError
from energy.store import store as stores
from energy.store.migrations import VERSION_TABLE
from energy.store.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def saved(tmp_path: Path, url: str) -> Path:
    """A backup in which n is 1; the store has gone on to 2 and is closed."""
    path = tmp_path / "backups" / "one.sqlite"
    with Store.open(url, "plant") as store:
        store.note("n", 1)
        store.backup(path)
        store.note("n", 2)
    return path


def noted(url: str, key: str = "n") -> object:
    with Store.open(url, "plant") as store:
        return store.note(key)


def test_a_backup_is_one_file_and_a_store(saved: Path, url: str) -> None:
    assert [one.name for one in saved.parent.iterdir()] == ["one.sqlite"]
    assert noted(f"sqlite:///{saved}") == 1
    assert noted(url) == 2


def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path, url: str) -> None:
    stop = threading.Event()
    with Store.open(url, "plant") as store:
        store.note("left", 0)
        store.note("right", 0)

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                with store.unit(durable=False):
                    store.note("left", number)
                    store.note("right", number)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                store.backup(tmp_path / f"{number}.sqlite")
        finally:
            stop.set()
            writer.join(30)
    for number in range(5):
        place = f"sqlite:///{tmp_path / f'{number}.sqlite'}"
        assert noted(place, "left") == noted(place, "right")


def test_a_backup_overwrites_nothing(saved: Path, url: str) -> None:
    with Store.open(url, "plant") as store, pytest.raises(StoreError, match="already there"):
        store.backup(saved)


def test_a_restored_store_leaves_the_old_one_beside(saved: Path, url: str) -> None:
    beside = stores.restore(saved, url)
    assert noted(url) == 1
    assert beside is not None
    assert noted(f"sqlite:///{beside}") == 2
    assert saved.exists()


def test_a_store_that_was_lost_is_brought_back(saved: Path, url: str, tmp_path: Path) -> None:
    for lost in tmp_path.glob("store.sqlite*"):
        lost.unlink()
    assert stores.restore(saved, url) is None
    assert noted(url) == 1


def test_a_damaged_store_is_brought_back(saved: Path, url: str, tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"no database" * 1000)
    beside = stores.restore(saved, url)
    assert noted(url) == 1
    assert beside is not None
    assert beside.read_bytes().startswith(b"no database")


def test_what_a_killed_writer_left_in_the_wal_is_kept_beside_and_not_mixed_in(
    saved: Path, url: str, tmp_path: Path
) -> None:
    with Store.open(url, "plant") as store:
        store.note("n", 3)
        copied = {one.name: one.read_bytes() for one in tmp_path.glob("store.sqlite*")}
    for name, content in copied.items():  # as it is on disk while the writer lives, so as a kill leaves it
        (tmp_path / name).write_bytes(content)
    assert (tmp_path / "store.sqlite-wal").stat().st_size > 0
    beside = stores.restore(saved, url)
    assert noted(url) == 1
    assert noted(f"sqlite:///{beside}") == 3


def test_a_store_in_use_is_not_touched(saved: Path, url: str) -> None:
    with Store.open(url, "plant") as store:
        store.note("n", 2)
        with pytest.raises(StoreError, match="is in use; stop Loadstone"):
            stores.restore(saved, url)
        assert store.note("n") == 2
    assert noted(url) == 2


def made_by(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = ?", (version,))


def test_nothing_newer_is_touched_or_taken(saved: Path, url: str, tmp_path: Path) -> None:
    made_by(tmp_path / "store.sqlite", "9000")
    with pytest.raises(StoreError, match=r"store.sqlite was made by a newer Loadstone .*left as it is"):
        stores.restore(saved, url)
    made_by(saved, "9000")
    with pytest.raises(StoreError, match=r"one.sqlite was made by a newer Loadstone"):
        stores.restore(saved, url)


def test_what_is_no_backup(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError, match="there is no backup"):
        stores.restore(tmp_path / "nothing.sqlite", url)
    (tmp_path / "text.sqlite").write_text("meter;time\n" * 200)
    with pytest.raises(StoreError, match="is no backup of a store"):
        stores.restore(tmp_path / "text.sqlite", url)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match="it says no schema version"):
        stores.restore(tmp_path / "other.sqlite", url)
    assert not (tmp_path / "store.sqlite").exists()


def test_postgresql_is_kept_with_its_own_tools(postgres_url: str, saved: Path, tmp_path: Path) -> None:
    with Store.open(postgres_url, "plant") as store, pytest.raises(StoreError, match="pg_dump"):
        store.backup(tmp_path / "x")
    with pytest.raises(StoreError, match="pg_restore"):
        stores.restore(saved, postgres_url)


def test_the_commands(url: str, tmp_path: Path) -> None:
    with Store.open(url, "plant") as store:
        store.note("n", 1)
    file = str(tmp_path / "kept.sqlite")
    kept = CliRunner().invoke(backup, [file, "--store", url, "--site", "plant"], catch_exceptions=False)
    assert kept.exit_code == 0
    assert kept.output.startswith(f"{file}: 0.")
    with Store.open(url, "plant") as store:
        store.note("n", 2)
    back = CliRunner().invoke(restore, [file, "--store", url], catch_exceptions=False)
    assert back.exit_code == 0
    assert "what was there before is kept as" in back.output
    assert noted(url) == 1
    wrong = CliRunner().invoke(backup, [file, "--site", "plant"])
    assert "--site goes with --store" in wrong.output


def test_the_commands_find_the_store_in_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Path(__file__).parents[2] / "config.yaml"
    (tmp_path / "config.yaml").write_text(config.read_text())
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(backup, ["kept.sqlite"], catch_exceptions=False)
    assert made.exit_code == 0
    assert (tmp_path / "kept.sqlite").exists()
    assert (tmp_path / "var" / "loadstone.sqlite").exists()
