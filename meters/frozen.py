"""Whether a meter without counters still measures, or says the same for ever: one that hangs is worse than a silent one.
(Counters that stand still while power flows are seen by `plausible`.)"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from meters.quantities import KINDS

STILL_FOR = timedelta(minutes=10)
LEAST_POLLS = 20
LEAST_JITTERING = 3  # analogue quantities that all stand still to the last digit
JITTERING = ("voltage", "current", "frequency", "apparent", "reactive")
COUNTERS = ("total_import", "total_export")


class Still:
    """Watches for values that do not move although they must: voltages, currents and the frequency of a live line never
    all stand still to the last digit for minutes. Without power nothing is said: at idle nothing is lost, and what
    jitters then may be rounded away."""

    def __init__(self) -> None:
        self._last: Mapping[str, float] = {}
        self._since: datetime | None = None
        self._polls = 0

    def doubt(self, said: Mapping[str, float], at: datetime) -> str:
        """Why the meter may hang; empty where it does not."""
        if self._since is None or said != self._last or at < self._since:
            self._last, self._since, self._polls = said, at, 1
            return ""
        self._polls += 1
        still = at - self._since
        if still < STILL_FOR or self._polls < LEAST_POLLS or not _must_move(said):
            return ""
        minutes = still.total_seconds() / 60
        return f"no value has moved for {minutes:.0f} min, to the last digit: does the meter hang?"


def _must_move(said: Mapping[str, float]) -> bool:
    if not said.get("power") or any(name in said for name in COUNTERS):
        return False
    return sum(1 for name, value in said.items() if value and KINDS[name] in JITTERING) >= LEAST_JITTERING
