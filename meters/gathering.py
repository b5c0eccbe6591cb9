"""Values that a wire tells one by one, gathered into readings: what belongs to one moment becomes one Reading.

No wire and no waiting in here: who calls says what was said, and when the window is over.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from energy.model.meter import Meter, Reading, ReadingQuality
from meters.plausible import Watch
from meters.quantities import KINDS, MAIN

REMEMBERED = 10_000  # values of which a repetition is noticed: more than a broker keeps for a client by default
STATE = "state"
INSTANT = timedelta(microseconds=1)

Done = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one message said of a meter, in the units used inside, and of which moment. `unknown`: what was known before
    and no longer is. `doubt`: the far end itself is not sure, or its clock is not. `raw` is the message; `done` is
    called when nothing more depends on it."""

    at: datetime
    values: Mapping[str, float] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    state: str = ""
    doubt: str = ""
    raw: str = ""
    done: Done | None = None


@dataclass(slots=True)
class _Open:
    """The reading that is being gathered."""

    first: datetime
    values: dict[str, float] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    state: str = ""
    doubts: list[str] = field(default_factory=list)
    raws: list[str] = field(default_factory=list)
    dones: list[Done] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A reading, and what is to be called once it is kept."""

    reading: Reading
    dones: tuple[Done, ...] = ()


class Gathering:
    """One meter's values on their way to readings. Values of one window are one reading; it ends when all that is
    wanted was said, when a quantity is said anew, or when the caller closes it. The time of a reading is that of its
    counters. What was said before is dropped, and what comes late is a reading of its own at its own time."""

    def __init__(self, meter: Meter, wanted: Iterable[str], window_seconds: float, seed: Reading | None = None) -> None:
        self._meter = meter
        self._wanted = frozenset(wanted)
        self._window = timedelta(seconds=window_seconds)
        self._watch = Watch(meter, seed)
        self._open: _Open | None = None
        self._seen: OrderedDict[tuple[str, datetime], float] = OrderedDict()
        self._given: OrderedDict[datetime, None] = OrderedDict()
        self._newest: datetime | None = None
        self._state = ""

    @property
    def waiting(self) -> bool:
        """Whether a reading is begun and not yet given."""
        return self._open is not None

    def take(self, said: Said) -> list[Gathered]:
        """What one message completes: no reading, one, or two."""
        if STATE in said.unknown:
            self._state = ""
        fresh = {name: value for name, value in said.values.items() if self._new(name, said.at, value)}
        if not fresh and not said.state:
            if said.done is not None:
                said.done()
            return []
        if self._newest is not None and said.at <= self._newest and not self._belongs(said.at, fresh):
            return [self._late(said, fresh)]
        ended = [] if self._belongs(said.at, fresh, said.state) else self.close()
        self._add(said, fresh)
        complete = self._open is not None and set(self._open.values) >= self._wanted
        return [*ended, *(self.close() if complete else [])]

    def close(self) -> list[Gathered]:
        """End the reading that is being gathered."""
        held, self._open = self._open, None
        if held is None:
            return []
        counters = [at for name, at in held.times.items() if KINDS[name] == "energy"]
        at = min(counters, default=max(held.times.values(), default=held.first))
        self._newest = max(at, self._newest or at)
        self._state = held.state or self._state
        reading = self._watch.judge(self._reading(at, held.values, self._state))
        return [Gathered(_doubted(reading, held.doubts, held.raws), tuple(held.dones))]

    def _belongs(self, at: datetime, values: Mapping[str, float], state: str = "") -> bool:
        """Whether values are of the moment that is being gathered."""
        held = self._open
        if held is None or abs(at - held.first) > self._window:
            return False
        return not set(values) & set(held.values) and (not state or held.state in ("", state))

    def _add(self, said: Said, fresh: Mapping[str, float]) -> None:
        held = self._open = self._open or _Open(said.at)
        held.values.update(fresh)
        held.times.update(dict.fromkeys(fresh, said.at))
        held.state = said.state or held.state
        held.doubts += [said.doubt] if said.doubt and said.doubt not in held.doubts else []
        held.raws += [said.raw] if said.raw else []
        held.dones += [said.done] if said.done else []

    def _new(self, name: str, at: datetime, value: float) -> bool:
        """Whether a value was not said before: brokers and gateways say again what they are not sure of."""
        if self._seen.get((name, at)) == value:
            return False
        self._seen[name, at] = value
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _late(self, said: Said, fresh: Mapping[str, float]) -> Gathered:
        """A reading of the past, judged by what was said before and after it."""
        reading = self._watch.judge(self._reading(said.at, fresh, said.state))
        doubts, raws = [said.doubt] if said.doubt else [], [said.raw] if said.raw else []
        return Gathered(_doubted(reading, doubts, raws), (said.done,) if said.done else ())

    def _reading(self, at: datetime, values: Mapping[str, float], state: str) -> Reading:
        while at in self._given:  # the store keeps one reading of a moment: what comes apart must not be taken for it
            at += INSTANT
        self._given[at] = None
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return Reading(
            meter=self._meter.id,
            taken_at=at,
            power_kw=values.get("power"),
            import_kwh=values.get("total_import"),
            export_kwh=values.get("total_export"),
            values=tuple((name, value) for name, value in values.items() if name not in MAIN),
            state=state,
        )


def _doubted(reading: Reading, doubts: Iterable[str], raws: Iterable[str]) -> Reading:
    """The reading, SUSPECT where something speaks against it, then with the messages as they came."""
    notes = [*([reading.note] if reading.note else []), *doubts]
    if reading.quality is ReadingQuality.GOOD and len(notes) == bool(reading.note):
        return reading
    raw = "\n".join(raws)
    return replace(reading, quality=ReadingQuality.SUSPECT, note="; ".join(notes), raw=raw)
