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

# A new level is believed when it has held for so long, and for so many readings after it was first seen to count: no spike,
# dip or lost counter does. Nothing is lost by waiting: the doubted stands of a level that came true count after all.
HOLDS_READINGS = 5
HOLDS_SECONDS = 300.0
FROZEN_SECONDS = 300.0  # a counter may lag behind for so long before it is said to stand still
CLOCK_SECONDS = 5.0  # a wall clock that is off by more than this from the steady one was set
WATCHED = 3  # new levels at a time, besides the newest
REMEMBERED = 64  # stands against which one that comes late is held


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
        self._believed = _Level(meter)
        self._new: list[_Level] = []  # what may come to be believed, the oldest first
        self._told: deque[Reading] = deque(maxlen=REMEMBERED)
        self._t = 0.0  # seconds that went by since the first reading, by the steady clock where there is one
        self._taken_at: datetime | None = None
        self._steady: float | None = None
        if seed is not None:
            self._taken_at = seed.taken_at
            self._believed.go_on(0.0, seed)

    def judge(self, reading: Reading, steady: float | None = None) -> Reading:
        """The reading, SUSPECT with a note where it says what cannot be."""
        if reading.quality is not ReadingQuality.GOOD:
            return reading
        reading, odd = _finite(reading)
        set_by, late = self._go_on(reading.taken_at, steady)
        doubts = [*odd, *self._power(reading.power_kw), *(self._late(reading) if late else self._counters(reading))]
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

    def _power(self, power_kw: float | None) -> list[str]:
        if power_kw is None or abs(power_kw) <= OVERLOAD * self._meter.connection_kw:
            return []
        return [f"{power_kw:.1f} kW is more than the connection of {self._meter.connection_kw:g} kW can carry"]

    def _late(self, reading: Reading) -> list[str]:
        """Why a reading that came late cannot have been between its neighbours."""
        doubts = []
        for name, kwh in _stands(reading).items():
            near = [(said.taken_at, stand) for said in self._told if (stand := _stands(said).get(name)) is not None]
            before = [stand for at, stand in near if at <= reading.taken_at]
            after = [stand for at, stand in near if at >= reading.taken_at]
            if (before and kwh < before[-1]) or (after and kwh > after[0]):
                doubts.append(f"{name} counter came late with {kwh:.2f} kWh, which does not lie between its neighbours")
        return doubts

    def _counters(self, reading: Reading) -> list[str]:
        """Why the counters are doubted. They are believed or doubted together: a meter that lost one is not to be
        trusted with the other."""
        believed, t = self._believed, self._t
        doubts = believed.doubts(t, reading)
        if not doubts or believed.came_back(t, reading):
            self._new = []
            believed.go_on(t, reading)
            self._told.append(reading)
            return self._frozen(reading)
        if min(_stands(reading).values()) < 0:
            return [
                f"{name} counter says {kwh:.2f} kWh; none is below zero"
                for name, kwh in _stands(reading).items()
                if kwh < 0
            ]
        new = next((level for level in self._new if not level.doubts(t, reading)), None)
        if new is None and believed.changed_places(t, reading):
            return ["import and export have changed places"]
        if new is None:
            new = _Level(self._meter, believed.step_kwh)
            self._new = [*self._new[:WATCHED], new]
        new.go_on(t, reading)
        if not new.holds(t):
            return doubts
        self._believed, self._new = new, []
        self._told.clear()
        return []

    def _frozen(self, reading: Reading) -> list[str]:
        """Why counters that do not move are doubted: all the while the power said that they must."""
        if not self._believed.stalled(self._t):
            return []
        since = self._believed.moved_at
        return [
            f"no counter has moved since {since:%H:%M:%S} UTC, though the power says {reading.power_kw or 0.0:.1f} kW"
        ]


class _Level:
    """Where the counters of a meter stand, since when, and what the power said since one of them moved."""

    def __init__(self, meter: Meter, step_kwh: float = STEP_KWH) -> None:
        self._meter = meter
        self.step_kwh = step_kwh  # in which the counters count, as far as is known by now
        self._stands: dict[str, tuple[float, float]] = {}  # counter → when it said so, kWh
        self._before: dict[str, tuple[float, float]] = {}  # the stands before those
        self._since = self._moved = -math.inf
        self.moved_at: datetime | None = None
        self._count = 0
        self._held = 0  # readings since it first moved, with that one
        self._low_kw: float | None = None
        self._high_kw: float | None = None

    def doubts(self, t: float, reading: Reading) -> list[str]:
        """Why the counters cannot have gone on to what a reading says."""
        told: list[str] = []
        for name, kwh in _stands(reading).items():
            if name not in self._stands:
                told += [] if kwh >= 0 else [f"{name} counter says {kwh:.2f} kWh; none is below zero"]
                continue
            stood = self._stands[name][1]
            if not self._continues(name, t, kwh, reading.power_kw):
                told.append(
                    f"{name} counter {'went down' if kwh < stood else 'jumped'} from {stood:.2f} to {kwh:.2f} kWh"
                )
            elif kwh < stood:  # a lost counter says zero, too: it has to count on
                told.append(
                    f"{name} counter rolled over from {stood:.2f} to {kwh:.2f} kWh; believed when it has counted on"
                )
        return told

    def _continues(self, name: str, t: float, kwh: float, kw: float | None = None) -> bool:
        then, stood = self._stands[name]
        if stood <= kwh <= stood + OVERLOAD * self._meter.connection_kw * (t - then) / 3600:
            return True  # the usual case
        still = max(0.0, then - self._moved)
        most = carried_kwh(
            self._meter.connection_kw,
            seconds=t - then,
            lag_kw=self._meter.connection_kw if self._high_kw is None else max(self._high_kw, abs(kw or 0.0)),
            lag_seconds=still if self.stalled(then) else min(still, LAG_SECONDS),
            step_kwh=self.step_kwh,
        )
        return used_kwh(stood, kwh, rollover_kwh=self._meter.rollover_kwh, at_most_kwh=most) is not None

    def came_back(self, t: float, reading: Reading) -> bool:
        """Whether the counters go on from the stands before the last: the last was a small spike, or this is a small dip.
        The level goes on from here; which of the two was wrong, nobody can tell."""
        lower = {
            name: kwh for name, kwh in _stands(reading).items() if name in self._stands and kwh < self._stands[name][1]
        }
        others = {name: kwh for name, kwh in _stands(reading).items() if name in self._stands and name not in lower}
        return all(self._came_back(name, t, kwh) for name, kwh in lower.items()) and all(
            self._continues(name, t, kwh, reading.power_kw) for name, kwh in others.items()
        )

    def _came_back(self, name: str, t: float, kwh: float) -> bool:
        (then, stood), last = self._before[name], self._stands[name][1]
        most = carried_kwh(
            self._meter.connection_kw, seconds=t - then, lag_kw=0.0, lag_seconds=0.0, step_kwh=self.step_kwh
        )
        return stood <= kwh < last and kwh - stood <= most

    def changed_places(self, t: float, reading: Reading) -> bool:
        """Whether each counter says what the other one would; such a level is never believed, however long it holds."""
        told = _stands(reading)
        if len(told) < 2 or len(self._stands) < 2 or all(self._continues(name, t, kwh) for name, kwh in told.items()):
            return False
        if self._continues("import", t, told["export"]) and self._continues("export", t, told["import"]):
            return True
        # The last stands may have been small spikes; that the two are near each other by chance is out of the question.
        (then, taken), (_, given) = self._stands["import"], self._stands["export"]
        near = carried_kwh(self._meter.connection_kw, seconds=t - then, lag_kw=0.0, lag_seconds=0.0)
        apart = abs(taken - given) > 4 * near
        return apart and abs(told["export"] - taken) <= near and abs(told["import"] - given) <= near

    def go_on(self, t: float, reading: Reading) -> None:
        """Go on to what a reading says."""
        moved = False
        for name, kwh in _stands(reading).items():
            then = self._stands.get(name)
            if then is not None and then[1] != kwh:
                moved = True
                if kwh > then[1]:
                    self.step_kwh = min(self.step_kwh, 2 * (kwh - then[1]))
            self._before[name] = then or (t, kwh)
            self._stands[name] = (t, kwh)
        power = None if reading.power_kw is None else abs(reading.power_kw)
        if not self._count:
            self._since = t
        if moved or not self._count:
            self._moved, self.moved_at = t, reading.taken_at
            self._low_kw = self._high_kw = power
        elif power is not None:
            self._low_kw = power if self._low_kw is None else min(self._low_kw, power)
            self._high_kw = power if self._high_kw is None else max(self._high_kw, power)
        self._count += 1
        self._held += self._held > 0 or moved

    def holds(self, t: float) -> bool:
        """Whether the level has held for long enough, and has counted on."""
        return self._held >= HOLDS_READINGS and t - self._since >= HOLDS_SECONDS

    def stalled(self, t: float) -> bool:
        """Whether the counters stand still for so long that, by the lowest power meanwhile, one must have moved."""
        still, low = t - self._moved, self._low_kw
        if not self._stands or low is None or still < FROZEN_SECONDS or low <= FROZEN_FROM * self._meter.connection_kw:
            return False
        return low * still / 3600 > 2 * self.step_kwh


def _stands(reading: Reading) -> dict[str, float]:
    said = {"import": reading.import_kwh, "export": reading.export_kwh}
    return {name: kwh for name, kwh in said.items() if kwh is not None}


def _finite(reading: Reading) -> tuple[Reading, list[str]]:
    """The reading without what is no number, and what that was."""
    said = {"import": reading.import_kwh, "export": reading.export_kwh, "power": reading.power_kw}
    odd = {name: value for name, value in said.items() if value is not None and not math.isfinite(value)}
    if not odd:
        return reading, []
    kept = {name: None if name in odd else value for name, value in said.items()}
    known = replace(reading, import_kwh=kept["import"], export_kwh=kept["export"], power_kw=kept["power"])
    return known, [f"{name} says {value}, which is no number" for name, value in odd.items()]
