import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from energy.clock import HeldClock
from energy.errors import ImportFileError
from energy.model.meter import ReadingQuality
from energy.ports import Context
from meters.file import Settings, build
from tests.meters.wire import SITE, meter

ROWS = """taken_at,import_kwh,export_kwh,power_kw
2026-05-18T12:00:00Z,1000,20,100
2026-05-18T14:15:00+02:00,1025,,98.5
2026-05-18T12:30:00Z,1050.5,20,
2026-05-18T12:45:00Z,3,20,101
"""
NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


def read(tmp_path, text, minute):
    (tmp_path / "m.csv").write_text(text)
    context = Context(
        site=SITE, clock=HeldClock(NOON + timedelta(minutes=minute)), folder=str(tmp_path), meters=(meter(),)
    )
    return asyncio.run(build(Settings(path="m.csv"), context).read())


@pytest.mark.parametrize(
    ("minute", "said"),
    [
        (0, (0, 1000, 20, 100)),
        (14, (0, 1000, 20, 100)),  # the newest row that is not after now
        (15, (15, 1025, None, 98.5)),  # an empty cell is not known; 14:15 in Berlin is 12:15
        (31, (30, 1050.5, 20, None)),
    ],
)
def test_the_newest_row_that_is_not_after_now(tmp_path, minute, said):
    found = read(tmp_path, ROWS, minute)
    at = (found.taken_at - NOON) / timedelta(minutes=1)
    assert (at, found.import_kwh, found.export_kwh, found.power_kw) == said
    assert found.quality is ReadingQuality.GOOD


def test_before_the_first_row_there_is_no_answer(tmp_path):
    found = read(tmp_path, ROWS, -1)
    assert found.quality is ReadingQuality.NO_ANSWER
    assert found.note == "m.csv has no row yet: it begins 2026-05-18T12:00:00+00:00"


def test_a_counter_that_goes_down_is_suspect(tmp_path):
    found = read(tmp_path, ROWS, 45)
    assert (found.quality, found.import_kwh) == (ReadingQuality.SUSPECT, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("taken_at,kwh\n", "needs the columns taken_at and at least one of import_kwh"),
        ("taken_at,power_kw\n2026-05-18T12:00:00,5\n", "line 2: 2026-05-18T12:00:00 has no time zone"),
        ("taken_at,power_kw\n2026-05-18T12:00:00Z,5\nyesterday,5\n2026-05-18T12:15:00Z,x\n", "2 mistakes"),
    ],
)
def test_what_cannot_be_read_is_named_by_line(tmp_path, text, told):
    with pytest.raises(ImportFileError, match=told):
        read(tmp_path, text, 0)
