"""What a machine's meter tells of the machine: states, cycles, waste, learned profiles, drift.

Everything here is by machine and local day or week, never by crew, shift or person.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class PowerState(StrEnum):
    """What a machine does, as its power says it. UNKNOWN is a state of its own: a gap is never counted as off."""

    OFF = "off"
    IDLE = "idle"  # on, and waits
    HOLDING = "holding"  # keeps itself ready without work: temperature, pressure
    RUNNING = "running"
    UNKNOWN = "unknown"


class Detail(StrEnum):
    """How finely the power of a day is known."""

    READINGS = "readings"  # every few seconds, the energy as the counters have it
    INTERVALS = "intervals"  # only means of 15 min (or another step): edges and short cycles are blurred
    MIXED = "mixed"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Where the states of a machine lie in its power. A state begins when the power rises above `*_above_kw` and ends
    when it falls below that less a band of `band` (a share), so that a power near a threshold does not flutter.

    `*_kw` are what it typically draws in a state, None where it never was in it. `holding_period_seconds`: how often a
    thermostat switches full power on while it holds (there the mean is judged, not the power); 0 where none does."""

    off_kw: float | None
    idle_kw: float | None
    holding_kw: float | None
    running_kw: float | None
    on_above_kw: float  # off → idle
    holding_above_kw: float | None  # idle → holding
    running_above_kw: float
    band: float = 0.15
    holding_period_seconds: int = 0
    hours: float = 0.0  # of data that they rest on
    first: date | None = None
    last: date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpan:
    """A span in one state; `kwh` is None where it is unknown."""

    state: PowerState
    start: datetime
    end: datetime
    kwh: float | None

    @property
    def hours(self) -> float:
        return (self.end - self.start).total_seconds() / 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEnergy:
    """What a machine drew in one state in a day; `money` is None where a slot had no price."""

    state: PowerState
    hours: float
    kwh: float
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One piece of work as the power shows it, from coming up to going down. `strokes` are the regular peaks within
    (presses, moulding), 0 where there are none to see; `whole` is False where a gap hides a part."""

    start: datetime
    end: datetime
    kwh: float
    peak_kw: float
    strokes: int = 0
    job: str = ""
    product: str = ""
    whole: bool = True

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteSpan:
    """A span in which a machine was idle or held for longer than switching it off and on again would have taken.
    `kwh` is what switching off would have spared: without what it draws when off, and without the restart."""

    state: PowerState
    start: datetime
    end: datetime
    kwh: float
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSample:
    """One job run as the machine's meter saw it: power above idle, time-normalised to equal parts of the run (kW), and
    what the production plan had typed in for it."""

    job: str
    product: str
    mode: str
    start: datetime
    end: datetime
    kwh: float  # above idle
    power_kw: tuple[float, ...]
    quantity: float | None = None
    typed_kw: tuple[float, ...] = ()
    typed_minutes: int | None = None

    @property
    def minutes(self) -> float:
        return (self.end - self.start).total_seconds() / 60.0

    @property
    def typed_kwh(self) -> float | None:
        """What the typed-in way would have drawn."""
        if not self.typed_kw or self.typed_minutes is None:
            return None
        return sum(self.typed_kw) / len(self.typed_kw) * self.typed_minutes / 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDay:
    """What the meter of a machine told of one local day. `histogram` is for how many hours the power lay in
    each class of `energy.insight.levels.EDGES`, as (class, hours); levels are learned from it."""

    machine: str
    meter: str
    day: date
    detail: Detail
    known_share: float
    levels: Levels | None  # None: less than a day is known, nothing is said of states
    spans: tuple[StateSpan, ...] = ()
    energy: tuple[StateEnergy, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    waste: tuple[WasteSpan, ...] = ()
    runs: tuple[RunSample, ...] = ()
    kwh: float | None = None
    quiet_kw: float | None = None  # what it draws when it rests: the lowest mean of any hour
    idle_kw: float | None = None  # typical power while idle, None below half an hour of it
    histogram: tuple[tuple[int, float], ...] = ()
    toggling_hours: float = 0.0  # full power going on and off by itself, and its mean power
    toggling_kw: float | None = None
    toggling_seconds: float = 0.0
    long_on_hours: float = 0.0  # full power without a break, as no thermostat draws it
    temperature: float | None = None  # outdoor mean of the day, degC
    currency: str = ""
    notes: tuple[str, ...] = ()

    def state(self, state: PowerState) -> StateEnergy:
        """What it drew in a state; nothing where it never was in it."""
        return next((e for e in self.energy if e.state is state), StateEnergy(state=state, hours=0, kwh=0, money=0.0))


class Basis(StrEnum):
    """What a learned profile is told in."""

    POWER = "kW"
    TYPED = "share of the typed-in power"  # where each order has its own, and that explains more than the product does


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedProfile:
    """The power of a product on a machine over its run, as its meter saw it in `runs` runs: P10, P50 and P90 of equal
    parts, above idle. In `basis`: kW, or multiples of what the plan had typed in."""

    machine: str
    product: str
    mode: str
    basis: Basis
    p10: tuple[float, ...]
    p50: tuple[float, ...]
    p90: tuple[float, ...]
    runs: int
    left_out: int  # runs too far from all others
    first: date
    last: date
    minutes: float  # typical
    spread: float  # of the energy of a run about its middle, a share (robust standard deviation)
    typed_kw: tuple[float, ...] = ()  # of the newest run, for comparison
    drifting: bool = False  # its machine needs more energy than it used to; what it rests on is since then


class DriftOf(StrEnum):
    """What drifts."""

    WORK = "energy for the same work"
    IDLE = "idle power"
    QUIET = "power at rest"  # leaks of compressed air, pumps that nobody switches off


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A machine that needs another energy for the same than it used to. `size` is a share: 0.05 is 5 % more.

    `strength` is the test statistic; `confidence` the share of simulated machine-quarters without any drift whose
    strongest false signal stayed below it. `since` lies within [since_first, since_last] with 90 %."""

    machine: str
    of: DriftOf
    size: float
    size_low: float
    size_high: float
    since: datetime
    since_first: datetime
    since_last: datetime
    ramp: bool  # it grew (and may go on growing) rather than jumped
    confidence: float
    strength: float
    before: int  # observations before and after
    after: int
    unit: str  # what was compared: "energy against the typed-in", "energy per piece", …
    extra_kwh_per_week: float | None = None
    extra_money_per_week: float | None = None
    found_at: datetime | None = None
