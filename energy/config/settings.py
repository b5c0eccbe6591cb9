"""The typed result of reading config.yaml: nouns of the model, and for each interchangeable kind its own settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from energy.clock import Clock, SpeedClock, SystemClock
from energy.config.doors import ApiSection
from energy.config.sections import TwinLoadSection, TwinWorkSection
from energy.errors import LoadstoneError
from energy.model.calendar import Calendar
from energy.model.forecast import Target
from energy.model.meter import Meter
from energy.model.site import Site
from energy.model.tariff import Tariff
from energy.ports import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSettings:
    """An interchangeable kind by name, with options of its own `Settings` type, for `energy.plugins.build`."""

    group: str
    kind: str
    options: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """A meter and how it is read. Options hold what the kind's `Settings` names, shared keys (id, profile) too."""

    meter: Meter
    kind: str
    options: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSettings:
    """Who makes plans, in how many seconds, and how close to the bound is good enough."""

    kind: str
    seconds: float
    gap: float
    options: BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where everything is kept; a relative SQLite file is already made absolute."""

    url: str = field(repr=False)  # may hold a password
    raw_days: float
    raw_gb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsSettings:
    settle_after_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    heartbeat_minutes: int
    collect_seconds: int
    replan_within_seconds: int
    clock: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    address: str
    port: int
    roles: tuple[str, ...]
    call: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    proxy: str | None = field(repr=False)  # may hold a password
    ca_bundle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinSettings:
    """The simulated plant: its luck, the measured load it draws beside its machines, and what these make."""

    seed: int
    load: TwinLoadSection | None = None
    work: tuple[TwinWorkSection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything config.yaml says. `folder` is where it lies; relative paths start there."""

    path: Path
    folder: Path
    site: Site
    calendar: Calendar
    tariff: Tariff
    store: StoreSettings
    meters: tuple[MeterSettings, ...]
    orders: KindSettings | None
    feeds: tuple[KindSettings, ...]
    forecasters: Mapping[Target, KindSettings]
    history_days: int
    optimizer: OptimizerSettings
    programs: tuple[KindSettings, ...]
    dispatchers: tuple[KindSettings, ...]
    notifiers: tuple[KindSettings, ...]
    savings: SavingsSettings
    schedule: ScheduleSettings
    dashboard: DashboardSettings
    network: NetworkSettings
    twin: TwinSettings | None
    environ: Mapping[str, str] = field(repr=False, compare=False)
    api: ApiSection | None = None

    def clock(self) -> Clock:
        """The plant's clock: the machine's own, or the one that the demo saved for all its processes."""
        saved = self.schedule.clock
        if saved is None:
            return SystemClock()
        if not saved.exists():
            raise LoadstoneError(
                f"{self.path.name}: schedule.clock names {saved}, which is not there; `loadstone demo` writes it. "
                "Leave schedule.clock out to use the machine's clock."
            )
        return SpeedClock.load(saved)

    def context(self, clock: Clock | None = None) -> Context:
        """What kinds may know when they are built."""
        return Context(
            site=self.site,
            clock=clock or self.clock(),
            folder=str(self.folder),
            secrets=self.environ,
            proxy=self.network.proxy,
            ca_bundle=self.network.ca_bundle,
            meters=tuple(m.meter for m in self.meters),
        )
