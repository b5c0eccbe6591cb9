"""Order files: what a planning system writes becomes jobs; bad rows are named, good ones kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from energy.clock import HeldClock
from energy.errors import ImportFileError
from energy.exchange.orders import read_jobs, read_runs, write_jobs, write_runs
from energy.model.calendar import Attended
from energy.model.job import Follows, Job, JobState, Mode, Need
from energy.model.run import JobRun, RunSource
from energy.model.site import Machine, Site
from energy.orders import file
from energy.ports import Context

ZONE = "Europe/Berlin"
HEADER = (
    "order,job,product,quantity,unit,machine,planned_start,earliest,due,minutes,power_kw,alternatives,skill,people,"
    "attended,follows,flexible,priority\n"
)
GOOD = (
    "A7,2031,coil rings,120,pcs,furnace-1,2026-05-18 06:00,,2026-05-19,210,240/210/180,"
    "furnace-2:195:250/220; furnace-3[eco]:3:40:180,furnace; crane,1; 2,run; ends,2030+30..240; 2029,yes,2\n"
)


def written(tmp_path: Path, text: str, name: str = "jobs.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_a_row_becomes_a_job(tmp_path):
    read = read_jobs(written(tmp_path, HEADER + GOOD), ZONE)
    assert read.bad == ()
    assert read.jobs == (
        Job(
            id="2031",
            order="A7",
            product="coil rings",
            quantity=120.0,
            unit="pcs",
            modes=(
                Mode(machine="furnace-1", minutes=210, power_kw=(240.0, 210.0, 180.0)),
                Mode(machine="furnace-2", minutes=195, power_kw=(250.0, 220.0)),
                Mode(machine="furnace-3", minutes=220, power_kw=(180.0,), name="eco"),
            ),
            due=datetime(2026, 5, 19, 22, tzinfo=UTC),
            planned_start=datetime(2026, 5, 18, 4, tzinfo=UTC),
            planned_machine="furnace-1",
            needs=(Need(skill="furnace", people=1), Need(skill="crane", people=2, attended=Attended.ENDS)),
            follows=(Follows(job="2030", at_least_minutes=30, at_most_minutes=240), Follows(job="2029")),
            priority=2,
        ),
    )
    assert read.notes == (
        "job 2031 follows 2030, which is not in this file",
        "job 2031 follows 2029, which is not in this file",
    )


def test_every_mistake_of_every_bad_row_is_named_and_good_rows_are_kept(tmp_path):
    bad = (
        "A8,2032,rings,many,pcs,furnace-9,tomorrow,,2026-05-19,0,240/-1,,furnace,1;2,,,maybe,2\n"
        "A9,2031,again,1,pcs,furnace-1,,,2026-05-19,60,100,,,,,2031,,\n"
        ",,nothing,1,pcs,furnace-1,,,,60,100,furnace-2,,2,,a+5..1,,\n"
    )
    read = read_jobs(written(tmp_path, HEADER + GOOD + bad), ZONE, machines=["furnace-1", "furnace-2", "furnace-3"])
    assert [job.id for job in read.jobs] == ["2031"]
    assert not read.complete
    assert [(m.where, m.what) for m in read.bad] == [
        ("line 3, column machine", "no machine 'furnace-9'; did you mean 'furnace-3'?"),
        ("line 3, column minutes", "'0' is not a duration in minutes between 1 and 43200"),
        ("line 3, column power_kw", "'240/-1': a job draws between 0 and 1 000 000 kW"),
        ("line 3, column quantity", "'many' is not a number"),
        ("line 3, column planned_start", "'tomorrow' is not a time; write it as 2026-05-18 06:00 or 18.05.2026 06:00"),
        ("line 3, column people", "says 2 for 1 skills; give one each, or one for all"),
        ("line 3, column flexible", "'maybe' is neither yes nor no"),
        ("line 4, column follows", "job '2031' cannot follow itself"),
        ("line 5, column job", "has no number: fill in job or order"),
        ("line 5, column alternatives", "'furnace-2' is not machine:minutes:kW, like furnace-2:195:250/220"),
        ("line 5, column due", "is empty"),
        ("line 5, column follows", "'a+5..1': at most 1 min is less than at least 5 min"),
        ("line 5, column skill", "is empty, though people are needed; name their skill"),
    ]


def test_a_job_number_that_comes_twice_is_a_bad_row(tmp_path):
    read = read_jobs(written(tmp_path, HEADER + GOOD + GOOD), ZONE)
    assert [str(m) for m in read.bad] == ["line 3, column job: job '2031' stands on line 2 already"]
    assert len(read.jobs) == 1


def test_a_german_export_with_semicolons_decimal_comma_and_old_encoding(tmp_path):
    text = (
        "Auftragsliste Werk 2;;;;;;;;\n"
        "Auftrag;Vorgang;Artikel;Menge;Einheit;Maschine;Geplanter Start;Fällig am;Dauer (min);Leistung [kW];"
        "Verschiebbar\n"
        "4711;0010;Gehäuse;1.250,5;kg;furnace-1;18.05.2026 06:00;19.05.2026;210;240,5/180;nein\n"
    )
    read = read_jobs(written(tmp_path, text, encoding="cp1252"), ZONE)
    assert read.bad == ()
    job = read.jobs[0]
    assert (job.id, job.order, job.product, job.quantity) == ("4711-0010", "4711", "Gehäuse", 1250.5)
    assert (job.modes[0].power_kw, job.flexible) == ((240.5, 180.0), False)
    assert read.notes == ("not UTF-8; read as Windows-1252",)


def test_a_spreadsheet_with_real_dates_and_numbers(tmp_path):
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["order", "quantity", "machine", "planned_start", "due", "minutes", "power_kw"])
    start, due = datetime.fromisoformat("2026-05-18T06:00"), datetime.fromisoformat("2026-05-19T14:00")
    sheet.append([4711, 120.5, "furnace-1", start, due, 210, 240])
    sheet.append([4712, 10, "furnace-1", None, "2026-05-20", 60, "100/80"])
    sheet.append([4713, 10, "furnace-1", None, None, 60, 100])
    path = tmp_path / "jobs.xlsx"
    book.save(path)
    read = read_jobs(path, ZONE)
    assert [(job.id, job.quantity, job.due.hour) for job in read.jobs] == [("4711", 120.5, 12), ("4712", 10.0, 22)]
    assert read.jobs[0].planned_start == datetime(2026, 5, 18, 4, tzinfo=UTC)
    assert [str(m) for m in read.bad] == ["line 4, column due: is empty"]


def test_missing_columns_are_all_named(tmp_path):
    with pytest.raises(ImportFileError) as caught:
        read_jobs(written(tmp_path, "order,machine,start\n1,f,2026-05-18 06:00\n"), ZONE)
    assert [m.where for m in caught.value.mistakes] == [
        "column quantity",
        "column due",
        "column minutes",
        "column power_kw",
    ]


@pytest.mark.parametrize("name", ["jobs.csv", "jobs.xlsx"])
def test_a_file_that_is_none_is_said_so(tmp_path, name):
    with pytest.raises(ImportFileError, match=name):
        read_jobs(written(tmp_path, "", name), ZONE)


def test_a_quoted_line_break_does_not_shift_the_line_numbers(tmp_path):
    text = (
        'order,product,quantity,machine,due,minutes,power_kw\n1,"two\nlines",1,f,2026-05-18,60,100\n2,x,1,f,,60,100\n'
    )
    read = read_jobs(written(tmp_path, text), ZONE)
    assert read.jobs[0].product == "two\nlines"
    assert read.bad[0].where == "line 4, column due"


def test_a_plan_that_contradicts_itself_is_noted_and_kept(tmp_path):
    text = "order,quantity,machine,planned_start,earliest,due,minutes,power_kw\n"
    text += "1,1,f,2026-05-18 06:00,2026-05-18 08:00,2026-05-18 07:00,120,100\n"
    read = read_jobs(written(tmp_path, text), ZONE)
    assert len(read.jobs) == 1
    assert read.notes == (
        "job 1 cannot be ready when due: 120 min from its planned start",
        "job 1 is planned before its earliest start",
    )


words = st.text("abcXYZ0189 ,\"'üß/+-._#", min_size=1, max_size=12).map(str.strip).filter(bool)
ids = words.filter(lambda word: word.lower() != "any")
machines = st.sampled_from(["furnace-1", "furnace-2", "press-1", "galvanic"])
amounts = st.floats(0, 1e5, allow_nan=False)
times = st.integers(1_600_000_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
modes = st.builds(
    Mode,
    machine=machines,
    minutes=st.integers(1, 3000),
    power_kw=st.lists(amounts, min_size=1, max_size=4).map(tuple),
    name=st.sampled_from(["", "eco", "night run"]),
)
needs = st.builds(
    Need,
    skill=words,
    people=st.integers(1, 9),
    attended=st.sampled_from(Attended),
)
follows = st.builds(
    Follows, job=words, at_least_minutes=st.integers(0, 500), at_most_minutes=st.none() | st.integers(500, 900)
)


@st.composite
def jobs(draw):
    ways = tuple(draw(st.lists(modes, min_size=1, max_size=3, unique_by=lambda m: (m.machine, m.name))))
    id = draw(ids)
    return Job(
        id=id,
        order=draw(words),
        product=draw(st.just("") | words),
        quantity=draw(amounts),
        unit=draw(st.sampled_from(["", "pcs", "kg"])),
        modes=ways,
        due=draw(times),
        earliest=draw(st.none() | times),
        planned_start=draw(st.none() | times),
        planned_machine=draw(st.none() | st.sampled_from([mode.machine for mode in ways])),
        needs=tuple(draw(st.lists(needs, max_size=2))),
        follows=tuple(f for f in draw(st.lists(follows, max_size=2)) if f.job != id),
        flexible=draw(st.booleans()),
        priority=draw(st.integers(-5, 100)),
        late_price_per_hour=draw(amounts),
        move_price=draw(amounts),
        state=draw(st.sampled_from(JobState)),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(jobs(), max_size=4, unique_by=lambda job: job.id))
def test_what_is_written_is_read_back_as_the_same_jobs(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("round") / "jobs.csv"
    write_jobs(path, made)
    read = read_jobs(path, ZONE)
    assert read.bad == ()
    assert list(read.jobs) == made


def test_what_the_notation_cannot_say_is_not_written(tmp_path):
    read = read_jobs(written(tmp_path, HEADER + GOOD), ZONE)
    job = replace(read.jobs[0], needs=(Need(skill="furnace; crane"),))
    with pytest.raises(ValueError, match="holds one of ;"):
        write_jobs(tmp_path / "again.csv", [job])
    assert not (tmp_path / "again.csv").exists()


runs = st.builds(
    lambda job, machine, start, length, **rest: JobRun(
        job=job, machine=machine, start=start, end=None if length is None else start + length, **rest
    ),
    job=words,
    machine=machines,
    start=times,
    length=st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    kwh=st.none() | amounts,
    source=st.sampled_from(RunSource),
    good_quantity=st.none() | amounts,
    note=st.just("") | words,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(runs, max_size=4, unique_by=lambda run: (run.job, run.start)))
def test_what_is_written_is_read_back_as_the_same_runs(tmp_path_factory, made):
    path = tmp_path_factory.mktemp("round") / "runs.csv"
    write_runs(path, made)
    read = read_runs(path, ZONE)
    assert read.bad == ()
    assert list(read.runs) == made


def test_bad_runs_are_named(tmp_path):
    text = "job,machine,start,end,kwh,source\n1,f,2026-05-18 06:00,2026-05-18 05:00,-3,guess\n2,f,2026-05-18 06:00,,,\n"
    read = read_runs(written(tmp_path, text, "runs.csv"), ZONE)
    assert [run.job for run in read.runs] == ["2"]
    assert read.runs[0].end is None
    assert [str(m) for m in read.bad] == [
        "line 2, column kwh: '-3' is below zero",
        "line 2, column source: 'guess' is not who says so; known: mes, meter, assumed",
        "line 2, column end: is not after the start",
    ]


@pytest.fixture
def context(tmp_path):
    site = Site(
        id="plant",
        name="Plant",
        zone=ZONE,
        currency="EUR",
        import_limit_kw=1000,
        export_limit_kw=0,
        machines=tuple(Machine(id=f"furnace-{n}", name="", group="furnaces") for n in (1, 2, 3)),
    )
    return Context(site=site, clock=HeldClock(datetime(2026, 5, 18, tzinfo=UTC)), folder=str(tmp_path))


def test_the_source_reads_both_files_and_a_missing_one_says_nothing(tmp_path, context):
    source = file.build(file.Settings(jobs=Path("jobs.csv"), runs=Path("runs.csv")), context)
    assert (source.jobs(), source.runs(), source.complete) == ((), (), False)
    written(tmp_path, HEADER + GOOD)
    assert [job.id for job in source.jobs()] == ["2031"]
    assert source.complete


def test_the_source_is_not_complete_while_a_row_is_bad(tmp_path, context):
    source = file.build(file.Settings(jobs=Path("jobs.csv")), context)
    written(tmp_path, HEADER + GOOD + GOOD.replace("2031", "2032").replace("furnace-1,", "oven,"))
    assert [job.id for job in source.jobs()] == ["2031"]
    assert not source.complete
    assert [str(m) for m in source.bad] == [
        "line 3, column machine: no machine 'oven'; known: furnace-1, furnace-2, furnace-3"
    ]
