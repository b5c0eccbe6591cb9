"""Whether what a meter says can be. What cannot be is kept, marked as suspect with the reason, and not used.

The rules, each with its reason, are the table "What is doubted" in docs/meters.md.
"""

import math
import time
from collections import deque
from dataclasses import replace
from datetime import datetime

from energy.clock import Clock
from energy.metering.belief import FROZEN_FROM, LAG_SECONDS, OVERLOAD, STEP_KWH, carried_kwh, used_kwh
from energy.model.meter import Meter, Reading, ReadingQuality

# A new level is believed when so many readings over so long agree on it and it has counted on meanwhile: no spike, dip or
# swapped answer does. Nothing is lost by waiting: the doubted stands of a level that came true count after all.
HOLDS_READINGS = 5
HOLDS_SECONDS = 300.0
FROZEN_SECONDS = 300.0  # a counter may lag behind for so long before it is said to stand still
CLOCK_SECONDS = 5.0  # a wall clock that is off by more than this from the steady one was set
REMEMBERED = 64  # stands against which one that comes late is held

COUNTERS = ("import", "export")


def steady_seconds(clock: Clock) -> float | None:
    """The plant's time on a clock that nobody can set: it also runs while the machine sleeps. None where the plant's
    clock stands still."""
    if clock.speed <= 0:
        return None
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic() if boot is None else time.clock_gettime(boot)) * clock.speed


class Watch:
    """Remembers where a meter's counters stood, and judges what it says next against that and against its connection.

    `seed` is the newest reading that counts from before a restart. `steady` (of `judge`) are `steady_seconds` at the
    moment when the reading was taken: with them a clock that was set is told from a gap; without, a reading from before
    the newest one is one that came late.
    """

    def __init__(self, meter: Meter, seed: Reading | None = None) -> None:
        self._meter = meter
        self._levels = {name: _Counter(meter) for name in COUNTERS}
        self._t = 0.0  # seconds that went by since the first reading, by the steady clock where there is one
        self._taken_at: datetime | None = None
        self._steady: float | None = None
        if seed is not None:
            self._taken_at = seed.taken_at
            for name, kwh in _stands(seed).items():
                if kwh is not None:
                    self._levels[name].judge(0.0, seed.taken_at, kwh, seed.power_kw)

    def judge(self, reading: Reading, steady: float | None = None) -> Reading:
        """The reading, SUSPECT with a note where it says what cannot be."""
        if reading.quality is not ReadingQuality.GOOD:
            return reading
        reading, odd = _finite(reading)
        set_by, late = self._go_on(reading.taken_at, steady)
        notes = [*odd, self._power(reading.power_kw), *self._counters(reading, late)]
        doubts = [note for note in notes if note]
        quality = ReadingQuality.SUSPECT if doubts else ReadingQuality.GOOD
        if set_by is not None:
            doubts.append(f"the clock was set {'forward' if set_by > 0 else 'back'} by {abs(set_by):.0f} s")
        if not doubts:
            return reading
        return replace(reading, quality=quality, note="; ".join(doubts), clock_step_seconds=set_by)

    def _go_on(self, taken_at: datetime, steady: float | None) -> tuple[float | None, bool]:
        """Let time go on to a reading. By how many seconds the clock was set meanwhile, and whether the reading is one
        from before that came late."""
        before, at = self._taken_at, self._steady
        wall = 0.0 if before is None else (taken_at - before).total_seconds()
        if steady is None and wall < 0:
            return None, True
        # After a restart nobody knows for how long the clock was wrong: as long as it was set back by, at least.
        gone = abs(wall) if steady is None or at is None else steady - at
        self._t, self._taken_at, self._steady = self._t + gone, taken_at, steady
        set_by = wall - gone if at is not None or wall >= 0 else wall
        return (set_by if abs(set_by) > CLOCK_SECONDS else None), False

    def _power(self, power_kw: float | None) -> str:
        if power_kw is None or abs(power_kw) <= OVERLOAD * self._meter.connection_kw:
            return ""
        return f"{power_kw:.1f} kW is more than the connection of {self._meter.connection_kw:g} kW can carry"

    def _counters(self, reading: Reading, late: bool) -> list[str]:
        told = {name: kwh for name, kwh in _stands(reading).items() if kwh is not None}
        if late:
            return [self._levels[name].fits(name, reading.taken_at, kwh) for name, kwh in told.items()]
        if len(told) == len(COUNTERS) and self._changed_places(told):
            return ["import and export have changed places"]
        doubts = [
            _named(name, self._levels[name].judge(self._t, reading.taken_at, kwh, reading.power_kw))
            for name, kwh in told.items()
        ]
        if not any(doubts) and told and all(self._levels[name].stalled(self._t) for name in told):
            since = min(self._levels[name].still_since for name in told)
            return [f"no counter has moved since {since:%H:%M:%S} UTC, though the power says {reading.power_kw:.1f} kW"]
        return doubts

    def _changed_places(self, told: dict[str, float]) -> bool:
        """Whether each counter says what the other one would; such levels are never believed, however long they hold."""
        own = [self._levels[name].continues(self._t, told[name]) for name in COUNTERS]
        crossed = [self._levels["import"].continues(self._t, told["export"])]
        crossed.append(self._levels["export"].continues(self._t, told["import"]))
        return not any(own) and all(crossed)


class _Counter:
    """One counter of a meter: the level that is believed, and a new one that may come to be."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._step_kwh = STEP_KWH
        self._level: _Level | None = None
        self._new: _Level | None = None
        self._told: deque[tuple[datetime, float]] = deque(maxlen=REMEMBERED)

    def judge(self, t: float, at: datetime, kwh: float, kw: float | None) -> str:
        """Why the stand is doubted; "" where it is believed."""
        if kwh < 0:
            return f"counter says {kwh:.2f} kWh; no counter is below zero"
        level = self._level
        if level is None:
            self._level = _Level(t, at, kwh, kw)
        elif level.used(t, kwh, kw, self._meter, self._step_kwh) is None:
            if not self._believed(t, at, kwh, kw):
                return f"counter {'went down' if kwh < level.kwh else 'jumped'} from {level.kwh:.2f} to {kwh:.2f} kWh"
        else:
            self._step_kwh = level.go_on(t, at, kwh, kw, self._step_kwh)
            self._new = None
        self._told.append((at, kwh))
        return ""

    def _believed(self, t: float, at: datetime, kwh: float, kw: float | None) -> bool:
        """Whether the new level, which this stand belongs to, is believed from now on."""
        new = self._new
        if new is None or new.used(t, kwh, kw, self._meter, self._step_kwh) is None:
            self._new = _Level(t, at, kwh, kw)
            return False
        new.go_on(t, at, kwh, kw, self._step_kwh)
        if new.count < HOLDS_READINGS or t - new.since < HOLDS_SECONDS or new.kwh == new.first_kwh:
            return False
        self._level, self._new = new, None
        self._told.clear()
        return True

    def continues(self, t: float, kwh: float) -> bool:
        """Whether a stand would go on from the level that is believed."""
        return self._level is not None and self._level.used(t, kwh, None, self._meter, self._step_kwh) is not None

    def fits(self, name: str, at: datetime, kwh: float) -> str:
        """Why a stand that came late cannot have been between its neighbours; "" where it can."""
        before = [said for then, said in self._told if then <= at]
        after = [said for then, said in self._told if then >= at]
        if (before and kwh < before[-1]) or (after and kwh > after[0]):
            return f"{name} counter came late with {kwh:.2f} kWh, which does not lie between its neighbours"
        return ""

    def stalled(self, t: float) -> bool:
        return self._level is not None and self._level.stalled(t, self._meter, self._step_kwh)

    @property
    def still_since(self) -> datetime:
        assert self._level is not None
        return self._level.moved_at


class _Level:
    """Where a counter stands and since when, and what the power said since it moved last."""

    __slots__ = ("_high_kw", "_low_kw", "_moved", "_t", "count", "first_kwh", "kwh", "moved_at", "since")

    def __init__(self, t: float, at: datetime, kwh: float, kw: float | None) -> None:
        self.since = self._t = self._moved = t
        self.first_kwh = self.kwh = kwh
        self.moved_at = at
        self.count = 1
        self._low_kw = self._high_kw = None if kw is None else abs(kw)

    def used(self, t: float, kwh: float, kw: float | None, meter: Meter, step_kwh: float) -> float | None:
        """What was used if the counter went on to a stand; None where it cannot have."""
        lag_kw = meter.connection_kw if self._high_kw is None else max(self._high_kw, abs(kw or 0.0))
        still = self._t - self._moved
        most = carried_kwh(
            meter.connection_kw,
            seconds=t - self._t,
            lag_kw=lag_kw,
            lag_seconds=still if self.stalled(self._t, meter, step_kwh) else min(still, LAG_SECONDS),
            step_kwh=step_kwh,
        )
        return used_kwh(self.kwh, kwh, rollover_kwh=meter.rollover_kwh, at_most_kwh=most)

    def go_on(self, t: float, at: datetime, kwh: float, kw: float | None, step_kwh: float) -> float:
        """Go on to a stand that is believed. Returns the step in which it counts, as far as is known by now."""
        moved = kwh != self.kwh
        if kwh > self.kwh:
            step_kwh = min(step_kwh, 2 * (kwh - self.kwh))
        power = None if kw is None else abs(kw)
        if moved:
            self._moved, self.moved_at = t, at
            self._low_kw = self._high_kw = power
        elif power is not None:
            self._low_kw = power if self._low_kw is None else min(self._low_kw, power)
            self._high_kw = power if self._high_kw is None else max(self._high_kw, power)
        self._t, self.kwh, self.count = t, kwh, self.count + 1
        return step_kwh

    def stalled(self, t: float, meter: Meter, step_kwh: float) -> bool:
        """Whether the counter stands still for so long that, by the lowest power meanwhile, it must have moved."""
        still = t - self._moved
        low = self._low_kw
        if low is None or still < FROZEN_SECONDS or low <= FROZEN_FROM * meter.connection_kw:
            return False
        return low * still / 3600 > 2 * step_kwh


def _stands(reading: Reading) -> dict[str, float | None]:
    return {"import": reading.import_kwh, "export": reading.export_kwh}


def _named(name: str, doubt: str) -> str:
    return f"{name} {doubt}" if doubt else ""


def _finite(reading: Reading) -> tuple[Reading, list[str]]:
    """The reading without what is no number, and what that was."""
    said = {"import": reading.import_kwh, "export": reading.export_kwh, "power": reading.power_kw}
    odd = {name: value for name, value in said.items() if value is not None and not math.isfinite(value)}
    if not odd:
        return reading, []
    kept = {name: None if name in odd else value for name, value in said.items()}
    known = replace(reading, import_kwh=kept["import"], export_kwh=kept["export"], power_kw=kept["power"])
    return known, [f"{name} says {value}, which is no number" for name, value in odd.items()]
