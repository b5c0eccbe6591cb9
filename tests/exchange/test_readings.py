"""Interval data of utilities and historians: what each way of writing means, and what is wrong with a row."""

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import ImportFileError
from energy.exchange.readings import FileMapping, ReadResult, factor_to, number, read_intervals
from energy.exchange.stamps import Stamps, place, read_stamps

BERLIN = "Europe/Berlin"


def read(folder: Path, text: str, **how: object) -> ReadResult:
    path = folder / "readings.csv"
    path.write_text(text, encoding="utf-8")
    how = {"columns": ("kWh",), "zone": BERLIN, **how}
    return read_intervals(path, FileMapping(**how))  # type: ignore[arg-type] - a table of settings


def day_text(day: date, *, at_end: bool = False, step: int = 15) -> str:
    """The local day as a utility writes it: each instant by its wall-clock time, without an offset."""
    start, end = (datetime(*at.timetuple()[:3], tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
                  for at in (day, day + timedelta(days=1)))  # fmt: skip
    slots = int((end - start) / timedelta(minutes=step))
    stamps = [start + timedelta(minutes=step) * (k + at_end) for k in range(slots)]
    rows = [f"{t.astimezone(ZoneInfo(BERLIN)):%d.%m.%Y %H:%M};{k},5" for k, t in enumerate(stamps)]
    return "\n".join(["Zeit;kWh", *rows])


@pytest.mark.parametrize(
    ("day", "slots"),
    [
        (date(2026, 3, 28), 96),
        (date(2026, 3, 29), 92),  # 02:00 to 03:00 is skipped
        (date(2026, 10, 25), 100),  # 02:00 to 03:00 comes twice
    ],
)
@pytest.mark.parametrize("at_end", [False, True])
def test_days_of_a_clock_change(tmp_path: Path, day: date, slots: int, at_end: bool) -> None:
    result = read(tmp_path, day_text(day, at_end=at_end), stamps=Stamps.END if at_end else Stamps.START)
    assert result.bad == ()
    assert len(result.rows) == slots
    start = datetime(*day.timetuple()[:3], tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)
    assert [row.start for row in result.rows] == [start + timedelta(minutes=15 * k) for k in range(slots)]
    assert result.rows[-1].values == (slots - 0.5,)


def test_hourly_rows_of_a_day_of_25_hours(tmp_path: Path) -> None:
    result = read(tmp_path, day_text(date(2026, 10, 25), step=60))
    assert (len(result.rows), result.bad, result.step_minutes) == (25, (), 60)


def test_ends_written_in_the_old_time(tmp_path: Path) -> None:
    """Some write the end of the last interval before the change as 02:00, though the clock then shows 03:00."""
    rows = ["2026-03-29 01:30,1", "2026-03-29 01:45,2", "2026-03-29 02:00,3", "2026-03-29 03:15,4"]
    result = read(tmp_path, "\n".join(["time,kWh", *rows]), stamps=Stamps.END)
    assert result.bad == ()
    assert [row.start.hour * 60 + row.start.minute for row in result.rows] == [15, 30, 45, 60]


def test_a_time_that_the_clocks_skip_names_its_row(tmp_path: Path) -> None:
    result = read(tmp_path, "time,kWh\n2026-03-29 01:45,1\n2026-03-29 02:00,2\n2026-03-29 03:00,3\n")
    assert [(bad.where, "does not exist" in bad.what) for bad in result.bad] == [("line 3, column time", True)]
    assert [row.line for row in result.rows] == [2, 4]


def test_time_running_backwards_names_its_row(tmp_path: Path) -> None:
    rows = ["2026-05-04 00:00,1", "2026-05-04 00:30,2", "2026-05-04 00:15,3", "2026-05-04 00:45,4"]
    result = read(tmp_path, "\n".join(["time,kWh", *rows]), step_minutes=15)
    assert [bad.where for bad in result.bad] == ["line 4, column time"]
    assert "backwards" in result.bad[0].what
    assert [row.values[0] for row in result.rows] == [1, 2, 4]


def test_one_row_far_ahead_does_not_cost_the_others(tmp_path: Path) -> None:
    rows = ["2026-05-04 00:00,1", "2062-05-04 00:15,2", "2026-05-04 00:30,3", "2026-05-04 00:45,4"]
    result = read(tmp_path, "\n".join(["time,kWh", *rows]))
    assert [bad.where for bad in result.bad] == ["line 3, column time"]
    assert len(result.rows) == 3


def test_the_newest_row_first(tmp_path: Path) -> None:
    result = read(tmp_path, "time,kWh\n2026-05-04 00:30,3\n2026-05-04 00:15,2\n2026-05-04 00:00,1\n")
    assert [row.values[0] for row in result.rows] == [1, 2, 3]
    assert result.bad == ()
    assert any("newest" in note for note in result.notes)


def test_a_row_said_twice(tmp_path: Path) -> None:
    rows = ["2026-05-04 00:00,1", "2026-05-04 00:15,2", "2026-05-04 00:15,2", "2026-05-04 00:30,3",
            "2026-05-04 00:30,3.5", "2026-05-04 00:45,4"]  # fmt: skip
    result = read(tmp_path, "\n".join(["time,kWh", *rows]))
    assert [row.values[0] for row in result.rows] == [1, 2, 3, 4]
    assert [(bad.where, bad.what) for bad in result.bad] == [
        ("line 6, column kWh", "says 3.5 of the interval of which line 5 says 3")
    ]


def test_rows_by_their_place(tmp_path: Path) -> None:
    """A plant's export: ends of intervals, but midnight carries the date of the day that it ends."""
    day = [f"{m // 60:02d}:{m % 60:02d}" for m in range(15, 24 * 60, 15)] + ["00:00"]
    rows = [f"{date} {at},{k}" for date in ("01-05-2018", "13-05-2018") for k, at in enumerate(day)]
    for stamps in (Stamps.BY_ROW, Stamps.AUTO):
        result = read(tmp_path, "\n".join(["date,kWh", *rows]), stamps=stamps, zone="Asia/Seoul")
        assert result.bad == ()
        assert result.rows[0].start == datetime(2018, 4, 30, 15, tzinfo=UTC)
        assert result.rows[-1].start == result.rows[0].start + timedelta(minutes=15 * 191)
    strict = read(tmp_path, "\n".join(["date,kWh", *rows]), zone="Asia/Seoul")
    assert [bad.where for bad in strict.bad] == ["line 97, column date", "line 193, column date"]
    assert any("--stamps by-row" in note for note in strict.notes)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("time;kWh\n04.05.2026 00:00;1,5\n04.05.2026 00:15;1.234,5\n", 1234.5),  # decimal comma
        ('time,kWh\n2026-05-04 00:00,"1,5"\n2026-05-04 00:15,"3,25"\n', 3.25),  # quoted
        ('time,kWh\n2026-05-04 00:00,"1,234.5"\n2026-05-04 00:15,"1,234.75"\n', 1234.75),  # thousands
        ("time\tkWh\n2026/05/04 00:00\t1.5\n2026/05/04 00:15\t2e1\n", 20.0),
        ("time|kWh\n2026-05-04T00:00+02:00|1\n2026-05-04T00:15:00+02:00|-2\n", -2.0),
        ("Plant 2\nMeter 4711\n\n time , kWh \n2026-05-04 00:00,1\n2026-05-04 00:15,7\n", 7.0),  # preamble, blanks
        ("\ufeffdate;from;kWh\n04.05.2026;00:00;1\n04.05.2026;00:15;9\n", 9.0),  # two columns, a mark of order
        ("n,when,kWh\n0,5/4/2026 12:00 AM,1\n1,5/4/2026 12:15 AM,8\n2,5/14/2026 12:15 AM,8\n", 8.0),
    ],
)
def test_ways_of_writing(tmp_path: Path, text: str, value: float) -> None:
    result = read(tmp_path, text)
    assert result.bad == ()
    assert result.rows[0].start == datetime(2026, 5, 3, 22, tzinfo=UTC)
    assert result.rows[1].start == datetime(2026, 5, 3, 22, 15, tzinfo=UTC)
    assert result.rows[1].values == (value,)


def test_bad_rows_are_named_and_good_ones_kept(tmp_path: Path) -> None:
    rows = ["2026-05-04 00:00,1", "2026-05-04 00:15,twelve", "2026-05-04 00:30,", "yesterday,3", "2026-05-04 00:52,4",
            "2026-05-04 01:00,5", "2026-05-04 01:15,6", "2026-05-04 01:30,inf"]  # fmt: skip
    result = read(tmp_path, "\n".join(["time,kWh", *rows]))
    assert [bad.where for bad in result.bad] == [
        "line 3, column kWh", "line 5, column time", "line 6, column time", "line 9, column kWh",
    ]  # fmt: skip
    assert [row.values[0] for row in result.rows] == [1, None, 5, 6]
    assert "1 rows are empty: unknown, not zero" in result.notes


def test_a_compressed_file_with_stray_blanks_in_its_names(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(
        gzip.compress(b"date, Grid load forecast,OT\n2013/1/1 0:00,42497,31.05\n2013/1/1 1:00,41463,-30\n")
    )
    result = read_intervals(path, FileMapping(columns=("OT", "Grid load forecast")))
    assert [row.values for row in result.rows] == [(31.05, 42497), (-30, 41463)]
    assert result.step_minutes == 60


@pytest.mark.parametrize(
    ("text", "how", "why"),
    [
        ("time,kwh\n2026-05-04 00:00,1\n", {}, "did you mean 'kwh'"),
        ("time,kWh\n", {}, "no rows"),
        ("name,kWh\na,1\n", {}, "--time"),
        ("time,kWh\n2026-05-04 00:00,1\n", {}, "say which with --step"),
        ("time,kWh\n2026-05-04,1\n2026-05-05,1\n", {}, "1440 min apart"),
        ('time,kWh\n2026-05-04 00:00,"1,234"\n2026-05-04 00:15,"2,345"\n', {}, "could be two numbers"),
    ],
)
def test_a_file_of_which_nothing_can_be_read(tmp_path: Path, text: str, how: dict[str, object], why: str) -> None:
    with pytest.raises(ImportFileError, match=why):
        read(tmp_path, text, **how)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("cut.csv.gz", gzip.compress(b"time,kWh\n" * 100)[:-20], "cannot be read"),
        ("broken.csv.gz", gzip.compress(b"")[:10] + b"\xff" * 50, "cannot be read"),
        ("bomb.csv.gz", gzip.compress(b"time,kWh\n" + b"0" * 2_000), "larger than 0.001 MB, unpacked"),
        ("large.csv", b"time,kWh\n" + b"0" * 2_000, "larger than"),
        ("field.csv", b'time,kWh\n"' + b"0" * 900 + b'"\n', "line 2: is no CSV"),
        ("half.csv", b"\xff\xfet", "is not in the file"),
    ],
)
def test_a_file_that_is_broken_or_too_large_is_a_mistake_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, why: str
) -> None:
    monkeypatch.setattr("energy.exchange.readings.MOST_BYTES", 1_000)
    (tmp_path / name).write_bytes(content)
    before = csv.field_size_limit(500)
    try:
        with pytest.raises(ImportFileError, match=why):
            read_intervals(tmp_path / name, FileMapping(columns=("kWh",), time="time"))
    finally:
        csv.field_size_limit(before)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="cannot be read"):
        read_intervals(tmp_path / "none.csv", FileMapping(columns=("kWh",)))


@pytest.mark.parametrize(
    ("unit", "wanted", "hours", "factor"),
    [
        ("kWh", "kWh", 0.25, 1),
        ("kW", "kWh", 0.25, 0.25),
        ("MW", "kWh", 0.25, 250),
        ("Wh", "kWh", 1, 0.001),
        ("kWh", "kW", 0.25, 4),
        ("MW", "kW", 1, 1000),
        ("EUR/MWh", "EUR/kWh", 1, 0.001),
        ("g/kWh", "kg CO2e/kWh", 1, 0.001),
        ("kg CO2e/MWh", "kg CO2e/kWh", 1, 0.001),
        ("USD/MWh", "EUR/kWh", 1, None),
        ("degC", "kWh", 1, None),
    ],
)
def test_units(unit: str, wanted: str, hours: float, factor: float | None) -> None:
    assert factor_to(unit, wanted, hours) == (pytest.approx(factor) if factor is not None else None)


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, 365 * 24), slots=st.integers(3, 200), zone=st.sampled_from([BERLIN, "America/New_York"]))
def test_any_run_of_local_stamps_comes_back_as_written(start: int, slots: int, zone: str) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=start)
    local = [(first + timedelta(minutes=15 * k)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for k in range(slots)]
    if local[0] in local[1:] or any(t.replace(minute=0) == local[0].replace(minute=0) for t in local[5:]):
        return  # a run that begins within the repeated hour could mean either
    said, _ = read_stamps([t.isoformat(" ") for t in local])
    placed = place(said, zone=zone, stamps=Stamps.START)
    assert placed.starts == tuple(first + timedelta(minutes=15 * k) for k in range(slots))


@given(st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 3)))
def test_a_number_is_read_as_written(value: float) -> None:
    assert number(f"{value:.3f}", False) == value
    assert number(f"{value:.3f}".replace(".", ","), True) == value
    assert number(f"{value:,.3f}", False) == value


def test_a_column_of_words_becomes_numbers_in_the_order_of_their_first_appearance(tmp_path: Path) -> None:
    rows = "\n".join(f"05.01.2026 {h:02}:00;{h},5;{shift}" for h, shift in enumerate(["Night", "Night", "", "Day"]))
    result = read(tmp_path, f"Zeit;kWh;Shift\n{rows}", columns=("kWh", "Shift"), wordy=("Shift", "kWh"))
    assert result.bad == ()
    assert [row.values for row in result.rows] == [(0.5, 0.0), (1.5, 0.0), (2.5, None), (3.5, 1.0)]
    assert "column Shift holds words: Night is 0, Day is 1" in result.notes


def test_one_word_among_numbers_is_a_bad_row_and_no_code(tmp_path: Path) -> None:
    result = read(tmp_path, "Zeit;kWh\n05.01.2026 00:00;1,5\n05.01.2026 01:00;error\n05.01.2026 02:00;2,5",
                  wordy=("kWh",))  # fmt: skip
    assert [row.values for row in result.rows] == [(1.5,), (2.5,)]
    assert len(result.bad) == 1
