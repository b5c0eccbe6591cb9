"""Holding plain data against a pydantic model: every mistake by its path, in words that say the way out."""

import re
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from energy.config.text import Written, joined
from energy.errors import Mistake
from energy.plugins import nearest

M = TypeVar("M", bound=BaseModel)


class Mistakes:
    """All the mistakes so far, one a path and text, each with its line in the file."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._found: dict[tuple[str, str], Mistake] = {}
        self._unset = {mistake.where for mistake in written.mistakes}
        for mistake in written.mistakes:
            self._found[mistake.where, mistake.what] = mistake

    def _named(self, mistake: Mistake) -> Mistake:
        """Told with the file that it stands in, where that is another one."""
        where, what = mistake.where, mistake.what
        for path, name in self._written.names.items():
            if where == path or where.startswith(f"{path}."):
                where = name + (f": {where[len(path) + 1 :]}" if where != path else "")
            what = what.replace(path, name)
        return Mistake(where, what)

    def add(self, path: str, what: str) -> None:
        if path in self._unset:  # a missing secret explains all else about its place
            return
        line = self._written.line(path)
        self._found.setdefault((path, what), Mistake(path, f"{what} (line {line})" if line else what))

    def is_secret(self, path: str) -> bool:
        return path in self._written.from_environment

    @property
    def found(self) -> list[Mistake]:
        """By line of the file."""
        found = sorted(self._found.values(), key=lambda mistake: self._written.line(mistake.where) or 0)
        return [self._named(mistake) for mistake in found]

    def check(self, model: type[M], data: Any, path: str, also: tuple[str, ...] = ()) -> M | None:
        """The model made from the data; None where it has mistakes, all of which are then noted. `also` are keys
        that others read, known here only to be named."""
        unknown = [*unknown_keys(model, data, path, also), *yes_for_number(model, data, path)]
        for where, what in unknown:
            self.add(where, what)
        try:
            made = model.model_validate(data)
        except ValidationError as error:
            for where, what in self._in_words(error, data, path):
                self.add(where, what)
            return None
        return None if unknown else made

    def _in_words(self, error: ValidationError, data: Any, path: str) -> list[tuple[str, str]]:
        by_path: dict[str, list[str]] = {}
        for detail in error.errors(include_url=False):
            if detail["type"] == "extra_forbidden":
                continue  # already said, with the nearest known key
            where = path_of(detail["loc"], data, path)
            by_path.setdefault(where, []).append(sentence(detail, self.is_secret(where)))
        return [(where, "; or ".join(dict.fromkeys(said))) for where, said in by_path.items()]


def path_of(loc: tuple[int | str, ...], data: Any, path: str) -> str:
    """The path in the file of an error's place; what pydantic adds (names of union members) is left out."""
    here = data
    for part in loc:
        if isinstance(part, str) and part.startswith("<"):
            continue
        if isinstance(here, dict):
            path, here = joined(path, str(part)), here.get(str(part))
        elif isinstance(here, list) and isinstance(part, int):
            path, here = f"{path}[{part}]", here[part] if part < len(here) else None
        else:
            break
    return path


def sentence(detail: ErrorDetails, secret: bool) -> str:
    """What pydantic found, as a person would say it."""
    said, kind, value = detail["msg"], detail["type"], detail["input"]
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return said.removeprefix("Value error, ")
    said = said.replace("Input should be", "should be").replace("String should", "should")
    said = said.partition(", unable to parse")[0]
    if secret or isinstance(value, dict | list | BaseModel):
        return said
    said = f"{said}, not {value!r}"
    if kind in {"enum", "literal_error"} and isinstance(value, str):
        known = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        return f"cannot be {value!r}{nearest(value, known)}"
    return said


def unknown_keys(annotation: Any, data: Any, path: str, also: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(path, sentence) of each key that no model at its place knows."""
    if isinstance(data, list):
        return [found for i, item in enumerate(data) for found in unknown_keys(annotation, item, f"{path}[{i}]")]
    if not isinstance(data, dict):
        return []
    values = _dict_values(annotation)
    if values is not None:
        return [found for key, item in data.items() for found in unknown_keys(values, item, joined(path, key))]
    models = _models(annotation)
    if not models or any(model.model_config.get("extra") == "allow" for model in models):
        return []
    fields = _fields(annotation)
    found: list[tuple[str, str]] = []
    for key, item in data.items():
        if key in fields:
            found += unknown_keys(fields[key], item, joined(path, key))
        elif key not in also:
            found.append((joined(path, key), f"unknown key{nearest(key, [*fields, *also])}"))
    return found


def yes_for_number(annotation: Any, data: Any, path: str) -> list[tuple[str, str]]:
    """(path, sentence) of each true or false where something else is asked; pydantic would take true for 1."""
    if isinstance(data, bool):
        return [] if _takes_bool(annotation) else [(path, f"should not be {str(data).lower()}; quote it if it is text")]
    if isinstance(data, list):
        return [found for i, item in enumerate(data) for found in yes_for_number(annotation, item, f"{path}[{i}]")]
    if not isinstance(data, dict):
        return []
    values = _dict_values(annotation)
    fields = {} if values is not None else _fields(annotation)
    return [
        found
        for key, item in data.items()
        for found in yes_for_number(fields.get(key, Any if values is None else values), item, joined(path, key))
    ]


def _takes_bool(annotation: Any) -> bool:
    return annotation in {Any, bool} or any(_takes_bool(part) for part in get_args(annotation))


def _fields(annotation: Any) -> dict[str, Any]:
    """The keys that some model at this place knows, with what may stand there."""
    models = _models(annotation)
    return {field.alias or name: field.annotation for model in models for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _dict_values(annotation: Any) -> Any:
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    return next((found for part in get_args(annotation) if (found := _dict_values(part)) is not None), None)
