"""A warm child process that solves, so that a deadline can be kept: HiGHS looks at its clock only now and then.

The child is a plain `python -m optimizer.child`, started when it is first needed, used again, and started anew after
it had to be ended. Parent and child speak pickled messages over the child's standard input and output:

    parent → child   Task; while it is solved, a Hint with each better plan of the parent's own, and Stop
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
    work: int | None = None  # so much effort instead of seconds
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Hint:
    """A better plan that the parent has found meanwhile."""

    chosen: Places
    cost: float


@dataclass(frozen=True, slots=True)
class Stop:
    """What has been found is enough."""


@dataclass(slots=True)
class Mailbox:
    """What the parent has said while a task is solved."""

    hint: Hint | None = None
    stopped: bool = False


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

    def run(
        self,
        task: Task,
        *,
        deadline: float,
        tell: Callable[[Found], None],
        meanwhile: Callable[[], bool] | None = None,
    ) -> Finished | None:
        """Have a task done; None where the deadline (of `time.monotonic`) came first and the child was ended.

        `meanwhile` is done again and again while the child has nothing to say, until it says False: nothing left to do.
        """
        with self._lock:
            self._start()
            self._send(task)
            while True:
                try:
                    wait = 0.0 if meanwhile is not None else max(0.0, deadline - time.monotonic())
                    said = self._heard.get(timeout=wait) if wait else self._heard.get_nowait()
                except queue.Empty:
                    if time.monotonic() >= deadline:
                        self.end()
                        return None
                    if meanwhile is not None and not meanwhile():
                        meanwhile = None
                    continue
                if isinstance(said, Found):
                    tell(said)
                elif isinstance(said, Finished):
                    return said
                else:
                    self.end()
                    raise WorkerFailedError(str(said))

    def say(self, word: Hint | Stop) -> None:
        """Tell the child something while it solves. A child that is gone says so itself, in `run`."""
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(OSError):
                pickle.dump(word, self._child.stdin)
                self._child.stdin.flush()

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
