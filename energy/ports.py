"""The ports: what the house asks of its interchangeable kinds, one to three methods each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from energy.clock import Clock
from energy.model.commissioning import FoundMeter
from energy.model.event import Event
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job
from energy.model.meter import IntervalEnergy, Meter, Reading
from energy.model.plan import Answer
from energy.model.problem import Problem
from energy.model.proposal import Instruction, Receipt
from energy.model.run import JobRun
from energy.model.series import Series
from energy.model.site import Site


@runtime_checkable
class MeterReader(Protocol):
    """One way to ask one meter. Never raises for a silent meter: that is a Reading with quality NO_ANSWER."""

    meter: Meter

    async def read(self) -> Reading:
        """What the meter says now."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class MeterListener(Protocol):
    """One way to be told by one meter (a broker, a subscription, a folder). Whatever comes is given as it comes; silence
    for too long is given as a Reading with quality NO_ANSWER, so that a dead meter is seen."""

    meter: Meter

    async def listen(self, give: Callable[[Reading], None]) -> None:
        """Give every reading until cancelled; reconnects by itself."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Acknowledging(Protocol):
    """A listener whose far end keeps what it told until it is acknowledged (a broker, a folder). Whoever keeps readings
    sets `acknowledged` before it listens, and says of every reading when it is kept; without that, what was given
    counts as kept."""

    acknowledged: bool

    def kept(self, readings: Sequence[Reading]) -> None:
        """Those readings are safe: the far end may forget them."""
        ...


@runtime_checkable
class IntervalTelling(Protocol):
    """A listener that is told the energy of whole intervals, as a utility's file says it, and not stands of a counter.
    Whoever has a store gives it `keep_intervals` (the intervals, and where they come from) before it listens."""

    keep_intervals: Callable[[Sequence[IntervalEnergy], str], object] | None


@runtime_checkable
class Scanner(Protocol):
    """Finds meters on a wire and says whether what they tell can be right. Plain calls that may take some seconds."""

    name: str

    def scan(
        self, host: str, *, units: str = "", progress: Callable[[float, str], None] | None = None
    ) -> Sequence[FoundMeter]:
        """What answers there, best guesses first. MeterError where nothing does. `units` as "1-32" or "1,2,5" are asked
        alone; a progress that raises EnoughError ends the scan with what was found."""
        ...

    def look(self, settings: Mapping[str, object]) -> FoundMeter:
        """One meter as config.yaml would name it (kind, profile, host, …): its values now, and the checks."""
        ...


@runtime_checkable
class Forecaster(Protocol):
    """Something that predicts one target. Always answers; what was missing or fell back stands in the flags."""

    name: str

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        """The band over the horizon, from the past alone."""
        ...

    def components(self, target: Target) -> Sequence[Component]:
        """The readable parts of the last forecast of that target; empty where there are none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedValues:
    """What a feed answered: one series in the store's unit, and where it comes from."""

    key: str  # a series key of energy.model.series
    series: Series
    source: str
    licence: str = ""
    basis: str = ""  # carbon: "grid average, direct" …
    retrieved_at: datetime
    raw_digest: str = ""


@runtime_checkable
class Feed(Protocol):
    """An outside source of prices, carbon or weather. Raises FeedError where there is no usable answer."""

    name: str

    def fetch(self, span: Interval) -> Sequence[FeedValues]:
        """What is known of the span now. A span not yet published is simply missing from the answer."""
        ...


@runtime_checkable
class Program(Protocol):
    """A source of demand-response events."""

    name: str

    def events(self) -> Sequence[Event]:
        """All events that are known now, running and coming."""
        ...


@runtime_checkable
class OrderSource(Protocol):
    """Where production orders come from. A job that is no longer listed is gone."""

    name: str

    def jobs(self) -> Sequence[Job]: ...

    def runs(self) -> Sequence[JobRun]: ...


@runtime_checkable
class Optimizer(Protocol):
    """Problem in, answer out."""

    name: str

    def solve(
        self,
        problem: Problem,
        *,
        seconds: float,
        progress: Callable[[float, float | None], None] | None = None,
    ) -> Answer:
        """The best plan within a wall-clock limit. `progress(cost, bound)` is told of each better plan."""
        ...

    def dispatch(self, problem: Problem) -> Answer:
        """The best battery and curtailment schedule with every job where `in_force` has it."""
        ...


@runtime_checkable
class Dispatcher(Protocol):
    """Tells the floor."""

    name: str

    def send(self, instructions: Sequence[Instruction], site: Site) -> Sequence[Receipt]: ...


@runtime_checkable
class Notifier(Protocol):
    """Tells a person that something waits. Raises LoadstoneError where the message could not be handed over."""

    name: str

    def notify(self, subject: str, text: str) -> None: ...


@runtime_checkable
class Runner(Protocol):
    """Where a step runs."""

    def run(self, step: str, call: Callable[[], object]) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a kind may know when it is built, besides its settings."""

    site: Site
    clock: Clock
    folder: str = "."  # where relative paths in the settings start
    secrets: Mapping[str, str] = field(default_factory=dict)  # the environment
    proxy: str | None = None
    ca_bundle: str | None = None
    meters: Sequence[Meter] = ()
    last_good: Mapping[str, Reading] = field(default_factory=dict)  # the newest reading of each meter that counts
