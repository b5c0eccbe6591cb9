"""An event loop whose time jumps: real sockets, but nobody waits for a time-out. When nothing moves on any socket, it is
at once as late as the next timer wants it to be. So minutes of a broken line are milliseconds of a test, and a loaded
machine changes nothing."""

import asyncio
import selectors
import time
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

STILL_SECONDS = 0.0002  # real; what was written on loopback has arrived by then
LOOKS = 3
LEAST_STEP_SECONDS = 1e-6  # below that a sum of times may be the same time
Answer = TypeVar("Answer")


class _Jumping(selectors.BaseSelector):
    def __init__(self) -> None:
        self.now = 0.0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._real.select(timeout)
        for _ in range(LOOKS):  # again and again, as a process that was not running has not looked
            if found := self._real.select(0):
                return found
            time.sleep(STILL_SECONDS)
        self.now += max(timeout, LEAST_STEP_SECONDS)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self._clock_resolution = 0.001  # what is due in the next millisecond is due now

    def time(self) -> float:
        return self._jumping.now


class LoopClock:
    """The plant's clock, going by the loop's time."""

    speed = 0.0  # no other clock goes like it
    origin = datetime(2026, 5, 18, 6, tzinfo=UTC)

    def now(self) -> datetime:
        return self.origin + timedelta(seconds=asyncio.get_running_loop().time())


def run(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to the end in jumping time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
