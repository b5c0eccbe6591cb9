"""A profile made ready for many reads: all numbers of an answer are taken out of it in one go.

`image.quantities` is the rule, this is the same said faster: where the numbers lie is worked out once for each set of reads, and
what is left to do for an answer is a `struct` call or two and a factor a quantity. What this file does not know (a new type, a
new key of a register) it leaves to `image.quantities`.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence

from meters.image import places, quantities, uncoded
from meters.profile import Profile, Register
from meters.quantities import KINDS, UNITS
from meters.registers import FORMATS, RegisterType, Span, scaled

Said = tuple[int, int, Sequence[int]]  # function code, first address, the 16 bits from there on
Shape = tuple[tuple[int, int, int], ...]  # of each read: function code, first address, how many
Field = tuple[int, str]  # the first of a number's registers, counted through all reads, and its format
Number = float | int
Quantity = Callable[[Sequence[Number]], float | None]  # out of all the numbers of the reads
Plain = tuple[int, float, float, float, float]  # which number; times, over: its scale; times, over: its unit
Decode = Callable[[Sequence[Said]], dict[str, float]]

TYPES = frozenset(RegisterType(name) for name in ("u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"))
KEYS = frozenset(
    {"at", "type", "unit", "scale", "between", "rollover", "function_code", "coding", "minus", "positive", "unsure"}
)
NOT_PLAIN: Plain = (0, 1.0, 1.0, 1.0, 1.0)
INFINITY = math.inf
UNSIGNED = {"H": "H", "h": "H", "I": "I", "i": "I", "Q": "Q", "q": "Q", "f": "I", "d": "Q"}  # the same bits as a number


class Decoder:
    """Turns the answers of a meter into its quantities, as `image.quantities` does."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._ready: dict[Shape, Decode] = {}

    def quantities(self, said: Sequence[Said]) -> dict[str, float]:
        """All quantities that the reads tell, in inside units; what is not known is left out."""
        shape = tuple([(code, start, len(words)) for code, start, words in said])
        decode = self._ready.get(shape)
        if decode is None:
            decode = self._ready[shape] = compiled(self._profile, shape) or self._slowly
        return decode(said)

    def _slowly(self, said: Sequence[Said]) -> dict[str, float]:
        words = {(code, start + i): word for code, start, read in said for i, word in enumerate(read)}
        return quantities(self._profile, words)


def compiled(profile: Profile, shape: Shape) -> Decode | None:
    """What decodes reads of a shape; None where the profile asks for something that is not known here."""
    there = [(code, start + i) for code, start, count in shape for i in range(count)]
    at = {address: position for position, address in enumerate(there)}
    if len(at) < len(there) or any(
        r.model_fields_set - KEYS or r.type not in TYPES for r in profile.registers.values()
    ):
        return None
    size = len(there)
    fields: dict[str, list[Field]] = {}
    for name, register in profile.registers.items():
        code, form = profile.code_of(register), FORMATS[register.type][-1]
        lying = [[at.get((code, a)) for a in range(p.start, p.end)] for p in places(profile, register)]
        if any(None in positions for positions in lying):
            continue  # not read; and a sum with an unknown part is unknown
        if any(
            positions != list(range(positions[0] or 0, (positions[0] or 0) + len(positions))) for positions in lying
        ):
            return None  # a number in pieces
        # With the low word first all registers are turned round: then every number has its high word first.
        first = [size - (p[-1] or 0) - 1 if profile.low_word_first else p[0] or 0 for p in lying]
        fields[name] = [(position, form) for position in first]
    patterns = [
        (p, UNSIGNED[f]) for n, found in fields.items() if profile.markers(profile.registers[n].type) for p, f in found
    ]
    layers = _layers([field for found in fields.values() for field in found] + patterns)
    number = {field: i for i, field in enumerate(field for layer in layers for field in layer)}
    wanted = [(name, _quantity(profile, name, found, number)) for name, found in fields.items()]
    return _decode(wanted, size, [_unpack(layer, size) for layer in layers], profile.low_word_first)


def _layers(fields: Sequence[Field]) -> list[list[Field]]:
    """The numbers in groups in which none overlaps another, so that one `struct` takes a group."""
    layers: list[list[Field]] = []
    for field in sorted(set(fields)):
        fitting = next((layer for layer in layers if _end(layer[-1]) <= field[0]), None)
        if fitting is None:
            layers.append([field])
        else:
            fitting.append(field)
    return layers


def _end(field: Field) -> int:
    return field[0] + struct.calcsize(f">{field[1]}") // 2


def _unpack(layer: Sequence[Field], size: int) -> Callable[[bytes], tuple[Number, ...]]:
    form, end = ">", 0
    for field in layer:
        form += f"{2 * (field[0] - end)}x{field[1]}"
        end = _end(field)
    return struct.Struct(f"{form}{2 * (size - end)}x").unpack


def _decode(
    wanted: Sequence[tuple[str, Plain | Quantity]],
    size: int,
    unpacks: Sequence[Callable[[bytes], tuple[Number, ...]]],
    turned: bool,
) -> Decode:
    pack = struct.Struct(f">{size}H").pack
    steps = [(name, how, None) if isinstance(how, tuple) else (name, NOT_PLAIN, how) for name, how in wanted]

    def decode(said: Sequence[Said]) -> dict[str, float]:
        words = said[0][2] if len(said) == 1 else [word for _, _, read in said for word in read]
        packed = pack(*(words[::-1] if turned else words))
        numbers: list[Number] = []
        for unpack in unpacks:
            numbers += unpack(packed)
        found = {}
        for name, (place, times, over, unit_times, unit_over), quantity in steps:
            if quantity is None:
                # Written out, as this is most of what decoding costs; adding zero as the sum of one number does.
                value = numbers[place] * times / over + 0.0
                if -INFINITY < value < INFINITY:
                    found[name] = value * unit_times / unit_over
            elif (known := quantity(numbers)) is not None:
                found[name] = known
        return found

    return decode


def _quantity(profile: Profile, name: str, fields: Sequence[Field], number: Mapping[Field, int]) -> Plain | Quantity:
    register = profile.registers[name]
    factor, markers = UNITS[KINDS[name]][register.unit], profile.markers(register.type)
    places = [(number[field], number.get((field[0], UNSIGNED[field[1]]), 0)) for field in fields]
    special = register.between or register.coding != "plain" or register.positive != "import"
    if len(places) > 1 or len(register.scale) > 1 or special:
        return _with_all_rules(places, markers, register, factor)
    ((place, bits),), (scale,) = places, register.scale
    if not markers:
        return place, *_as_product(scale), *_as_product(factor)

    def marked(numbers: Sequence[Number]) -> float | None:
        pattern = numbers[bits]
        for first, last in markers:
            if first <= pattern <= last:
                return None
        value = scaled(numbers[place], scale) + 0.0
        return scaled(value, factor) if math.isfinite(value) else None

    return marked


def _as_product(scale: float) -> tuple[float, float]:
    """`registers.scaled` as one multiplication and one division, of which one does nothing."""
    return (scale, 1.0) if scale >= 1 else (1.0, 1 / scale)


def _with_all_rules(
    places: Sequence[tuple[int, int]], markers: Sequence[Span], register: Register, factor: float
) -> Quantity:
    signs = [1.0] * len(register.at) + [-1.0] * len(register.minus)
    direction = 1.0 if register.positive == "import" else -1.0

    def ruled(numbers: Sequence[Number]) -> float | None:
        if any(first <= numbers[bits] <= last for _, bits in places for first, last in markers):
            return None
        for scale in register.scale:
            parts = [sign * scaled(numbers[place], scale) for sign, (place, _) in zip(signs, places, strict=True)]
            if not all(map(math.isfinite, parts)):
                return None
            value = sum(parts)
            if register.between is None or register.between[0] <= value <= register.between[1]:
                return direction * scaled(uncoded(value, register), factor) + 0.0
        return None

    return ruled
