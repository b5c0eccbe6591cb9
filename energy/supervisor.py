"""The processes of one plant, kept running together: one that ends is started again, and all end together."""

import logging
import os
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
STEADY = 60.0  # one that ran this long starts again at once
PATIENCE = 10.0  # for a clean end, before it is killed


@dataclass(frozen=True, slots=True)
class Role:
    """One process: its name, and the words after `loadstone`."""

    name: str
    command: Sequence[str]


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
            log.warning(
                "%s ended with %s; it starts again in %.0f s", self.role.name, self.process.returncode, self._pause
            )
            self._pause = FIRST_PAUSE if now - self._started > STEADY else min(LONGEST_PAUSE, self._pause * 2)
            self._not_before = now + self._pause
            self.process = None
        if self.process is None and now >= self._not_before:
            self._started = now
            # A session of its own, so that Ctrl-C reaches the supervisor alone and the end is an orderly one.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "energy.cli", *self.role.command], start_new_session=True, env=os.environ
            )

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Wait for it until a deadline, then kill it and whatever it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in time and is killed", self.role.name)
        with suppress(ProcessLookupError):  # the whole group has ended, as it should
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def supervise(roles: Sequence[Role], stop: threading.Event | None = None) -> int:
    """Run the roles until SIGINT, SIGTERM or `stop`; leaves no process behind."""
    ending = stop or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: ending.set())
    children = [Child(role) for role in roles]
    try:
        while not ending.is_set():
            for child in children:
                child.keep_running()
            ending.wait(0.5)
    finally:
        for child in reversed(children):
            child.ask_to_end()
        deadline = time.monotonic() + PATIENCE
        for child in reversed(children):
            child.end(deadline)
    return 0
