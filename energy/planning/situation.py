"""The situation that a plan answers, before it is put into slots: the plant, its jobs, what is known and expected."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from energy.model.calendar import Calendar
from energy.model.event import Commitment
from energy.model.fact import Fact
from energy.model.horizon import Horizon, Interval
from energy.model.job import AsIsEntry, Job, Planned
from energy.model.run import JobRun
from energy.model.series import Series
from energy.model.site import Site
from energy.model.tariff import Tariff
from energy.planning.optimism import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A row with its band; the band is None where the row is known."""

    middle: Series
    low: Series | None = None
    high: Series | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way in which it may come, all rows together; None where a row is known, or nobody drew it."""

    base_load: Series | None = None
    pv: Series | None = None
    market_price: Series | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that planning depends on, as known now.

    `movable` is the span whose jobs may be asked for (by their start in the plan in force); `touched` are jobs that a
    fact touches, which may move whenever they stand. `untouchable` maps a job to why nobody is asked for it. `kept` says
    how much of a forecast price difference has come true so far.
    """

    site: Site
    calendar: Calendar
    tariff: Tariff
    horizon: Horizon
    now: datetime
    jobs: tuple[Job, ...]
    runs: tuple[JobRun, ...]
    as_is: Mapping[str, AsIsEntry]
    accepted: Mapping[str, Planned]
    offered: Mapping[str, Planned]
    untouchable: Mapping[str, str]
    facts: tuple[Fact, ...]
    market_price: Expected
    published: tuple[bool, ...]
    carbon: Series
    carbon_basis: str
    base_load: Expected
    pv: Expected
    peaks_so_far: Mapping[tuple[str, str], tuple[float, float]]
    commitments: tuple[Commitment, ...]
    battery_kwh: float
    movable: Interval
    touched: frozenset[str] = frozenset()
    kept: tuple[Kept, ...] = ()
    paths: tuple[Path, ...] = ()  # drawn from days on which forecasts erred; empty where too few are known
    notes: tuple[str, ...] = field(default_factory=tuple)
