"""A clock that nobody sets: seconds since this machine started, sleep included. What it says is of one boot alone."""

import time
from pathlib import Path
from uuid import uuid4

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Steady:
    """The steady clock, and which boot it counts from. Where the system does not name its boots, each process is one."""

    def __init__(self) -> None:
        self.boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else uuid4().hex
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> float:
        return time.clock_gettime(self._clock)
