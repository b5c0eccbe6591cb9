"""Nouns as JSON text and back, without loss: what the store keeps in its bodies.

Pydantic reads the plain dataclasses of `energy.model`; what the house asks beyond that is said once, here: times are
aware and come back in UTC, enums are written by value, an unknown field is an error, and a number that is no number
(NaN, infinity) is refused, except in a `Series`, where a gap is NaN and is written as null.
"""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, NoReturn, TypeVar

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator, core_schema

from energy.model.horizon import Horizon
from energy.model.series import Series

T = TypeVar("T")


def dump(obj: object) -> str:
    """The JSON text of a noun."""
    kind: Any = type(obj)
    _, writer = _door(kind)
    text = writer.to_json(obj).decode()
    if "NaN" in text or "Infinity" in text:  # the words may also stand in a text field
        json.loads(text, parse_constant=_no_number)
    return text


def load(cls: type[T], text: str | bytes) -> T:
    """The noun of a JSON text; ValueError says which field is wrong."""
    kind: Any = cls
    reader, _ = _door(kind)
    noun: T = reader.validate_json(text, strict=True)
    return noun


def pack(obj: object) -> bytes:
    """The compressed JSON of something big (a whole planning cycle, a forecast)."""
    return zlib.compress(dump(obj).encode(), 6)


def unpack(cls: type[T], packed: bytes) -> T:
    """What `pack` wrote."""
    return load(cls, zlib.decompress(packed))


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number that can be kept; unknown is None")


@cache
def _door(cls: Any) -> tuple[SchemaValidator, SchemaSerializer]:
    schema = _strict(TypeAdapter(cls).core_schema)
    return SchemaValidator(schema), SchemaSerializer(schema, _CONFIG)


def _strict(node: Any) -> Any:
    """The same schema with the rules of the house on every time, float and dataclass in it."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    same = {key: _strict(value) for key, value in node.items()}
    return _RULES.get(str(node.get("type")), lambda as_it_is: as_it_is)(same)


def _time(schema: Any) -> Any:
    """Pydantic reads a time with a zone class of its own; the house knows only `datetime.UTC`."""
    aware = {**schema, "tz_constraint": "aware"}
    writing = core_schema.plain_serializer_function_ser_schema(_write_time, return_schema=core_schema.str_schema())
    return core_schema.no_info_after_validator_function(_utc, aware, serialization=writing)


def _utc(t: datetime) -> datetime:
    return t.astimezone(UTC)


def _write_time(t: datetime) -> str:
    if t.tzinfo is None:
        raise ValueError(f"{t.isoformat()} has no time zone; say which one")
    return t.astimezone(UTC).isoformat()


# Written as the bare word NaN, so that `dump` sees and refuses it; pydantic alone would write null and lose it.
_CONFIG: core_schema.CoreConfig = {"ser_json_inf_nan": "constants"}
_RULES: dict[str, Callable[[Any], Any]] = {
    "datetime": _time,
    "float": lambda schema: {**schema, "allow_inf_nan": False},
    "dataclass": lambda schema: {**schema, "config": {**schema.get("config", {}), **_CONFIG}},
    "dataclass-args": lambda schema: {**schema, "extra_behavior": "forbid"},
}


def _series_schema(_source: type[Series], _handler: object) -> CoreSchema:
    """A series as {start, step_minutes, unit, values}, a gap as null."""
    value = core_schema.nullable_schema(core_schema.float_schema())
    fields = {
        "start": core_schema.datetime_schema(),
        "step_minutes": core_schema.int_schema(),
        "unit": core_schema.str_schema(),
        "values": core_schema.list_schema(value),
    }
    written = core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(schema) for name, schema in fields.items()}, extra_behavior="forbid"
    )
    return core_schema.no_info_after_validator_function(
        _read_series,
        written,
        serialization=core_schema.plain_serializer_function_ser_schema(_write_series),
    )


def _read_series(said: dict[str, Any]) -> Series:
    values = np.array(said["values"], dtype=np.float64)  # None becomes NaN
    return Series(Horizon(said["start"], len(values), said["step_minutes"]), values, said["unit"])


def _write_series(series: Series) -> dict[str, Any]:
    return {
        "start": series.horizon.start.isoformat(),
        "step_minutes": series.horizon.step_minutes,
        "unit": series.unit,
        "values": [None if value != value else value for value in series.values.tolist()],  # noqa: PLR0124 (NaN)
    }


# The model knows no pydantic, so this is told to pydantic from here and not written in the class.
Series.__get_pydantic_core_schema__ = staticmethod(_series_schema)  # type: ignore[attr-defined]
