"""The one door for interchangeable kinds: a kind is a module found by name through an entry point.

The module is light (heavy imports happen inside `build`) and has two names:

    Settings                      a pydantic model of what config.yaml may say about this kind
    build(settings, context)      makes the object that fulfils the port
"""

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from energy.errors import ConfigError, Mistake
from energy.ports import Context

GROUPS = ("meters", "scanners", "forecasters", "feeds", "orders", "programs", "optimizers", "dispatchers", "notifiers")


@cache
def kinds(group: str) -> dict[str, EntryPoint]:
    """The kinds of a group (one of GROUPS) by name."""
    return {point.name: point for point in entry_points(group=f"loadstone.{group}")}


def nearest(word: str, known: list[str]) -> str:
    """ "; did you mean 'x'?" or the known words, for error texts."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


def kind(group: str, name: str, where: str = "config.yaml") -> ModuleType:
    """The module of a kind. An unknown name is a ConfigError that lists the known ones."""
    known = kinds(group)
    if name not in known:
        raise ConfigError(where, [Mistake(group, f"no kind {name!r}{nearest(name, list(known))}")])
    module = known[name].load()
    if not isinstance(module, ModuleType):
        raise TypeError(f"entry point loadstone.{group}: {name} must name a module, not {module!r}")
    return module


def build(group: str, name: str, settings: Any, context: Context) -> Any:
    """The object of a kind, made from its settings (already of the kind's Settings type)."""
    return kind(group, name).build(settings, context)
