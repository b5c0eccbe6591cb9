"""Whatever stands in an order file, it is read or named; nothing else comes out. And the examples of the docs work."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import ImportFileError
from energy.exchange.orders import read_jobs, read_runs

ROOT = Path(__file__).parent.parent.parent
HEADER = (
    "order;job;product;quantity;unit;machine;planned_start;earliest;due;minutes;power_kw;alternatives;skill;people;"
    "attended;follows;flexible;priority;state\n"
)
CELLS = ["", "1", "-1", "1,5", "1.234,5", "nan", "1e400", "2026-05-18 06:00", "18.05.2026", "99.99.2026 06:00", "0:00"]
CELLS += ["24:00", "240/210", "240//", "f:1:2", "f[:1:2", "f:1:2;;g:0:1", "a+1..0", "+", "+5", "x", "yes", "x: y", "²"]
CELLS += ["2026-05-18T06:00+99:00", "0001-01-01 00:00", "9999-12-31", "9999-12-31 23:59", '"', "'", "\u00a0", "1_000"]
CELLS += ["\u0661\u0662", "--5", "5-"]
cell = st.sampled_from(CELLS)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(cell, min_size=1, max_size=20), max_size=5))
def test_any_cells_are_read_or_named(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("fuzz") / "jobs.csv"
    path.write_text(HEADER + "\n".join(";".join(row) for row in table), encoding="utf-8")
    read = read_jobs(path, "Europe/Berlin")
    assert all(re.match(r"line \d+, column ", mistake.where) for mistake in read.bad)
    assert len({job.id for job in read.jobs}) == len(read.jobs)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.sampled_from(["csv", "xlsx"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("fuzz") / f"jobs.{suffix}"
    path.write_bytes(b"job,machine,start\n" + content)
    for read in (read_jobs, read_runs):
        try:
            read(path, "UTC")
        except ImportFileError as error:
            assert error.mistakes  # noqa: PT017 - either way is right


def test_the_example_of_the_docs_is_a_job(tmp_path):
    text = (ROOT / "docs" / "orders.md").read_text()
    (example,) = re.findall(r"```csv\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "jobs.csv").write_text(example)
    read = read_jobs(tmp_path / "jobs.csv", "Europe/Berlin")
    assert (len(read.jobs), read.bad) == (1, ())
    assert len(read.jobs[0].modes) == 3


def test_every_column_is_in_the_docs():
    from energy.exchange import orders, runs

    text = (ROOT / "docs" / "orders.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", text))
    assert {column.name for column in (*orders.COLUMNS, *runs.COLUMNS)} <= named
