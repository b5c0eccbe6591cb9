"""What the registers of a SunSpec model mean: values with their powers of ten, and what is not there."""

from collections.abc import Iterator, Sequence

from meters.identify import text
from meters.quantities import KINDS, UNITS
from meters.registers import RegisterType, by_ten, decode, scaled, width
from meters.sunspec.tables import NOT_AVAILABLE, Modules, Point, Table

LEAST_WH, MOST_WH = 1.0, 1e14  # a counter that is a float below or beyond is a whole number that was taken for one


def quantities(table: Table, words: Sequence[int], *, whole_counters: bool = False) -> dict[str, float]:
    """All quantities that a model tells, in inside units; `words` are its registers from the id on. What is not there,
    marked as not available, or has no power of ten that can be meant, is left out."""
    found = {name: _value(table, name, point, words, whole_counters) for name, point in table.points.items()}
    return {name: value for name, value in found.items() if value is not None}


def extent(table: Table, length: int) -> int:
    """How many registers of a model have to be read, from its id on, for all that is wanted of it."""
    if table.modules is not None:
        return length + 2
    return min(length + 2, max(point.end for point in table.points.values()))


def frame(table: Table) -> list[int]:
    """The offsets that give all other numbers of a model their meaning: id, length, powers of ten."""
    return sorted({0, 1} | {point.scale_at for point in table.points.values() if point.scale_at is not None})


def _value(table: Table, name: str, point: Point, words: Sequence[int], whole_counters: bool) -> float | None:
    kind = KINDS[name]
    register = RegisterType.U32 if whole_counters and kind == "energy" and point.type == "f32" else point.register
    raw = _sum(table.modules, point, register, words)
    value = raw if raw is None or point.scale_at is None else _with_scale(raw, point.scale_at, words)
    if value is None or (kind == "energy" and register is RegisterType.F32 and not _counts(value)):
        return None
    if kind == "factor" and point.unit == "%" and abs(value) <= 1:
        return value  # in percent by the standard, but devices say 0.98 as well
    inside = scaled(value, UNITS[kind][point.unit])
    return inside if point.positive == "import" else 0.0 - inside


def _counts(wh: float) -> bool:
    return wh == 0 or LEAST_WH <= abs(wh) <= MOST_WH


def _with_scale(raw: float, at: int, words: Sequence[int]) -> float | None:
    exponent = _number(RegisterType.S16, NOT_AVAILABLE["s16"], at, words)
    return None if exponent is None else by_ten(raw, int(exponent))


def _sum(modules: Modules | None, point: Point, register: RegisterType, words: Sequence[int]) -> float | None:
    marker = NOT_AVAILABLE.get(point.type)
    if modules is None:
        return _number(register, marker, point.at, words)
    parts = [
        (sign, _number(register, marker, start + point.at, words))
        for start, label in _labelled(modules, words)
        for sign, wanted in ((1.0, point.module), (-1.0, point.minus_module))
        if wanted and label.startswith(wanted)
    ]
    known = [sign * number for sign, number in parts if number is not None]
    return sum(known) if parts and len(known) == len(parts) else None


def _labelled(modules: Modules, words: Sequence[int]) -> Iterator[tuple[int, str]]:
    count = _number(RegisterType.U16, NOT_AVAILABLE["u16"], modules.count_at, words) or 0
    for number in range(int(count)):
        start = modules.first + number * modules.size
        label = start + modules.label_at
        if label + modules.label_registers <= len(words):
            yield start, text(words[label : label + modules.label_registers])


def _number(type: RegisterType, marker: tuple[int, int] | None, at: int, words: Sequence[int]) -> float | None:
    there = words[at : at + width(type)]
    if len(there) < width(type):
        return None
    return decode(there, type, not_available=() if marker is None else (marker,))
