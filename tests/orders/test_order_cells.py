"""What people write into cells, and what must not be guessed."""

from datetime import UTC, date, datetime

import pytest

from energy.exchange.cells import end_of, instant, number, start_of, yes
from energy.exchange.table import Cell

ZONE = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("12.5", False, 12.5),
        ("12,5", True, 12.5),
        ("1.234,5", True, 1234.5),
        ("1,234.5", False, 1234.5),
        ("1'234.5", False, 1234.5),
        ("1 234", False, 1234.0),
        ("1e3", False, 1000.0),
        ("-3", True, -3.0),
    ],
)
def test_numbers(text, comma, value):
    assert number(text, comma) == value


@pytest.mark.parametrize(
    ("text", "comma"),
    [("1,234", False), ("2.5", True), ("abc", False), ("nan", False), ("inf", False), ("", False), ("1-2", False)],
)
def test_what_is_no_number_or_two_is_refused(text, comma):
    with pytest.raises(ValueError, match="number"):
        number(text, comma)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-18 06:00", datetime(2026, 5, 18, 4, 0, tzinfo=UTC)),
        ("2026-05-18T06:00:30", datetime(2026, 5, 18, 4, 0, 30, tzinfo=UTC)),
        ("2026-05-18T06:00+00:00", datetime(2026, 5, 18, 6, 0, tzinfo=UTC)),
        ("2026-05-18T06:00Z", datetime(2026, 5, 18, 6, 0, tzinfo=UTC)),
        ("18.05.2026 6:00", datetime(2026, 5, 18, 4, 0, tzinfo=UTC)),
        ("18.05.2026 06:00 Uhr", datetime(2026, 5, 18, 4, 0, tzinfo=UTC)),
        ("2026-12-01 06:00", datetime(2026, 12, 1, 5, 0, tzinfo=UTC)),
    ],
)
def test_times(text, utc):
    notes: list[str] = []
    assert instant(Cell(text, "line 2"), ZONE, notes) == utc
    assert notes == []


def test_a_day_alone_means_its_end_or_its_start():
    assert end_of(Cell("2026-05-18", ""), ZONE, []) == datetime(2026, 5, 18, 22, tzinfo=UTC)
    assert start_of(Cell("18.05.2026", ""), ZONE, []) == datetime(2026, 5, 17, 22, tzinfo=UTC)
    assert end_of(Cell(date(2026, 5, 18), ""), ZONE, []) == datetime(2026, 5, 18, 22, tzinfo=UTC)


def test_a_wall_time_that_the_clocks_skip_is_refused():
    with pytest.raises(ValueError, match="clocks skip it"):
        instant(Cell("2026-03-29 02:30", ""), ZONE, [])


def test_a_wall_time_that_comes_twice_is_the_first_and_noted():
    notes: list[str] = []
    assert instant(Cell("2026-10-25 02:30", "line 3, column due"), ZONE, notes) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )
    assert notes == ["line 3, column due: 2026-10-25 02:30 comes twice on that day; the first is taken"]


@pytest.mark.parametrize("text", ["5/18/2026 06:00", "tomorrow", "2026-13-01 06:00", "2026-05-18", "2026-05-18 25:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"time|calendar"):
        instant(Cell(text, ""), ZONE, [])


def test_yes_and_no():
    assert yes("Ja")
    assert not yes("0")
    with pytest.raises(ValueError, match="neither"):
        yes("maybe")
