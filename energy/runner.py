"""Where a step runs: in line. Its failure is recorded with the text a person can act on, and goes on upwards."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from energy.clock import Clock
from energy.errors import LoadstoneError, StoreError
from energy.store import Store

log = logging.getLogger("loadstone.steps")
Result = TypeVar("Result")


@dataclass(slots=True)
class InlineRunner:
    """Runs each step where it is called, and keeps how long it took (real seconds, by step)."""

    store: Store
    clock: Clock
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, step: str, call: Callable[[], Result]) -> Result:
        """Run a step. What it raises is recorded as a failure of the step before it goes on; a success ends it."""
        began = time.perf_counter()
        try:
            result = call()
            self.store.steps.succeeded(step, self.clock.now())
            return result
        except Exception as error:
            known = isinstance(error, LoadstoneError)
            log.error("%s: %s", step, error, exc_info=not known)
            self._record(step, str(error) if known else f"our bug: {type(error).__name__}: {error}")
            raise
        finally:
            took = time.perf_counter() - began
            self.seconds[step] = self.seconds.get(step, 0.0) + took
            log.info("%s took %.2f s", step, took)

    def _record(self, step: str, text: str) -> None:
        """Keep a failure; where the store itself is what fails, the log has it, and the first error goes on."""
        now = self.clock.now()
        try:
            self.store.steps.failed(step, now, now, text)
        except StoreError as error:
            log.error("%s: the failure could not be kept: %s", step, error)
