"""The one life of a simulated plant: when it was born, its folders and its diary, so that every process that needs the
plant lives the same life."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from energy.clock import Clock, floor_to
from energy.config import Settings
from energy.errors import LoadstoneError
from energy.exchange.rows import replace_text
from energy.twin.floor import LivingPlant
from energy.twin.plant import Twin

BIRTH, DIARY = "twin.json", "twin-diary.jsonl"


def living_plant(settings: Settings, clock: Clock) -> LivingPlant:
    """The simulated plant of a config, as old as its birth certificate in `var/` says; without one it is born now."""
    if settings.twin is None:
        raise LoadstoneError(f"{settings.path.name}: there is no section `twin`, so there is no plant to simulate")
    folder = settings.folder / "var"
    meters = [m.meter for m in settings.meters]
    twin = Twin(settings.site, meters, settings.calendar, seed=settings.twin.seed, start=born(folder, settings, clock))
    return LivingPlant(
        twin,
        clock,
        orders=folder / "orders",
        dispatch=folder / "dispatch",
        diary=folder / DIARY,
    )


def born(folder: Path, settings: Settings, clock: Clock) -> datetime:
    """When the plant's life began, kept in its folder."""
    path = folder / BIRTH
    if path.exists():
        return datetime.fromisoformat(json.loads(path.read_text())["born"])
    at = floor_to(clock.now(), timedelta(minutes=settings.site.step_minutes))
    replace_text(path, json.dumps({"born": at.isoformat()}))
    return at
