"""What really ran, in files: rows of a production data system ↔ job runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from energy.errors import Mistake
from energy.exchange.cells import instant, number
from energy.exchange.rows import RowReader, write_rows
from energy.exchange.table import Column, read_table
from energy.model.run import JobRun, RunSource

COLUMNS = (
    Column(name="job", aliases=("job_id", "id", "auftrag", "order", "fertigungsauftrag"), needed=True),
    Column(name="machine", aliases=("maschine", "anlage", "arbeitsplatz"), needed=True),
    Column(name="start", aliases=("beginn", "ist_start", "actual_start", "started"), needed=True),
    Column(name="end", aliases=("ende", "ist_ende", "actual_end", "finished")),
    Column(name="kwh", aliases=("energy_kwh", "energie", "energie_kwh", "energy"), number=True),
    Column(name="source", aliases=("quelle",)),
    Column(name="good_quantity", aliases=("gutmenge", "yield", "good"), number=True),
    Column(name="note", aliases=("bemerkung", "notiz")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsRead:
    """What a file says has run: good rows, bad ones, and what else was noticed."""

    runs: tuple[JobRun, ...]
    bad: tuple[Mistake, ...]
    notes: tuple[str, ...] = ()


def read_runs(path: Path, zone: str, *, machines: Collection[str] | None = None, sheet: str | None = None) -> RunsRead:
    """The runs of a CSV or XLSX file; times without an offset are wall times of the zone. No end means it runs yet."""
    table = read_table(path, COLUMNS, sheet)
    notes, bad, runs = list(table.notes), [], {}
    for row in table.rows:
        reader = RowReader(row, zone, table.decimal_comma, machines, notes)
        run = _run(reader)
        if run is not None and (run.job, run.start) in runs:
            reader.wrong("start", f"job {run.job!r} already has a run that started then")
        bad += reader.bad
        if run is not None and not reader.bad:
            runs[run.job, run.start] = run
    return RunsRead(runs=tuple(runs.values()), bad=tuple(bad), notes=tuple(notes))


def _run(read: RowReader) -> JobRun | None:
    job = read.value("job", str, needed=True)
    machine = read.value("machine", lambda text: read.known_machine(text.strip()), needed=True)
    start = read.time("start", instant, needed=True)
    end = read.time("end", instant)
    kwh = read.value("kwh", lambda text: _amount(text, read.decimal_comma))
    source = read.value("source", _source, default=RunSource.MES)
    good = read.value("good_quantity", lambda text: _amount(text, read.decimal_comma))
    if start is not None and end is not None and end <= start:
        read.wrong("end", "is not after the start")
    if read.bad or job is None or machine is None or start is None or source is None:
        return None
    return JobRun(
        job=job,
        machine=machine,
        start=start,
        end=end,
        kwh=kwh,
        source=source,
        good_quantity=good,
        note=read.text("note"),
    )


def _amount(text: str, decimal_comma: bool) -> float:
    value = number(text, decimal_comma)
    if value < 0:
        raise ValueError(f"{text!r} is below zero")
    return value


def _source(text: str) -> RunSource:
    try:
        return RunSource(text.strip().lower())
    except ValueError as error:
        raise ValueError(f"{text!r} is not who says so; known: {', '.join(RunSource)}") from error


def write_runs(path: Path, runs: Sequence[JobRun]) -> None:
    """Writes runs as a CSV that `read_runs` reads back as the same runs; the file is replaced in one step."""
    write_rows(path, [column.name for column in COLUMNS], [_written(run) for run in runs])


def _written(run: JobRun) -> dict[str, str]:
    return {
        "job": run.job,
        "machine": run.machine,
        "start": run.start.isoformat(),
        "end": "" if run.end is None else run.end.isoformat(),
        "kwh": "" if run.kwh is None else repr(float(run.kwh)),
        "source": run.source,
        "good_quantity": "" if run.good_quantity is None else repr(float(run.good_quantity)),
        "note": run.note,
    }
