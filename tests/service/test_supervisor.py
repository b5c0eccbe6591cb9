"""The supervisor and its roles as real processes: started again, ended together, nobody left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROLE = """
    import os, signal, subprocess, sys, time
    from pathlib import Path

    folder, name, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

    def note(pid, what="pids"):
        with (folder / what).open("a") as file:
            file.write(f"{pid} {time.monotonic()}\\n")

    if kind in {"stubborn", "family-stubborn"}:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(os.getpid(), name)
    if kind.startswith("family"):  # as the dashboard has its web server, and the scheduler its solver
        grandchild = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(120)"
        helper = subprocess.Popen([sys.executable, "-c", grandchild], stdout=subprocess.PIPE)
        helper.stdout.readline()  # it ignores SIGTERM by now
        note(helper.pid, name + "-helper")
    note(os.getpid(), name + "-ready")
    if kind == "dies":
        sys.exit(3)
    time.sleep(120)
"""
PLAYED = """
    import logging, sys
    from energy import supervisor

    supervisor.FIRST_PAUSE, supervisor.LONGEST_PAUSE, supervisor.LOOK_SECONDS = 0.2, 0.8, 0.02
    logging.basicConfig(level=logging.INFO)
    script, folder, patience, *roles = sys.argv[1:]

    class Played(supervisor.Role):
        def words(self):
            hold = (
                "import os, runpy, sys; from energy import supervisor; supervisor.PATIENCE = 1.0; "
                "supervisor.end_with(os.dup(0)); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
            )
            return [sys.executable, "-c", hold, script, folder, *self.command]

    sys.exit(supervisor.supervise([Played(r, r.split(":")) for r in roles], patience=float(patience)))
"""


class Roles:
    """A supervisor with played roles, each `name:kind`, and what they have written down."""

    def __init__(self, folder: Path, *roles: str, patience: float = 5.0) -> None:
        self.folder = folder
        self.names = [role.split(":")[0] for role in roles]
        role_file, supervisor_file = folder / "role.py", folder / "supervisor.py"
        role_file.write_text(textwrap.dedent(ROLE))
        supervisor_file.write_text(textwrap.dedent(PLAYED))
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, str(supervisor_file), str(role_file), str(folder), str(patience), *roles],
            stderr=self.log,
        )

    def pids(self, what: str) -> list[int]:
        return [int(line.split()[0]) for line in self._lines(what)]

    def times(self, what: str) -> list[float]:
        return [float(line.split()[1]) for line in self._lines(what)]

    def _lines(self, what: str) -> list[str]:
        path = self.folder / what
        return path.read_text().splitlines() if path.exists() else []

    def ready(self, count: int = 1) -> None:
        until(lambda: all(len(self._lines(f"{name}-ready")) >= count for name in self.names))

    def everybody(self) -> list[int]:
        written = [path for name in self.names for path in (name, f"{name}-helper")]
        return [pid for what in written for pid in self.pids(what)]

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def close(self) -> None:
        for pid in [self.process.pid, *self.everybody()]:
            if lives(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        self.log.close()


def lives(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be taken notice of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Roles]]:
    begun: list[Roles] = []

    def make(*roles: str, patience: float = 5.0) -> Roles:
        begun.append(Roles(tmp_path, *roles, patience=patience))
        return begun[-1]

    yield make
    for roles in begun:
        roles.close()


def test_a_role_that_dies_is_started_again_with_growing_pauses(start: Callable[..., Roles]) -> None:
    roles = start("a:dies", "b:good")
    until(lambda: len(roles.pids("a")) >= 5)
    ends, starts = roles.times("a-ready"), roles.times("a")
    pauses = [again - end for end, again in zip(ends, starts[1:], strict=False)][:4]
    for pause, at_least in zip(pauses, [0.2, 0.4, 0.8, 0.8], strict=True):
        assert pause >= at_least
    assert pauses[3] < 0.8 + 3.0  # it grows no further
    assert "a:dies ended (exit code 3); it starts again in 0.2 s" in roles.said()
    assert len(roles.pids("b")) == 1  # the other one never noticed


def test_a_role_that_is_killed_takes_its_helpers_with_it(start: Callable[..., Roles]) -> None:
    """The web server of a killed dashboard would hold the port that the next one needs."""
    roles = start("a:family")
    roles.ready()
    (helper,) = roles.pids("a-helper")
    os.kill(roles.pids("a")[0], signal.SIGKILL)
    roles.ready(2)
    assert not lives(helper)
    assert lives(roles.pids("a-helper")[1])
    assert "a:family ended (killed by SIGKILL)" in roles.said()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(start: Callable[..., Roles], sign: signal.Signals) -> None:
    roles = start("a:good", "b:family", "c:good")
    roles.ready()
    everybody = roles.everybody()
    assert len(everybody) == 4
    roles.process.send_signal(sign)
    assert roles.process.wait(10) == 0
    assert [pid for pid in everybody if lives(pid)] == []
    assert "is killed" not in roles.said()


def test_one_that_will_not_end_is_killed_after_its_patience(start: Callable[..., Roles]) -> None:
    roles = start("a:stubborn", "b:family-stubborn", "c:good", patience=1.0)
    roles.ready()
    began = time.monotonic()
    roles.process.send_signal(signal.SIGTERM)
    assert roles.process.wait(10) == 0
    assert 1.0 <= time.monotonic() - began < 5.0  # one patience for all, not one for each
    assert [pid for pid in roles.everybody() if lives(pid)] == []
    assert "a:stubborn did not end in time and is killed" in roles.said()


def test_roles_whose_supervisor_was_killed_end_by_themselves(start: Callable[..., Roles]) -> None:
    """Else a second start would find the ports taken and two schedulers at work."""
    roles = start("a:good", "b:family-stubborn")
    roles.ready()
    everybody = roles.everybody()
    assert all(map(lives, everybody))
    os.kill(roles.process.pid, signal.SIGKILL)
    roles.process.wait(10)
    until(lambda: not any(map(lives, everybody)), 10)


def test_a_role_is_the_command_line(tmp_path: Path) -> None:
    """What the supervisor starts is `loadstone …`."""
    from energy.supervisor import Role

    words = Role("help", ["run", "--help"]).words()
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True
    ) as role:
        assert role.stdout is not None
        said = role.stdout.read()
        assert role.wait(60) == 0
    assert "Run the whole service of one plant" in said
