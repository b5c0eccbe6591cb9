"""What a meter says ↔ what lies in its registers, by its profile."""

from collections.abc import Iterator, Mapping

from meters.batching import Batch
from meters.profile import Profile, Register
from meters.quantities import KINDS, UNITS
from meters.registers import RegisterType, by_ten, decode, encode, scaled, width

Words = Mapping[tuple[int, int], int]  # (function code, address on the wire) → the 16 bits that lie there


def places(profile: Profile, register: Register) -> Iterator[Batch]:
    """Everything that has to be read on the wire for a register."""
    for at in (*register.at, *register.minus):
        yield _number_place(profile, register, at)
    if register.exponent_at is not None:
        yield Batch(register.exponent_at - profile.address_base, 1)


def _number_place(profile: Profile, register: Register, at: int) -> Batch:
    return Batch(at - profile.address_base, width(register.type))


def quantities(profile: Profile, words: Words) -> dict[str, float]:
    """All quantities that the registers tell, in inside units. What is not there, marked as not available, or
    outside of what can be, is left out."""
    found = {name: _value(profile, name, register, words) for name, register in profile.registers.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(profile: Profile, name: str, register: Register, words: Words) -> float | None:
    factor = UNITS[KINDS[name]][register.unit]
    for scale in register.scale:
        value = _sum(profile, register, scale, words)
        if value is None:
            return None
        if register.between is None or register.between[0] <= value <= register.between[1]:
            inside = scaled(uncoded(value, register), factor)
            return inside if register.positive == "import" else 0.0 - inside
    return None


def _sum(profile: Profile, register: Register, scale: float, words: Words) -> float | None:
    """All numbers of a register together; a sum with an unknown part is unknown."""
    added = [_number(profile, register, at, scale, words) for at in register.at]
    taken = [_number(profile, register, at, scale, words) for at in register.minus]
    known = [number for number in added if number is not None] + [-number for number in taken if number is not None]
    return sum(known) if len(known) == len(added) + len(taken) else None


def _number(profile: Profile, register: Register, at: int, scale: float, words: Words) -> float | None:
    number = _at(profile, register, _number_place(profile, register, at), register.type, scale, words)
    if number is None or register.exponent_at is None:
        return number
    place = Batch(register.exponent_at - profile.address_base, 1)
    exponent = _at(profile, register, place, RegisterType.S16, 1.0, words)
    return None if exponent is None else by_ten(number, int(exponent))


def _at(
    profile: Profile, register: Register, place: Batch, type: RegisterType, scale: float, words: Words
) -> float | None:
    code = profile.code_of(register)
    said = [words.get((code, address)) for address in range(place.start, place.end)]
    there = [word for word in said if word is not None]
    if len(there) < len(said):
        return None
    return decode(there, type, low_word_first=profile.low_word_first, scale=scale, not_available=profile.markers(type))


def uncoded(value: float, register: Register) -> float:
    """Schneider says a power factor as a code: beyond 1 it counts back, for the quadrants of leading current."""
    if register.coding == "four-quadrant" and abs(value) > 1:
        return 2 - value if value > 0 else -2 - value
    return value


def image(profile: Profile, values: Mapping[str, float]) -> dict[tuple[int, int], int]:
    """The registers of a meter that says these values (in inside units). A counter starts again where its register
    is full; a register without a sign says zero for what flows the other way. Of several addresses the first says all
    and the others nothing, unless they are the registers of other quantities (phases), which then say it together."""
    words: dict[tuple[int, int], int] = {}
    sums_first = sorted(profile.registers.items(), key=lambda item: -len(item[1].at))
    for name, register in sums_first:
        if name in values:
            said = values[name] / UNITS[KINDS[name]][register.unit]
            if KINDS[name] == "energy":
                said %= register.rollover or _range(register)
            numbers = _apart(said if register.positive == "import" else -said, register)
            for at, number in zip((*register.at, *register.minus), numbers, strict=True):
                place = _number_place(profile, register, at)
                coded = encode(
                    number if register.type.signed else max(0.0, number),
                    register.type,
                    low_word_first=profile.low_word_first,
                    scale=register.scale[0],
                )
                words |= {(profile.code_of(register), place.start + i): word for i, word in enumerate(coded)}
            if register.exponent_at is not None:
                words[profile.code_of(register), register.exponent_at - profile.address_base] = 0
    return words


def _apart(said: float, register: Register) -> list[float]:
    """What each address of a register says: the first of those that add, or the first of those that take off."""
    first, second = (said, 0.0) if said >= 0 or not register.minus else (0.0, -said)
    added = [first, *[0.0] * (len(register.at) - 1)]
    return added + ([second, *[0.0] * (len(register.minus) - 1)] if register.minus else [])


def _range(register: Register) -> float:
    """The first value that a counter's register cannot say."""
    if not register.type.whole:
        return float("inf")
    bits = 16 * width(register.type) - (1 if register.type.signed else 0)
    return (2.0**bits) * register.scale[0]
