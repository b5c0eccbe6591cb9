"""A table of an outside file, CSV or XLSX, as rows of cells under known names, each with its place."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from energy.errors import ImportFileError, Mistake
from energy.plugins import nearest

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN = 20  # some exports put a title and a date above the header


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that is understood: its name, other names it goes by, and whether nothing can be read without it."""

    name: str
    aliases: tuple[str, ...] = ()
    needed: bool = False
    number: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as text (or, from a spreadsheet, a date), with where it stands."""

    value: str | date | datetime
    where: str

    @property
    def text(self) -> str:
        return str(self.value).strip()

    @property
    def empty(self) -> bool:
        return self.text == ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its line in the file and its cells by column name. A cell that is not there is an empty one."""

    line: int
    cells: Mapping[str, Cell]
    headers: Mapping[str, str]

    def __getitem__(self, column: str) -> Cell:
        return self.cells.get(column) or Cell("", self.where(column))

    def where(self, column: str) -> str:
        return f"line {self.line}, column {self.headers.get(column, column)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a file, how it writes numbers, and what was noticed on the way."""

    rows: tuple[Row, ...]
    decimal_comma: bool
    notes: tuple[str, ...]


Value = str | date | datetime


def read_table(path: Path, columns: Sequence[Column], sheet: str | None = None) -> Table:
    """The table in a file. ImportFileError where there is none that holds the needed columns."""
    notes: list[str] = []
    lines = (
        _sheet_lines(path, sheet) if path.suffix.lower() in {".xlsx", ".xlsm"} else _text_lines(path, columns, notes)
    )
    named = {norm(name): column.name for column in columns for name in (column.name, *column.aliases)}
    numbered = [(line, values) for line, values in lines if any(str(v).strip() for v in values)]
    at, header = _header(numbered, named, path)
    headers = _columns(header, columns, named, path, notes)
    by_name = {name: str(header[i]).strip() for i, name in headers.items()}
    rows = tuple(
        Row(
            line,
            {
                name: Cell(values[i], f"line {line}, column {by_name[name]}")
                for i, name in headers.items()
                if i < len(values)
            },
            by_name,
        )
        for line, values in numbered[at + 1 :]
    )
    return Table(rows=rows, decimal_comma=_writes_decimal_comma(rows, columns), notes=tuple(notes))


def norm(header: object) -> str:
    """A header as it is compared: small letters, no unit in brackets, one kind of gap."""
    bare = re.sub(r"[\[(].*?[\])]", "", str(header)).strip().lower()
    return re.sub(r"[\s\-./]+", "_", bare).strip("_")


def _header(lines: Sequence[tuple[int, list[Value]]], named: Mapping[str, str], path: Path) -> tuple[int, list[Value]]:
    """The row with the most known names among the first ones."""
    if not lines:
        raise ImportFileError(path.name, [Mistake("file", "is empty")])
    known = [sum(norm(value) in named for value in values) for _, values in lines[:HEADER_WITHIN]]
    at = known.index(max(known))
    return at, lines[at][1]


def _columns(
    header: list[Value], columns: Sequence[Column], named: Mapping[str, str], path: Path, notes: list[str]
) -> dict[int, str]:
    found: dict[int, str] = {}
    for i, said in enumerate(header):
        name = named.get(norm(said))
        if name is None:
            if str(said).strip():
                close = nearest(norm(said), list(named))
                notes.append(f"column {str(said).strip()!r} is not read{close if 'mean' in close else ''}")
        elif name in found.values():
            notes.append(f"column {str(said).strip()!r} says {name} a second time and is not read")
        else:
            found[i] = name
    missing = [c for c in columns if c.needed and c.name not in found.values()]
    if missing:
        said = f"; the header says: {', '.join(str(h) for h in header)}"
        raise ImportFileError(path.name, [Mistake(f"column {c.name}", f"is missing{said}") for c in missing])
    return found


def _text_lines(path: Path, columns: Sequence[Column], notes: list[str]) -> list[tuple[int, list[Value]]]:
    text = _decoded(path, notes)
    named = {norm(name) for column in columns for name in (column.name, *column.aliases)}

    def known(delimiter: str) -> int:
        first = list(_csv_lines(text, delimiter, HEADER_WITHIN))
        return max((sum(norm(value) in named for value in values) for _, values in first), default=0)

    return list(_csv_lines(text, max(DELIMITERS, key=known)))


def _csv_lines(text: str, delimiter: str, at_most: int | None = None) -> Iterator[tuple[int, list[Value]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    for count, values in enumerate(reader):
        if at_most is not None and count >= at_most:
            return
        yield line, [*values]
        line = reader.line_num + 1


def _decoded(path: Path, notes: list[str]) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ImportFileError(path.name, [Mistake("file", f"cannot be read: {error.strerror}")]) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("not UTF-8; read as Windows-1252")
        return raw.decode("cp1252", errors="replace")


def _sheet_lines(path: Path, sheet: str | None) -> list[tuple[int, list[Value]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise ImportFileError(path.name, [Mistake("file", f"cannot be read as XLSX: {error}")]) from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            known = nearest(sheet, book.sheetnames)
            raise ImportFileError(path.name, [Mistake("sheet", f"no sheet {sheet!r}{known}")])
        shown = book[sheet] if sheet is not None else book.worksheets[0]
        return [(i, [_sheet_value(v) for v in values]) for i, values in enumerate(shown.iter_rows(values_only=True), 1)]
    finally:
        book.close()


def _sheet_value(value: object) -> Value:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _writes_decimal_comma(rows: Sequence[Row], columns: Sequence[Column]) -> bool:
    """Whether some number of the file can only be meant with a decimal comma (`12,5`, `1.234,5`)."""
    numbers = [column.name for column in columns if column.number]
    comma = re.compile(r"(?<![\d,])\d+,(\d{1,2}|\d{4,})(?!\d)|\d\.\d{3},\d")
    return any(comma.search(row[name].text) for row in rows for name in numbers)
