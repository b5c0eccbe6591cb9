"""A database of the version before, full of a plant's data: brought up to date and back without losing any of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from energy.model.horizon import Interval
from energy.model.meter import IntervalEnergy, Quality, Reading, ReadingQuality
from energy.store.engine import Database
from energy.store.opening import FOLDER, read_url
from energy.store.store import Store
from energy.store.times import micros, seconds

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
SPAN = Interval(NOON - timedelta(days=1), NOON + timedelta(days=1))
NUMBERS = (("voltage_l1", 230.1), ("frequency", 50.02))  # one that four bytes do not say, too
OLD = (
    Reading(meter="m", taken_at=NOON, import_kwh=100.1, export_kwh=0.5, power_kw=3.25, values=NUMBERS, state="ACTIVE"),
    Reading(meter="m", taken_at=NOON + timedelta(seconds=10), power_kw=-1.0),
    Reading(
        meter="m", taken_at=NOON + timedelta(seconds=20), import_kwh=9e9, quality=ReadingQuality.SUSPECT, note="jumped"
    ),
    Reading(meter="m", taken_at=NOON + timedelta(seconds=30), quality=ReadingQuality.NO_ANSWER, note="silent"),
)
INTERVAL = IntervalEnergy(
    meter="m", start=NOON, minutes=15, import_kwh=1.5, export_kwh=0.0, quality=Quality.MEASURED, max_power_kw=6.5
)


def migrated(url: str, to: str) -> Database:
    """The database of that URL, at a schema version."""
    database = Database(read_url(url))
    with database.unit("schema") as connection:
        made = Config(attributes={"connection": connection})
        made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
        go = command.downgrade if sa.inspect(connection).has_table("reading") else command.upgrade
        go(made, to)
    return database


def before(reading: Reading) -> dict[str, object]:
    """A reading as the version before wrote it down."""
    others = [[name, value] for name, value in reading.values] + ([["state", reading.state]] if reading.state else [])
    return {
        "at": micros(reading.taken_at),
        "import": reading.import_kwh,
        "export": reading.export_kwh,
        "power": reading.power_kw,
        "quality": reading.quality.value,
        "note": reading.note,
        "others": json.dumps(others) if others else None,
    }


@pytest.fixture
def old(url: str) -> str:
    """A store of the version before, with readings and an interval."""
    database = migrated(url, "0001")
    with database.unit("data") as connection:
        connection.execute(sa.text("INSERT INTO channel VALUES (1, 'plant', 'meter', 'm', '')"))
        connection.execute(
            sa.text("INSERT INTO reading VALUES (1, :at, :import, :export, :power, :quality, :note, :others)"),
            [before(one) for one in OLD],
        )
        connection.execute(
            sa.text(
                "INSERT INTO batch (id, site, known_at, source, basis, licence, author, assumed) "
                "VALUES (1, 'plant', :at, 'collect', '', '', '', :no)"
            ),
            {"at": micros(NOON), "no": False},
        )
        connection.execute(
            sa.text("INSERT INTO interval VALUES (1, :start, :at, 1, 15, 1.5, 0.0, 'measured', 6.5)"),
            {"start": seconds(NOON), "at": micros(NOON)},
        )
    database.close()
    return url


def test_what_the_version_before_kept_is_there_after_the_upgrade(old: str) -> None:
    with Store.open(old, "plant") as store:
        assert store.readings.of("m", SPAN) == list(OLD)
        assert store.intervals.of("m", SPAN) == [INTERVAL]
        assert [one.note for one in store.readings.doubted("m", SPAN)] == ["jumped"]
        assert store.readings.add(OLD) == 0


def test_the_way_back_keeps_what_was_written_since(old: str) -> None:
    new = Reading(meter="m", taken_at=NOON + timedelta(minutes=1), import_kwh=101.0, values=NUMBERS, state="READY")
    with Store.open(old, "plant") as store:
        store.readings.add([new])
    database = migrated(old, "0001")
    with database.reading() as connection:
        rows = [dict(row) for row in connection.execute(sa.text("SELECT * FROM reading ORDER BY taken_at")).mappings()]
        kind = (
            connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'reading'")).scalar_one()
            if database.is_sqlite
            else "WITHOUT ROWID"
        )
    database.close()
    assert tuple(rows[0]) == (
        "channel",
        "taken_at",
        "import_kwh",
        "export_kwh",
        "power_kw",
        "quality",
        "note",
        "others",
    )
    wanted = [before(one) for one in (*OLD, new)]
    assert [row["import_kwh"] for row in rows] == [row["import"] for row in wanted]
    assert [pairs(row["others"]) for row in rows] == [pairs(row["others"]) for row in wanted]
    assert "WITHOUT ROWID" in kind
    with Store.open(old, "plant") as store:  # and once more
        found = store.readings.of("m", SPAN)
        assert [replace(one, values=tuple(sorted(one.values, reverse=True))) for one in found] == [*OLD, new]


def pairs(others: Any) -> list[Any]:
    return sorted(json.loads(others)) if others else []
