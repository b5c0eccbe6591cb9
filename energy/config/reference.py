"""`docs/config.md`, made from what config.yaml is held against, so that it cannot say anything else.

python -m energy.config.reference docs/config.md
"""

import sys
from collections.abc import Iterator
from datetime import time
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from energy.config import doors, sections
from energy.config.kinds import SHARED
from energy.config.load import KIND_LISTS, SECTIONS
from energy.plugins import kind, kinds

HEAD = """\
# config.yaml

One file describes a plant. Its sections have the names of the rooms in the code that read them; the
[config.yaml](../config.yaml) of the repository is a whole small plant, commented. `loadstone init` writes a first one,
`loadstone doctor` checks it and everything it names.

- Times are wall times of `site.zone` unless they carry an offset; weekdays are `mon` … `sun`.
- Powers are kW, energies kWh, money is in `site.currency`.
- Relative paths start where config.yaml lies.
- `${NAME}` is replaced from the environment, for secrets. A name that is not set is a mistake.
- YAML is read as version 1.2: `22:00` and `NO` are texts, only `true` and `false` are yes and no.
- Unknown keys are mistakes. All mistakes are reported at once, by path and line, with the nearest known key.

<!-- Made by `python -m energy.config.reference docs/config.md`; a test compares. -->
"""
KIND_INTRO = {
    "meters": "A list; these keys are of every meter, those of its kind stand beside them.",
    "orders": "Where production orders and runs come from: one kind (see [orders.md](orders.md)).",
    "feeds": "Prices, carbon and weather: a list of kinds (see [feeds.md](feeds.md)).",
    "forecasters": "A kind by target (`base_load`, `price`, `pv`, `carbon`): `base_load: combined`, or with settings "
    "`base_load: {kind: combined, …}`. A target that is not named is forecast by `combined`. Beside the targets:",
    "optimizers": "Who makes plans: one kind, with the settings of every kind first.",
    "programs": "Where demand-response events come from: a list of kinds.",
    "dispatchers": "How the floor is told: a list of kinds.",
    "notifiers": "How people are told that an offer waits: a list of kinds.",
}
OF_EVERY_KIND: dict[str, type[BaseModel]] = {
    "meters": sections.MeterSection,
    "forecasters": sections.HistorySection,
    "optimizers": sections.OptimizerSection,
}
SECTION_OF = {"optimizers": "optimizer"}


def text() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, model in SECTIONS.items():
        parts.append(f"## {name}\n\n{_intro(model)}{_tables(model, name)}")
    parts.append(f"## edge\n\n{_intro(doors.EdgeSection)}{_tables(doors.EdgeSection, 'edge')}")
    for group in ("meters", "orders", "forecasters", "optimizers", *KIND_LISTS):
        parts.append(_group(group))
    return "\n".join(parts).rstrip() + "\n"


def _group(group: str) -> str:
    section = SECTION_OF.get(group, group)
    part = f"## {section}\n\n{KIND_INTRO[group]}\n"
    if group in OF_EVERY_KIND:
        part += f"\n{_tables(OF_EVERY_KIND[group], section)}"
    for name in sorted(kinds(group)):
        settings: type[BaseModel] = kind(group, name).Settings
        hidden = SHARED.get(group, ("kind",))
        part += f"\n### `kind: {name}`\n\n{_tables(settings, section, hidden) or 'Nothing to set.'}"
    return part


def _intro(model: type[BaseModel]) -> str:
    return f"{(model.__doc__ or '').strip()}\n\n"


def _tables(model: type[BaseModel], path: str, hidden: tuple[str, ...] = ()) -> str:
    """The table of a model, then those of the models within it."""
    fields = {name: field for name, field in model.model_fields.items() if name not in hidden}
    if not fields:
        return ""
    rows = [f"| `{name}` | {_meaning(field)} | {_default(field)} |" for name, field in fields.items()]
    table = "\n".join(["| key | meaning | default |", "|---|---|---|", *rows]) + "\n"
    for name, field in fields.items():
        for inner, many in _inner(field.annotation):
            table += f"\n`{path}.{name}{'[]' if many else ''}`{_which(inner)}:\n\n{_tables(inner, f'{path}.{name}')}"
    return table


def _which(model: type[BaseModel]) -> str:
    return {"DatedClosureSection": " on a date", "WeeklyClosureSection": " every week"}.get(model.__name__, "")


def _inner(annotation: Any, many: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, many
    for part in get_args(annotation):
        yield from _inner(part, many or get_origin(annotation) in {tuple, list, dict})


def _meaning(field: FieldInfo) -> str:
    said = (field.description or "").replace("|", "\\|")
    choices = [f"`{choice}`" for choice in _choices(field.annotation) if f"`{choice}`" not in said]
    if not choices or len(choices) > 12:
        return said
    return f"{said}{': ' if said else ''}{', '.join(choices)}"


def _choices(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(choice) for choice in annotation]
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*needed*"
    value = field.default
    if value is PydanticUndefined or value is None or value in ("", (), {}, []) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, time):
        return f'`"{value:%H:%M}"`'
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())
