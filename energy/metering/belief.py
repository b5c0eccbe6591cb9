"""Which stands of a counter are believed: what can have flowed between two of them, and where nobody can say.

A meter's own word is never mended. A stand that cannot be is left out; where the counter itself cannot have gone on, it
is cut into pieces, and what flowed from one piece to the next is unknown.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy.metering.counters import Stand
from energy.model.meter import Exchange, Meter, Reading, ReadingQuality

OVERLOAD = 1.2  # a connection carries a little more than it should before its fuse goes
# A counter counts in steps (the coarsest in use: whole kWh), so two stands may differ by a step more than what flowed.
STEP_KWH = 1.0
JITTER_SECONDS = 5.0  # a stand may be so much older than its time: a slow answer, a gateway that asks by itself
LAG_SECONDS = 900.0  # a register that is renewed by the quarter hour shows what flowed in it all at once
FROZEN_FROM = 0.01  # of the connection; below, the power may be the noise of the transformers
AMBIGUOUS = 4  # so many stands before a small step down may be a small spike: nobody can tell which
EXCHANGED_WITHIN = timedelta(days=1)  # so far from the time that people wrote down, the counter may show the exchange


def carried_kwh(
    connection_kw: float, *, seconds: float, lag_kw: float, lag_seconds: float, step_kwh: float = STEP_KWH
) -> float:
    """The most that a counter can have gone on by in so many seconds. One that stood still before that may show what
    flowed meanwhile, too: at most `lag_kw` for `lag_seconds`."""
    late_kwh = min(lag_kw, connection_kw) * lag_seconds / 3600 if lag_seconds else 0.0
    return OVERLOAD * (connection_kw * (seconds + JITTER_SECONDS) / 3600 + late_kwh) + step_kwh


def used_kwh(earlier: float, later: float, *, rollover_kwh: float | None, at_most_kwh: float) -> float | None:
    """Energy between two stands of a counter that only counts up.

    None means unknown: the meter was replaced or reset, and nobody can say what flowed in between. `at_most_kwh` is
    what the connection can carry in that time; more than that was never used, wrapped or not.
    """
    used = later - earlier
    if used < 0 and rollover_kwh is not None and earlier <= rollover_kwh:
        used += rollover_kwh
    return used if 0 <= used <= at_most_kwh else None


def good_stands(
    readings: Sequence[Reading], meter: Meter, counter: str, exchanges: Sequence[Exchange] = ()
) -> list[Stand]:
    """The stands of one counter ("import_kwh" or "export_kwh") from readings in any order, oldest first, with rollovers
    taken out and cut where nobody knows what flowed. Only readings that count make stands, and doubted ones that the
    counter bore out afterwards: the first stands of a new level, which it then went on from."""
    steps = clock_steps(readings)
    said = _told(readings, counter, steps)
    walk = _Walk(meter)
    for one in said:
        walk.take(one)
    return stitched(_cut_at(walk.made(), steps), exchanges, meter, counter)


@dataclass(slots=True)
class _Told:
    """A stand as the counter said it, rollovers and all."""

    at: datetime
    kwh: float
    kw: float | None
    counts: bool
    held: bool = False  # a person released it: never left out


def _told(readings: Sequence[Reading], counter: str, steps: Sequence["ClockStep"]) -> list[_Told]:
    """What a counter said, oldest first; of several stands at one moment the highest. Of a time that the clock showed
    twice only what the counter said when it was shown again."""
    said: dict[datetime, _Told] = {}
    for reading in readings:
        kwh = reading.import_kwh if counter == "import_kwh" else reading.export_kwh
        quality = reading.quality
        if kwh is None or kwh < 0 or not (quality.counts or quality is ReadingQuality.SUSPECT):
            continue
        one = said.get(reading.taken_at)
        if one is None or (quality.counts, kwh) > (one.counts, one.kwh):
            held = quality is ReadingQuality.RELEASED
            said[reading.taken_at] = _Told(reading.taken_at, kwh, reading.power_kw, quality.counts, held)
    twice = [(step.start, step.end, said.get(step.start)) for step in steps if step.back]
    told = [said[at] for at in sorted(said)]
    for start, end, again in twice:
        least = again.kwh if again is not None and again.counts else math.inf
        told = [one for one in told if not start <= one.at <= end or one.kwh >= least]
    return told


class _Walk:
    """Goes through what a counter said, oldest first, and keeps what is believed."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._per_second = OVERLOAD * meter.connection_kw / 3600
        self._believed: list[_Told] = []
        self._pieces: list[int] = []
        self._piece = 0
        self._doubted: list[_Told] = []  # since the last one that counts

    def made(self) -> list[Stand]:
        """The stands, rollovers taken out."""
        stands: list[Stand] = []
        before = rolled = 0.0  # the counter's last word, and what it has rolled over by in this piece
        for told, piece in zip(self._believed, self._pieces, strict=True):
            if not stands or stands[-1].piece != piece:
                rolled = 0.0
            elif told.kwh < before:
                rolled += self._meter.rollover_kwh or 0.0
            stands.append(Stand(told.at, told.kwh + rolled, piece, told.kwh))
            before = told.kwh
        return stands

    def take(self, told: _Told) -> None:
        if not told.counts:
            self._doubted.append(told)
            return
        if self._believed:
            last = self._believed[-1]
            used = told.kwh - last.kwh
            most = self._per_second * ((told.at - last.at).total_seconds() + JITTER_SECONDS) + STEP_KWH
            if self._doubted or not 0 <= used <= most:
                self._decide(told)
                return
        self._doubted.clear()
        self._keep(told)

    def _keep(self, *told: _Told) -> None:
        self._believed += told
        self._pieces += [self._piece] * len(told)

    def _decide(self, told: _Told) -> None:
        """A stand after doubted ones, or one that does not go on from the last."""
        doubted, self._doubted = self._doubted, []
        if any(self._says_frozen(one) for one in doubted):
            self._forget_still()
        last = self._believed[-1]
        chain = self._chain_to(told, doubted)
        if not chain and self._came_back(told):
            return
        new = [
            *chain,
            told,
        ]  # what follows on each other; the counter goes on from the last to the first of them, or not
        if chain and (self._goes_on(last, chain[0]) and chain[0].kwh >= last.kwh):
            new = [told]  # those were not doubted for where they stand
        if self._goes_on(last, new[0]) or self._caught_up(new[0]):
            self._keep(*new)
            return
        self._forget_above(new[0])
        on_the_old_line = self._goes_on(last, told) and new[0].kwh < last.kwh
        if not on_the_old_line or len(new) > 2:
            self._piece += 1
        # Where the counter was low only for a while, that was a dip, or what was above it a small spike: of one such stand
        # neither counts; of more, the counter may have lost a little, and nobody knows what flowed.
        self._keep(*([told] if on_the_old_line else new))

    def _came_back(self, told: _Told) -> bool:
        """Whether a stand goes on from the one before the last: the last was a small spike, or this is a small dip.
        Nobody can tell, so neither counts."""
        if len(self._believed) < 2 or self._pieces[-2] != self._piece or told.held or self._believed[-1].held:
            return False
        earlier, last = self._believed[-2:]
        if self._goes_on(last, told) or not self._goes_on(earlier, told):
            return False
        spike = earlier.kwh <= told.kwh < last.kwh
        zero = last.kwh < earlier.kwh <= told.kwh  # it was taken for a rollover
        if not (spike or zero):
            return False
        self._forget_from(len(self._believed) - 1)
        return True

    def _goes_on(self, earlier: _Told, later: _Told) -> bool:
        most = self._per_second * ((later.at - earlier.at).total_seconds() + JITTER_SECONDS) + STEP_KWH
        rollover = self._meter.rollover_kwh
        return used_kwh(earlier.kwh, later.kwh, rollover_kwh=rollover, at_most_kwh=most) is not None

    def _chain_to(self, told: _Told, doubted: Sequence[_Told]) -> list[_Told]:
        """The doubted stands just before this one from which it goes on, each from the one before."""
        chain: list[_Told] = [told]
        left_out = 0
        for one in reversed(doubted):
            if self._goes_on(one, chain[-1]):
                chain.append(one)
                left_out = 0
            elif len(chain) > 2 and self._goes_on(one, chain[-2]):  # the one between is a dip or a spike of its own
                chain[-1] = one
                left_out = 0
            elif left_out < AMBIGUOUS:
                left_out += 1
            else:
                break
        return chain[:0:-1]

    def _says_frozen(self, one: _Told) -> bool:
        """Whether a stand was doubted for standing still under power."""
        connection = self._meter.connection_kw
        power = None if one.kw is None else abs(one.kw)
        return (
            one.kwh == self._believed[-1].kwh
            and power is not None
            and FROZEN_FROM * connection < power <= OVERLOAD * connection
        )

    def _still(self) -> int:
        """Where the stands begin that are all equal to the last one."""
        first = len(self._believed) - 1
        while (
            first > 0
            and self._believed[first - 1].kwh == self._believed[-1].kwh
            and self._pieces[first - 1] == self._piece
        ):
            first -= 1
        return first

    def _forget_still(self) -> None:
        """A counter that stands still under power tells nothing from its first such stand on."""
        self._forget_from(self._still() + 1)

    def _forget_from(self, first: int) -> None:
        keep = [one for one in range(first, len(self._believed)) if self._believed[one].held]
        self._believed[first:] = [self._believed[one] for one in keep]
        self._pieces[first:] = [self._pieces[one] for one in keep]

    def _forget_above(self, low: _Told) -> None:
        """Leave out the last few stands above one from before which it goes on: a small spike, or a counter that lost
        a little. Nobody can tell, so neither is believed."""
        for back in range(2, min(AMBIGUOUS + 1, len(self._believed)) + 1):
            earlier = self._believed[-back]
            if self._pieces[-back] != self._piece or self._believed[-1].kwh <= low.kwh:
                return
            if earlier.kwh <= low.kwh and self._goes_on(earlier, low):
                self._forget_from(len(self._believed) - back + 1)
                return

    def _caught_up(self, told: _Told) -> bool:
        """Whether the counter stood still and now shows at once what flowed meanwhile: its still stands were stale. (A
        meter that was exchanged hardly stands where the old one would by now.)"""
        first = self._still()
        if first == len(self._believed) - 1 or not self._goes_on(self._believed[first], told):
            return False
        self._forget_still()
        return True


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A time of which nobody knows what flowed in it: the clock was set, so it was shown twice (`back`) or never."""

    start: datetime
    end: datetime
    back: bool

    def touches(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end


def clock_steps(readings: Sequence[Reading]) -> list[ClockStep]:
    """Where the clock that stamps the readings was set."""
    found: list[ClockStep] = []
    for reading in readings:
        if reading.clock_step_seconds is not None:
            other = reading.taken_at - timedelta(seconds=reading.clock_step_seconds)
            start, end = sorted((reading.taken_at, other))
            found.append(ClockStep(start, end, back=reading.clock_step_seconds < 0))
    return sorted(found, key=lambda step: step.start)


def _cut_at(made: list[Stand], steps: Sequence[ClockStep]) -> list[Stand]:
    """The stands cut into pieces where the clock was set: how long it took from one to the next is unknown."""
    for step in steps:
        first = bisect_left(made, step.start if step.back else step.end, key=lambda stand: stand.at)
        if 0 < first < len(made) and made[first].piece == made[first - 1].piece:
            made[first:] = [replace(one, piece=one.piece + 1) for one in made[first:]]
    return made


def stitched(made: list[Stand], exchanges: Sequence[Exchange], meter: Meter, counter: str) -> list[Stand]:
    """The stands with the pieces of exchanged meters put together, where both their stands were written down."""
    for exchange in sorted(exchanges, key=lambda one: one.at):
        old, new = _written_down(exchange, counter)
        first = _exchanged_at(made, exchange.at)
        if first is None:
            continue
        first = _forget_stale(made, first, old, meter)
        before, after = made[first - 1], made[first]
        if before.piece == after.piece:  # the counter does not show it: the new meter stood where the old one did
            made[first:] = [replace(one, piece=one.piece + 1) for one in made[first:]]
            after = made[first]
        if old is None or new is None:
            continue
        seconds = (after.at - before.at).total_seconds()
        most = carried_kwh(meter.connection_kw, seconds=seconds, lag_kw=0.0, lag_seconds=0.0)
        until = used_kwh(before.said, old, rollover_kwh=meter.rollover_kwh, at_most_kwh=most)
        since = used_kwh(new, after.said, rollover_kwh=meter.rollover_kwh, at_most_kwh=most)
        if until is None or since is None or until + since > most:
            continue  # what was written down does not go with what the meters said
        more = before.kwh + until + since - after.kwh
        made[first:] = [
            replace(one, kwh=one.kwh + more if one.piece == after.piece else one.kwh, piece=one.piece - 1)
            for one in made[first:]
        ]
    return made


def _forget_stale(made: list[Stand], first: int, old: float | None, meter: Meter) -> int:
    """Leave out the still stands before an exchange at `first` if the old meter had counted on beyond them, and more than
    it can have since the last of them: they were stale. Returns where the new meter begins now."""
    begun = last = first - 1
    while begun > 0 and (made[begun - 1].said, made[begun - 1].piece) == (made[last].said, made[last].piece):
        begun -= 1

    def can_count(since: Stand) -> bool:
        seconds = (made[first].at - since.at).total_seconds()
        most = carried_kwh(meter.connection_kw, seconds=seconds, lag_kw=0.0, lag_seconds=0.0)
        return used_kwh(since.said, old or 0.0, rollover_kwh=meter.rollover_kwh, at_most_kwh=most) is not None

    if old is None or begun == last or can_count(made[last]) or not can_count(made[begun]):
        return first
    del made[begun + 1 : first]
    return begun + 1


def _written_down(exchange: Exchange, counter: str) -> tuple[float | None, float | None]:
    if counter == "import_kwh":
        return exchange.old_import_kwh, exchange.new_import_kwh
    return exchange.old_export_kwh, exchange.new_export_kwh


def _exchanged_at(made: Sequence[Stand], at: datetime) -> int | None:
    """The first stand of the new meter: where the counter was cut next to the time that people wrote down, else the
    first one after it."""
    cuts = [
        i
        for i in range(1, len(made))
        if made[i].piece != made[i - 1].piece
        and made[i - 1].at - EXCHANGED_WITHIN <= at <= made[i].at + EXCHANGED_WITHIN
    ]

    def apart(i: int) -> timedelta:
        return max(made[i - 1].at - at, at - made[i].at, timedelta(0))

    if cuts:
        return min(cuts, key=apart)
    after = bisect_left(made, at, key=lambda stand: stand.at)
    return after if 0 < after < len(made) else None
