"""The buffer of an edge box: numbered, on disk, bounded, and honest about what it had to let go."""

import logging
import os
import resource
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.meter import Reading, ReadingQuality
from meters.edge import thinning
from meters.edge.buffer import Buffer, Cut
from meters.edge.status import look, release_held
from tests.api.door import T0, reading

Open = Callable[..., Buffer]
QUARTER = 900


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(
            closing(Buffer(tmp_path / "edge.sqlite", **{"max_bytes": 10**8} | more))
        )


def numbers(cut: Cut) -> list[int]:
    return [row.number for row in cut.rows]


def all_of(buffer: Buffer) -> list[Reading]:
    return [row.reading for row in buffer.cut(10**6).rows]


def test_readings_wait_in_order_and_survive_a_restart(opened: Open) -> None:
    first = opened()
    first.add([reading(n) for n in range(5)])
    again = opened()
    assert again.id == first.id
    cut = again.cut(3)
    assert (cut.first, cut.last, numbers(cut)) == (1, 3, [1, 2, 3])
    assert [row.reading for row in cut.rows] == [reading(n) for n in range(3)]
    again.acknowledge(cut)
    third = opened()
    assert numbers(third.cut(9)) == [4, 5]
    assert third.backlog().waiting == 2
    assert third.backlog().oldest_at == reading(3).taken_at


def test_a_number_is_never_used_twice(opened: Open) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(3)])
    buffer.acknowledge(buffer.cut(3))
    assert buffer.forget(T0 + timedelta(days=1), keep=0) == 3
    buffer.close()
    again = opened()
    again.add([reading(9)])
    assert numbers(again.cut(9)) == [4]
    assert again.cut(9).first == 4


def test_what_is_acknowledged_is_kept_a_while_and_can_be_sent_again(opened: Open) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(10)])
    buffer.acknowledge(buffer.cut(8))
    assert buffer.rewind(5) == 4
    assert buffer.backlog().waiting == 6
    cut = buffer.cut(9)
    assert (cut.first, numbers(cut), cut.lost_before) == (5, [5, 6, 7, 8, 9, 10], False)


def test_what_is_gone_is_said_to_be_gone_until_the_centre_has_heard_it(opened: Open) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(10)])
    buffer.acknowledge(buffer.cut(8))
    buffer.forget(reading(6).taken_at, keep=0)  # 1 to 6
    assert buffer.rewind(3) == 2
    for one in (buffer, opened()):  # a restart does not forget it
        cut = one.cut(2)
        assert (cut.first, cut.lost_before) == (7, True)
    buffer.acknowledge(buffer.cut(2))
    assert not buffer.cut(2).lost_before


def test_held_readings_wait_for_their_release_and_go_first(opened: Open, tmp_path: Path) -> None:
    buffer = opened()
    buffer.add([reading(n, "strange" if n % 2 else "m-1") for n in range(6)])
    buffer.hold([(row.number, "no such meter") for row in buffer.cut(9).rows if row.reading.meter == "strange"])
    assert (buffer.backlog().held, buffer.backlog().waiting) == (3, 3)
    assert numbers(buffer.cut(9)) == [1, 3, 5]
    buffer.acknowledge(buffer.cut(9))
    told = look(tmp_path / "edge.sqlite")
    assert "held: 3 readings of strange: no such meter" in told.lines and not told.well
    assert release_held(tmp_path / "edge.sqlite", "other") == 0
    assert release_held(tmp_path / "edge.sqlite", "strange") == 3  # from another process
    buffer.add([reading(9)])
    cut = buffer.cut(9)
    assert (cut.first, cut.last, numbers(cut)) == (2, 7, [2, 4, 6, 7])
    assert buffer.backlog().waiting == 4
    buffer.acknowledge(cut)
    assert (buffer.backlog().held, buffer.backlog().waiting, numbers(buffer.cut(9))) == (0, 0, [])


def test_what_is_released_while_a_batch_is_under_way_is_not_taken_for_sent(opened: Open) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(3)])
    buffer.hold([(2, "why")])
    under_way = buffer.cut(9)
    buffer.release()
    buffer.acknowledge(under_way)
    assert numbers(buffer.cut(9)) == [2]


def test_the_newest_good_reading_of_each_meter_is_what_a_restart_begins_from(opened: Open) -> None:
    buffer = opened()
    assert buffer.last_good() == {}
    buffer.add([reading(1), reading(2, "m-2"), reading(3), reading(4, quality=ReadingQuality.SUSPECT)])
    buffer.acknowledge(buffer.cut(9))
    buffer.forget(T0 + timedelta(days=9))
    assert opened().last_good() == {"m-1": reading(3), "m-2": reading(2, "m-2")}


def test_a_number_that_is_none_keeps_no_other_back(opened: Open) -> None:
    odd = replace(reading(1), power_kw=float("nan"), values=(("a", 1.0), ("b", float("inf"))))
    buffer = opened()
    buffer.add([odd, reading(2)])
    assert all_of(buffer) == [replace(odd, power_kw=None, values=(("a", 1.0),)), reading(2)]


def test_a_row_of_another_version_is_held_and_keeps_no_other_back(opened: Open) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(3)])
    buffer._db.execute("UPDATE reading SET body = replace(body, '{', '{\"moon\": 1, ') WHERE number = 2")
    assert numbers(buffer.cut(9)) == [1, 3]
    assert (buffer.backlog().held, buffer.backlog().waiting) == (1, 2)


# --- room ---


def edges_of(readings: Sequence[Reading], seconds: int) -> set[tuple[str, float]]:
    """The first and the last good reading of each meter in each slot."""
    slots: dict[tuple[str, int], list[float]] = defaultdict(list)
    for one in readings:
        if one.quality.counts:
            second = one.taken_at.timestamp()
            slots[one.meter, int(second // seconds)].append(second)
    return {(meter, edge(at)) for (meter, _), at in slots.items() for edge in (min, max)}


def test_a_full_buffer_thins_the_oldest_between_edges_and_says_so(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = opened(max_bytes=500_000)
    taken = [reading(30 * n, f"m-{meter}") for n in range(1000) for meter in (1, 2)]
    with caplog.at_level(logging.ERROR):
        for start in range(0, len(taken), 20):
            buffer.add(taken[start : start + 20])
    left, backlog = all_of(buffer), buffer.backlog()
    assert backlog.thinned > 0 and backlog.dropped == 0
    assert len(left) == backlog.waiting == len(taken) - backlog.thinned
    assert edges_of(taken, QUARTER) <= {(one.meter, one.taken_at.timestamp()) for one in left}
    assert [one for one in taken if one in left] == left  # in order, and none that was not taken
    assert taken[-200:] == left[-200:]  # the newest are whole
    assert buffer.used_bytes() <= 500_000
    assert "the buffer is full" in caplog.text


def test_when_only_edges_are_left_wider_ones_stay_and_the_newest_of_all(opened: Open) -> None:
    buffer = opened(max_bytes=400_000)
    taken = [reading(450 * n, f"m-{meter}") for n in range(2000) for meter in (1, 2)]  # two a quarter hour: all edges
    for start in range(0, len(taken), 50):
        buffer.add(taken[start : start + 50])
    left, backlog = all_of(buffer), buffer.backlog()
    assert backlog.dropped > 0
    assert len(left) == backlog.waiting == len(taken) - backlog.thinned - backlog.dropped
    assert edges_of(taken, 86_400) <= {(one.meter, one.taken_at.timestamp()) for one in left}
    assert {one.meter for one in left[-2:]} == {"m-1", "m-2"}


def test_acknowledged_readings_make_room_first(opened: Open) -> None:
    buffer = opened(max_bytes=500_000)
    for start in range(0, 1000, 50):
        buffer.add([reading(30 * n) for n in range(start, start + 50)])
        if start < 800:
            buffer.acknowledge(buffer.cut(50))
    buffer.add([reading(30 * n) for n in range(1000, 1500)])
    assert buffer.backlog().waiting == 700
    assert buffer.backlog().thinned == 0


def test_a_batch_that_does_not_fit_at_all_raises_and_harms_nothing(opened: Open) -> None:
    """SQLite itself says that the file is full; the collector keeps the batch and comes again."""
    buffer = opened(max_bytes=400_000)
    buffer.add([reading(n) for n in range(10)])
    with pytest.raises(sqlite3.OperationalError, match="full"):
        buffer.add([reading(900 * n) for n in range(5_000)])
    assert len(all_of(buffer)) == buffer.backlog().waiting == 10
    buffer.add([reading(11)])
    assert len(all_of(buffer)) == buffer.backlog().waiting == 11


DISK_FULL = """
import resource, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from energy.model.meter import Reading
from meters.edge.buffer import Buffer
def reading(second):
    at = datetime(2026, 5, 20, tzinfo=UTC) + timedelta(seconds=second)
    return Reading(meter="m-1", taken_at=at, import_kwh=1000.0 + second, power_kw=36.0)
buffer = Buffer(Path(sys.argv[1]), max_bytes=10**8)
kept = 0
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
for n in range(1000):
    try:
        buffer.add([reading(30 * kept + i) for i in range(20)])
        kept += 20
    except Exception as error:
        print(type(error).__name__, error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
buffer.add([reading(30 * kept + i) for i in range(20)])
kept += 20
backlog = buffer.backlog()
assert backlog.waiting + backlog.thinned + backlog.dropped == kept, (backlog, kept)
assert len(buffer.cut(10**6).rows) == backlog.waiting
print("kept", kept, "thinned", backlog.thinned)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="NOT RUN: the system cannot bound the size of files")
def test_a_full_disk_is_loud_and_heals(tmp_path: Path) -> None:
    """The system refuses to let the file grow, as a full disk does; later there is room again."""
    done = subprocess.run(
        [sys.executable, "-c", DISK_FULL, str(tmp_path / "edge.sqlite")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept" in done.stdout


# --- thinning as a rule of its own ---


@st.composite
def taken(draw: st.DrawFn) -> list[Reading]:
    """Some meters, read for some hours, now and then without a good answer."""
    made, second = [], 0
    for _ in range(draw(st.integers(100, 250))):
        second += draw(st.integers(1, 200))
        quality = draw(st.sampled_from([ReadingQuality.GOOD] * 4 + [ReadingQuality.NO_ANSWER, ReadingQuality.SUSPECT]))
        made.append(reading(second, draw(st.sampled_from(["m-1", "m-2", "m-3"])), quality=quality))
    return made


@settings(max_examples=15, deadline=None, derandomize=True)
@given(readings=taken(), portions=st.integers(1, 12))
def test_thinning_never_takes_the_energy_of_a_quarter_hour(readings: list[Reading], portions: int) -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    with closing(db):
        db.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT)")
        db.execute("CREATE TABLE reading (number INTEGER PRIMARY KEY, state INT, meter TEXT, taken_at INT, counts INT)")
        rows = [(0, r.meter, int(r.taken_at.timestamp() * 1e6), int(r.quality.counts)) for r in readings]
        db.executemany("INSERT INTO reading (state, meter, taken_at, counts) VALUES (?,?,?,?)", rows)
        gone = 0
        for _ in range(portions):
            went = thinning.thin(db, 0, 15)
            if went is None or went.dropped:
                break
            gone += went.thinned
            assert went.waiting == went.thinned
            left = db.execute("SELECT meter, taken_at FROM reading").fetchall()
            assert len(left) == len(readings) - gone
            assert edges_of(readings, QUARTER) <= {(meter, at / 1e6) for meter, at in left}


def test_each_level_is_wider_than_the_one_before() -> None:
    assert [minutes for minutes, _ in thinning.levels(15)] == [15, 60, 1440, thinning.EVER]
    assert [minutes for minutes, _ in thinning.levels(90)] == [90, 1440, thinning.EVER]


# --- a broken file ---


def broken_page(path: Path) -> None:
    """Garbage in the middle, as a power cut leaves it on a cheap card."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(range(256)) * 16)


def no_database(path: Path) -> None:
    path.write_bytes(b"\x00" * 10_000)


@pytest.mark.parametrize(("harm", "at_least"), [(broken_page, 100), (no_database, 0)])
def test_a_broken_buffer_is_moved_aside_and_goes_on(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None], at_least: int
) -> None:
    path = tmp_path / "edge.sqlite"
    first = opened()
    first.add([reading(n) for n in range(500)])
    first.acknowledge(first.cut(100))
    first.close()
    harm(path)
    with caplog.at_level(logging.ERROR):
        again = opened()
    assert again.id != first.id
    assert again.backlog().broken == 1
    assert len(list(tmp_path.glob("edge.sqlite.broken-*"))) >= 1
    assert "moved aside" in caplog.text
    rescued = all_of(again)
    assert len(rescued) >= at_least
    assert [one for one in (reading(n) for n in range(500)) if one in rescued] == rescued
    again.add([reading(900)])
    assert all_of(again)[-1] == reading(900)
    assert again.cut(9).first == 1


def test_broken_files_do_not_fill_the_disk(opened: Open, tmp_path: Path) -> None:
    for _ in range(5):
        opened().close()
        no_database(tmp_path / "edge.sqlite")
    buffer = opened()
    kept = [path for path in tmp_path.glob("*.broken-*") if not path.name.endswith(("-wal", "-shm"))]
    assert len(kept) == 3
    buffer.add([reading(1)])
    assert all_of(buffer) == [reading(1)]


def test_a_buffer_that_breaks_while_it_is_used_is_replaced_at_once(opened: Open, tmp_path: Path) -> None:
    buffer = opened()
    buffer.add([reading(n) for n in range(500)])
    buffer._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    no_database(tmp_path / "edge.sqlite")
    buffer._db.execute("PRAGMA shrink_memory").close()  # what it remembers of the file goes, so that it looks again
    with pytest.raises(sqlite3.DatabaseError):
        buffer.cut(10)
    buffer.add([reading(501)])
    assert all_of(buffer)[-1] == reading(501)
    assert buffer.backlog().broken == 1


def test_what_was_acknowledged_makes_no_look_longer(opened: Open) -> None:
    """A box keeps what it sent for a day or more: millions of readings that no batch may wait for."""

    def steps(kept: int) -> int:
        buffer = opened()
        buffer.add([reading(n) for n in range(kept)])
        buffer.acknowledge(buffer.cut(kept))
        held = buffer.cut(1).last + 1
        buffer.add([reading(10**6 + n) for n in range(20)])
        buffer.hold([(held, "who knows"), (held + 1, "who knows")])
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        buffer._db.set_progress_handler(count, 10)
        buffer.release()
        cut = buffer.cut(5)
        buffer.backlog()
        buffer._db.set_progress_handler(None, 10)
        assert numbers(cut) == list(range(held, held + 5))
        buffer.acknowledge(buffer.cut(100))
        return counted

    few, many = steps(100), steps(2_500)
    assert many < 1.5 * few + 50


def test_forgetting_looks_only_at_the_oldest(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meters.edge.buffer.FORGOTTEN_AT_ONCE", 10)
    buffer = opened()
    buffer.add([reading(n) for n in range(2_000)])
    buffer.acknowledge(buffer.cut(2_000))
    looked = 0

    def count() -> int:
        nonlocal looked
        looked += 1
        return 0

    buffer._db.set_progress_handler(count, 10)
    assert buffer.forget(T0, keep=0) == 0
    buffer._db.set_progress_handler(None, 10)
    assert looked < 100
    assert buffer.forget(T0 + timedelta(hours=1), keep=0) == 10
