"""A serial line without hardware: two pseudo-terminals, what is written into one comes out of the other."""

import asyncio
import os
import tty
from contextlib import suppress
from pathlib import Path


class Cable:
    """`ends` are the two devices. A `link` is a path under which the first end can be opened, as an adapter's would."""

    def __init__(self, link: str = "") -> None:
        self._masters: list[int] = []
        self._slaves: list[int] = []  # kept open: a terminal that nobody holds hangs up
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._masters.append(master)
            self._slaves.append(slave)
        self.ends = (os.ttyname(self._slaves[0]), os.ttyname(self._slaves[1]))
        self._link = Path(link) if link else None
        self._loop = asyncio.get_running_loop()
        for one, other in (self._masters, self._masters[::-1]):
            self._loop.add_reader(one, self._carry, one, other)
        if self._link is not None:
            self._link.parent.mkdir(parents=True, exist_ok=True)
            self._link.symlink_to(self.ends[0])

    def _carry(self, one: int, other: int) -> None:
        with suppress(BlockingIOError):  # nobody takes it out at the other end: a wire does not wait either
            os.write(other, os.read(one, 4096))

    def close(self) -> None:
        for master in self._masters:
            self._loop.remove_reader(master)
        for end in (*self._masters, *self._slaves):
            os.close(end)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
