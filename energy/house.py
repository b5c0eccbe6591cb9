"""The house of one plant with all its kinds in place: what the steps are called with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from energy.clock import Clock
from energy.model.calendar import Calendar
from energy.model.forecast import Target
from energy.model.site import Site
from energy.model.tariff import Tariff
from energy.ports import Dispatcher, Feed, Forecaster, Notifier, Optimizer, OrderSource, Program, Scanner
from energy.reports.situation import Rules
from energy.store import Store


@dataclass(kw_only=True)
class House:
    """Settings and kinds of one plant. Built by `energy.build`, used by `energy.service`."""

    site: Site
    calendar: Calendar
    tariff: Tariff
    clock: Clock
    store: Store
    optimizer: Optimizer
    optimizer_seconds: float
    forecasters: Mapping[Target, Forecaster]
    history_days: int = 1096
    feeds: Sequence[Feed] = ()
    orders: OrderSource | None = None
    programs: Sequence[Program] = ()
    dispatchers: Sequence[Dispatcher] = ()
    notifiers: Sequence[Notifier] = ()
    raw_days: float = 7.0
    raw_bytes: int = 2_000_000_000
    settle_after_hours: float = 2.0
    heartbeat_minutes: int = 60
    collect_seconds: int = 60
    replan_within_seconds: int = 60
    roles: tuple[str, ...] = ("planner",)
    call: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    boxes: tuple[str, ...] = ()  # edge boxes, by name
    scanners: Mapping[str, Scanner] = field(default_factory=dict)
    config: Path | None = None  # where the plant is written down; meters are kept beside it
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def rules(self) -> Rules:
        """What the reports need of the config."""
        return Rules(site=self.site, calendar=self.calendar, tariff=self.tariff, boxes=self.boxes)
