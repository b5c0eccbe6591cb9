"""What there is to know of a profile, as a person who commissions a meter wants to read it."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby

from energy.errors import Mistake
from meters.identify import Identify
from meters.image import places
from meters.profile import Family, Profile, ProfileError, Register, load, names
from meters.quantities import KINDS, SIGNED
from meters.sunspec.tables import Device, Point, devices, tables

FAMILIES: dict[Family, str] = {
    "meter": "Energy meters",
    "analyser": "Network analysers",
    "inverter": "Inverters",
    "battery": "Batteries",
    "grid meter": "Grid meters behind an inverter or data logger",
}


Known = Profile | Device


def known_by(name: str) -> Known:
    """A profile (also one of your own, by path) or a device that speaks SunSpec."""
    if name in devices():
        return devices()[name]
    every = [*names(), *devices()]
    if name not in every and not name.endswith((".yaml", ".yml")):
        close = [one for one in every if one.startswith(name)] or get_close_matches(name, every, n=3)
        hint = f"; did you mean {' or '.join(close[:4])}?" if close else "; `loadstone meters list` names all"
        raise ProfileError("profile", [Mistake(name, f"no meter profile of that name{hint}")])
    return load(name)


def found(words: Sequence[str]) -> dict[Family, list[tuple[str, Known]]]:
    """What is known, by family; with words only what has each of them in its name, maker or models."""
    known = [(name, known_by(name)) for name in sorted((*names(), *devices()))]
    wanted = [
        (name, profile)
        for name, profile in known
        if all(word.lower() in f"{name} {profile.name} {profile.family}".lower() for word in words)
    ]
    order = list(FAMILIES)
    ranked = sorted(wanted, key=lambda item: order.index(item[1].family))
    return {family: list(group) for family, group in groupby(ranked, key=lambda item: item[1].family)}


def listed(groups: dict[Family, list[tuple[str, Known]]]) -> Iterator[str]:
    """One line a profile, under the heading of its family."""
    for family, profiles in groups.items():
        yield f"{FAMILIES[family]}:"
        for name, profile in profiles:
            unsure = f"{len(profile.unsure)} unsure" if profile.unsure else ""
            kind = " (kind: sunspec)" if isinstance(profile, Device) else ""
            yield f"  {name:26} {profile.confidence:17} {unsure:9} {profile.name}{kind}"


def told(name: str, known: Known) -> Iterator[str]:
    """All that is known: where each number lies, in what form, and what to check."""
    return _told_device(name, known) if isinstance(known, Device) else _told_profile(name, known)


def _told_device(name: str, device: Device) -> Iterator[str]:
    yield f"{name}: {device.name}"
    yield f"  family        {device.family}, read by kind sunspec: the device says where its values lie"
    yield f"  manual        {device.manual}"
    yield f"  sources       {'; '.join(device.sources)} ({device.confidence})"
    yield f"  usually       unit {device.usual_unit}, port {device.usual_port}" + _in_brackets(device.unit_hint)
    wanted = [device.reads] if device.reads else list(tables().reads)
    for reads in wanted:
        yield ""
        yield f"  {reads}: the first of the models " + ", ".join(
            " + ".join(map(str, ids)) for ids in tables().reads[reads]
        )
        for table in tables().models:
            if any(id in group for id in table.ids for group in tables().reads[reads]):
                yield f"  {', '.join(map(str, table.ids))} ({table.name}), offsets from the id:"
                yield from (_point_row(quantity, point) for quantity, point in table.points.items())
    yield ""
    yield "  Check when commissioning:"
    yield f"  1. {device.note}"
    yield f"  2. Sign: {_sign(device.family)}. The other way round: `invert: true`."
    yield "  3. A counter that says exactly 0 is not counted there: it stays unknown."


def _point_row(quantity: str, point: Point) -> str:
    said = [
        "positive is export" if point.positive == "export" else "",
        f"modules {point.module}" + (f" less {point.minus_module}" if point.minus_module else "")
        if point.module
        else "",
    ]
    scale = f"x10^n, n at {point.scale_at}" if point.scale_at is not None else ""
    rest = "; ".join(part for part in said if part)
    return f"    {quantity:17}{point.at:>4}  {point.type:6}{scale:18} {point.unit or '1':5}{rest}".rstrip()


def _told_profile(name: str, profile: Profile) -> Iterator[str]:
    yield f"{name}: {profile.name}"
    yield f"  family        {profile.family}"
    yield f"  manual        {profile.manual or '–'}"
    yield f"  sources       {'; '.join(profile.sources) or '–'} ({profile.confidence})"
    yield f"  usually       unit {profile.usual_unit}, port {profile.usual_port}" + _in_brackets(profile.unit_hint)
    yield f"  function code {profile.function_code}, {profile.word_order}, at most {profile.max_registers} registers a read"
    for type, spans in profile.not_available.items():
        yield f"  no value      {type}: " + ", ".join(_span(first, last) for first, last in spans)
    for identify in profile.identify:
        yield f"  says itself   {_identified(profile, identify)}"
    yield ""
    yield f"  {'quantity':17}{'on the wire':>16}  {'in the manual':>14}  {'type':5}{'scale':16} unit"
    for quantity, register in profile.registers.items():
        yield _row(profile, quantity, register)
        if register.unsure:
            yield f"  {'':17}unsure: {register.unsure}"
    yield ""
    yield "  Check when commissioning:"
    for number, check in enumerate(checks(profile), 1):
        yield f"  {number}. {check}"


def _row(profile: Profile, quantity: str, register: Register) -> str:
    code = profile.code_of(register)
    wire = " ".join(str(place.start) for place in places(profile, register))
    manual = " ".join(str(manual_number(code, place.start)) for place in places(profile, register))
    scale = " or ".join(f"x{scale:g}" for scale in register.scale) if register.scale != (1.0,) else ""
    form = f"{register.type:5}{scale:16} {register.unit or '1':5}"
    return f"  {quantity:17}{wire:>16}  {manual:>14}  {form}{_rest(register)}".rstrip()


def _rest(register: Register) -> str:
    said = [
        f"of these the last {len(register.minus)} taken off" if register.minus else "",
        "added up" if len(register.at) > 1 else "",
        "positive is export" if register.positive == "export" else "",
        f"x10^n, n at {register.exponent_at}" if register.exponent_at is not None else "",
        f"between {register.between[0]:g} and {register.between[1]:g}" if register.between else "",
        "four-quadrant code" if register.coding != "plain" else "",
        f"starts again at {register.rollover:g}" if register.rollover else "",
    ]
    return "; ".join(part for part in said if part)


def manual_number(code: int, address: int) -> int:
    """The number of a register as manuals count that number from 1: 4xxxx holding, 3xxxx input; six digits beyond."""
    number = address + 1
    return (3 if code == 4 else 4) * (10_000 if number < 10_000 else 100_000) + number


def _identified(profile: Profile, identify: Identify) -> str:
    code, place = profile.place_of(identify)
    said = f"{identify.tells} at 0x{place.start:04X} (function code {code}, {identify.type}, {place.count} registers)"
    expected = ", ".join(
        f"{name + ' ' if name else ''}{what if isinstance(what, str) else _span(*what, hexadecimal=False)}"
        for name, what in identify.expect
    )
    return f"{said}: {expected}" if expected else said


def _span(first: int, last: int, hexadecimal: bool = True) -> str:
    ends = [f"0x{end:X}" if hexadecimal else str(end) for end in (first, last)]
    return ends[0] if first == last else "–".join(ends)


def _in_brackets(hint: str) -> str:
    return f" ({hint})" if hint else ""


def checks(profile: Profile) -> Iterator[str]:
    """What to compare on the device before its values are believed."""
    registers = profile.registers
    if profile.note:
        yield profile.note
    if "voltage_l1" in registers:
        yield "Voltage: as on the display, 220 to 240 V between a phase and neutral; nonsense means the word order."
    if "power" in registers:
        yield "Power: as on the display; U · I · √3 · cos φ of three phases. Off by a whole factor: `ct_ratio`."
    if any(KINDS[name] in SIGNED for name in registers):
        yield f"Sign: {_sign(profile.family)}. The other way round: `invert: true`."
    if {"total_import", "total_export"} & set(registers):
        yield "Energy: each counter as on the display, and in an hour as much more as the mean power says."
    for name in profile.unsure:
        yield f"{name}: {registers[name].unsure}."


def _sign(family: Family) -> str:
    if family == "inverter":
        return "generation is export here: power is negative while the sun shines, and total_export counts"
    if family == "battery":
        return "charging is import and positive, discharging is export and negative"
    return "what is taken from the grid is import and positive"
