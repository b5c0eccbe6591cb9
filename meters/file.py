"""Kind `file`: a meter that was written down. Its stands are played back from a CSV on the plant's clock."""

import csv
from bisect import bisect_right
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from energy.clock import Clock, aware
from energy.errors import ImportFileError, Mistake
from energy.model.meter import Meter, Reading, ReadingQuality
from energy.ports import Context, MeterReader
from energy.units import known
from meters.modbus import meter_of
from meters.plausible import Watch

VALUES = ("import_kwh", "export_kwh", "power_kw")


class Settings(BaseModel):
    """`path`: a CSV with the columns taken_at (ISO, with a zone) and any of import_kwh, export_kwh (counter stands)
    and power_kw. An empty cell is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""  # which of the plant's meters this is
    path: str = Field(min_length=1)
    poll_seconds: float = Field(default=10.0, gt=0)


def build(settings: Settings, context: Context) -> MeterReader:
    """The reader of the meter that the settings belong to."""
    path = Path(context.folder) / settings.path
    return FileReader(meter_of(settings.id, context), path, context.clock, settings.poll_seconds)


class FileReader:
    """Says the newest row that is not after now. The file is read once, at the first question."""

    def __init__(self, meter: Meter, path: Path, clock: Clock, poll_seconds: float) -> None:
        self.meter = meter
        self.poll_seconds = poll_seconds
        self._path = path
        self._clock = clock
        self._rows: list[Reading] | None = None

    async def read(self) -> Reading:
        if self._rows is None:
            watch = Watch(self.meter)
            self._rows = [watch.judge(row) for row in rows(self._path, self.meter.id)]
        now = self._clock.now()
        position = bisect_right(self._rows, now, key=lambda row: row.taken_at)
        if position == 0:
            begins = self._rows[0].taken_at.isoformat() if self._rows else "never"
            note = f"{self._path.name} has no row yet: it begins {begins}"
            return Reading(meter=self.meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)
        return self._rows[position - 1]

    async def close(self) -> None:
        self._rows = None


def rows(path: Path, meter: str) -> list[Reading]:
    """All readings of a file, oldest first. ImportFileError lists every row that cannot be read."""
    if not path.is_file():
        raise ImportFileError(str(path), [Mistake("file", "there is no such file")])
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        columns = set(table.fieldnames or ())
        if "taken_at" not in columns or not columns & set(VALUES):
            way_out = f"needs the columns taken_at and at least one of {', '.join(VALUES)}"
            raise ImportFileError(str(path), [Mistake("line 1", way_out)])
        mistakes: list[Mistake] = []
        found = [_row(row, table.line_num, meter, mistakes) for row in table]
    if mistakes:
        raise ImportFileError(str(path), mistakes)
    return sorted((row for row in found if row is not None), key=lambda row: row.taken_at)


def _row(row: dict[str, str], line: int, meter: str, mistakes: list[Mistake]) -> Reading | None:
    try:
        taken_at = aware(datetime.fromisoformat(row["taken_at"].strip()))
        said = {name: float(row[name]) if (row.get(name) or "").strip() else None for name in VALUES}
    except (ValueError, AttributeError) as error:
        mistakes.append(Mistake(f"line {line}", str(error)))
        return None
    values = {name: value if known(value) else None for name, value in said.items()}
    quality = ReadingQuality.GOOD if any(v is not None for v in values.values()) else ReadingQuality.NO_ANSWER
    return Reading(
        meter=meter,
        taken_at=taken_at,
        import_kwh=values["import_kwh"],
        export_kwh=values["export_kwh"],
        power_kw=values["power_kw"],
        quality=quality,
    )
