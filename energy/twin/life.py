"""The one life of a simulated plant: when it was born, its folders and its diary, so that every process that needs the
plant lives the same life."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from energy.clock import Clock, floor_to
from energy.config import Settings
from energy.config.settings import TwinSettings
from energy.errors import LoadstoneError
from energy.exchange.readings import FileMapping
from energy.exchange.rows import replace_text
from energy.exchange.stamps import Stamps
from energy.twin import tables
from energy.twin.floor import LivingPlant
from energy.twin.measured import MeasuredLoad
from energy.twin.plant import Others, Twin
from energy.twin.production import production_week
from energy.twin.tables import Work

BIRTH, DIARY = "twin.json", "twin-diary.jsonl"


def living_plant(settings: Settings, clock: Clock) -> LivingPlant:
    """The simulated plant of a config, as old as its birth certificate in `var/` says; without one it is born now."""
    if settings.twin is None:
        raise LoadstoneError(
            f"{settings.path.name}: no section `twin`, so no simulated plant; `twin: {{}}` makes it one"
        )
    folder = settings.folder / "var"
    meters = [m.meter for m in settings.meters]
    twin = Twin(
        settings.site,
        meters,
        settings.calendar,
        seed=settings.twin.seed,
        start=born(folder, settings, clock),
        orders=partial(production_week, works=works(settings.twin)),
        others=measured(settings.twin, settings),
    )
    return LivingPlant(
        twin,
        clock,
        orders=folder / "orders",
        dispatch=folder / "dispatch",
        diary=folder / DIARY,
    )


def works(said: TwinSettings) -> Sequence[Work]:
    """What the machines make: as the config says, else as in the demo."""
    return tuple(Work(**dict(work)) for work in said.work) or tables.WORK


def measured(said: TwinSettings, settings: Settings) -> Others | None:
    """The measured load that the plant draws beside its machines, where the config names one."""
    if said.load is None:
        return None
    zone = said.load.zone or settings.site.zone
    mapping = FileMapping(columns=(said.load.column,), time=said.load.time, zone=zone, stamps=Stamps(said.load.stamps))
    return MeasuredLoad.read(settings.folder / said.load.file, mapping, said.load.unit)


def born(folder: Path, settings: Settings, clock: Clock) -> datetime:
    """When the plant's life began, kept in its folder."""
    path = folder / BIRTH
    if path.exists():
        return datetime.fromisoformat(json.loads(path.read_text())["born"])
    at = floor_to(clock.now(), timedelta(minutes=settings.site.step_minutes))
    replace_text(path, json.dumps({"born": at.isoformat()}))
    return at
