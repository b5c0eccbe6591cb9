"""A forecaster in a process of its own: what hangs or dies there keeps nobody waiting, similar days answer.

The helper is a plain `python -m energy.forecasters.apart`, started when it is first needed, used again by all forecasters
of a plant, and started anew after it had to be ended. Both sides speak pickled messages over its standard input and output:

    parent → helper   Task
    helper → parent   BEGUN (what is heavy is imported, the time runs), then Done or the text of a failure
"""

import atexit
import contextlib
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from energy.forecasters.published import by_parts
from energy.forecasters.similar import Depth, forecast_similar_days
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.ports import Forecaster

log = logging.getLogger("loadstone.forecasters")

BEGUN = "begun"
START_SECONDS = 60.0  # to start a process and import what is heavy, on a busy machine


@dataclass(frozen=True, slots=True)
class Task:
    """What the helper is to do."""

    forecaster: Forecaster
    target: Target
    past: Past
    horizon: Horizon


@dataclass(frozen=True, slots=True)
class Done:
    """What it did."""

    forecast: Forecast
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer, and whether the process is of no more use."""

    why: str
    gone: bool = False


class NoAnswerError(Exception):
    """There is no answer, or not in time; the text says why, as a flag would."""


class Helper:
    """The process, seen from its parent. One task at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        atexit.register(self.end)

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def run(self, task: Task, *, seconds: float) -> Done:
        """Have a task done within a time that runs from when the helper has what it needs."""
        with self._lock:
            self._send(task)
            self._next(START_SECONDS, "it could not be begun")
            done: Done = self._next(seconds, f"no answer within {seconds:g} s")
            return done

    def end(self) -> None:
        """End the process; the next task starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was not yet sent is of no use to a dead process
                        pipe.close()

    def _next(self, seconds: float, late: str) -> Any:
        try:
            said = self._heard.get(timeout=seconds)
        except queue.Empty:
            self.end()
            raise NoAnswerError(late) from None
        if isinstance(said, Failure):
            if said.gone:
                self.end()
            raise NoAnswerError(said.why)
        return said

    def _send(self, task: Task) -> None:
        if self.pid is None:
            self.end()
            self._heard = queue.SimpleQueue()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "energy.forecasters.apart"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            threading.Thread(target=_listen, args=(self._process.stdout, self._heard), daemon=True).start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            pickle.dump(task, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except OSError as error:
            self.end()
            raise NoAnswerError(f"its process is gone ({error})") from error


class Apart:
    """A forecaster that is asked in the helper, with a hard limit of time."""

    def __init__(self, forecaster: Forecaster, helper: Helper, *, seconds: float) -> None:
        self.name = forecaster.name
        self._forecaster, self._helper, self._seconds = forecaster, helper, seconds
        self._components: dict[Target, tuple[Component, ...]] = {}

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        self._components.pop(target, None)
        try:
            done = self._helper.run(Task(self._forecaster, target, past, horizon), seconds=self._seconds)
        except NoAnswerError as failure:
            log.warning("%s on %s: %s; similar days answer", self.name, target, failure)
            why = f"similar days instead of {self.name}: {failure}"

            def similar_days(target: Target, past: Past, horizon: Horizon) -> Forecast:
                return forecast_similar_days(target, past, horizon, Depth(), source="naive", flags=(why,))

            return by_parts(similar_days, target, past, horizon)
        self._components[target] = done.components
        return done.forecast

    def components(self, target: Target) -> Sequence[Component]:
        return self._components.get(target, ())


def _listen(pipe: IO[bytes], heard: "queue.SimpleQueue[Any]") -> None:
    """Pass on what the helper says, until it says no more."""
    while True:
        try:
            heard.put(pickle.load(pipe))
        except (EOFError, OSError, ValueError):
            heard.put(Failure("its process ended", gone=True))
            return
        except Exception as error:  # a message that cannot be read is a failure like any other, and must be heard
            heard.put(Failure(f"its process was not understood: {error}", gone=True))
            return


def main() -> None:
    """One task after another from standard input, until the parent is gone."""
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to standard error

    def tell(message: object) -> None:
        pickle.dump(message, said, pickle.HIGHEST_PROTOCOL)
        said.flush()

    while True:
        try:
            task: Task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            warm = getattr(task.forecaster, "warm", None)
            if warm is not None:
                warm(task.target)
            tell(BEGUN)
            forecast = task.forecaster.forecast(task.target, task.past, task.horizon)
            tell(Done(forecast, tuple(task.forecaster.components(task.target))))
        except BrokenPipeError:
            return
        except Exception as error:  # the parent answers with similar days, and names this
            log.exception("%s on %s failed", task.forecaster.name, task.target)
            tell(Failure(f"it failed ({type(error).__name__}: {error})"))


if __name__ == "__main__":
    from energy.forecasters.apart import main as as_imported  # so that its messages are of the parent's classes

    as_imported()
