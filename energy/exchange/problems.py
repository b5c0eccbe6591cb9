"""Problem and plan files: JSON ↔ model. Strict, and all mistakes at once, each with its path in the file."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from energy.clock import aware
from energy.errors import Mistake, ProblemError
from energy.exchange.mended import mended
from energy.model import plan as plan_model
from energy.model import problem as problem_model
from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.planning.sound import LARGEST, mistakes_in

T = TypeVar("T")
Path_ = tuple[int | str, ...]

ADAPTERS: dict[type, TypeAdapter[Any]] = {Problem: TypeAdapter(Problem), Plan: TypeAdapter(Plan)}
PLAN_ROWS = ("charge_kw", "discharge_kw", "import_kw", "export_kw", "curtailed_kw")
EPOCH = re.compile(r"\s*[-+]?[\d.]+\s*")
SCHEMA_KEY = "$schema"  # editors use it to find the schema; it says nothing about the plant

WORDS = {
    "missing": "is missing",
    "float_type": "not a number",
    "int_type": "not a whole number",
    "int_from_float": "not a whole number",
    "string_type": "not a text; write it in quotes",
    "bool_type": "neither true nor false",
    "tuple_type": "not a list",
    "dataclass_type": "not an object with fields",
    "dataclass_exact_type": "not an object with fields",
    "datetime_type": "not a time; write it as in 2026-05-20T04:00:00Z",
    "datetime_parsing": "not a time; write it as in 2026-05-20T04:00:00Z",
    "datetime_from_date_parsing": "not a time; write it as in 2026-05-20T04:00:00Z",
}


def read_problem(path: Path | str) -> Problem:
    """The problem in a file. ProblemError names all its mistakes."""
    return problem_from_json(_text(path), str(path))


def write_problem(problem: Problem, path: Path | str) -> None:
    """Write a problem so that a person can read it: each row of numbers on one line."""
    Path(path).write_text(to_json(problem), encoding="utf-8")


def read_plan(path: Path | str) -> Plan:
    """The plan in a file. ProblemError names all its mistakes; whether it is a good plan is for `check` to say."""
    return plan_from_json(_text(path), str(path))


def write_plan(plan: Plan, path: Path | str) -> None:
    """Write a plan so that a person can read it."""
    Path(path).write_text(to_json(plan), encoding="utf-8")


def problem_from_json(text: str, source: str = "problem") -> Problem:
    problem, mistakes = _read(Problem, text, source, mistakes_in)
    if problem is None or mistakes:
        raise ProblemError(source, mistakes)
    return replace(problem, start=aware(problem.start))


def plan_from_json(text: str, source: str = "plan") -> Plan:
    plan, mistakes = _read(Plan, text, source, lambda plan: tuple(_plan_mistakes(plan)))
    if plan is None or mistakes:
        raise ProblemError(source, mistakes)
    return plan


def to_json(record: Problem | Plan) -> str:
    """The JSON of a problem or plan, for people: objects indented, rows of plain values on one line. A gap has no
    place in either; ProblemError says where it is."""
    try:
        return _pretty(ADAPTERS[type(record)].dump_python(record, mode="json"), "") + "\n"
    except ValueError as error:  # JSON knows neither NaN nor infinity
        found = mistakes_in(record) if isinstance(record, Problem) else tuple(_plan_mistakes(record))
        raise ProblemError(type(record).__name__.lower(), found or [Mistake("file", str(error))]) from error


def problem_schema() -> dict[str, Any]:
    """The JSON schema of a problem file."""
    return _schema(Problem, problem_model.FORMAT, "A planning problem of Loadstone")


def plan_schema() -> dict[str, Any]:
    """The JSON schema of a plan file."""
    return _schema(Plan, plan_model.FORMAT, "A plan of Loadstone")


def _text(path: Path | str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")  # editors on Windows begin with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise ProblemError(str(path), [Mistake("file", f"cannot be read: {error}")]) from error


def _read(
    kind: type[T], text: str, source: str, meant: Callable[[Any], tuple[Mistake, ...]]
) -> tuple[T | None, tuple[Mistake, ...]]:
    """What a text says, and all its mistakes: keys, types, and what it means (also of the rest, where types are wrong)."""
    twice: list[Mistake] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        said = dict(items)
        if len(said) < len(items):
            names = sorted({name for i, (name, _) in enumerate(items) if name in dict(items[:i])})
            twice.append(Mistake("file", f"key {', '.join(names)} is there twice in one object"))
        return said

    try:
        plain = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise ProblemError(source, [Mistake(where, f"not JSON: {error.msg}")]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists without end
        raise ProblemError(source, [Mistake("file", f"cannot be read: {error}")]) from error
    if isinstance(plain, dict):
        plain.pop(SCHEMA_KEY, None)
    mistakes = [*twice, *(Mistake(_path(where), what) for where, what in _unknown_keys(kind, plain, ()))]
    errors: list[tuple[Path_, str, str]] = []
    if isinstance(plain, dict) and EPOCH.fullmatch(str(plain.get("start", ""))):
        errors.append((("start",), "datetime_parsing", ""))  # pydantic reads "2026" as seconds since 1970
    said = json.dumps(plain)
    try:
        noun = ADAPTERS[kind].validate_json(said, strict=True)
    except ValidationError as error:
        errors += [(each["loc"], each["type"], each["msg"]) for each in error.errors()]
    if not errors:
        return noun, (*mistakes, *meant(noun))
    mistakes += [Mistake(_path(where) or "file", WORDS.get(type, words)) for where, type, words in errors]
    return None, (*mistakes, *_of_the_rest(kind, plain, errors, meant))


def _of_the_rest(
    kind: type[Any],
    plain: Any,
    errors: list[tuple[Path_, str, str]],
    meant: Callable[[Any], tuple[Mistake, ...]],
) -> tuple[Mistake, ...]:
    """The mistakes in what a text means, where some of its values are of no type that it could have."""
    if not isinstance(plain, dict):
        return ()
    rest = mended(kind, plain, [(where, type) for where, type, _ in errors])
    try:
        noun = None if rest is None else ADAPTERS[kind].validate_json(json.dumps(rest[0]), strict=True)
    except ValidationError:  # one wrong place hid another
        noun = None
    if rest is None or noun is None:
        return (
            Mistake("rest of the file", "names, rows and windows are looked at once the mistakes above are mended"),
        )
    unsure = tuple(_path(where) for where in rest[1])
    return tuple(mistake for mistake in meant(noun) if not _within(mistake.where, unsure))


def _within(where: str, places: tuple[str, ...]) -> bool:
    return any(where == place or where.startswith((f"{place}.", f"{place}[")) for place in places)


def _unknown_keys(kind: Any, plain: Any, where: Path_) -> Iterator[tuple[Path_, str]]:
    """Keys that the model does not have, anywhere in plain data; with the nearest one that it has."""
    parts = [part for part in get_args(kind) if part not in {NoneType, Ellipsis}]
    if is_dataclass(kind) and isinstance(plain, dict):
        hints = get_type_hints(kind)
        known = [field.name for field in fields(kind) if field.init]
        for key, value in plain.items():
            if key in known:
                yield from _unknown_keys(hints[key], value, (*where, key))
            else:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                yield (*where, key), f"unknown; {hint}"
    elif parts and isinstance(plain, list):
        for i, value in enumerate(plain):
            yield from _unknown_keys(parts[0], value, (*where, i))
    elif parts:
        yield from _unknown_keys(parts[0], plain, where)


def _path(where: Path_) -> str:
    """("jobs", 3, "power_kw", 2) as a person writes it: jobs[3].power_kw[2]."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.removeprefix(".")


def _plan_mistakes(plan: Plan) -> Iterator[Mistake]:
    if plan.format != plan_model.FORMAT:
        yield Mistake("format", f"this is {plan.format!r}; known is {plan_model.FORMAT!r}")
    rows = [(name, getattr(plan, name)) for name in PLAN_ROWS]
    rows += [(f"stores[{i}].power_kw", store.power_kw) for i, store in enumerate(plan.stores)]
    for where, row in rows:
        if len(row) != len(plan.import_kw):
            yield Mistake(where, f"has {len(row)} values, import_kw has {len(plan.import_kw)}")
        yield from _no_numbers(where, row)
    for i, place in enumerate(plan.placements):
        if abs(place.start) > LARGEST:
            yield Mistake(f"placements[{i}].start", f"{float(place.start):g} is no slot")
        yield from _no_numbers(f"placements[{i}].power_kw", place.power_kw)
    for i, line in enumerate(plan.bill.lines):
        if not isfinite(line.amount):
            yield Mistake(f"bill.lines[{i}].amount", f"{line.amount} is not a number")


def _no_numbers(where: str, row: Sequence[float]) -> Iterator[Mistake]:
    for k, value in enumerate(row):
        if not isfinite(value):
            yield Mistake(f"{where}[{k}]", f"{value} is not a number")


def _schema(kind: type[Any], format: str, title: str) -> dict[str, Any]:
    schema = ADAPTERS[kind].json_schema()
    for part in (schema, *schema["$defs"].values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
            for each in part["properties"].values():
                each.pop("title", None)  # it only repeats the key
    schema["properties"]["format"] = {"const": format, "default": format, "type": "string"}
    schema["properties"][SCHEMA_KEY] = {"type": "string"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _pretty(plain: Any, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(plain, dict) and plain and not _short(plain):
        body = ",\n".join(f"{deeper}{json.dumps(key)}: {_pretty(value, deeper)}" for key, value in plain.items())
        return f"{{\n{body}\n{indent}}}"
    if isinstance(plain, list) and any(isinstance(value, dict | list) for value in plain):
        return "[\n" + ",\n".join(f"{deeper}{_pretty(value, deeper)}" for value in plain) + f"\n{indent}]"
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def _short(plain: dict[str, Any]) -> bool:
    flat = not any(isinstance(value, dict | list) for value in plain.values())
    return flat and len(json.dumps(plain, ensure_ascii=False)) <= 110
