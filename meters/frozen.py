"""Whether a meter still measures, or says the same for ever: a part of it that hangs is worse than a silent one."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from meters.profile import Profile
from meters.quantities import KINDS, UNITS
from meters.registers import RegisterType

STILL_FOR = timedelta(minutes=10)
LEAST_POLLS = 20
LEAST_JITTERING = 3  # analogue quantities that all stand still to the last digit
JITTERING = ("voltage", "current", "frequency", "apparent power", "reactive power")
LEAST_SHARE = 0.02  # of the connection: less may lie below what a meter counts
LEAST_STEPS = 10  # of the counter, that should have been counted

FLOAT_BITS = {RegisterType.F32: 23, RegisterType.F64: 52}


class Still:
    """Watches for values that do not move although they must.

    Voltage, current and frequency of a live line never stand still to the last digit for minutes, and a counter
    moves while power flows. So a meter is doubted when, for ten minutes and twenty polls, not one of at least three
    such quantities nor a counter has moved while it says a power that its counter would show by far. At idle nothing is
    said: without power nothing is lost, and some meters round away what jitters then.
    """

    def __init__(self, profile: Profile, connection_kw: float) -> None:
        self._profile = profile
        self._connection_kw = connection_kw
        self._last: Mapping[str, float] = {}
        self._since: datetime | None = None
        self._polls = 0

    def doubt(self, values: Mapping[str, float], at: datetime) -> str:
        """Why the meter may hang; empty where it does not."""
        if self._since is None or values != self._last or at < self._since:
            self._last, self._since, self._polls = dict(values), at, 1
            return ""
        self._polls += 1
        still = at - self._since
        if still < STILL_FOR or self._polls < LEAST_POLLS or not self._must_move(values, still):
            return ""
        minutes = still.total_seconds() / 60
        return f"all values stand still for {minutes:.0f} min, to the last digit, with power flowing: does the meter hang?"

    def _must_move(self, values: Mapping[str, float], still: timedelta) -> bool:
        jittering = [n for n, value in values.items() if KINDS[n] in JITTERING and value]
        power = abs(values.get("power", 0.0))
        if len(jittering) < LEAST_JITTERING or not power >= LEAST_SHARE * self._connection_kw:
            return False
        name = "total_import" if values.get("total_import") is not None else "total_export"
        if name not in values:
            return True
        return power * still.total_seconds() / 3600 >= LEAST_STEPS * self._step(name, values[name])

    def _step(self, name: str, value: float) -> float:
        """The least that a counter can move, in kWh."""
        register = self._profile.registers[name]
        factor = UNITS[KINDS[name]][register.unit]
        bits = FLOAT_BITS.get(register.type)
        if bits is None:
            return register.scale[0] * factor
        return 2.0 ** (math.floor(math.log2(abs(value))) - bits) if value else 0.0
