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


FORMATS = {
    RegisterType.U16: ">H",
    RegisterType.S16: ">h",
    RegisterType.U32: ">I",
    RegisterType.S32: ">i",
    RegisterType.U64: ">Q",
    RegisterType.S64: ">q",
    RegisterType.F32: ">f",
    RegisterType.F64: ">d",
}
OTHER_NAMES = {"float32": "f32", "float64": "f64"} | {
    f"{long}{bits}": f"{short}{bits}" for long, short in (("uint", "u"), ("int", "s")) for bits in (16, 32, 64)
}


def short_name(value: object) -> object:
    """The name of a type as it is used here; `uint16` and `float32` are as good."""
    return OTHER_NAMES.get(value, value) if isinstance(value, str) else value


TypeName = Annotated[RegisterType, BeforeValidator(short_name)]
Span = tuple[int, int]  # bit patterns from … to, both included


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
    value = scaled(raw, scale)
    return value if math.isfinite(value) else None


def scaled(raw: float, scale: float) -> float:
    """raw × scale; by a tenth, a hundredth … as a division, so that 12 345 hundredths are 123.45 to the last digit."""
    return raw * scale if scale >= 1 else raw / (1 / scale)


def encode(value: float, type: RegisterType, *, low_word_first: bool = False, scale: float = 1.0) -> list[int]:
    """The registers that say a number; integers are rounded. ValueError where the type cannot hold it."""
    is_float = type in (RegisterType.F32, RegisterType.F64)
    unscaled = value if scale == 1 else value / scale  # a division would cost whole numbers beyond 2^53 their end
    raw: float = unscaled if is_float else round(unscaled)
    try:
        packed = struct.pack(FORMATS[type], raw)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value} x {1 / scale:g} does not fit into {type}") from error
    words = list(struct.unpack(f">{len(packed) // 2}H", packed))
    return list(reversed(words)) if low_word_first else words
