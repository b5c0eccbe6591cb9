"""The count after the kills sees what is missing, twice, or not what the meter said."""

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.metering.killed import SideLog, stand_at
from benchmarks.metering.kills import looked_for
from energy.model.meter import Reading
from energy.store import Store


@dataclass
class Stopped:
    """A plant that ran, as far as the count asks it."""

    folder: Path
    began: float


@pytest.fixture
def plant(tmp_path: Path) -> Stopped:
    return Stopped(tmp_path, time.time() - 1000)


def taken(plant: Stopped, second: float, meter: str = "e-1", off_kwh: float = 0.0) -> Reading:
    at = datetime.fromtimestamp(plant.began, UTC) + timedelta(seconds=second)
    return Reading(meter=meter, taken_at=at, import_kwh=stand_at(second) + off_kwh)


def counted(plant: Stopped, logged: list[Reading], kept: list[Reading]) -> tuple[int, int, int, int]:
    for name, readings in (("edge", logged), ("collector", [taken(plant, 5, "c-1")])):
        with closing(SideLog(plant.folder / f"{name}.log")) as side:
            side.write(readings)
    with closing(Store.open(f"sqlite:///{plant.folder / 'store.sqlite'}", "p")) as store:
        store.readings.add([taken(plant, 5, "c-1"), *kept])
    result = looked_for(plant, Counter(box=3), 1.0)  # type: ignore[arg-type]
    assert result.collector == 1
    return result.box, result.lost, result.doubled, result.wrong


def test_all_is_there(plant: Stopped) -> None:
    readings = [taken(plant, n) for n in range(10)]
    # One more than was acknowledged: the kill came between the disk and the word.
    assert counted(plant, readings[:9], readings) == (9, 0, 0, 0)


def test_one_is_missing(plant: Stopped) -> None:
    readings = [taken(plant, n) for n in range(10)]
    assert counted(plant, readings, readings[:4] + readings[5:]) == (10, 1, 0, 0)


def test_one_was_changed_on_the_way(plant: Stopped) -> None:
    readings = [taken(plant, n) for n in range(10)]
    changed = [*readings[:9], taken(plant, 9, off_kwh=-0.5)]
    assert counted(plant, readings, changed) == (10, 1, 0, 0)


def test_one_is_there_twice_with_another_time(plant: Stopped) -> None:
    readings = [taken(plant, n) for n in range(10)]
    again = Reading(
        meter="e-1", taken_at=readings[3].taken_at + timedelta(milliseconds=1), import_kwh=readings[3].import_kwh
    )
    assert counted(plant, readings, [*readings, again]) == (10, 0, 1, 0)


def test_one_says_what_the_meter_never_said(plant: Stopped) -> None:
    readings = [taken(plant, n) for n in range(10)]
    odd = taken(plant, 11, off_kwh=500.0)
    assert counted(plant, readings, [*readings, odd]) == (10, 0, 0, 1)


def test_a_line_that_was_cut_off_by_a_kill_was_not_written(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthr")
    SideLog(path).close()
    assert path.read_text() == "one\ntwo\n"
