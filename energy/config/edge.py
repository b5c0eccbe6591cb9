"""Reading edge.yaml: the meters that a small box asks, and where their readings go. It needs no tariff and no calendar."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from energy.clock import Clock, SystemClock
from energy.config.doors import EdgeSection
from energy.config.load import Reader, text_of
from energy.config.mistakes import Mistakes
from energy.config.rules import addresses, unique_meters
from energy.config.settings import MeterSettings, NetworkSettings
from energy.config.text import read
from energy.errors import ConfigError, Mistake
from energy.model.site import Site
from energy.plugins import nearest
from energy.ports import Context

SECTIONS = ("edge", "meters", "network")
ELSEWHERE = ("edge", "push")  # kinds that only the centre may name


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Everything edge.yaml says. `buffer` is already found from where the file lies."""

    path: Path
    folder: Path
    name: str
    centre: str
    token: str = field(repr=False)
    buffer: Path
    max_bytes: int
    keep_hours: float
    keep_minutes: int
    catch_up_per_second: float
    most_in_batch: int
    timeout_seconds: float
    meters: tuple[MeterSettings, ...]
    network: NetworkSettings
    environ: Mapping[str, str] = field(repr=False, compare=False)

    def context(self, clock: Clock | None = None) -> Context:
        """What kinds may know when they are built. A box knows nothing of the plant but its meters."""
        site = Site(id=self.name, name=self.name, zone="UTC", currency="EUR", import_limit_kw=1e6, export_limit_kw=1e6)
        return Context(
            site=site,
            clock=clock or SystemClock(),
            folder=str(self.folder),
            secrets=self.environ,
            proxy=self.network.proxy,
            ca_bundle=self.network.ca_bundle,
            meters=tuple(m.meter for m in self.meters),
        )


def load_edge(path: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = True) -> EdgeSettings:
    """The settings of an edge.yaml. ConfigError lists all mistakes. Who only looks into the buffer needs no `secrets`:
    the shell of a person seldom has those of the service."""
    path = Path(path).resolve()
    environ = dict(os.environ if environ is None else environ)
    written = read(text_of(path, "docs/how-to/edge-box.md shows one"), environ, path.name)
    if not isinstance(written.data, dict):
        raise ConfigError(path.name, [Mistake("file", "should be the sections `edge:` and `meters:`")])
    if not secrets:
        written.mistakes[:] = [one for one in written.mistakes if one.where not in written.from_environment]
    mistakes = Mistakes(written)
    made = _settings(written.data, path, mistakes, environ)
    if made is None or mistakes.found:
        raise ConfigError(path.name, mistakes.found)
    return made


def _settings(data: dict[str, Any], path: Path, mistakes: Mistakes, environ: Mapping[str, str]) -> EdgeSettings | None:
    for key in data:
        if key not in SECTIONS:
            mistakes.add(key, f"unknown section of an edge box{nearest(key, list(SECTIONS))}")
    reader = Reader(data, path, mistakes)
    if "edge" not in data:
        mistakes.add("edge", "the section is missing")
        return None
    section = mistakes.check(EdgeSection, data["edge"], "edge")
    meters, network = reader.meters(), reader.network()
    if not data.get("meters"):
        mistakes.add("meters", "there are none to ask; list them as in config.yaml")
    for i, row in enumerate(meters):
        if row.kind in ELSEWHERE:
            mistakes.add(f"meters[{i}].kind", f"{row.kind!r} is for the centre; say here how the meter is read")
    unique_meters(data, mistakes)
    addresses(data, mistakes)
    if section is None:
        return None
    return EdgeSettings(
        path=path,
        folder=path.parent,
        name=section.name,
        centre=section.centre.rstrip("/"),
        token=section.token,
        buffer=path.parent / section.buffer,
        max_bytes=int(section.max_gb * 1e9),
        keep_hours=section.keep_hours,
        keep_minutes=section.keep_minutes,
        catch_up_per_second=section.catch_up_per_second,
        most_in_batch=section.most_in_batch,
        timeout_seconds=section.timeout_seconds,
        meters=meters,
        network=network,
        environ=environ,
    )
