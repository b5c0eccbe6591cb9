"""Registers on the wire ↔ numbers: types, word order, scale, and the values that mean "not available"."""

import math
import struct
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator


class RegisterType(StrEnum):
    """How a number lies in 16-bit registers."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    U64 = "u64"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    T5 = "t5"  # Iskra: a signed power of ten in the first byte, then 24 bits without a sign
    T6 = "t6"  # the same with a sign in the 24 bits

    @property
    def signed(self) -> bool:
        """Whether it can say a number below zero."""
        return self not in (RegisterType.U16, RegisterType.U32, RegisterType.U64, RegisterType.T5)

    @property
    def whole(self) -> bool:
        """Whether it counts in equal steps, from an end to the other."""
        return self not in (RegisterType.F32, RegisterType.F64, RegisterType.T5, RegisterType.T6)


FORMATS = {
    RegisterType.U16: ">H",
    RegisterType.S16: ">h",
    RegisterType.U32: ">I",
    RegisterType.S32: ">i",
    RegisterType.U64: ">Q",
    RegisterType.S64: ">q",
    RegisterType.F32: ">f",
    RegisterType.F64: ">d",
    RegisterType.T5: ">I",
    RegisterType.T6: ">I",
}
OTHER_NAMES = {"float32": "f32", "float64": "f64"} | {
    f"{long}{bits}": f"{short}{bits}" for long, short in (("uint", "u"), ("int", "s")) for bits in (16, 32, 64)
}


def short_name(value: object) -> object:
    """The name of a type as it is used here; `uint16` and `float32` are as good."""
    return OTHER_NAMES.get(value, value) if isinstance(value, str) else value


TypeName = Annotated[RegisterType, BeforeValidator(short_name)]
Span = tuple[int, int]  # bit patterns from … to, both included

EXPONENTS = range(-10, 11)  # powers of ten that a device can mean; others are a register that was never set


def width(type: RegisterType) -> int:
    """How many registers a number takes."""
    return struct.calcsize(FORMATS[type]) // 2


def decode(
    words: Sequence[int],
    type: RegisterType,
    *,
    low_word_first: bool = False,
    scale: float = 1.0,
    not_available: Sequence[Span] = (),
) -> float | None:
    """The number in some registers; None where the meter says that it has none (a marker, NaN, infinity).

    Markers are compared as bit patterns, so 0x7FFFFFFF is the same marker in u32, s32 and f32.
    """
    ordered = list(reversed(words)) if low_word_first else list(words)
    packed = struct.pack(f">{len(ordered)}H", *ordered)
    bits = int.from_bytes(packed, "big")
    if any(first <= bits <= last for first, last in not_available):
        return None
    (raw,) = struct.unpack(FORMATS[type], packed)
    number = raw if type not in (RegisterType.T5, RegisterType.T6) else _with_exponent(raw, type.signed)
    value = math.nan if number is None else scaled(number, scale)
    return value if math.isfinite(value) else None


def scaled(raw: float, scale: float) -> float:
    """raw × scale; by a tenth, a hundredth … as a division, so that 12 345 hundredths are 123.45 to the last digit."""
    return raw * scale if scale >= 1 else raw / (1 / scale)


def by_ten(raw: float, exponent: int) -> float | None:
    """raw × 10 ^ exponent, as exactly as it can be said; None where the exponent cannot be meant."""
    if exponent not in EXPONENTS:
        return None
    return raw * 10.0**exponent if exponent >= 0 else raw / 10.0**-exponent


def _with_exponent(bits: int, signed: bool) -> float | None:
    exponent, number = bits >> 24, bits & 0xFFFFFF
    if signed and number >= 0x800000:
        number -= 0x1000000
    return by_ten(number, exponent - 256 if exponent >= 128 else exponent)


def encode(value: float, type: RegisterType, *, low_word_first: bool = False, scale: float = 1.0) -> list[int]:
    """The registers that say a number; integers are rounded. ValueError where the type cannot hold it."""
    unscaled = value if scale == 1 else value / scale  # a division would cost whole numbers beyond 2^53 their end
    try:
        packed = struct.pack(FORMATS[type], _raw(unscaled, type))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value} x {1 / scale:g} does not fit into {type}") from error
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return list(reversed(words)) if low_word_first else words


def _raw(value: float, type: RegisterType) -> float:
    if type in (RegisterType.F32, RegisterType.F64):
        return value
    return round(value) if type.whole else _exponent_and_number(value, type.signed)


def _exponent_and_number(value: float, signed: bool) -> int:
    """A number as T5 or T6: with the smallest power of ten that it fits with, which says the most of its digits."""
    lowest, highest = (-0x800000, 0x7FFFFF) if signed else (0, 0xFFFFFF)
    for exponent in EXPONENTS if signed or value >= 0 else ():
        number = round(value / 10.0**exponent)
        if lowest <= number <= highest:
            return (exponent & 0xFF) << 24 | number & 0xFFFFFF
    raise OverflowError(value)
