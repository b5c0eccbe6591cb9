"""Reading the cells of one row, every mistake in it noted with line and column; and writing rows."""

import csv
import io
import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from energy.errors import Mistake
from energy.exchange.table import Cell, Row
from energy.plugins import nearest

T = TypeVar("T")


class RowReader:
    """The cells of a row becoming values; what cannot be read is a mistake in `bad`, what surprises is a note."""

    def __init__(
        self, row: Row, zone: str, decimal_comma: bool, machines: Collection[str] | None, notes: list[str]
    ) -> None:
        self.row = row
        self.zone = zone
        self.decimal_comma = decimal_comma
        self.machines = machines
        self.notes = notes
        self.bad: list[Mistake] = []

    def wrong(self, column: str, what: str) -> None:
        self.bad.append(Mistake(self.row.where(column), what))

    def text(self, column: str) -> str:
        return self.row[column].text

    def value(
        self, column: str, read: Callable[[str], T], *, default: T | None = None, needed: bool = False
    ) -> T | None:
        """The value of a cell; the default where it is empty, None where it is wrong."""
        return self._read(column, lambda cell: read(cell.text), default, needed)

    def time(
        self, column: str, read: Callable[[Cell, str, list[str]], datetime], *, needed: bool = False
    ) -> datetime | None:
        """The time in a cell, in UTC; None where it is empty or wrong."""
        return self._read(column, lambda cell: read(cell, self.zone, self.notes), None, needed)

    def _read(self, column: str, read: Callable[[Cell], T], default: T | None, needed: bool) -> T | None:
        cell = self.row[column]
        if cell.empty:
            if needed:
                self.wrong(column, "is empty")
            return default
        try:
            return read(cell)
        except ValueError as error:
            self.wrong(column, str(error))
            return None

    def known_machine(self, machine: str) -> str:
        if self.machines is not None and machine not in self.machines:
            raise ValueError(f"no machine {machine!r}{nearest(machine, list(self.machines))}")
        return machine


def write_rows(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """Writes a CSV in one step."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=names)
    writer.writeheader()
    writer.writerows(rows)
    replace_text(path, text.getvalue())


def replace_text(path: Path, text: str) -> None:
    """Writes a file in one step: who reads meanwhile sees the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
