"""Other ways to read the same registers: the mistakes that are made in the field, each with the config lines that mend it.

Factors are not guessed but taken from the numbers (how far P is from U · I · PF, the counter from the power), and kept
only where they are what a mistake makes: a power of ten, the ratio of a current transformer, √3."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log10, sqrt
from typing import Any

from energy.errors import ConfigError
from meters.modbus import ADDRESSES, LONE_ADDRESSES, shifted
from meters.profile import Register
from meters.quantities import KINDS
from meters.registers import RegisterType
from meters.scan.counting import Poll, flowed_kwh
from meters.scan.physics import LEAST_VOLTS, NETS_HZ, Expected, Values, apparent_kva, near, phased
from meters.scan.reading import How

PRIMARIES = (25, 30, 40, 50, 60, 75, 80, 100, 120, 125, 150, 200, 250, 300, 400, 500, 600, 750, 800, 1000, 1200, 1250)
LARGE_PRIMARIES = (1500, 1600, 2000, 2500, 3000, 3200, 4000, 5000, 6000)  # ampere, as they are made (IEC 61869-2)
AMPS = PRIMARIES + LARGE_PRIMARIES
TENS = tuple(10.0**n for n in (-6, -3, -2, -1, 1, 2, 3, 6))
VOLTAGE_RATIOS = (30.0, 33.0, 60.0, 66.0, 100.0, 110.0, 150.0, 200.0, 220.0, 300.0)  # 3 … 30 kV on 100 V
FLOATS = {RegisterType.F32: RegisterType.U32, RegisterType.F64: RegisterType.U64}
SIGNS = {RegisterType.U16: RegisterType.S16, RegisterType.U32: RegisterType.S32, RegisterType.U64: RegisterType.S64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One change of how a meter is read. `usual` says how often this is it, 0 to 1, where several would do."""

    said: str
    how: How
    settings: tuple[tuple[str, object], ...] = ()
    usual: float = 0.5
    asks: bool = False  # other registers have to be asked for it


Change = Callable[[Register], Register]


def variants(how: How, polls: Sequence[Poll], expected: Expected) -> list[Variant]:
    """All single changes worth a try for what was read, without asking the meter again."""
    return [
        *_word_order(how),
        *_signs(how, polls),
        *_scales(how, polls),
        *_types(how),
        *_whole(how, polls, expected),
    ]


def elsewhere(how: How) -> list[Variant]:
    """Changes for which other registers have to be asked."""
    found = []
    for step in (-1, 1):
        try:
            moved = shifted(how.profile, step)
        except ConfigError:
            continue  # one of them would fall out of what there is
        if how.shift == 0:
            word = "one lower" if step < 0 else "one higher"
            why = "the list of its registers counts from 1" if step < 0 else "the device counts from 0"
            said = f"all registers lie {word}: {why}"
            found.append(
                Variant(
                    said=said,
                    how=replace(how, profile=moved, shift=step),
                    settings=(("address_shift", step),),
                    usual=0.8,
                    asks=True,
                )
            )
    other = 4 if how.profile.function_code == 3 else 3
    swapped = how.profile.model_copy(update={"function_code": other})
    name = "input" if other == 4 else "holding"
    said = f"its values are {name} registers: function code {other}"
    found.append(
        Variant(
            said=said, how=replace(how, profile=swapped), settings=(("function_code", other),), usual=0.75, asks=True
        )
    )
    return found


def _word_order(how: How) -> Iterator[Variant]:
    order = "high first" if how.profile.low_word_first else "low first"
    changed = how.profile.model_copy(update={"word_order": order})
    yield Variant(
        said=f"the words of its numbers come {order.replace(' first', ' word first')}",
        how=replace(how, profile=changed),
        settings=(("word_order", order),),
        usual=0.95,
    )


def _changed(how: How, names: Iterable[str], change: Change) -> tuple[How, tuple[tuple[str, object], ...]]:
    """A table with some registers changed, and the lines that say so."""
    new = {name: change(how.profile.registers[name]) for name in names}
    profile = how.profile.model_copy(update={"registers": how.profile.registers | new})
    lines = {name: written(register, how.shift) for name, register in new.items()}
    return replace(how, profile=profile), (("registers", lines),)


def written(register: Register, shift: int = 0) -> dict[str, Any]:
    """A register as one writes it in config.yaml, where `address_shift` counts for it too."""
    said = register.model_dump(mode="json", exclude_defaults=True)
    for key in (*ADDRESSES, "scale"):
        if key in said:
            values = [float(f"{v:.9g}") if key == "scale" else v - shift for v in said[key]]
            said[key] = values[0] if len(values) == 1 else values
    return said | {key: said[key] - shift for key in LONE_ADDRESSES if key in said}


def _times(factor: float) -> Change:
    return lambda register: register.model_copy(
        update={"scale": tuple(scale * factor for scale in register.scale), "between": None}
    )


def _of(how: How, *kinds: str) -> list[str]:
    return [name for name in how.profile.registers if KINDS[name] in kinds]


# ---- signs and directions


def _signs(how: How, polls: Sequence[Poll]) -> Iterator[Variant]:
    power = polls[-1].values.get("power")
    if names := _of(how, "power"):
        changed, lines = _changed(how, names, _times(-1.0))
        usual = 0.7 if power is not None and power < 0 else 0.45
        yield Variant(
            said="it says power with the other sign (export positive)", how=changed, settings=lines, usual=usual
        )
    counters = {"total_import", "total_export"}
    if counters <= how.profile.registers.keys():
        one, two = how.profile.registers["total_import"], how.profile.registers["total_export"]
        swapped = {"total_import": two, "total_export": one}
        profile = how.profile.model_copy(update={"registers": how.profile.registers | swapped})
        lines = (("registers", {name: written(register, how.shift) for name, register in swapped.items()}),)
        usual = 0.6 if power is not None and power > 0 else 0.4
        yield Variant(
            said="its import and export counters have changed places",
            how=replace(how, profile=profile),
            settings=lines,
            usual=usual,
        )
    yield Variant(
        said="its current transformers are all turned round: import and export change places",
        how=replace(how, invert=not how.invert),
        settings=(("invert", not how.invert),),
        usual=0.65,
    )


# ---- scales, ratios of transformers


def _scales(how: How, polls: Sequence[Poll]) -> Iterator[Variant]:
    said = polls[-1].values
    power_off, grain = _power_off(said), how.grain(said)
    yield from _scaled_group(how, ("voltage",), _voltage_factors(said, power_off), "voltage")
    if power_off is not None:
        yield from _scaled_group(how, ("current",), _nice(power_off), "current")
        yield from _scaled_group(how, ("power",), _nice(1 / power_off), "power")
        yield from _scaled_group(how, ("power", "reactive", "apparent"), _nice(1 / power_off), "power")
    yield from _total_alone(how, said)
    yield from _scaled_group(
        how, ("apparent",), _nice(_ratio(_apparent(said), said.get("apparent_power"))), "apparent power"
    )
    yield from _scaled_group(
        how, ("reactive",), _nice(_ratio(_reactive(said), said.get("reactive_power"))), "reactive power"
    )
    yield from _scaled_group(how, ("factor",), _factor_factors(said), "power factor")
    if hz := said.get("frequency"):
        found = [t for net in NETS_HZ for t in TENS if near(hz * t, net, 0.04)]
        yield from _scaled_group(how, ("frequency",), found, "frequency")
    yield from _scaled_group(how, ("energy",), _energy_factors(polls, grain), "energy")
    flows = ("power", "reactive", "apparent", "current")
    yield from _scaled_group(how, flows, _flow_factors(polls, grain), "power and current")


def _scaled_group(how: How, kinds: Sequence[str], factors: Iterable[float], what: str) -> Iterator[Variant]:
    names = _of(how, *kinds)
    for factor in dict.fromkeys(factors):
        if names and factor not in (0.0, 1.0):
            changed, lines = _changed(how, names, _times(factor))
            yield Variant(
                said=f"{what} {_in_words(factor, kinds)}", how=changed, settings=lines, usual=_how_usual(factor, kinds)
            )


def _in_words(factor: float, kinds: Sequence[str]) -> str:
    if near(factor, 1 / sqrt(3), 0.001):
        return "is told between the phases (√3 more than to neutral)"
    if "power" in kinds and factor in (1e3, 1e-3):
        return "is in kW, not in W" if factor > 1 else "is in W, not in kW"
    if "energy" in kinds and factor in (1e3, 1e-3):
        return "is in kWh, not in Wh" if factor > 1 else "is in Wh, not in kWh"
    said = f"is {factor:g} times as much" if factor > 1 else f"is 1/{1 / factor:g} of it"
    if kinds == ("voltage",) and factor in VOLTAGE_RATIOS:
        return f"{said}: it is told behind its voltage transformer"
    if factor not in TENS:
        current = f"{factor * 5:g}/5 A" if factor > 1 else f"{5 / factor:g}/5 A, applied twice"
        return f"{said}: a current transformer of {current}"
    return said


def _how_usual(factor: float, kinds: Sequence[str]) -> float:
    """Of several factors that would do: units are confused more often than decimals, and currents more than power."""
    if factor not in TENS:
        return 0.55 if kinds in (("current",), ("voltage",)) else 0.4 if kinds == ("energy",) else 0.35
    thousand = factor in (1e3, 1e-3)
    by_kind = {"voltage": 0.62, "current": 0.5, "energy": 0.6, "frequency": 0.6, "factor": 0.6}
    first = by_kind.get(kinds[0], 0.66 if thousand else 0.45)
    return first - 0.02 * (len(kinds) - 1)


def _power_off(said: Values) -> float | None:
    """How many times U · I · PF the power is, in the middle of its phases."""
    kva, powers, factors = apparent_kva(said), phased(said, "power"), phased(said, "power_factor")
    total = said.get("power_factor")
    total = total if total is not None and 0.05 < abs(total) <= 1.01 else None
    found = []
    for phase, s in kva.items():
        factor = factors.get(phase, total)
        kw = powers.get(phase)
        if kw is None or not s:
            continue
        if factor is None or not 0.05 < abs(factor) <= 1.01:
            factor = _own_factor(said)
        found.append(abs(kw) / (s * abs(factor)))
    if not found and "power" in said and (s := sum(kva.values())):
        found.append(abs(said["power"]) / (s * abs(total if total is not None else _own_factor(said))))
    middle = sorted(found)[len(found) // 2] if found else None
    return middle or None  # no power at all says nothing of a factor


def _own_factor(said: Values) -> float:
    """P / S as the meter says both; else what a plant usually has."""
    p, s = said.get("power"), said.get("apparent_power")
    return abs(p / s) if p and s and 0.05 < abs(p / s) <= 1.01 else 0.9


def _nice(ratio: float | None) -> list[float]:
    """The factors that a mistake makes, near a measured one (known to some per cent)."""
    if ratio is None or not 1e-9 < ratio < 1e9:
        return []
    return sorted(
        (k for k in _known_factors() if abs(log10(ratio / k)) < log10(1.13)),
        key=lambda k: (abs(log10(ratio / k)) > 0.017, k not in TENS, abs(log10(ratio / k))),
    )[:3]


def _known_factors() -> list[float]:
    """Powers of ten, and the ratios of current transformers to 5 and to 1 A, each way."""
    transformers = {p / 5 for p in AMPS if p > 50} | {float(p) for p in AMPS}
    return sorted({*TENS, *transformers, *(1 / t for t in transformers)})


def _voltage_factors(said: Values, power_off: float | None) -> list[float]:
    live = [abs(u) for u in phased(said, "voltage").values() if abs(u) >= 1e-6]
    if not live:
        return []
    mean = sum(live) / len(live)
    found = [t for t in TENS if 90 <= mean * t <= 300]
    if power_off is not None and near(power_off, 1 / sqrt(3), 0.04):
        found.append(1 / sqrt(3))
    if 50 <= mean <= 120:
        found += [k for k in VOLTAGE_RATIOS if power_off is None or near(power_off, k, 0.06)]
    return found if mean >= LEAST_VOLTS / 1e4 else []


def _total_alone(how: How, said: Values) -> Iterator[Variant]:
    phases = phased(said, "power")
    if len(phases) == 3 and said.get("power") and sum(phases.values()):
        for factor in _nice(_ratio(sum(phases.values()), said["power"])):
            changed, lines = _changed(how, ["power"], _times(factor))
            yield Variant(
                said=f"the total power {_in_words(factor, ('power',))}", how=changed, settings=lines, usual=0.4
            )
            names = [f"power_l{p}" for p in phases]
            changed, lines = _changed(how, names, _times(1 / factor))
            yield Variant(
                said=f"the powers of the phases {_in_words(1 / factor, ('power',))}",
                how=changed,
                settings=lines,
                usual=0.38,
            )


def _ratio(right: float | None, said: float | None) -> float | None:
    return abs(right / said) if right and said else None


def _apparent(said: Values) -> float | None:
    p, q = said.get("power"), said.get("reactive_power")
    return sqrt(min(abs(p), 1e9) ** 2 + min(abs(q), 1e9) ** 2) if p is not None and q is not None else None


def _reactive(said: Values) -> float | None:
    p, s = said.get("power"), said.get("apparent_power")
    return sqrt(s * s - p * p) if p is not None and s is not None and abs(p) < abs(s) < 1e9 else None


def _factor_factors(said: Values) -> list[float]:
    factor, s = said.get("power_factor"), said.get("apparent_power") or sum(apparent_kva(said).values())
    made = _ratio(said.get("power"), s)
    if not factor or not made or 0.101 < abs(factor) <= 1.01:
        return []  # it can be one as it is
    return [t for t in TENS if near(abs(factor) * t, made, 0.06)]


def _energy_factors(polls: Sequence[Poll], grain: Values) -> list[float]:
    """How many times more the power made than the counter gained; the opposite of `_flow_off`."""
    return [1 / factor for factor in _flow_factors(polls, grain)]


def _flow_factors(polls: Sequence[Poll], grain: Values) -> list[float]:
    """How many times what the power made the counter gained: known only as well as the counter steps are fine. Where
    several ratios of transformers lie within that, none is named: who waits longer knows."""
    into, out, doubt = flowed_kwh(polls)
    flowed, name = (into, "total_import") if into >= out else (out, "total_export")
    if not flowed or name not in polls[0].values or name not in polls[-1].values:
        return []
    gained, step = polls[-1].values[name] - polls[0].values[name], grain.get(name, 0.0)
    if gained <= 0:
        return []
    off = gained / flowed
    low, high = off * max(1 - step / gained - doubt / flowed, 1e-3), off * (1 + step / gained + doubt / flowed)
    within = [k for k in _known_factors() if 0.96 * low <= k <= 1.04 * high]
    tens = [k for k in within if k in TENS]
    return within if len(within) == 1 else tens if len(tens) == 1 and high < 1.3 * low else []


# ---- types, the whole meter


def _types(how: How) -> Iterator[Variant]:
    """Integers that were taken for floats, floats for integers, negative numbers for huge ones."""
    other = {**FLOATS, **{integer: real for real, integer in FLOATS.items()}}
    other |= {RegisterType.S32: RegisterType.F32, RegisterType.S64: RegisterType.F64}
    for kinds, what in ((("energy",), "the counters"), (("power",), "the powers"), ((), "all numbers")):
        names = [
            n for n in (_of(how, *kinds) if kinds else how.profile.registers) if how.profile.registers[n].type in other
        ]
        if names:
            changed, lines = _changed(how, names, lambda r: r.model_copy(update={"type": other[r.type]}))
            word = "integers" if how.profile.registers[names[0]].type in FLOATS else "floating point"
            yield Variant(said=f"{what} are {word}", how=changed, settings=lines, usual=0.35)
    unsigned = [n for n in _of(how, "power", "reactive") if how.profile.registers[n].type in SIGNS]
    if unsigned:
        changed, lines = _changed(how, unsigned, lambda r: r.model_copy(update={"type": SIGNS[r.type]}))
        yield Variant(said="its powers can be negative", how=changed, settings=lines, usual=0.6)


def _whole(how: How, polls: Sequence[Poll], expected: Expected) -> Iterator[Variant]:
    """The ratio of the current transformers that config.yaml applies to all that flows."""
    ratios: list[float] = []
    power = polls[-1].values.get("power")
    if power and expected.display_kw:
        ratios += [how.ct_ratio * nice for nice in _nice(abs(expected.display_kw / power))]
    if how.ct_ratio != 1:
        ratios.append(1.0)
    for ratio in dict.fromkeys(ratios):
        if ratio != how.ct_ratio:
            word = (
                "the meter applies its current transformers itself"
                if ratio == 1
                else f"the meter does not know its current transformers of {ratio * 5:g}/5 A"
            )
            yield Variant(said=word, how=replace(how, ct_ratio=ratio), settings=(("ct_ratio", ratio),), usual=0.68)
