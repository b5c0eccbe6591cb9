"""The laws that the values of a rightly read meter obey. Each is a Check with its numbers in words; a law that cannot be
tried (no current flows, the meter does not tell it) is said to be open, never passed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot

from energy.model.commissioning import Check
from energy.model.meter import Measures
from meters.scan.counting import Poll, counter_checks

Values = Mapping[str, float]

PHASES = (1, 2, 3)
LOW_VOLTS, HIGH_VOLTS = (80.0, 530.0), (3_000.0, 40_000.0)  # 120/208 … 400/690 V; meters that apply a transformer
NETS_HZ, NET_SPAN_HZ = (50.0, 60.0), 2.0
LEAST_VOLTS = 10.0  # below it a phase is not connected
LEAST_AMPS = 0.05  # below it no law of power can be tried
GRAINS = 20.0  # a value that is not this many steps of its register says little of a ratio
LEAST_FACTOR = 0.12  # an idling motor or transformer
REL, REL_APPARENT = 0.04, 0.08  # registers are not read at one instant; harmonics make S more than P and Q
OVERLOAD = 1.2  # as in meters.plausible
ALMOST_NOTHING = 1e-12  # reactive power may be that: a difference of two equal numbers
MOST_KW, MOST_AMPS, MOST_KWH = 2e5, 2e4, 2e8  # nothing that a factory's meter says is larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of the place where a meter hangs; whatever is not known is None."""

    connection_kw: float | None = None
    measures: Measures | None = None
    display_kw: float | None = None  # what its own display, or a clamp, says right now
    grain: Values = field(default_factory=dict)  # the step of each quantity's register


def judge(polls: Sequence[Poll], expected: Expected | None = None) -> tuple[Check, ...]:
    """All checks of what a meter said, the newest poll for the laws of one moment, all of them for its counters."""
    if not polls:
        return ()
    known = expected or Expected()
    said = polls[-1].values
    laws = (
        _voltage(said),
        _frequency(said),
        _size(said),
        _phases_add_up(said, known.grain),
        _power_of_currents(said, known.grain),
        _triangle(said, known.grain),
        _power_factor(said, known.grain),
        _phases_alike(said, known.grain),
        _connection(said, known.connection_kw),
        _display(said, known.display_kw),
        _direction(said, known.measures),
    )
    return (*(check for check in laws if check is not None), *counter_checks(polls, known.grain))


def score(checks: Sequence[Check]) -> float | None:
    """The weighed share of the checks that hold; None where none could be made."""
    made = [check for check in checks if check.ok is not None]
    return sum(check.weight for check in made if check.ok) / sum(check.weight for check in made) if made else None


def evidence(checks: Sequence[Check]) -> float:
    """What speaks for a reading of the registers, less twice what speaks against it: more laws that hold count more."""
    return sum(check.weight * (1.0 if check.ok else -2.0) for check in checks if check.ok is not None)


def near(a: float, b: float, rel: float, slack: float = 0.0) -> bool:
    return abs(a - b) <= rel * max(abs(a), abs(b)) + slack


def phased(said: Values, name: str) -> dict[int, float]:
    """What the phases say, those that say nothing left out."""
    return {phase: said[key] for phase in PHASES if (key := f"{name}_l{phase}") in said}


def apparent_kva(said: Values) -> dict[int, float]:
    """U · I of each phase that tells both; line voltages (400 V and more between equal phases) are not told apart here."""
    volts, amps = phased(said, "voltage"), phased(said, "current")
    return {p: volts[p] * abs(amps[p]) / 1000 for p in PHASES if p in volts and p in amps}


def loaded(said: Values, grain: Values) -> bool:
    """Whether enough flows to try the laws of power."""
    amps = phased(said, "current")
    most = max((abs(a) for a in amps.values()), default=None)
    if most is not None:
        step = max((grain.get(f"current_l{p}", 0.0) for p in PHASES), default=0.0)
        return most > max(LEAST_AMPS, GRAINS * step)
    return abs(said.get("power", 0.0)) > max(0.02, GRAINS * grain.get("power", 0.0))


def _voltage(said: Values) -> Check | None:
    volts = phased(said, "voltage")
    if not volts:
        return None
    live = [u for u in volts.values() if abs(u) >= LEAST_VOLTS]
    told = _listed(volts, "V")
    if not live:
        return Check(name="voltage", ok=False, said=f"no phase has voltage ({told}), yet the meter is alive")
    low, high = min(live), max(live)
    if not any(least <= low and high <= most for least, most in (LOW_VOLTS, HIGH_VOLTS)):
        hint = "; 57.7 or 100 V is the secondary side of a voltage transformer" if 50 <= low <= high <= 115 else ""
        return Check(name="voltage", ok=False, said=f"{told} is the voltage of no usual network{hint}")
    if high > 1.2 * low:
        return Check(name="voltage", ok=False, said=f"the phases differ by more than a fifth: {told}")
    return Check(name="voltage", ok=True, said=told)


def _frequency(said: Values) -> Check | None:
    if "frequency" not in said:
        return None
    hz = said["frequency"]
    ok = any(abs(hz - net) <= NET_SPAN_HZ for net in NETS_HZ)
    return Check(
        name="frequency", ok=ok, said=f"{hz:.2f} Hz" if ok else f"{_num(hz)} Hz is near neither 50 nor 60", weight=1.5
    )


def _size(said: Values) -> Check | None:
    """Words in the wrong order, or of the wrong register, make numbers without measure."""
    bounds = {"power": MOST_KW, "apparent": MOST_KW, "reactive": MOST_KW, "current": MOST_AMPS, "total": MOST_KWH}
    judged = {name: value for name, value in said.items() if name.split("_")[0] in bounds}
    if not judged:
        return None
    wrong = [
        f"{name.replace('_', ' ')} {_num(value)}"
        for name, value in judged.items()
        if abs(value) > (1.01 if name.startswith("power_factor") else bounds[name.split("_")[0]])
        or (0 < abs(value) < ALMOST_NOTHING and not name.startswith("reactive"))  # halves of a float changed places
        or (name.startswith("total") and value < 0)
    ]
    if wrong:
        return Check(name="size", ok=False, said=f"cannot be: {', '.join(wrong[:4])}")
    if not any(judged.values()):
        return Check(name="size", ok=None, said="all powers, currents and counters are 0")
    return Check(name="size", ok=True, said="no number is beyond what a plant can have", weight=0.5)


def _phases_add_up(said: Values, grain: Values) -> Check | None:
    phases = phased(said, "power")
    if "power" not in said or len(phases) < 3:
        return None
    total, parts = said["power"], sum(phases.values())
    told = f"{' + '.join(_num(kw) for kw in phases.values())} = {_num(parts)} kW, total {_num(total)} kW"
    name = "phases add up"
    if not loaded(said, grain) and near(total, parts, REL, 0.02):
        return Check(name=name, ok=None, said="too little flows to compare the phases with the total")
    size = max(abs(total), *(abs(kw) for kw in phases.values()))
    slack = 3 * grain.get("power_l1", 0.0) + grain.get("power", 0.0)
    ok = abs(total - parts) <= REL * size + slack
    return Check(name=name, ok=ok, said=told, weight=2.0)


def _power_of_currents(said: Values, grain: Values) -> Check | None:
    """P = U · I · PF, phase by phase where the phases are told, else in total."""
    kva = apparent_kva(said)
    name = "P = U·I·PF"
    if not kva or not ("power" in said or phased(said, "power")):
        return None
    if not loaded(said, grain):
        return Check(name=name, ok=None, said="too little current flows")
    compared = list(_compared(said, kva))
    if not compared:
        return Check(name=name, ok=None, said="no phase tells voltage, current and power")
    wrong = [told for ok, told in compared if not ok]
    return Check(name=name, ok=not wrong, said="; ".join(wrong or [compared[-1][1]]), weight=2.0)


def _compared(said: Values, kva: Mapping[int, float]) -> Iterator[tuple[bool, str]]:
    factors, powers = phased(said, "power_factor"), phased(said, "power")
    floor = 0.1 * max(kva.values())  # a phase that carries next to nothing proves nothing
    for phase, s in kva.items():
        if phase in powers and s > floor:
            yield _fits(f"L{phase}", powers[phase], s, factors.get(phase))
    told = phased(said, "voltage").keys() | phased(said, "current").keys()
    if "power" in said and kva.keys() == told and len(kva) != 2:
        mean = said.get("power_factor")
        if mean is None and kva.keys() <= factors.keys():
            mean = sum(s * factors[p] for p, s in kva.items()) / sum(kva.values())
        if powers and sum(kw < 0 for kw in powers.values()) not in (0, len(powers)):
            mean = None  # phases that run against each other: no factor of the total says anything of the sum of U · I
        yield _fits("total", said["power"], sum(kva.values()), mean)


def _fits(what: str, kw: float, kva: float, factor: float | None) -> tuple[bool, str]:
    if factor is None:
        told = f"{what}: {_num(kw)} kW of {_num(kva)} kVA"
        # without a power factor only the bounds can be held: it is never above one, and hardly ever as bad as this
        return LEAST_FACTOR * kva <= abs(kw) <= 1.05 * kva or (what == "total" and abs(kw) <= 1.05 * kva), told
    told = f"{what}: U·I·PF = {_num(kva * abs(factor))} kW, said {_num(kw)} kW"
    # phases that lag differently add up to less than the sum of their U · I
    least, most = (0.8 if what == "total" else 1 - REL), 1 + REL
    return least * kva * abs(factor) - 0.01 * kva <= abs(kw) <= most * kva * abs(factor) + 0.01 * kva, told


def _triangle(said: Values, grain: Values) -> Check | None:
    name = "S² = P² + Q²"
    if not {"power", "apparent_power", "reactive_power"} <= said.keys():
        return None
    if not loaded(said, grain):
        return Check(name=name, ok=None, said="too little flows")
    p, q, s = said["power"], said["reactive_power"], said["apparent_power"]
    made = hypot(p, q)
    slack = sum(grain.get(k, 0.0) for k in ("power", "reactive_power", "apparent_power"))
    told = f"√({_num(p)}² + {_num(q)}²) = {_num(made)}, said {_num(s)} kVA"
    # Distortion is in S and in neither of the others, and phases that differ make S more: too large is forgiven more.
    ok = made < MOST_KW and (near(made, abs(s), REL_APPARENT, slack) or made < abs(s) <= 1.2 * made)
    return Check(name=name, ok=ok, said=told)


def _power_factor(said: Values, grain: Values) -> Check | None:
    factor, s = said.get("power_factor"), said.get("apparent_power")
    if factor is None:
        return None
    if abs(factor) > 1.01:
        return Check(name="PF = P / S", ok=False, said=f"a power factor of {_num(factor)} cannot be")
    kva = s if s is not None else sum(apparent_kva(said).values()) or None
    if "power" not in said or kva is None or not loaded(said, grain):
        return Check(name="PF = P / S", ok=None, said=f"{factor:.3f}; too little flows to compare")
    made = said["power"] / kva if kva else 0.0
    ok = abs(abs(made) - abs(factor)) <= 0.05
    return Check(name="PF = P / S", ok=ok, said=f"P / S = {_num(made)}, said {factor:.3f}")


def _phases_alike(said: Values, grain: Values) -> Check | None:
    """A current transformer that is turned round, or sits on another phase's wire, shows in that phase alone."""
    shares = phase_factors(said)
    if len(shares) < 3 or not loaded(said, grain):
        return None
    told = ", ".join(f"L{p} {share:+.2f}" for p, share in shares.items())
    if any(abs(share) > 1.1 for share in shares.values()):
        return Check(name="phases alike", ok=None, said="power is more than U·I: that comes first")
    if len({share > 0 for share in shares.values()}) > 1:
        return Check(
            name="phases alike", ok=False, said=f"the phases run against each other (P / U·I: {told})", weight=1.5
        )
    return Check(name="phases alike", ok=True, said=f"P / U·I: {told}", weight=0.5)


def phase_factors(said: Values) -> dict[int, float]:
    """P / (U · I) of each phase that carries something."""
    kva, powers = apparent_kva(said), phased(said, "power")
    floor = 0.1 * max(kva.values(), default=0.0)
    return {p: powers[p] / s for p, s in kva.items() if p in powers and s > max(floor, 1e-9)}


def _connection(said: Values, connection_kw: float | None) -> Check | None:
    if connection_kw is None or "power" not in said:
        return None
    kw, name = said["power"], "within the connection"
    if abs(kw) <= OVERLOAD * connection_kw:
        return Check(name=name, ok=True, said=f"{_num(kw)} of {connection_kw:g} kW", weight=0.5)
    return Check(name=name, ok=False, said=f"{_num(kw)} kW is more than the {connection_kw:g} kW of its connection")


def _display(said: Values, display_kw: float | None) -> Check | None:
    if display_kw is None or "power" not in said:
        return None
    told = f"read {_num(said['power'])} kW, display {_num(display_kw)} kW"
    return Check(name="as displayed", ok=near(said["power"], display_kw, 0.1, 0.02), said=told, weight=2.0)


def _direction(said: Values, measures: Measures | None) -> Check | None:
    """Power is positive towards the plant; a machine does not feed, and what generates does."""
    if "power" not in said or measures not in (Measures.MACHINE, Measures.PV):
        return None
    kw = said["power"]
    if abs(kw) < 0.02:
        return Check(name="direction", ok=None, said="nothing flows")
    if measures is Measures.MACHINE:
        told = f"{_num(kw)} kW {'towards the machine' if kw > 0 else 'out of a machine'}"
        return Check(name="direction", ok=kw > 0, said=told)
    if abs(kw) < 0.2 and kw > 0:
        return Check(name="direction", ok=None, said=f"{_num(kw)} kW is what the inverter itself draws at night")
    return Check(
        name="direction", ok=kw < 0, said=f"{_num(kw)} kW {'generated' if kw < 0 else 'into what should generate'}"
    )


def _listed(values: Mapping[int, float], unit: str) -> str:
    return " / ".join(_num(value) for value in values.values()) + f" {unit}"


def _num(value: float) -> str:
    """Three good digits, without the exponents that nobody reads."""
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-3:
        return f"{value:.1e}"
    return (
        f"{value:,.0f}"
        if size >= 1000
        else f"{value:.1f}"
        if size >= 100
        else f"{value:.2f}"
        if size >= 1
        else f"{value:.3f}"
    )
