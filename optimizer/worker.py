"""A warm child process that solves, so that a deadline can be kept: HiGHS looks at its clock only now and then.

The child is a plain `python -m optimizer.child`, started when it is first needed, used again, and started anew after
it had to be ended. Parent and child speak pickled messages over the child's standard input and output:

    parent → child   Task
    child → parent   Found (each better plan), then Finished
"""

import contextlib
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from energy.model.problem import Placement, Problem
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.starts import Chosen, Rows

Places = tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to solve. `until` is a time of `time.monotonic`, which all processes of a machine share."""

    problem: Problem
    first: Places
    until: float
    gap: float
    own_schedule: tuple[Rows, Rows] | None = None  # what a self-consumption battery is taken to do (charge, discharge)


@dataclass(frozen=True, slots=True)
class Found:
    """A better plan while the solver runs."""

    chosen: Places
    dispatch: Dispatch | None  # None: only the bound is new
    cost: float
    bound: float | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The solver's last word."""

    chosen: Places | None
    dispatch: Dispatch | None
    bound: float | None
    optimal: bool
    status: str


def starts_of(plant: Plant, placements: Places) -> Chosen:
    """The starts that placements name."""
    return plant.chosen_of(placements)


class WorkerFailedError(Exception):
    """The child died, or said what it could not do."""


class Worker:
    """The child, seen from its parent. One task at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def pid(self) -> int | None:
        """The child's process, while it lives."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def warm(self) -> None:
        """Start the child, so that the next task finds it ready."""
        with self._lock:
            self._start()

    def run(self, task: Task, *, deadline: float, tell: Callable[[Found], None]) -> Finished | None:
        """Have a task done; None where the deadline (of `time.monotonic`) came first and the child was ended."""
        with self._lock:
            self._start()
            self._send(task)
            while True:
                try:
                    said = self._heard.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    self.end()
                    return None
                if isinstance(said, Found):
                    tell(said)
                elif isinstance(said, Finished):
                    return said
                else:
                    self.end()
                    raise WorkerFailedError(str(said))

    def end(self) -> None:
        """End the child; the next task starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was not yet sent is of no use to a dead child
                        pipe.close()

    def _start(self) -> None:
        if self._child is not None and self._child.poll() is None:
            return
        self.end()
        self._heard = queue.SimpleQueue()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "optimizer.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._child.stdout is not None
        threading.Thread(target=_listen, args=(self._child.stdout, self._heard), daemon=True).start()

    def _send(self, task: Task) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            pickle.dump(task, self._child.stdin)
            self._child.stdin.flush()
        except OSError as error:
            self.end()
            raise WorkerFailedError(f"the solver process is gone ({error})") from error


def _listen(pipe: IO[bytes], heard: "queue.SimpleQueue[Any]") -> None:
    """Pass on what the child says, until it says no more."""
    while True:
        try:
            heard.put(pickle.load(pipe))
        except (EOFError, OSError, ValueError):
            heard.put("the solver process ended")
            return
        except Exception as error:  # a message that cannot be read is a failure like any other, and must be heard
            heard.put(f"the solver process was not understood: {error}")
            return
