"""Whose turn it is on a line: units with waiting requests go round, each with one request at a time."""

import asyncio
from collections import deque


class Turns:
    """A lock that is fair between units: however many requests one of them has waiting, the others come in between."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}  # in the order in which the units come round

    @property
    def waiting(self) -> int:
        """Units that wait for their turn."""
        return len(self._waiting)

    async def take(self, unit: int) -> None:
        """Return when it is this unit's turn; `give` has to follow."""
        if not self._taken:
            self._taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(unit, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give()  # the turn came in the moment in which nobody wanted it any more
            raise

    def give(self) -> None:
        """The turn goes to the unit that has waited through the most turns of others."""
        while self._waiting:
            unit = next(iter(self._waiting))
            queue = self._waiting.pop(unit)
            first = queue.popleft()
            if queue:
                self._waiting[unit] = queue  # behind all others
            if not first.done():
                first.set_result(None)
                return
        self._taken = False
