"""A three-phase load worked out from its vectors, and a device that puts it into the registers of any table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin, sqrt

from energy.clock import HeldClock
from meters.bus import RefusedError, SilentError
from meters.image import image, places
from meters.profile import Profile
from meters.scan.unit import Unit

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Load:
    """What flows: voltages, currents and how far each current lags, in degrees. A transformer that is turned round, or
    that sits on another phase's wire, changes what the meter sees, and so its counters."""

    volts: tuple[float, float, float] = (231.4, 229.8, 232.1)
    amps: tuple[float, float, float] = (131.0, 118.5, 124.2)
    lags: tuple[float, float, float] = (21.0, 24.0, 18.0)
    hz: float = 49.98
    turned: tuple[int, ...] = ()
    seats: tuple[int, int, int] = (1, 2, 3)  # on which phase's wire the transformer of each phase sits

    def values(self, hours: float = 0.0) -> dict[str, float]:
        """What a meter says that has watched this for so long."""
        kw, kvar, kva = [], [], []
        for phase, seat in enumerate(self.seats, 1):
            angle = radians(self.lags[seat - 1] + 120 * (seat - phase))
            s = self.volts[phase - 1] * self.amps[seat - 1] / 1000
            sign = -1 if phase in self.turned else 1
            kw.append(sign * s * cos(angle))
            kvar.append(sign * s * sin(angle))
            kva.append(s)
        p, q = sum(kw), sum(kvar)
        s = sqrt(p * p + q * q)
        amps = [self.amps[seat - 1] for seat in self.seats]
        said = {
            "power": p,
            "reactive_power": q,
            "apparent_power": s,
            "power_factor": p / s if s else 1.0,
            "frequency": self.hz,
            "total_import": 48_211.37 + max(p, 0.0) * hours,
            "total_export": 1_305.21 + max(-p, 0.0) * hours,
            "state_of_charge": 50.0,
        }
        for i in range(3):
            said |= {
                f"voltage_l{i + 1}": self.volts[i],
                f"current_l{i + 1}": amps[i],
                f"power_l{i + 1}": kw[i],
                f"power_factor_l{i + 1}": kw[i] / kva[i] if kva[i] else 1.0,
            }
        return said


IDLE = Load(amps=(0.0, 0.0, 0.0))
ONE_PHASE = Load(amps=(131.0, 0.0, 0.0))
GENERATES = Load(lags=(181.0, 179.0, 182.0))


def load_for(profile: Profile) -> Load:
    """What flows where such a device is usual: on one phase alone where it tells one alone, outwards from an inverter."""
    names = profile.registers.keys()
    alone = {"voltage_l1", "current_l1"} & names and not {"voltage_l2", "current_l2"} & names
    if profile.family == "inverter":
        return replace(GENERATES, amps=ONE_PHASE.amps) if alone else GENERATES
    return ONE_PHASE if alone else Load()


@dataclass
class Device:
    """A unit whose registers are laid out by a table. Refuses what lies before, after and outside of its blocks."""

    profile: Profile
    load: Load | None = None
    wrong: Callable[[dict[str, float]], dict[str, float]] | None = None
    marks: Mapping[tuple[int, int], int] = field(default_factory=dict)  # by which it tells what it is
    clock: HeldClock = field(default_factory=lambda: HeldClock(NOON))
    numbers: tuple[int, ...] = (1,)
    asked: int = 0

    def __post_init__(self) -> None:
        self.flows = self.load or load_for(self.profile)

    def words(self) -> dict[tuple[int, int], int]:
        hours = (self.clock.now() - NOON) / timedelta(hours=1)
        said = self.flows.values(hours)
        if self.wrong is not None:
            said = self.wrong(said)
        known = {name: value for name, value in said.items() if name in self.profile.registers}
        return image(self.profile, known)

    async def ask(self, unit: int, code: int, start: int, count: int, timeout: float) -> list[int]:
        self.asked += 1
        if unit not in self.numbers:
            raise SilentError("nobody")
        wanted = [(code, address) for address in range(start, start + count)]
        if all(at in self.marks for at in wanted):
            return [self.marks[at] for at in wanted]
        there = self.words()
        bank = [address for c, address in there if c == code]
        if not bank or start < min(bank) or start + count - 1 > max(bank):
            raise RefusedError(2)
        return [there.get(at, 0) for at in wanted]

    def unit(self, number: int = 1) -> Unit:
        return Unit(self.ask, number, self.clock, timeout=1.0)

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def laid_out(profile: Profile, name: str, **changes: object) -> Profile:
    """The table of a device that differs in one register."""
    register = profile.registers[name].model_copy(update=changes)
    return profile.model_copy(update={"registers": profile.registers | {name: register}})


def same_layout(one: Profile, two: Profile) -> bool:
    """Whether whoever reads by one table reads the same numbers by the other, in what both know."""
    both = one.registers.keys() & two.registers.keys()

    def where(profile: Profile, name: str) -> tuple[object, ...]:
        register = profile.registers[name]
        first = tuple(register.at)
        order = profile.word_order if next(places(profile, register)).count > 1 else ""
        return (profile.code_of(register), first, register.type, register.unit, register.scale[0], order)

    return bool(both) and all(where(one, name) == where(two, name) for name in both)
