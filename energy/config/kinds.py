"""Interchangeable kinds in config.yaml: each is asked by name what may be said about it."""

from types import ModuleType
from typing import Any

from pydantic import BaseModel

from energy.config.mistakes import Mistakes
from energy.config.sections import MeterSection, OptimizerSection
from energy.config.settings import KindSettings
from energy.config.text import joined
from energy.plugins import kind, kinds, nearest

# Keys that the house reads itself; a kind whose Settings names one of them gets it too.
SHARED = {
    "meters": tuple(MeterSection.model_fields),
    "optimizers": tuple(OptimizerSection.model_fields),
}


def read_kind(group: str, said: Any, path: str, mistakes: Mistakes) -> KindSettings | None:
    """A kind with its options: `naive`, or `{kind: naive, days: 28}`. None where there are mistakes."""
    said = {"kind": said} if isinstance(said, str) else said
    if not isinstance(said, dict) or not isinstance(said.get("kind"), str):
        mistakes.add(path, f"say which kind: `kind: …`, one of {', '.join(sorted(kinds(group)))}")
        return None
    name = said["kind"]
    module = _module(group, name, joined(path, "kind"), mistakes)
    if module is None:
        return None
    model: type[BaseModel] = module.Settings
    shared = ("kind", *SHARED.get(group, ()))
    own = {key: value for key, value in said.items() if key in model.model_fields or key not in shared}
    options = mistakes.check(model, own, path, also=shared)
    return None if options is None else KindSettings(group=group, kind=name, options=options)


def read_kinds(group: str, said: Any, path: str, mistakes: Mistakes) -> tuple[KindSettings, ...]:
    """A list of kinds; nothing said is an empty list."""
    if said is None:
        return ()
    if not isinstance(said, list):
        mistakes.add(path, f"should be a list: `- {{kind: {min(kinds(group), default='…')}}}`")
        return ()
    read = [read_kind(group, item, f"{path}[{i}]", mistakes) for i, item in enumerate(said)]
    return tuple(one for one in read if one is not None)


def _module(group: str, name: str, path: str, mistakes: Mistakes) -> ModuleType | None:
    if name not in kinds(group):
        mistakes.add(path, f"no kind {name!r}{nearest(name, list(kinds(group)))}")
        return None
    try:
        return kind(group, name)
    except ImportError as error:
        mistakes.add(path, f"the kind {name!r} cannot be loaded ({error}); install the package it comes with again")
        return None
