"""Whether what a meter says can be. What cannot be is kept, marked as suspect, and not used."""

from dataclasses import replace
from datetime import datetime

from energy.model.meter import Meter, Reading, ReadingQuality

OVERLOAD = 1.2  # a connection carries a little more than it should before its fuse goes
STEP_KWH = 1.0  # the coarsest register in use counts whole kWh: two stands may differ by one step more than flowed
SLACK_HOURS = 5 / 60  # a register may lag behind by some minutes


class Watch:
    """Remembers a meter's last stands, and judges the next against them and against its connection."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._last: dict[str, tuple[datetime, float]] = {}

    def judge(self, reading: Reading) -> Reading:
        """The reading, SUSPECT with a note where it says what cannot be."""
        if reading.quality is not ReadingQuality.GOOD:
            return reading
        stands = {"import": reading.import_kwh, "export": reading.export_kwh}
        doubts = [self._power(reading.power_kw), *(self._counter(n, v, reading.taken_at) for n, v in stands.items())]
        notes = [doubt for doubt in doubts if doubt]
        # The last word counts even when it is doubted: after a meter exchange the second stand is good again.
        self._last |= {name: (reading.taken_at, kwh) for name, kwh in stands.items() if kwh is not None}
        return replace(reading, quality=ReadingQuality.SUSPECT, note="; ".join(notes)) if notes else reading

    def _power(self, power_kw: float | None) -> str:
        most = OVERLOAD * self._meter.connection_kw
        if power_kw is None or abs(power_kw) <= most:
            return ""
        return f"{power_kw:.1f} kW is more than the connection of {self._meter.connection_kw:g} kW can carry"

    def _counter(self, name: str, kwh: float | None, at: datetime) -> str:
        if kwh is None or name not in self._last:
            return ""
        before, stand = self._last[name]
        hours = (at - before).total_seconds() / 3600
        most = OVERLOAD * self._meter.connection_kw * (max(hours, 0.0) + SLACK_HOURS) + STEP_KWH
        if kwh < stand:
            rollover_kwh = self._meter.rollover_kwh
            rolled = rollover_kwh is not None and (kwh - stand) % rollover_kwh <= most
            return "" if rolled else f"{name} counter went down from {stand:.2f} to {kwh:.2f} kWh"
        return "" if kwh - stand <= most else f"{name} counter jumped from {stand:.2f} to {kwh:.2f} kWh"
