"""A plant, a meter and a wire that do not know Loadstone: what really flowed, and what arrives of it.

The plant draws and feeds a known power, so the true energy of any time is known to the Wh. The meter counts it in steps,
rolls over, is reset and exchanged. The wire, the gateway and the host do to its answers what they do in the field. Nothing
in here uses a rule of the code that is measured; all times are seconds since the start.
"""

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

HOUR = 3600.0


class Curve:
    """Power in steps, and the energy up to any moment, kWh."""

    def __init__(self, rng: random.Random, seconds: float, most_kw: float, *, share_on: float) -> None:
        self.starts: list[float] = []
        self._kw: list[float] = []
        self._kwh: list[float] = []
        t, kwh = 0.0, 0.0
        while t < seconds:
            kw = most_kw * rng.choice((0.05, 0.3, 0.6, 0.9, 1.0)) if rng.random() < share_on else 0.0
            lasts = rng.choice((20, 60, 300, 900, 3600)) * rng.uniform(0.5, 2)
            self.starts.append(t)
            self._kw.append(kw)
            self._kwh.append(kwh)
            t, kwh = t + lasts, kwh + kw * lasts / HOUR

    def _at(self, t: float) -> int:
        return max(0, bisect_right(self.starts, t) - 1)

    def kw(self, t: float) -> float:
        return self._kw[self._at(t)]

    def kwh(self, t: float) -> float:
        i = self._at(t)
        return self._kwh[i] + self._kw[i] * (t - self.starts[i]) / HOUR


@dataclass(slots=True)
class Told:
    """What arrives as one answer. `steady` is the time on a clock that nobody sets, `wall` what the host's clock said;
    `true` says whether each counter is what the meter really showed then. `real` is when it was."""

    real: float
    wall: float
    steady: float | None
    stands: dict[str, float | None]
    kw: float | None
    answered: bool = True
    true: bool = True
    restart: bool = False  # the collector started again just before
    fault: str = ""


@dataclass(slots=True)
class Register:
    """One counter of the meter: true energy less what it started from, in whole steps, over its width."""

    curve: Curve
    step: float
    width: float | None
    began: float = 0.0
    base: float = 0.0  # what it showed at `began`

    def shows(self, t: float) -> float:
        shown = self.base + self.curve.kwh(t) - self.curve.kwh(self.began)
        whole = math.floor(shown / self.step + 1e-6) * self.step
        return round(whole % self.width if self.width is not None else whole, 6)

    def set_to(self, t: float, stand: float) -> None:
        self.began, self.base = t, stand


@dataclass(frozen=True, slots=True)
class Change:
    """The meter was replaced, or lost its stand, at a moment. `written` if people kept both stands, at `reported`."""

    real: float
    wall: float
    before: dict[str, float]
    after: dict[str, float]
    written: bool
    reported: float


@dataclass
class Field:
    """One plant with one meter, from the start to the end of a run."""

    seed: int
    readings: int = 20_000
    faults: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        rng = self._rng = random.Random(self.seed)
        self.connection_kw = rng.choice((30.0, 100.0, 350.0, 1500.0))
        self.every = rng.choice((1.0, 5.0, 10.0, 10.0, 30.0, 60.0, 300.0, 900.0))
        self.step = rng.choice((0.001, 0.01, 0.1, 1.0))
        self.tells_power = rng.random() < 0.85
        self.polled = rng.random() < 0.75  # asked by our host; else told by a device with a right clock of its own
        self.seconds = self.readings * self.every + 20 * 24 * HOUR  # gaps take some
        self.two_way = rng.random() < 0.4
        share = rng.choice((0.2, 0.7, 0.95))
        taken = Curve(rng, self.seconds, self.connection_kw, share_on=share)
        self.curves = {"import": taken}
        if self.two_way:
            given = Curve(rng, self.seconds, self.connection_kw * 0.8, share_on=share)
            self.curves["export"] = _apart(given, taken)
        widths = [width for width in (10.0**5, 10.0**6, 10.0**7) if width > 5 * self._unseen()]
        self.width = rng.choice((None, None, *widths))
        self.registers = {
            name: Register(curve, self.step, self.width, base=self._first_stand(name))
            for name, curve in self.curves.items()
        }
        self.changes: list[Change] = []
        self.twice_or_never: list[tuple[float, float]] = []  # spans of the host's clock
        self.offsets: list[tuple[float, float]] = [(0.0, 0.0)]  # real time → how far ahead the host's clock is

    def _first_stand(self, name: str) -> float:
        """Somewhere; where the register has a width, so that it rolls over in the run if it counts that far."""
        whole = self.curves[name].kwh(self.readings * self.every)
        if self.width is not None and self._rng.random() < 0.7:
            return float(int(self.width - self._rng.uniform(0.1, 0.9) * min(whole, self.width)))
        return float(self._rng.randrange(0, 90_000))

    # ---- what arrives

    def told(self) -> Iterator[Told]:
        """Every answer in the order in which the reader gets it."""
        rng, real = self._rng, 0.0
        self._frozen: Told | None = None
        self._until: dict[str, float] = {}  # kind of fault → index at which it ends
        offset = 0.0
        index = 0
        held_back: list[tuple[int, Told]] = []
        while index < self.readings and real < self.seconds - 2 * self.every:
            index += 1
            real += self.every + (rng.uniform(0, min(0.4, self.every / 10)) - min(0.2, self.every / 20))
            if rng.random() < 0.0006:
                real += self._gap()
            if rng.random() < 0.00025:
                self._change(real, offset)
                real += self.every
            if self.polled and rng.random() < 0.00008:
                offset = self._set_clock(real, offset)
            one = self._answer(real, offset)
            one = self._spoil(one, index)
            if rng.random() < 0.0004:
                one.restart = True
                self.faults["collector restarted"] += 1
            if rng.random() < 0.002:
                self.faults["never arrived"] += 1
                continue
            if not self.polled and rng.random() < 0.003:
                held_back.append((index + rng.randrange(1, 40), one))
                self.faults["late and out of order"] += 1
                continue
            yield one
            if rng.random() < 0.003:
                self.faults["delivered twice"] += 1
                yield one
            for due, late in [h for h in held_back if h[0] <= index]:
                held_back.remove((due, late))
                yield late

    def _gap(self) -> float:
        self.faults["gap"] += 1
        return self._rng.choice((self.every * 3, 60, 600, 3600, 6 * HOUR, 30 * HOUR)) * self._rng.uniform(0.5, 1.5)

    def _answer(self, real: float, offset: float) -> Told:
        stands: dict[str, float | None] = {name: register.shows(real) for name, register in self.registers.items()}
        kw = None
        if self.tells_power:
            kw = self.curves["import"].kw(real) - (self.curves["export"].kw(real) if self.two_way else 0.0)
        return Told(real, real + offset, real if self.polled else None, stands, kw)

    def _change(self, real: float, offset: float) -> None:
        """The meter is replaced or reset between two answers: another stand, by more than can have flowed (else nobody
        could tell), in all its counters."""
        rng = self._rng
        before = {name: register.shows(real) for name, register in self.registers.items()}
        kind = rng.choice(("reset to zero", "meter exchanged", "meter exchanged"))
        for name, register in self.registers.items():
            stand = 0.0 if kind == "reset to zero" else float(rng.randrange(0, 90_000))
            earlier = register.shows(max(register.began, real - 72 * HOUR))
            while self._alike(before[name], stand) or self._alike(earlier, stand):
                stand = float(rng.randrange(0, int(self.width or 20 * self._unseen())))
            register.set_to(real, stand)
        after = {name: register.shows(real) for name, register in self.registers.items()}
        written = kind == "meter exchanged" and rng.random() < 0.5
        reported = real + offset + (rng.uniform(-600, 600) if written else 0.0)
        self.changes.append(Change(real, real + offset, before, after, written, reported))
        self.faults[f"{kind}{', stands written down' if written else ''}"] += 1

    def _alike(self, before: float, after: float) -> bool:
        """Whether a counter may have come from one stand to the other by itself."""
        gone = after - before if self.width is None else (after - before) % self.width
        return 0 <= gone < self._unseen()

    def _unseen(self) -> float:
        """A change by less than this, the plant might have drawn itself (45 h is the longest gap, and it may follow half
        a day in which the meter was frozen)."""
        return 1.5 * self.connection_kw * 72 + 10

    def _set_clock(self, real: float, offset: float) -> float:
        """The host's clock is set an hour wrong, or right again; at most one hour off."""
        new = 0.0 if offset else self._rng.choice((-HOUR, HOUR))
        was, becomes = real - self.every + offset, real + new
        self.twice_or_never.append((min(was, becomes) - self.every, max(was, becomes) + self.every))
        self.offsets.append((real, new))
        self.faults[f"clock set {'forward' if new > offset else 'back'} 1 h"] += 1
        return new

    # ---- what the wire makes of it

    def _spoil(self, one: Told, index: int) -> Told:
        rng = self._rng
        if self._goes_on("frozen", index) and self._frozen is not None:
            one.stands, one.kw = dict(self._frozen.stands), self._frozen.kw
            one.fault = "frozen"
            one.true = all(self.registers[name].shows(one.real) == stand for name, stand in one.stands.items())
            return one
        if self._begins("frozen", index, 0.0002, self._reads_in_half_a_day(rng.choice((2, 10, 100, 1000)))):
            self._frozen = Told(one.real, one.wall, one.steady, dict(one.stands), one.kw)
            return one
        for kind, chance, reads in FAULTS:
            if self._goes_on(kind, index) or self._begins(kind, index, chance, rng.choice(reads)):
                getattr(self, f"_{kind}")(one)
                one.fault = kind.replace("_", " ")
                break
        return one

    def _reads_in_half_a_day(self, reads: int) -> int:
        return max(2, min(reads, int(12 * HOUR / self.every)))

    def _begins(self, kind: str, index: int, chance: float, reads: int) -> bool:
        if self._rng.random() >= chance:
            return False
        self._until[kind] = index + reads
        self.faults[kind.replace("_", " ")] += 1
        return True

    def _goes_on(self, kind: str, index: int) -> bool:
        return self._until.get(kind, -1) > index

    def _no_answer(self, one: Told) -> None:
        one.answered = False
        one.true = False

    def _power_spike(self, one: Told) -> None:
        if one.kw is not None:
            one.kw = self.connection_kw * self._rng.uniform(1.5, 1000)

    def _counter_spike(self, one: Told) -> None:
        self._shift(one, self._rng.choice((1.0, self.connection_kw, 1e5)) * self._rng.uniform(1, 10))

    def _small_spike(self, one: Told) -> None:
        """As much as can just have flowed since the answer before."""
        self._shift(one, max(self.step, self.connection_kw * self.every / HOUR * self._rng.uniform(0, 1)))

    def _counter_dip(self, one: Told) -> None:
        for name, stand in one.stands.items():
            assert stand is not None
            one.stands[name] = self._rng.choice((0.0, round(stand * self._rng.random() / self.step) * self.step))
        one.true = False

    def _small_dip(self, one: Told) -> None:
        self._shift(one, -max(self.step, self.connection_kw * self.every / HOUR * self._rng.uniform(0, 1)))

    def _shift(self, one: Told, kwh: float) -> None:
        for name, stand in one.stands.items():
            assert stand is not None
            one.stands[name] = max(0.0, round((stand + kwh) / self.step) * self.step)
        one.true = False

    def _sentinel(self, one: Told) -> None:
        value = self._rng.choice(
            (4294967295 * self.step, 2147483647 * self.step, 65535.0, -0.001, 1e20, math.nan, math.inf, 0.0)
        )
        one.stands = dict.fromkeys(one.stands, value)
        one.true = False

    def _changed_places(self, one: Told) -> None:
        told = [stand for stand in one.stands.values() if stand is not None]
        if self.two_way and abs(told[0] - told[1]) > self._unseen():  # else nobody could tell
            one.stands = {"import": one.stands["export"], "export": one.stands["import"]}
            one.true = False

    def _half(self, one: Told) -> None:
        """One of its numbers is not told."""
        one.stands = {name: stand if self._rng.random() < 0.3 else None for name, stand in one.stands.items()}


FAULTS: tuple[tuple[str, float, tuple[int, ...]], ...] = (
    ("no_answer", 0.002, (1, 1, 5, 50)),
    ("power_spike", 0.001, (1, 1, 4)),
    ("counter_spike", 0.001, (1, 1, 2, 4)),
    ("small_spike", 0.0005, (1,)),
    ("counter_dip", 0.001, (1, 1, 2, 4)),
    ("small_dip", 0.0005, (1,)),
    ("sentinel", 0.001, (1, 3, 40)),
    ("changed_places", 0.0003, (1, 3, 40)),
    ("half", 0.001, (1, 3)),
)


def _apart(given: Curve, taken: Curve) -> Curve:
    """Nothing is fed in while something is taken: the powers of both in steps that both have."""
    edges = sorted({*given.starts, *taken.starts})
    made = object.__new__(Curve)
    made.starts, made._kw, made._kwh, kwh = edges, [], [], 0.0
    for i, t in enumerate(edges):
        kw = 0.0 if taken.kw(t) > 0 else given.kw(t)
        made._kw.append(kw)
        made._kwh.append(kwh)
        if i + 1 < len(edges):
            kwh += kw * (edges[i + 1] - t) / HOUR
    return made
