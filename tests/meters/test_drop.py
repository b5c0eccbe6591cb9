"""Files that gateways and utilities put into a folder: whole, once, and nothing of what is wrong."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from energy.clock import SystemClock
from energy.model.horizon import Interval
from energy.model.meter import IntervalEnergy, Reading, ReadingQuality
from energy.store import Store
from meters.collector import Collector, of_kind
from meters.drop import Settings, build
from meters.drop.folder import Folder
from tests.meters.listening import context, listening
from tests.meters.wire import meter, run, until

STANDS = {"folder": "in", "columns": {"total_import": {"column": "kWh"}}, "steady_seconds": 0, "poll_seconds": 0.02}
SCALED = {"total_import": {"column": "x", "scale": 40}}
T = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)


def settings(**said: Any) -> Settings:
    return Settings.model_validate(STANDS | said)


def put(tmp_path: Path, name: str, text: str) -> Path:
    """As a gateway should: written under another name, then renamed."""
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    (folder / f".{name}").write_text(text)
    return (folder / f".{name}").rename(folder / name)


def stands(count: int, begin: int = 0) -> str:
    rows = [f"{(T + timedelta(minutes=begin + i)).isoformat()},{100 + begin + i}" for i in range(count)]
    return "\n".join(["time,kWh", *rows]) + "\n"


def names(tmp_path: Path, folder: str = "") -> set[str]:
    here = tmp_path / "in" / folder
    return {path.name for path in here.iterdir() if path.is_file()} if here.exists() else set()


@pytest.mark.parametrize(
    ("said", "text", "readings"),
    [
        ({}, "time,kWh\n2026-05-18T12:00:00Z,100.5\n", [(T, 100.5, None)]),
        (
            {
                "columns": {"total_import": {"column": "Stand", "unit": "MWh"}, "power": {"column": "Wirk", "unit": "W"}},
                "time": "Datum+Zeit",
            },
            "Firma;;;\nDatum;Zeit;Stand;Wirk\n18.05.2026;14:00:00;1,5;2.500,0\n18.05.2026;14:07:00;1,51;\n",
            [(T, 1500.0, 2.5), (T + timedelta(minutes=7), 1510.0, None)],
        ),
        ({"zone": "UTC"}, "time,kWh\n2026-05-18 12:00,7\n2026-05-18 12:00,7\n2026-05-18 12:01,-\n", [(T, 7.0, None)]),
        (
            {"time_format": "%d/%m/%y %H%M", "time": "time", "zone": "UTC", "columns": SCALED},
            "time,x\n18/05/26 1200,2\n",
            [(T, 80.0, None)],
        ),
        (  # the hour that comes twice: told apart by the order of the rows
            {},
            "time,kWh\n2026-10-25 02:30,1\n2026-10-25 02:50,2\n2026-10-25 02:10,3\n",
            [
                (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 1.0, None),
                (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), 2.0, None),
                (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), 3.0, None),
            ],
        ),
    ],
    ids=["iso", "german", "twice", "format", "clock change"],
)  # fmt: skip
def test_a_file_of_stands(tmp_path, said, text, readings):
    async def test():
        put(tmp_path, "a.csv", text)
        async with listening(build(settings(**said), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: names(tmp_path, "done") == {"a.csv"})
        assert [(r.taken_at, r.import_kwh, r.power_kw) for r in heard.good] == readings
        assert names(tmp_path) == set()

    run(test(), 60)


def test_all_mistakes_of_a_bad_file_are_said_and_nothing_of_it_is_kept(tmp_path):
    async def test():
        put(tmp_path, "bad.csv", "time,kWh\n2026-05-18T12:00:00Z,1\nyesterday,2\n2026-05-18T12:02:00Z,many\n")
        put(tmp_path, "empty.csv", "time,kWh\n")
        put(tmp_path, "other.csv", "Zeit,Stand\n2026-05-18T12:00:00Z,1\n")
        put(tmp_path, "well.csv", stands(1))
        async with listening(build(settings(), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: h.good)
            await heard.until(lambda h: names(tmp_path) == set())
        assert [r.import_kwh for r in heard.good] == [100.0]
        why = (tmp_path / "in" / "bad" / "bad.csv.why.txt").read_text()
        assert "line 3, column time: 'yesterday' is not a time" in why
        assert "line 4, column kWh: 'many' is not a number" in why
        assert {"bad.csv", "empty.csv", "other.csv"} <= names(tmp_path, "bad")
        assert any(note.startswith("bad.csv: line 3") and "it was put into bad/" in note for note in heard.notes)

    run(test(), 60)


def test_a_file_is_whole_when_it_no_longer_changes(tmp_path):
    folder = Folder(tmp_path, "*.csv", steady_seconds=5)
    path = tmp_path / "a.csv"
    path.write_text("time")
    (tmp_path / "b.csv.part").write_text("half")
    (tmp_path / ".c.csv").write_text("hidden")
    (tmp_path / "d.csv").write_text("")  # nothing in it yet
    (tmp_path / "e.txt").write_text("not meant")
    assert folder.whole(0) == []
    assert folder.whole(4) == []
    path.write_text("time,kWh")  # it grows
    assert folder.whole(6) == []
    os.utime(path, (1, 1))  # it was touched
    assert folder.whole(10) == []
    assert folder.whole(14) == []
    assert folder.whole(15) == [path]


def test_a_link_to_elsewhere_is_not_read(tmp_path, caplog):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_text("of nobody's business")
    (tmp_path / "in" / "a.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "in" / "b.csv").write_text("time,kWh")
    (tmp_path / "in" / "c.csv").symlink_to(tmp_path / "in" / "b.csv")
    folder = Folder(tmp_path / "in", "*.csv", steady_seconds=0)
    assert [[path.name for path in folder.whole(now)] for now in (0, 1)] == [["b.csv", "c.csv"]] * 2
    assert caplog.text.count("a.csv is a link to elsewhere") == 1


def test_files_of_one_name_do_not_push_each_other_out(tmp_path):
    async def test():
        async with listening(build(settings(), context(folder=str(tmp_path)))) as heard:
            for begin in (0, 10):
                put(tmp_path, "today.csv", stands(2, begin))
                await heard.until(lambda h: names(tmp_path) == set())
                await heard.until(lambda h, begin=begin: len(h.good) == 2 + begin // 5)
            await heard.until(lambda h: len(names(tmp_path, "done")) == 2)
        assert [r.import_kwh for r in heard.good] == [100, 101, 110, 111]

    run(test(), 60)


def test_a_counter_that_cannot_be_is_doubted(tmp_path):
    async def test():
        put(
            tmp_path,
            "a.csv",
            "time,kWh\n2026-05-18T12:00:00Z,100\n2026-05-18T12:01:00Z,90000\n2026-05-18T12:02:00Z,101\n",
        )
        async with listening(build(settings(), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: len(h.readings) == 3)
        assert [r.quality.value for r in heard.readings] == ["good", "suspect", "good"]

    run(test(), 60)


def test_nothing_is_lost_and_nothing_twice_however_often_it_breaks(tmp_path):
    """A store that fails again and again, and a collector that is ended in the middle of a file."""

    class Broken(Exception):
        pass

    async def test():
        store = Store.open(f"sqlite:///{tmp_path}/store.sqlite", "s")
        try:
            store.put_meters([meter()])
            put(tmp_path, "a.csv", stands(3_000))
            put(tmp_path, "b.csv", stands(500, 3_000))
            calls = 0

            def keep(readings: Sequence[Reading]) -> None:
                nonlocal calls
                calls += 1
                if calls in (2, 5, 9):
                    raise Broken
                with store.unit(durable=True):
                    store.readings.add(readings)

            for life in range(5):
                made = build(settings(), context(folder=str(tmp_path)))
                collector = Collector(
                    [of_kind(made, 1.0)], keep, SystemClock(), batch_seconds=0.02, flush_seconds=0.1, most_in_batch=700
                )
                running = asyncio.create_task(collector.run())
                began = calls
                await until(lambda ends=began + 3 if life < 4 else 1_000: calls >= ends or names(tmp_path) == set(), 30)
                collector.stop()
                await running
                if names(tmp_path) == set():
                    break
            assert names(tmp_path, "done") == {"a.csv", "b.csv"}
            there = store.readings.of("m", Interval(T, T + timedelta(days=30)))
            good = [r.import_kwh for r in there if r.quality is ReadingQuality.GOOD]
            assert good == [100.0 + i for i in range(3_500)]
        finally:
            store.close()

    run(test(), 120)  # fmt: skip


def test_energy_by_interval_is_kept_as_such(tmp_path):
    kept: list[IntervalEnergy] = []

    async def test():
        said = settings(
            says="intervals",
            columns={"total_export": {"column": "out"}, "total_import": {"column": "in"}},
            stamps="end",
            zone="UTC",
        )
        put(tmp_path, "a.csv", "time,in,out\n2026-05-18 12:15,1.5,0\n2026-05-18 12:30,2,0.5\n2026-05-18 12:45,,\n")
        put(tmp_path, "bad.csv", "time,in,out\n2026-05-18 12:15,9999,0\n2026-05-18 12:30,2,0\n")
        listener = build(said, context(folder=str(tmp_path)))
        listener.keep_intervals = lambda intervals, source: kept.extend(intervals)
        async with listening(listener) as heard:
            await heard.until(lambda h: names(tmp_path) == set() and len(names(tmp_path, "bad")) == 2)
        assert [(i.start, i.import_kwh, i.export_kwh) for i in kept] == [
            (T, 1.5, 0.0),
            (T + timedelta(minutes=15), 2.0, 0.5),
        ]
        assert "9999 kWh is more than the connection can carry" in heard.notes[0]

    run(test(), 60)


def test_who_only_has_a_look_moves_nothing(tmp_path):
    async def test():
        put(tmp_path, "a.csv", stands(3))
        put(tmp_path, "bad.csv", "x")
        async with listening(build(settings(), context(folder=str(tmp_path))), keeping=False) as heard:
            await heard.until(lambda h: h.good)
        assert heard.good[0].import_kwh == 102.0
        assert names(tmp_path) == {"a.csv", "bad.csv"}

    run(test(), 60)


def test_no_folder_no_file_and_no_store_are_said(tmp_path):
    async def test():
        async with listening(build(settings(), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: h.notes)
        assert "in cannot be read (No such file or directory)" in heard.notes[0]
        (tmp_path / "in").mkdir()
        async with listening(build(settings(silent_after_hours=1e-5), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: len(h.notes) > 1)
        assert "no file came into" in heard.notes[-1]
        put(tmp_path, "a.csv", "time,kWh\n2026-05-18 12:15,1\n2026-05-18 12:30,2\n")
        async with listening(build(settings(says="intervals"), context(folder=str(tmp_path)))) as heard:
            await heard.until(lambda h: h.notes)
        assert "which only the collector beside the store can keep" in heard.notes[0]
        assert names(tmp_path) == {"a.csv"}

    run(test(), 60)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"columns": {"powr": {"column": "x"}}}, "did you mean 'power'"),
        ({"columns": {"power": {"column": "x", "unit": "kWh"}}}, "'kWh' is no unit of it"),
        ({"says": "intervals", "columns": {"power": {"column": "x", "unit": "kW"}}}, "intervals have total_import"),
        ({"net": True}, "counters have no sign"),
        ({"pattern": "../*.csv"}, "of names in the folder"),
        ({"zone": "Mars/North"}, "there is no zone"),
    ],
)
def test_settings_that_cannot_be(said, told):
    with pytest.raises(ValidationError, match=told):
        settings(**said)
