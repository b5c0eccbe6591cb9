"""Meters that were kept from the screens: one file each in `meters.d/` beside config.yaml, which itself is never written.

What stands there counts like an entry under `meters:`, with the same strictness. To remove a meter, remove its file."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from energy.config.text import Written, read
from energy.errors import ConfigError, Mistake

FOLDER = "meters.d"
ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.I)
HEAD = (
    "# Kept from Loadstone on {day} by {by}. Read like an entry under `meters:`; remove the file to remove the meter.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMeter:
    """The text of one file of `meters.d/`."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return f"{FOLDER}/{self.path.name}"


def kept_meters(config: Path) -> list[KeptMeter]:
    """The files beside a config.yaml, by name."""
    found = []
    for path in sorted((config.parent / FOLDER).glob("*.yaml")):
        try:
            found.append(KeptMeter(path=path, text=path.read_text(encoding="utf-8-sig")))
        except FileNotFoundError:
            continue  # removed in this moment
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{FOLDER}/{path.name}", [Mistake("file", f"cannot be read: {error}")]) from error
    return found


def add_kept(written: Written, kept: Sequence[KeptMeter], environ: Mapping[str, str]) -> None:
    """Puts the entries of `meters.d/` behind those of the config, each with its own lines and its own name."""
    if not kept or not isinstance(written.data, dict):
        return
    rows = written.data.get("meters")
    rows = written.data["meters"] = list(rows) if isinstance(rows, list) else []
    for file in kept:
        said = read(file.text, environ, file.name)
        place = f"meters[{len(rows)}]"
        written.names[place] = file.name
        if not isinstance(said.data, dict):
            written.mistakes.append(Mistake(place, "should be the keys of one meter: `id: …`, `kind: …`"))
            continue
        rows.append(said.data)
        written.lines |= {place: 1, **{f"{place}.{path}": line for path, line in said.lines.items() if path}}
        written.mistakes += [Mistake(f"{place}.{m.where}", m.what) for m in said.mistakes]
        written.from_environment |= {f"{place}.{path}" for path in said.from_environment}


def file_of(config: Path, id: str) -> Path:
    """Where a meter of that id is kept. ConfigError where the id can name no file."""
    if not ID.fullmatch(id):
        raise ConfigError(FOLDER, [Mistake("id", f"{id!r}: letters, digits, - and _; it names a file as well")])
    return config.parent / FOLDER / f"{id}.yaml"


def text_of(entry: Mapping[str, Any], by: str, day: str) -> str:
    """The file of a meter, as a person would write it."""
    return HEAD.format(day=day, by=" ".join(by.split())) + yaml.safe_dump(
        dict(entry), sort_keys=False, allow_unicode=True
    )


def write(path: Path, text: str) -> None:
    """Whole or not at all, also where the power fails in between."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def stamp(config: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when config.yaml or a kept meter does: name, time and size of each file."""
    files = [config, *sorted((config.parent / FOLDER).glob("*.yaml"))]
    found = []
    for file in files:
        try:
            state = file.stat()
        except FileNotFoundError:
            continue
        found.append((file.name, state.st_mtime_ns, state.st_size))
    return tuple(found)
