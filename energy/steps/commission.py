"""Commission: a meter that was found and judged becomes a meter of the plant, and one that is not wanted stops being one.

What is kept stands in a file beside config.yaml; the collector sees it change and takes the meter up by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from energy.config import load_settings
from energy.config.kept import KeptMeter, file_of, kept_meters, text_of, write
from energy.config.text import SECRET
from energy.errors import ConfigError, Mistake
from energy.model.meter import Meter
from energy.store import Store
from energy.store.records import JournalEntry

# What is typed on a screen must not bring out what only the one who starts Loadstone may know.
NO_SECRETS = "names a variable of the environment; that may stand in config.yaml only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Where the plant is written down."""

    config: Path
    environ: Mapping[str, str]


def keep(store: Store, plant: Plant, entry: Mapping[str, Any], *, by: str, role: str, now: datetime, day: str) -> Meter:
    """Keep a meter as config.yaml would say it. ConfigError lists all that is wrong, and nothing is written then."""
    id = str(entry.get("id") or "")
    path = file_of(plant.config, id)
    before = kept_meters(plant.config)
    if path.exists():
        raise ConfigError(
            "meters.d", [Mistake("id", f"{id!r} is kept already; choose another, or remove that one first")]
        )
    secret = [Mistake(key, NO_SECRETS) for key, value in entry.items() if SECRET.search(f"{key} {value}")]
    if secret:
        raise ConfigError("meters.d", secret)
    made = KeptMeter(path=path, text=text_of(entry, by, day))
    settings = load_settings(plant.config, plant.environ, [*before, made])
    write(path, made.text)
    store.put_meters([said.meter for said in settings.meters])
    meter = next(said.meter for said in settings.meters if said.meter.id == id)
    where = ", ".join(
        f"{key} {entry[key]}" for key in ("kind", "profile", "host", "port", "device", "unit") if key in entry
    )
    store.journal.write(JournalEntry(at=now, who=by, role=role, what="added a meter", subject=id, detail=where))
    return meter


def drop(store: Store, plant: Plant, id: str, *, by: str, role: str, now: datetime) -> str:
    """Take a kept meter out; what it said stays. ConfigError where something still rests on it. Returns its name."""
    path = file_of(plant.config, id)
    before = kept_meters(plant.config)
    if not path.exists():
        raise ConfigError("meters.d", [Mistake(id, "is not kept here; a meter of config.yaml is taken out there")])
    settings = load_settings(plant.config, plant.environ, [file for file in before if file.path.name != path.name])
    name = next((meter.name for meter in store.meters() if meter.id == id), id)
    path.unlink()
    store.put_meters([said.meter for said in settings.meters])
    store.journal.write(
        JournalEntry(at=now, who=by, role=role, what="removed a meter", subject=id, detail="its readings stay")
    )
    return name
