"""Settings → EnergyService: the only place where kinds become objects."""

import os
from collections.abc import Mapping
from pathlib import Path

from energy.clock import Clock
from energy.config import Settings, load_settings
from energy.config.settings import KindSettings
from energy.forecasters.apart import Apart, Helper
from energy.house import House
from energy.model.forecast import Target
from energy.plugins import build as build_kind
from energy.plugins import kind as kind_of
from energy.plugins import kinds as kinds_of
from energy.ports import Context, Forecaster, Scanner
from energy.runner import InlineRunner
from energy.service import LoadstoneService
from energy.store import Store

GRACE = 5.0  # times the limit that a forecaster keeps by itself, until it is taken to hang and ended


def build_service(path: Path, environ: Mapping[str, str] | None = None) -> LoadstoneService:
    """The service of the plant that a config.yaml describes. ConfigError and StoreError say what to mend."""
    return service_of(load_settings(path, environ if environ is not None else os.environ))


def service_of(settings: Settings, clock: Clock | None = None) -> LoadstoneService:
    """The service of loaded settings; a given clock takes the place of the configured one."""
    house = build_house(settings, clock or settings.clock())
    return LoadstoneService(house, InlineRunner(house.store, house.clock))


def open_store(settings: Settings) -> Store:
    """The plant's store, with its meters registered."""
    store = Store.open(settings.store.url, settings.site.id)
    meters = [m.meter for m in settings.meters]
    if meters != store.meters():
        store.put_meters(meters)
    return store


def build_house(settings: Settings, clock: Clock) -> House:
    """All kinds of a plant, built from their settings."""
    context = settings.context(clock)
    optimizer = settings.optimizer
    return House(
        site=settings.site,
        calendar=settings.calendar,
        tariff=settings.tariff,
        clock=clock,
        store=open_store(settings),
        optimizer=build_kind("optimizers", optimizer.kind, optimizer.options, context),
        optimizer_seconds=optimizer.seconds,
        forecasters=forecasters(settings.forecasters, context),
        history_days=settings.history_days,
        feeds=[made(kind, context) for kind in settings.feeds],
        orders=made(settings.orders, context) if settings.orders else None,
        programs=[made(kind, context) for kind in settings.programs],
        dispatchers=[made(kind, context) for kind in settings.dispatchers],
        notifiers=[made(kind, context) for kind in settings.notifiers],
        raw_days=settings.store.raw_days,
        raw_bytes=int(settings.store.raw_gb * 1e9),
        settle_after_hours=settings.savings.settle_after_hours,
        heartbeat_minutes=settings.schedule.heartbeat_minutes,
        collect_seconds=settings.schedule.collect_seconds,
        replan_within_seconds=settings.schedule.replan_within_seconds,
        roles=settings.dashboard.roles,
        call=settings.dashboard.call,
        simulated=settings.twin is not None,
        boxes=() if settings.api is None else tuple(box.name for box in settings.api.boxes),
        scanners=scanners(context),
        config=settings.path,
        environ=settings.environ,
    )


def scanners(context: Context) -> dict[str, Scanner]:
    """All scanners that are installed, each as it is without settings."""
    made: dict[str, Scanner] = {}
    for name in sorted(kinds_of("scanners")):
        made[name] = build_kind("scanners", name, kind_of("scanners", name).Settings(), context)
    return made


def forecasters(kinds: Mapping[Target, KindSettings], context: Context) -> dict[Target, Forecaster]:
    """The forecaster of each target. A kind that knows a limit of time is asked in a process of its own, which is ended
    where it does not keep it."""
    helper = Helper()
    built: dict[Target, Forecaster] = {}
    for target, kind in kinds.items():
        forecaster, seconds = made(kind, context), getattr(kind.options, "seconds", None)
        built[target] = forecaster if seconds is None else Apart(forecaster, helper, seconds=GRACE * seconds)
    return built


def made(kind: KindSettings, context: Context):  # type: ignore[no-untyped-def]  # each group has its own port
    """The object of a kind."""
    return build_kind(kind.group, kind.kind, kind.options, context)
