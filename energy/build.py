"""Settings → EnergyService: the only place where kinds become objects."""

import os
from collections.abc import Mapping
from pathlib import Path

from energy.clock import Clock
from energy.config import Settings, load_settings
from energy.config.settings import KindSettings
from energy.house import House
from energy.plugins import build as build_kind
from energy.ports import Context
from energy.runner import InlineRunner
from energy.service import LoadstoneService
from energy.store import Store


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
        forecasters={target: made(kind, context) for target, kind in settings.forecasters.items()},
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
    )


def made(kind: KindSettings, context: Context):  # type: ignore[no-untyped-def]  # each group has its own port
    """The object of a kind."""
    return build_kind(kind.group, kind.kind, kind.options, context)
