"""`loadstone run --simulate` with everything in it, ended by Ctrl-C; and what a kill in the middle of writing leaves behind."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.build import open_store
from energy.clock import HeldClock, SpeedClock
from energy.config import load_settings
from energy.model.horizon import Interval
from energy.twin.life import DIARY, living_plant
from tests.meters.wire import free_port
from tests.service.test_kill import PLANT
from tests.service.test_supervisor import lives, until


def descendants(pid: int) -> set[int]:
    """The processes that a process has started, and those that these have."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended while we looked
        if parent == pid:
            child = int(stat.parent.name)
            found |= {child} | descendants(child)
    return found


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_run_has_everything_in_it_and_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    dashboard = free_port()
    text = PLANT.format(port=free_port()).replace("kind: greedy, seconds: 1", "kind: milp, seconds: 2")
    (tmp_path / "config.yaml").write_text(text + f"dashboard: {{address: 127.0.0.1, port: {dashboard}}}\n")
    SpeedClock(datetime(2026, 6, 16, 8, 0, tzinfo=UTC), datetime.now(UTC), 60).save(tmp_path / "clock.json")
    settings = load_settings(tmp_path / "config.yaml")
    words = [sys.executable, "-m", "energy.cli", "run", "--simulate", "--config", str(tmp_path / "config.yaml")]
    with (tmp_path / "out").open("wb") as out:
        service = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)
    everybody: set[int] = set()
    try:
        with closing(open_store(settings)) as store:
            start = settings.clock().now() - timedelta(days=1)
            until(lambda: answers(dashboard), 90)
            until(lambda: store.readings.count(Interval(start, start + timedelta(days=9))) > 9, 90)
            until(lambda: store.steps.last("heartbeat") is not None, 90)
        everybody = descendants(service.pid)
        assert len(everybody) >= 5  # plant, collector, scheduler, dashboard and the dashboard's web server
        service.send_signal(signal.SIGINT)
        assert service.wait(30) == 0
        assert [pid for pid in everybody if lives(pid)] == []
        assert not answers(dashboard)
        assert "is killed" not in (tmp_path / "out").read_text()
    finally:
        if service.poll() is None:
            service.kill()  # what it started hears of that, and ends
            service.wait(10)
            until(lambda: not any(map(lives, everybody)), 20)


@pytest.mark.parametrize(
    "half", ["", '{"at": "2026-06-16T09:', '{"at": "2026-06-16T09:00:00+00:00", "down": "press-1"']
)
def test_a_plant_killed_while_it_wrote_its_diary_lives_on(tmp_path: Path, half: str) -> None:
    (tmp_path / "config.yaml").write_text(PLANT.format(port=502))
    settings = load_settings(tmp_path / "config.yaml")
    clock = HeldClock(datetime(2026, 6, 16, 8, 0, tzinfo=UTC))
    plant = living_plant(settings, clock)
    clock.advance(timedelta(minutes=30))
    plant.break_down("furnace-1", clock.now() + timedelta(hours=1))
    diary = tmp_path / "var" / DIARY
    whole = diary.read_text()
    diary.write_text(whole + half)
    again = living_plant(settings, clock)
    assert diary.read_text() == whole
    clock.advance(timedelta(hours=2))
    again.break_down("press-1", clock.now() + timedelta(hours=1))
    plant.break_down("press-1", clock.now() + timedelta(hours=1))
    assert again.stand("grid") == plant.stand("grid")  # the same life, with the same breakdown in it
    assert all(json.loads(line) for line in diary.read_text().splitlines())


def test_who_reads_a_clock_while_it_is_written_sees_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    now = datetime(2026, 6, 16, tzinfo=UTC)
    SpeedClock(now, now, 1.0).save(path)
    with path.open() as before:
        SpeedClock(now, now, 60.0).save(path)
        assert json.load(before)["speed"] == 1.0  # the file that was opened is not the one that was written
    assert SpeedClock.load(path).speed == 60.0
    assert [file.name for file in tmp_path.iterdir()] == ["clock.json"]
