"""What people say of readings and meters on the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from energy.build import open_store
from energy.config import load_settings
from energy.model.horizon import Interval
from energy.model.meter import Reading, ReadingQuality
from energy.store import Store
from meters.commands import meters

NOON = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)
DAY = Interval(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
PLANT = """
site: {id: p, name: Plant, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900, export_limit_kw: 0, country: DE}
tariff: {fixed_per_kwh: 0.2}
store: {url: "sqlite:///loadstone.sqlite"}
schedule: {clock: clock.json}
meters:
  - {id: grid, name: Grid, kind: modbus, profile: siemens-pac, host: 127.0.0.1, role: settlement, measures: grid,
     connection_kw: 900}
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    from energy.clock import SpeedClock

    (tmp_path / "config.yaml").write_text(PLANT)
    SpeedClock(NOON + timedelta(hours=2), datetime.now(UTC), 1).save(tmp_path / "clock.json")
    opened = open_store(load_settings(tmp_path / "config.yaml"))
    opened.readings.add(
        [
            Reading(meter="grid", taken_at=NOON, import_kwh=100.0),
            Reading(
                meter="grid",
                taken_at=NOON + timedelta(minutes=1),
                import_kwh=9000.0,
                power_kw=12.0,
                quality=ReadingQuality.SUSPECT,
                note="import counter jumped from 100.00 to 9000.00 kWh",
                raw='{"3": {"801": 17}}',
            ),
        ]
    )
    return opened


def said(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(meters, [*words, "--config", str(tmp_path / "config.yaml")])


def test_what_is_doubted_is_listed_and_released(store: Store, tmp_path: Path) -> None:
    listed = said(tmp_path, "doubted").output
    assert "grid 2026-05-18T12:01:00+00:00  suspect: import 9000.00 kWh, power 12.00 kW" in listed
    assert "import counter jumped from 100.00 to 9000.00 kWh\n  holding register 801: 0x0011" in listed
    done = said(tmp_path, "release", "grid", "2026-05-18T14:01:00", "--by", "Ada", "--why", "seen")  # local time
    assert done.output == "1 reading is released; the intervals follow.\n"
    assert [one.quality for one in store.readings.of("grid", DAY)] == [ReadingQuality.GOOD, ReadingQuality.RELEASED]
    assert said(tmp_path, "doubted").output == "no readings wait for a word\n"
    every = said(tmp_path, "doubted", "--all").output
    assert "released by Ada at" in every
    assert every.endswith("no readings wait for a word\n")
    assert "there is no meter 'gird'; known: grid" in str(said(tmp_path, "doubted", "--meter", "gird").exception)


def test_a_word_on_nothing_says_where_there_is_something(store: Store, tmp_path: Path) -> None:
    done = said(tmp_path, "reject", "grid", "2026-05-18T12:05:00+00:00", "--by", "Ada")
    assert done.exit_code == 1
    assert "the doubted one next to it is of 2026-05-18T12:01:00+00:00" in str(done.exception)
    assert "is no time" in str(said(tmp_path, "reject", "grid", "noon", "--by", "Ada").exception)


def test_an_exchange_is_kept_with_its_stands(store: Store, tmp_path: Path) -> None:
    words = ["--at", "2026-05-18T12:00:30+00:00", "--old-import", "100.1", "--new-import", "8999.9", "--by", "Ada"]
    done = said(tmp_path, "exchanged", "grid", *words)
    assert done.exit_code == 0, done.exception
    (kept,) = store.exchanges.of("grid", DAY)
    assert (kept.old_import_kwh, kept.new_import_kwh, kept.old_export_kwh, kept.by) == (100.1, 8999.9, None, "Ada")
    early = said(tmp_path, "exchanged", "grid", "--at", "2026-05-19T12:00", "--by", "Ada")
    assert "is still to come" in str(early.exception)
