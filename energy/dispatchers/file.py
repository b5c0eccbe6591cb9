"""Instructions as a CSV and a calendar file in a folder that the floor's systems read. The kind to copy."""

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from energy.dispatchers.ical import calendar_text, read_events, updated
from energy.errors import LoadstoneError
from energy.exchange.rows import replace_text, write_rows
from energy.model.proposal import Instruction, Receipt
from energy.model.site import Site
from energy.ports import Context

COLUMNS = ("instruction", "offer", "job", "machine", "mode", "start", "end", "old_machine", "old_start", "text")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(Path("var/dispatch"), description="where instructions.csv and plan.ics are written")
    keep_days: int = Field(60, ge=1, le=3660, description="rows of jobs that ended longer ago are dropped")


class FileDispatcher:
    """Keeps one row a job: a newer instruction on a job takes the place of the older one. Sending an instruction a
    second time changes nothing."""

    name = "file"

    def __init__(self, settings: Settings, context: Context) -> None:
        self.folder = Path(context.folder) / settings.folder
        self.keep = timedelta(days=settings.keep_days)
        self.clock = context.clock

    def send(self, instructions: Sequence[Instruction], site: Site) -> Sequence[Receipt]:
        at = self.clock.now()
        where = self.folder / "instructions.csv"
        try:
            self._write(where, instructions, site, at)
        except (OSError, LoadstoneError) as error:
            return [self._receipt(i, at, where, ok=False, note=str(error)) for i in instructions]
        return [self._receipt(i, at, where, ok=True) for i in instructions]

    def _write(self, where: Path, instructions: Sequence[Instruction], site: Site, at: datetime) -> None:
        rows = {row["job"]: row for row in _read(where, at - self.keep)}
        rows |= {i.planned.job: _row(i) for i in instructions}
        write_rows(where, COLUMNS, list(rows.values()))
        plan = self.folder / "plan.ics"
        events = read_events(plan.read_bytes().decode()) if plan.exists() else {}
        kept = {uid: event for uid, event in events.items() if event.end > at - self.keep}
        replace_text(plan, calendar_text(updated(kept, instructions, site, at)))

    def _receipt(self, instruction: Instruction, at: datetime, where: Path, *, ok: bool, note: str = "") -> Receipt:
        return Receipt(instruction=instruction.id, dispatcher=self.name, at=at, where=str(where), ok=ok, note=note)


def _read(path: Path, since: datetime) -> list[dict[str, str]]:
    """The rows of jobs that end after an instant."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            if tuple(reader.fieldnames or ()) == COLUMNS:
                return [row for row in reader if datetime.fromisoformat(row["end"]) > since]
        except (ValueError, TypeError):
            pass  # said below
    raise LoadstoneError(f"{path} is not a file of instructions; move it away, and it is written anew")


def _row(instruction: Instruction) -> dict[str, str]:
    new, old = instruction.planned, instruction.old
    return {
        "instruction": instruction.id,
        "offer": instruction.offer,
        "job": new.job,
        "machine": new.machine,
        "mode": new.mode,
        "start": new.start.isoformat(),
        "end": new.end.isoformat(),
        "old_machine": old.machine,
        "old_start": old.start.isoformat(),
        "text": instruction.text,
    }


def build(settings: Settings, context: Context) -> FileDispatcher:
    return FileDispatcher(settings, context)
