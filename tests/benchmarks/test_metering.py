"""The metering benchmark: every part says what it measured, or NOT RUN, and the table finds its place."""

import json
import shutil
from argparse import Namespace

import pytest

from benchmarks.metering import __main__ as bench
from benchmarks.metering import queries, reads, wire


def test_reads_are_measured_beside_libmodbus():
    try:
        wire.program("libmodbus_reads", "modbus")
    except wire.NotRunError as error:
        pytest.skip(f"NOT RUN: {error}")
    costs = reads.run(connections=2, seconds=0.05, rounds=1)
    assert [one.way for one in costs] == list(reads.WAYS)
    assert all(one.cpu_us > 0 and one.reads_per_second > 0 for one in costs)
    assert (costs[0].cpu_ratio, costs[0].speed_ratio) == (1.0, 1.0)


def test_every_page_answers_on_a_store_of_some_days(tmp_path):
    service = queries.filled(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}", meters=2, days=3)
    for page, call in queries.pages(service).items():
        assert queries.timed(page, "SQLite", call, rounds=1).median_ms > 0
    row = service.meters_page().rows[0]
    assert row.reads_per_minute == pytest.approx(6, abs=0.3)
    assert row.energy_today_kwh > 0


def test_without_a_compiler_it_is_said(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    wire.program.cache_clear()
    (row,) = bench.measured("reads", Namespace(sample=True))
    wire.program.cache_clear()
    assert row.good is None
    assert row.found.startswith("NOT RUN: there is no C compiler")
    assert "NOT RUN: reads" in capsys.readouterr().err


def test_the_table_takes_the_place_of_the_old_one(monkeypatch, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"# Before\n\n{bench.BEGIN}\nold\n{bench.END}\nafter\n")
    rows = [bench.Row(what="a", found="1", wanted="0", good=False), bench.Row(what="b", found="2", good=True)]
    monkeypatch.setattr(bench, "README", readme)
    monkeypatch.setitem(bench.PARTS, "faults", lambda asked: iter(rows))
    assert bench.main(["--only", "faults", "--write", "--json", str(tmp_path / "rows.json")]) == 1
    text = readme.read_text()
    assert "| a | 1 | 0 | NO |" in text
    assert "old" not in text
    assert text.endswith(f"{bench.END}\nafter\n")
    assert [row["good"] for row in json.loads((tmp_path / "rows.json").read_text())] == [False, True]
    assert "| b | 2 |  |  |" in capsys.readouterr().out


def test_the_real_page_has_a_place_for_the_table():
    assert bench.with_table(bench.README.read_text(encoding="utf-8"), "NEW").count("NEW") == 1
