"""What a meter says ↔ what lies in its registers, by its profile."""

from collections.abc import Iterator, Mapping

from meters.batching import Batch
from meters.profile import Profile, Register
from meters.quantities import KINDS, UNITS
from meters.registers import RegisterType, decode, encode, scaled, width

Words = Mapping[tuple[int, int], int]  # (function code, address on the wire) → the 16 bits that lie there


def places(profile: Profile, register: Register) -> Iterator[Batch]:
    """Where the numbers of a register lie on the wire."""
    for at in register.at:
        yield Batch(at - profile.address_base, width(register.type))


def quantities(profile: Profile, words: Words) -> dict[str, float]:
    """All quantities that the registers tell, in inside units. What is not there, marked as not available, or
    outside of what can be, is left out."""
    found = {name: _value(profile, name, register, words) for name, register in profile.registers.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(profile: Profile, name: str, register: Register, words: Words) -> float | None:
    factor = UNITS[KINDS[name]][register.unit]
    for scale in register.scale:
        parts = [_number(profile, register, place, scale, words) for place in places(profile, register)]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None  # a sum with an unknown part is unknown
        value = sum(known)
        if register.between is None or register.between[0] <= value <= register.between[1]:
            return scaled(uncoded(value, register), factor)
    return None


def _number(profile: Profile, register: Register, place: Batch, scale: float, words: Words) -> float | None:
    code = profile.code_of(register)
    said = [words.get((code, address)) for address in range(place.start, place.end)]
    there = [word for word in said if word is not None]
    if len(there) < len(said):
        return None
    return decode(
        there,
        register.type,
        low_word_first=profile.low_word_first,
        scale=scale,
        not_available=profile.markers(register.type),
    )


def uncoded(value: float, register: Register) -> float:
    """Schneider says a power factor as a code: beyond 1 it counts back, for the quadrants of leading current."""
    if register.coding == "four-quadrant" and abs(value) > 1:
        return 2 - value if value > 0 else -2 - value
    return value


def image(profile: Profile, values: Mapping[str, float]) -> dict[tuple[int, int], int]:
    """The registers of a meter that says these values (in inside units). A counter starts again where its register
    is full. Of several addresses the first says all and the others nothing."""
    words: dict[tuple[int, int], int] = {}
    for name, register in profile.registers.items():
        if name in values:
            said = values[name] / UNITS[KINDS[name]][register.unit]
            if KINDS[name] == "energy":
                said %= register.rollover or _range(register)
            for number, place in enumerate(places(profile, register)):
                coded = encode(
                    said if number == 0 else 0.0,
                    register.type,
                    low_word_first=profile.low_word_first,
                    scale=register.scale[0],
                )
                words |= {(profile.code_of(register), place.start + i): word for i, word in enumerate(coded)}
    return words


def _range(register: Register) -> float:
    """The first value that a counter's register cannot say."""
    if register.type in (RegisterType.F32, RegisterType.F64):
        return float("inf")
    bits = 16 * width(register.type) - (1 if register.type.startswith("s") else 0)
    return (2.0**bits) * register.scale[0]
