"""Meters and what they say: readings as they come from the wire, and the energy of intervals made from them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a meter is for. What the settlement meter says is what the bill is made of."""

    SETTLEMENT = "settlement"
    CHECK = "check"
    SUB = "sub"
    VIRTUAL = "virtual"


class Measures(StrEnum):
    """What flows through a meter."""

    GRID = "grid"
    PV = "pv"
    BATTERY = "battery"
    MACHINE = "machine"
    OTHER = "other"


SINGLE_SOURCE = "1 source"  # how the confidence of a table begins that rests on one description


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A meter that counts in a virtual one, with its sign: +1 adds what flowed through it, −1 takes it off."""

    meter: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter of the plant. `connection_kw` is the most that its connection can carry, in either direction. `above` is
    the meter that it hangs below (a feeder below the grid connection); a virtual meter has `parts` and no wire.
    `confidence` is how well the table is known by which it is read, in words; empty where there is none. `watched`: what
    hangs on it (compressors, a chiller) runs no jobs, but its states, waste and drift are learned like a machine's. `box`
    is the edge box that reads it, by name; empty where the collector does, or nobody."""

    id: str
    name: str
    role: Role
    measures: Measures
    connection_kw: float
    place: str = ""
    machine: str | None = None
    profile: str = ""
    rollover_kwh: float | None = None
    above: str | None = None
    parts: tuple[Part, ...] = ()
    confidence: str = ""
    watched: bool = False
    box: str = ""

    @property
    def tells_of(self) -> str | None:
        """What its states are learned of: the machine that it measures, or what hangs on it; None for any other."""
        if self.measures is Measures.MACHINE:
            return self.machine or self.id
        return self.id if self.watched else None

    @property
    def single_source(self) -> bool:
        """Whether only one description of its registers is known: compare it with the display."""
        return self.confidence.startswith(SINGLE_SOURCE)


class ReadingQuality(StrEnum):
    """Whether a value can be used. Only GOOD and RELEASED readings make energy."""

    GOOD = "good"
    SUSPECT = "suspect"  # arrived, but beyond what can be: kept in quarantine, shown, not used until released
    RELEASED = "released"  # was suspect, and a person said that it is right
    REJECTED = "rejected"  # was suspect, and a person said that it is wrong
    NO_ANSWER = "no answer"

    @property
    def counts(self) -> bool:
        """Whether energy is made of such readings."""
        return self in (ReadingQuality.GOOD, ReadingQuality.RELEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one meter said at one moment. A value it did not say is None, never zero.

    Counters in kWh only count up (import: towards the plant; for PV, export: what was generated; for a battery,
    import: charged, export: discharged). Power in kW, import positive. `note` says what was wrong. `raw` is what lay on
    the wire where the value is doubted: JSON, function code and address to the 16 bits, or the message as it came.
    `state` is what the machine itself says that it does, in the words of its wire (MTConnect: ACTIVE, STOPPED, …).
    `clock_step_seconds` is by how much the clock that stamps the readings was set since the reading before (forward
    positive); None where it ran on.
    """

    meter: str
    taken_at: datetime
    import_kwh: float | None = None
    export_kwh: float | None = None
    power_kw: float | None = None
    quality: ReadingQuality = ReadingQuality.GOOD
    note: str = ""
    values: tuple[tuple[str, float], ...] = ()  # further quantities of the profile, by name, in base units
    raw: str = ""
    state: str = ""
    clock_step_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a person said of a doubted reading: that it counts (`right`), or that it never will. Append-only; of several
    the newest word counts."""

    meter: str
    taken_at: datetime
    right: bool
    at: datetime
    by: str
    role: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A meter was replaced. With the last stand of the old and the first of the new one nothing is lost in between:
    the counter goes on from `old_*` to `new_*` at `at`. A stand that nobody wrote down is None: a gap stays a gap."""

    id: str
    meter: str
    at: datetime
    old_import_kwh: float | None = None
    new_import_kwh: float | None = None
    old_export_kwh: float | None = None
    new_export_kwh: float | None = None
    reported_at: datetime
    by: str = ""
    why: str = ""


class Quality(StrEnum):
    """How the energy of an interval came to be known."""

    MEASURED = "measured"  # from two counter stands at, or within seconds of, the edges
    INTERPOLATED = "interpolated"  # an edge lies between two stands closer together than the step; totals are exact
    SPREAD = "spread"  # part of a longer gap: the total of the gap is measured, its shape is not
    IMPORTED = "imported"  # said by a file (utility, historian)
    MODELLED = "modelled"  # a part of a virtual meter was dead and stands for itself by what it usually is
    MISSING = "missing"  # nobody knows; kwh is None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalEnergy:
    """The energy that flowed through a meter in one interval; None is unknown."""

    meter: str
    start: datetime
    minutes: int
    import_kwh: float | None
    export_kwh: float | None
    quality: Quality
    max_power_kw: float | None = None

    @property
    def net_kw(self) -> float | None:
        """Mean power of the interval, import positive."""
        if self.import_kwh is None and self.export_kwh is None:
            return None
        return ((self.import_kwh or 0.0) - (self.export_kwh or 0.0)) * 60.0 / self.minutes
