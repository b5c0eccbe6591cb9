"""Production orders and what ran, in files: rows of a planning system ↔ jobs and runs. `docs/orders.md` shows the
columns.

A bad row is reported with line, column and reason; the good ones are kept. What `write_jobs` writes, `read_jobs` reads
back as the same jobs (the revision is the store's, not the file's).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from energy.errors import Mistake
from energy.exchange.cells import end_of, instant, number, start_of, whole, yes
from energy.exchange.modes import follows_of, modes_of, needs_of, without, written_follows, written_mode, written_powers
from energy.exchange.rows import RowReader, write_rows
from energy.exchange.runs import RunsRead, read_runs, write_runs
from energy.exchange.table import Column, Row, read_table
from energy.model.job import Job, JobState

__all__ = ["COLUMNS", "JobsRead", "RunsRead", "read_jobs", "read_runs", "write_jobs", "write_runs"]

COLUMNS = (
    Column(name="order", aliases=("auftrag", "auftragsnummer", "auftrags_nr", "fertigungsauftrag", "order_number")),
    Column(name="job", aliases=("job_id", "id", "auftragsposition")),
    Column(name="operation", aliases=("vorgang", "arbeitsgang", "op")),
    Column(name="product", aliases=("produkt", "artikel", "material", "teil", "part")),
    Column(name="quantity", aliases=("menge", "stückzahl", "stueckzahl", "qty"), needed=True, number=True),
    Column(name="unit", aliases=("einheit", "mengeneinheit", "uom")),
    Column(name="machine", aliases=("maschine", "anlage", "arbeitsplatz", "ressource", "resource"), needed=True),
    Column(name="mode", aliases=("fahrweise", "modus")),
    Column(name="planned_machine", aliases=("geplante_maschine",)),
    Column(
        name="planned_start", aliases=("start", "geplanter_start", "plan_start", "planstart", "starttermin", "beginn")
    ),
    Column(
        name="earliest", aliases=("frühester_start", "fruehester_start", "earliest_start", "release", "material_da")
    ),
    Column(
        name="due",
        aliases=("fällig", "faellig", "fällig_am", "liefertermin", "endtermin", "due_date", "termin"),
        needed=True,
    ),
    Column(name="minutes", aliases=("dauer", "dauer_min", "minuten", "duration", "laufzeit"), needed=True, number=True),
    Column(name="power_kw", aliases=("power", "leistung", "leistung_kw", "kw"), needed=True, number=True),
    Column(name="alternatives", aliases=("alternativen", "ausweichmaschinen")),
    Column(name="skill", aliases=("qualifikation", "skills")),
    Column(name="people", aliases=("personen", "mitarbeiter", "personal")),
    Column(name="attended", aliases=("bedient", "anwesenheit")),
    Column(name="follows", aliases=("nach", "folgt_auf", "vorgänger", "vorgaenger", "after", "predecessor")),
    Column(name="flexible", aliases=("flexibel", "verschiebbar")),
    Column(name="priority", aliases=("priorität", "prioritaet", "prio"), number=True),
    Column(name="late_price_per_hour", aliases=("verzugskosten",), number=True),
    Column(name="move_price", aliases=("verschiebekosten",), number=True),
    Column(name="state", aliases=("status", "zustand")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsRead:
    """What an order file says: the good rows as jobs, the bad ones as mistakes, and what else was noticed.
    Where there are bad rows the file is not the whole production plan: a job that is not in `jobs` may be in one."""

    jobs: tuple[Job, ...]
    bad: tuple[Mistake, ...]
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.bad


def read_jobs(path: Path, zone: str, *, machines: Collection[str] | None = None, sheet: str | None = None) -> JobsRead:
    """The jobs of a CSV or XLSX file; times without an offset are wall times of the zone. With `machines`, a machine
    that the plant does not have makes a bad row. ImportFileError where the file as a whole cannot be read."""
    table = read_table(path, COLUMNS, sheet)
    notes, bad = list(table.notes), []
    jobs: dict[str, tuple[Job, int]] = {}
    for row in table.rows:
        reader = RowReader(row, zone, table.decimal_comma, machines, notes)
        job = _job(reader)
        if job is not None and job.id in jobs:
            reader.wrong("job", f"job {job.id!r} stands on line {jobs[job.id][1]} already")
        bad += reader.bad
        if job is not None and not reader.bad:
            jobs[job.id] = (job, row.line)
    found = tuple(job for job, _ in jobs.values())
    return JobsRead(jobs=found, bad=tuple(bad), notes=tuple(notes + _notes(found)))


def _job(read: RowReader) -> Job | None:
    comma = read.decimal_comma
    id = _id(read.row)
    if not id:
        read.wrong("job", "has no number: fill in job or order")
    modes = modes_of(read)
    quantity = read.value("quantity", lambda text: number(text, comma), needed=True)
    due = read.time("due", end_of, needed=True)
    earliest = read.time("earliest", start_of)
    planned_start = read.time("planned_start", instant)
    follows = read.value("follows", follows_of) or ()
    needs = needs_of(read)
    flexible = read.value("flexible", yes, default=True)
    priority = read.value("priority", lambda text: whole(text, comma), default=0)
    late = read.value("late_price_per_hour", lambda text: _price(text, comma), default=500.0)
    move = read.value("move_price", lambda text: _price(text, comma), default=2.0)
    state = read.value("state", _state, default=JobState.RELEASED)
    planned_machine = _planned_machine(read)
    if planned_machine is not None and modes and planned_machine not in {mode.machine for mode in modes}:
        read.wrong("planned_machine", f"{planned_machine!r} is neither its machine nor one of its alternatives")
    if any(f.job == id for f in follows):
        read.wrong("follows", f"job {id!r} cannot follow itself")
    if read.bad or quantity is None or due is None:
        return None
    return Job(
        id=id,
        order=read.text("order") or id,
        product=read.text("product"),
        quantity=quantity,
        unit=read.text("unit"),
        modes=modes,
        due=due,
        earliest=earliest,
        planned_start=planned_start,
        planned_machine=planned_machine,
        needs=needs,
        follows=follows,
        flexible=bool(flexible),
        priority=priority or 0,
        late_price_per_hour=500.0 if late is None else late,
        move_price=2.0 if move is None else move,
        state=state or JobState.RELEASED,
    )


def _id(row: Row) -> str:
    """The job's own number, else order and operation, else the order's number."""
    job, order, operation = (row[name].text for name in ("job", "order", "operation"))
    return job or (f"{order}-{operation}" if order and operation else order)


def _planned_machine(read: RowReader) -> str | None:
    said = read.text("planned_machine")
    return None if said.lower() == "any" else said or read.text("machine") or None


def _price(text: str, decimal_comma: bool) -> float:
    value = number(text, decimal_comma)
    if value < 0:
        raise ValueError(f"{text!r} is below zero")
    return value


def _state(text: str) -> JobState:
    try:
        return JobState(text.strip().lower())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a state; known: {', '.join(JobState)}") from error


def _notes(jobs: Sequence[Job]) -> list[str]:
    """What a planner should know though it can be read: a plan that contradicts itself is reported, not repaired."""
    here = {job.id for job in jobs}
    notes = []
    for job in jobs:
        notes += [f"job {job.id} follows {f.job}, which is not in this file" for f in job.follows if f.job not in here]
        quickest = min(mode.minutes for mode in job.modes)
        start = job.planned_start or job.earliest
        if start is not None and (job.due - start).total_seconds() < quickest * 60:
            said = "planned start" if job.planned_start else "earliest start"
            notes.append(f"job {job.id} cannot be ready when due: {quickest} min from its {said}")
        if job.planned_start and job.earliest and job.planned_start < job.earliest:
            notes.append(f"job {job.id} is planned before its earliest start")
    return notes


def write_jobs(path: Path, jobs: Sequence[Job]) -> None:
    """Writes jobs as a CSV that `read_jobs` reads back as the same jobs; the file is replaced in one step."""
    names = [column.name for column in COLUMNS if column.name != "operation"]
    write_rows(path, names, [_written(job) for job in jobs])


def _written(job: Job) -> dict[str, str]:
    first, *others = job.modes
    return {
        "order": job.order,
        "job": job.id,
        "product": job.product,
        "quantity": repr(float(job.quantity)),
        "unit": job.unit,
        "machine": first.machine,
        "mode": first.name,
        "planned_machine": "any" if job.planned_machine is None else job.planned_machine,
        "planned_start": _time(job.planned_start),
        "earliest": _time(job.earliest),
        "due": _time(job.due),
        "minutes": str(first.minutes),
        "power_kw": written_powers(first.power_kw),
        "alternatives": "; ".join(written_mode(mode) for mode in others),
        "skill": "; ".join(without(need.skill, ";") for need in job.needs),
        "people": "; ".join(str(need.people) for need in job.needs),
        "attended": "; ".join(need.attended for need in job.needs),
        "follows": "; ".join(written_follows(f) for f in job.follows),
        "flexible": "yes" if job.flexible else "no",
        "priority": str(job.priority),
        "late_price_per_hour": repr(float(job.late_price_per_hour)),
        "move_price": repr(float(job.move_price)),
        "state": job.state,
    }


def _time(t: datetime | None) -> str:
    return "" if t is None else t.isoformat()
