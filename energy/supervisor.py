"""The processes of one plant, kept running together: one that ends is started again, and all end together.

Each role is the leader of a process group of its own, so whatever it starts (a solver, a web server) ends with it. It holds
one end of a pipe to its supervisor: where that is killed without a last word, the role hears it and ends by itself.
"""

import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

log = logging.getLogger("loadstone.supervisor")

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # real seconds before a process that ended is started again
STEADY = 60.0  # one that ran this long starts with the first pause again
PATIENCE = 10.0  # for a clean end, before it is killed
LOOK_SECONDS = 0.2  # between two looks at the processes
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Role:
    """One process: its name, and the words after `loadstone`."""

    name: str
    command: Sequence[str]

    def words(self) -> list[str]:
        """The command line: this very file as the one that holds the pipe, which then becomes `loadstone …`."""
        return [sys.executable, "-m", "energy.supervisor", *self.command]


class Child:
    """A running role, restarted with growing pauses."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._not_before = 0.0

    def keep_running(self) -> None:
        """Start it if it does not run and its pause is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._ended(self.process.returncode, now)
        if self.process is None and now >= self._not_before:
            self._started = now
            # A session of its own, so that Ctrl-C reaches the supervisor alone and the end is an orderly one.
            self.process = subprocess.Popen(self.role.words(), start_new_session=True, stdin=subprocess.PIPE)

    def _ended(self, code: int, now: float) -> None:
        """It ended by itself: what it left behind (a web server that still holds its port) ends too."""
        self._leave_nothing()
        if now - self._started > STEADY:
            self._pause = FIRST_PAUSE
        log.warning("%s ended (%s); it starts again in %.3g s", self.role.name, how_ended(code), self._pause)
        self._not_before = now + self._pause
        self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def ask_to_end(self) -> None:
        """Tell the leader alone: it ends its own helpers in the order that suits it."""
        if self.process is not None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for it until a deadline, then kill it and whatever it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in time and is killed", self.role.name)
        self._leave_nothing()

    def _leave_nothing(self) -> None:
        """Kill what is left of its group, and let go of it."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):  # the whole group has ended, as it should
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def how_ended(code: int) -> str:
    """The end of a process in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def supervise(roles: Sequence[Role], stop: threading.Event | None = None, *, patience: float = PATIENCE) -> int:
    """Run the roles until SIGINT, SIGTERM, SIGHUP or `stop`; leaves no process behind."""
    ending = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for sign in ENDING:
            signal.signal(sign, lambda *_: ending.set())
    children = [Child(role) for role in roles]
    try:
        while not ending.is_set():
            for child in children:
                child.keep_running()
            ending.wait(LOOK_SECONDS)
    finally:
        for child in reversed(children):
            child.ask_to_end()
        deadline = time.monotonic() + patience
        for child in reversed(children):
            child.end(deadline)
    return 0


def end_with(pipe: int) -> None:
    """Watch the supervisor's end of a pipe from a thread; when it closes, this process and its group end."""
    threading.Thread(target=_watch, args=(pipe,), name="supervisor", daemon=True).start()


def _watch(pipe: int) -> None:
    while os.read(pipe, 1):
        pass  # nobody writes; what counts is the end
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    # As a role: `python -m energy.supervisor collect --config …`
    if os.getpgrp() == os.getpid():
        end_with(os.dup(0))
    runpy.run_module("energy.cli", run_name="__main__", alter_sys=True)
