"""A second workbench in a process of its own, so that two cores work on one plan.

The process is a plain `python -m optimizer.many_machines.beside`. Parent and child speak pickled messages over the
child's standard input and output:

    parent → child   (hall, prices), then (method of the bench, its arguments) as often as there is work
    child → parent   what the method returns

The child keeps to the deadlines in its work by itself, so the parent waits only a little longer. A child that is late
or dies is given up: the parent's own bench goes on alone.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from typing import IO, Any

from optimizer.many_machines.bench import Bench

PATIENCE = 1.0  # seconds that the child may be late


class Beside:
    """The second bench, seen from the first."""

    def __init__(self, bench: Bench) -> None:
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._child: subprocess.Popen[bytes] | None = subprocess.Popen(
            [sys.executable, "-m", "optimizer.many_machines.beside"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        threading.Thread(target=_listen, args=(self._child.stdout, self._heard), daemon=True).start()
        self._send((bench.hall, bench.prices))

    def ask(self, method: str, *args: Any, **named: Any) -> None:
        """Give it work; `answer` fetches what comes of it."""
        self._send((method, args, named))

    def answer(self, until: float, patience: float = PATIENCE) -> Any:
        """What came of the work; None where the child is gone, or later than it was to be (by `time.monotonic`)."""
        if self._child is None:
            return None
        try:
            said = self._heard.get(timeout=max(0.0, until - time.monotonic()) + patience)
        except queue.Empty:
            said = None
        if said is None:
            self.close()
        return said

    @property
    def pid(self) -> int | None:
        """The child's process, while it is not given up."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was not yet sent is of no use to a dead child
                        pipe.close()

    def _send(self, message: Any) -> None:
        if self._child is None:
            return
        assert self._child.stdin is not None
        try:
            pickle.dump(message, self._child.stdin)
            self._child.stdin.flush()
        except OSError:
            self.close()


def _listen(pipe: IO[bytes], heard: "queue.SimpleQueue[Any]") -> None:
    """Pass on what the child says; None is its end."""
    while True:
        try:
            heard.put(pickle.load(pipe))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            heard.put(None)
            return


def main() -> None:
    """Work as asked until the parent is gone."""
    asked = sys.stdin.buffer
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    with contextlib.suppress(EOFError, BrokenPipeError):
        hall, prices = pickle.load(asked)
        bench = Bench(hall, prices)
        while True:
            method, args, named = pickle.load(asked)
            pickle.dump(getattr(bench, method)(*args, **named), said)
            said.flush()


if __name__ == "__main__":
    main()
