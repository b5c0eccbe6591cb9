"""Interval data of utilities and historians: a file with one row an interval becomes rows of known start and value.

Bad rows are named by line and column with the reason, and the good ones are kept.
"""

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from energy.errors import ImportFileError, Mistake
from energy.exchange.stamps import Stamps, StepError, moments, place, read_stamps
from energy.plugins import nearest
from energy.units import ENERGY_TO_KWH, POWER_TO_KW

DELIMITERS = (",", ";", "\t", "|")
MOST_WORDS = 40  # different ones, in a column that names kinds of something
MOST_BYTES = 250_000_000  # a meter's minutes of ten years are 150 MB
HEADER_WITHIN = 30  # lines; some exports put an address and a meter number above the header
EMPTY = {"", "-", "--", "n/a", "na", "nan", "null", "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """How a file says what it says."""

    columns: tuple[str, ...]
    time: str = ""  # the column of stamps; "Date+Time" joins two; empty: the first that holds times
    zone: str = "UTC"  # of stamps that name none
    stamps: Stamps = Stamps.START
    step_minutes: int | None = None  # None: as far apart as most rows are
    decimal: str = ""  # "," or "."; empty: as the column shows
    delimiter: str = ""  # empty: as the header shows
    pattern: str | None = None  # strptime format of the stamps
    wordy: tuple[str, ...] = ()  # columns that may hold words (a shift, a type of day): each word becomes a number


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One interval: its line in the file, its start, and one value a column; None is an empty cell, unknown."""

    line: int
    start: datetime
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """What a file says: good rows in the order of time, what is wrong with the others, and what else was noticed."""

    rows: tuple[ReadRow, ...]
    bad: tuple[Mistake, ...]
    notes: tuple[str, ...]
    step_minutes: int
    zoned: bool  # whether the stamps themselves name their zone


def read_intervals(path: Path, mapping: FileMapping) -> ReadResult:
    """The rows of a CSV file (also .csv.gz). ImportFileError where nothing of it can be read."""
    table = _table(path, mapping)
    said, notes = read_stamps([table.stamp(row) for row in table.rows], mapping.pattern)
    try:
        placed = place(said, zone=mapping.zone, stamps=mapping.stamps, step_minutes=mapping.step_minutes)
    except StepError as error:
        raise ImportFileError(path.name, [Mistake(f"column {table.time_name}", str(error))]) from error
    bad = [(i, Mistake(table.where(i, table.time_name), why)) for i, why in placed.wrong.items()]
    words = {column: codes for column in mapping.wordy if (codes := _words(table, column))}
    comma = _decimal_comma(path, mapping, table, words)
    rows: dict[int, ReadRow] = {}
    twins = 0
    for i, start in enumerate(placed.starts):
        if i in placed.wrong:
            continue
        values, mistakes = _values(table, i, mapping.columns, comma, words)
        bad += [(i, mistake) for mistake in mistakes]
        if i in placed.twin_of:
            first = rows.get(placed.twin_of[i])
            twins += 1
            if first is not None and not mistakes and first.values != values:
                why = f"says {_shown(values)} of the interval of which line {first.line} says {_shown(first.values)}"
                bad.append((i, Mistake(table.where(i, mapping.columns[0]), why)))
        elif not mistakes and start is not None:
            rows[i] = ReadRow(line=table.lines[i], start=start, values=values)
    ordered = tuple(sorted(rows.values(), key=lambda row: row.start))
    told = [f"column {column} holds words: {_codes_shown(codes)}" for column, codes in words.items()]
    notes = [*table.notes, *notes, *told, *placed.notes, *_noticed(ordered, placed.step_minutes, twins)]
    return ReadResult(
        rows=ordered,
        bad=tuple(mistake for _, mistake in sorted(bad, key=lambda pair: pair[0])),
        notes=tuple(notes),
        step_minutes=placed.step_minutes,
        zoned=any(isinstance(t, datetime) and t.tzinfo is not None for t in said),
    )


def read_stands(path: Path, mapping: FileMapping) -> ReadResult:
    """Rows of any moments, oldest first: stands of counters, powers. ImportFileError where nothing of it can be read."""
    table = _table(path, mapping)
    said, notes = read_stamps([table.stamp(row) for row in table.rows], mapping.pattern)
    times, wrong = moments(said, mapping.zone)
    bad = [(i, Mistake(table.where(i, table.time_name), why)) for i, why in wrong.items()]
    comma = _decimal_comma(path, mapping, table, {})
    rows: dict[datetime, ReadRow] = {}
    for i, at in enumerate(times):
        values, mistakes = _values(table, i, mapping.columns, comma, {})
        bad += [(i, mistake) for mistake in mistakes]
        if at is None or mistakes:
            continue
        first = rows.setdefault(at, ReadRow(line=table.lines[i], start=at, values=values))
        if first.values != values:
            why = f"says {_shown(values)} of the moment of which line {first.line} says {_shown(first.values)}"
            bad.append((i, Mistake(table.where(i, mapping.columns[0]), why)))
    return ReadResult(
        rows=tuple(rows.values()),
        bad=tuple(mistake for _, mistake in sorted(bad, key=lambda pair: pair[0])),
        notes=(*table.notes, *notes),
        step_minutes=0,
        zoned=any(isinstance(t, datetime) and t.tzinfo is not None for t in said),
    )


def factor_to(unit: str, wanted: str, hours: float) -> float | None:
    """What a value in a unit is multiplied with to be in the wanted one, over an interval of so many hours; None
    where one is not the other. Energies are per interval, powers its mean; so kW and kWh turn into each other."""
    if unit == wanted:
        return 1.0
    energy = ENERGY_TO_KWH.get(unit, POWER_TO_KW.get(unit, math.nan) * hours)
    if wanted == "kWh":
        return None if math.isnan(energy) else energy
    if wanted == "kW":
        return None if math.isnan(energy) else energy / hours
    money, _, per = unit.rpartition("/")
    wanted_money, _, wanted_per = wanted.rpartition("/")
    if per in ENERGY_TO_KWH and wanted_per == "kWh":
        grams = {"g": 1e-3, "kg": 1.0, "t": 1e3}
        if money == wanted_money:
            return 1.0 / ENERGY_TO_KWH[per]
        mass = money.removesuffix(" CO2e").removesuffix(" CO2").removesuffix("CO2e").removesuffix("CO2")
        if wanted_money == "kg CO2e" and mass in grams:
            return grams[mass] / ENERGY_TO_KWH[per]
    return None


@dataclass(frozen=True, slots=True)
class _Table:
    """The raw rows of a file with their lines, and where its columns stand."""

    rows: list[list[str]]
    lines: list[int]
    place: dict[str, int]
    times: tuple[int, ...]
    time_name: str
    delimiter: str
    notes: list[str]

    def stamp(self, row: list[str]) -> str:
        return " ".join(row[i].strip() for i in self.times if i < len(row))

    def cell(self, i: int, column: str) -> str:
        at = self.place[column]
        return self.rows[i][at].strip() if at < len(self.rows[i]) else ""

    def where(self, i: int, column: str) -> str:
        return f"line {self.lines[i]}, column {column}"


def _table(path: Path, mapping: FileMapping) -> _Table:
    text, notes = _text(path)
    wanted = [*mapping.columns, *(mapping.time.split("+") if mapping.time else [])]
    best: tuple[int, str, int, list[list[str]]] = (-1, ",", 0, [])
    for delimiter in (mapping.delimiter,) if mapping.delimiter else DELIMITERS:
        head = [next_row for _, next_row in zip(range(HEADER_WITHIN), _rows(path, text, delimiter), strict=False)]
        for at, (_, cells) in enumerate(head):
            known = sum(name.strip() in [cell.strip() for cell in cells] for name in wanted)
            if (known, -at) > (best[0], -best[2]):
                best = (known, delimiter, at, [cells])
    known, delimiter, at, header = best
    if not header:
        raise ImportFileError(path.name, [Mistake("file", "is empty")])
    names = [cell.strip() for cell in header[0]]
    missing = [name for name in wanted if name.strip() not in names]
    if missing:
        said = [Mistake(f"column {name}", f"is not in the file{nearest(name, names)}") for name in missing]
        raise ImportFileError(path.name, said)
    body = [
        (line, cells) for line, cells in list(_rows(path, text, delimiter))[at + 1 :] if any(c.strip() for c in cells)
    ]
    if not body:
        raise ImportFileError(path.name, [Mistake("file", "has a header and no rows")])
    times = _time_columns(path, mapping, names, body[0][1])
    return _Table(
        rows=[cells for _, cells in body],
        lines=[line for line, _ in body],
        place={name: names.index(name.strip()) for name in mapping.columns},
        times=times,
        time_name="+".join(names[i] for i in times) or str(times[0] + 1),
        delimiter=delimiter,
        notes=notes,
    )


def _rows(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of each row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise ImportFileError(path.name, [Mistake(f"line {reader.line_num}", f"is no CSV: {error}")]) from error


def _text(path: Path) -> tuple[str, list[str]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)  # a small gzip may unpack to more than there is memory
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFileError(path.name, [Mistake("file", f"cannot be read: {error}")]) from error
    if len(raw) > MOST_BYTES:
        most = f"{MOST_BYTES / 1e6:g} MB, unpacked"
        raise ImportFileError(path.name, [Mistake("file", f"is larger than {most}; split it, a month a file")])
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace"), []
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), ["not UTF-8; read as Windows-1252"]


def _time_columns(path: Path, mapping: FileMapping, names: list[str], first: list[str]) -> tuple[int, ...]:
    """The column of stamps, or the two that make one."""
    if mapping.time:
        return tuple(names.index(name.strip()) for name in mapping.time.split("+"))
    for i, cell in enumerate(first):
        if isinstance(read_stamps([cell], mapping.pattern)[0][0], datetime):
            next_is_time = i + 1 < len(first) and re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", first[i + 1].strip())
            return (i, i + 1) if next_is_time and ":" not in cell else (i,)
    why = f"none holds times as {mapping.pattern!r} says" if mapping.pattern else "none holds times"
    raise ImportFileError(path.name, [Mistake("columns", f"{why}; name the one that does with --time")])


def _words(table: _Table, column: str) -> dict[str, int]:
    """The words of a column in the order in which they first appear, each with its number; none where the column holds
    numbers, or so many words that they are no kinds of anything."""
    cells = [cell for i in range(len(table.rows)) if (cell := table.cell(i, column)).lower() not in EMPTY]
    distinct = list(dict.fromkeys(cells))
    wordy = sum(re.search(r"\d", cell) is None for cell in distinct)
    if not 0 < len(distinct) <= MOST_WORDS or 2 * wordy <= len(distinct):
        return {}
    return {word: code for code, word in enumerate(distinct)}


def _codes_shown(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{word} is {code}" for word, code in codes.items())


def _decimal_comma(path: Path, mapping: FileMapping, table: _Table, words: Mapping[str, object]) -> bool:
    """Whether numbers are written with a decimal comma, as all columns together show."""
    if mapping.decimal:
        return mapping.decimal == ","
    columns = [column for column in mapping.columns if column not in words]
    cells = [table.cell(i, column) for i in range(len(table.rows)) for column in columns]
    commas = [cell for cell in cells if "," in cell]
    if not commas:
        return False
    if any(re.search(r"\.\d{3},|,\d{1,2}$|,\d{4,}$|^-?0,", cell) for cell in commas):
        return True
    if any("." in cell for cell in commas):
        return False
    if table.delimiter == ";":
        return True
    why = f"{commas[0]!r} could be two numbers; say --decimal , or --decimal ."
    raise ImportFileError(path.name, [Mistake(f"column {mapping.columns[0]}", why)])


def _values(
    table: _Table, i: int, columns: Sequence[str], comma: bool, words: Mapping[str, Mapping[str, int]]
) -> tuple[tuple[float | None, ...], list[Mistake]]:
    values: list[float | None] = []
    mistakes = []
    for column in columns:
        cell = table.cell(i, column)
        if column in words:
            values.append(None if cell.lower() in EMPTY else float(words[column][cell]))
            continue
        try:
            values.append(None if cell.lower() in EMPTY else number(cell, comma))
        except ValueError as error:
            mistakes.append(Mistake(table.where(i, column), str(error)))
    return tuple(values), mistakes


def number(text: str, decimal_comma: bool) -> float:
    """A finite number as written, with or without thousands marks."""
    mark, thousands = (",", ".") if decimal_comma else (".", ",")
    plain = re.sub(rf"(?<=\d)[{re.escape(thousands)}'\s\u00a0\u202f](?=\d{{3}}(?!\d))", "", text.strip())
    if re.fullmatch(rf"[-+]?(\d+{re.escape(mark)}?\d*|{re.escape(mark)}\d+)([eE][-+]?\d+)?", plain) is None:
        raise ValueError(f"{text.strip()!r} is not a number")
    value = float(plain.replace(mark, "."))
    if not math.isfinite(value):
        raise ValueError(f"{text.strip()!r} is not a number that can be")
    return value


def _shown(values: Sequence[float | None]) -> str:
    return ", ".join("nothing" if value is None else f"{value:g}" for value in values)


def _noticed(rows: Sequence[ReadRow], step_minutes: int, twins: int) -> list[str]:
    notes = [f"{twins} rows say again what an earlier row said"] if twins else []
    empty = sum(all(value is None for value in row.values) for row in rows)
    if empty:
        notes.append(f"{empty} rows are empty: unknown, not zero")
    if rows:
        span = (rows[-1].start - rows[0].start).total_seconds() / 60 / step_minutes + 1
        if span > len(rows):
            notes.append(f"{span - len(rows):.0f} intervals between the first and the last row are missing")
    return notes
