"""Readings as rows, and back. What a meter says besides power and counters is most of what it says, so that is kept short:
the names once for all readings of a kind (a *shape*), the numbers of a reading as plain bytes."""

import hashlib
import json
import logging
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from energy.model.meter import Reading, ReadingQuality
from energy.store.repository import Row, insert_new
from energy.store.tables import ReadingRow, ShapeRow, table
from energy.store.times import from_micros, micros

reading = table(ReadingRow)
shape_table = table(ShapeRow)

STATE = "state"
COLUMNS = (
    reading.c.taken_at,
    reading.c.import_kwh,
    reading.c.export_kwh,
    reading.c.power_kw,
    reading.c.quality,
    reading.c.note,
    reading.c.others,
    reading.c.raw,
    reading.c.clock_step,
    reading.c.shape,
    reading.c.numbers,
)
NAMES = ("channel", *(column.name for column in COLUMNS))
PLACES = ", ".join(NAMES)
SQLITE = f"INSERT INTO reading ({PLACES}) VALUES ({', '.join('?' * len(NAMES))}) ON CONFLICT DO NOTHING"
TYPES = ("int", "bigint", "float8", "float8", "float8", "text", "text", "text", "text", "float8", "bigint", "bytea")
POSTGRESQL = (
    f"INSERT INTO reading ({PLACES}) SELECT * FROM unnest({', '.join(f'%s::{type}[]' for type in TYPES)}) "
    "ON CONFLICT DO NOTHING"
)

Names = tuple[str, ...]
log = logging.getLogger("loadstone.store")


class NoNumberError(ValueError):
    """Among the further quantities of a reading is NaN or infinity."""


def keep(connection: sa.Connection, readings: Sequence[Reading], channels: Mapping[str, int]) -> int:
    """Write readings; one that is already there (meter, taken_at) stays as it is. Returns how many were new."""
    try:
        rows = [_row(said, channels[said.meter]) for said in readings]
    except NoNumberError as error:  # a batch that can never be kept would keep all others waiting behind it
        log.error("%s; that is left out, as it is not known", error)
        readings = [_without_what_is_no_number(said) for said in readings]
        rows = [_row(said, channels[said.meter]) for said in readings]
    shapes = {names for said in readings if (names := tuple([name for name, _ in said.values]))}
    if shapes:
        insert_new(connection, shape_table, [{"id": shape(names), "names": json.dumps(names)} for names in shapes])
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(SQLITE, rows).rowcount
    return connection.exec_driver_sql(POSTGRESQL, tuple(list(column) for column in zip(*rows, strict=True))).rowcount


@lru_cache(maxsize=1024)
def shape(names: Names) -> int:
    """The number of a set of names: always the same for the same names, so that nobody has to look it up."""
    return int.from_bytes(hashlib.blake2b(json.dumps(names).encode(), digest_size=6).digest())


class Shapes:
    """The names behind the numbers, looked up once."""

    def __init__(self) -> None:
        self._known: dict[int, Names] = {}

    def of(self, connection: sa.Connection, number: int) -> Names:
        if number not in self._known:
            rows = connection.execute(sa.select(shape_table.c.id, shape_table.c.names)).all()
            self._known.update({row.id: tuple(json.loads(row.names)) for row in rows})
        return self._known[number]


def _row(said: Reading, channel: int) -> tuple[Any, ...]:
    values = said.values
    return (
        channel,
        micros(said.taken_at),
        _number(said.import_kwh),
        _number(said.export_kwh),
        _number(said.power_kw),
        said.quality.value,
        _text(said.note),
        json.dumps([[STATE, said.state]]) if said.state else None,
        _text(said.raw) or None,
        _number(said.clock_step_seconds),
        shape(tuple([name for name, _ in values])) if values else None,
        packed(tuple([number for _, number in values])) if values else None,
    )


def _number(value: float | None) -> float | None:
    """A float, also where a whole number was said; NaN is unknown, and unknown is None."""
    return None if value is None or value != value else float(value)  # noqa: PLR0124  # NaN is not even itself


def _without_what_is_no_number(said: Reading) -> Reading:
    return replace(said, values=tuple((name, number) for name, number in said.values if math.isfinite(number)))


def _text(said: str) -> str:
    """Without NUL, which PostgreSQL takes in no text: one such sign from a device must not keep a whole batch out."""
    return said.replace("\0", "\ufffd") if "\0" in said else said


def packed(numbers: tuple[float, ...]) -> bytes:
    """Numbers as bytes: four each where that says them all exactly (what comes from a meter's own floats), else eight."""
    if not all(map(math.isfinite, numbers)):
        raise NoNumberError(f"a reading says what is no number: {numbers}")
    try:
        short = struct.pack(f"<{len(numbers)}f", *numbers)
    except OverflowError:
        return struct.pack(f"<{len(numbers)}d", *numbers)
    return short if struct.unpack(f"<{len(numbers)}f", short) == numbers else struct.pack(f"<{len(numbers)}d", *numbers)


def unpacked(numbers: bytes, count: int) -> tuple[float, ...]:
    """The numbers that were packed."""
    return struct.unpack(f"<{count}{'f' if len(numbers) == 4 * count else 'd'}", numbers)


def noun(meter: str, said: Row | Sequence[Any], names: Names) -> Reading:
    """A row as a reading; `names` are those of its shape."""
    taken_at, import_kwh, export_kwh, power_kw, quality, note, others, raw, clock_step, _, numbers = said
    told = json.loads(others) if others else ()  # before numbers were kept as bytes, all of them stood here
    values = tuple([(name, value) for name, value in told if name != STATE])
    return Reading(
        meter=meter,
        taken_at=from_micros(taken_at),
        import_kwh=import_kwh,
        export_kwh=export_kwh,
        power_kw=power_kw,
        quality=ReadingQuality(quality),
        note=note,
        values=tuple(zip(names, unpacked(numbers, len(names)), strict=True)) if numbers else values,
        raw=raw or "",
        state=next((value for name, value in told if name == STATE), ""),
        clock_step_seconds=clock_step,
    )
