"""Which stands of a counter are believed: what can have flowed between two of them, and where nobody can say.

A meter's own word is never mended. A stand that cannot be is left out; where the counter itself cannot have gone on, it
is cut into pieces, and what flowed from one piece to the next is unknown.
"""

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
    """What a counter said, oldest first; of several stands at one moment the highest. Nothing from hours that the clock
    showed twice: nobody knows in which of them it was."""
    said: dict[datetime, _Told] = {}
    for reading in readings:
        kwh = reading.import_kwh if counter == "import_kwh" else reading.export_kwh
        quality = reading.quality
        if kwh is None or not (quality.counts or quality is ReadingQuality.SUSPECT):
            continue
        one = said.get(reading.taken_at)
        if one is None or (quality.counts, kwh) > (one.counts, one.kwh):
            held = quality is ReadingQuality.RELEASED
            said[reading.taken_at] = _Told(reading.taken_at, kwh, reading.power_kw, quality.counts, held)
    twice = [step for step in steps if step.back]
    return [said[at] for at in sorted(said) if not any(step.start <= at <= step.end for step in twice)]


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
        chain = self._chain_to(told, doubted)
        last = self._believed[-1]
        went_back = bool(chain) and chain[0].kwh < last.kwh and not self._goes_on(last, chain[0])
        if went_back and len(chain) == 1 and self._goes_on(last, told):
            # One low stand after a high one: a dip, or a small spike before it. Neither counts.
            self._forget_above(chain[0])
            self._keep(told)
        elif not went_back and (self._goes_on(last, told) or self._caught_up(told)):
            self._keep(told)
        else:
            new = chain if chain and not self._goes_on(last, chain[0]) else []
            self._forget_above([*new, told][0])
            self._piece += 1
            self._keep(*new, told)

    def _goes_on(self, earlier: _Told, later: _Told) -> bool:
        most = self._per_second * ((later.at - earlier.at).total_seconds() + JITTER_SECONDS) + STEP_KWH
        rollover = self._meter.rollover_kwh
        return used_kwh(earlier.kwh, later.kwh, rollover_kwh=rollover, at_most_kwh=most) is not None

    def _chain_to(self, told: _Told, doubted: Sequence[_Told]) -> list[_Told]:
        """The doubted stands just before this one from which it goes on, each from the one before."""
        chain: list[_Told] = []
        after = told
        for one in reversed(doubted):
            if not self._goes_on(one, after):
                break
            chain.append(one)
            after = one
        return chain[::-1]

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
        """Whether the counter stood still and now shows at once what flowed meanwhile. If it may have, but nobody saw
        that it did, its still stands are not believed either."""
        first = self._still()
        began, last = self._believed[first], self._believed[-1]
        still = (last.at - began.at).total_seconds()
        used = told.kwh - last.kwh
        if still == 0 or used <= 0 or not self._goes_on(began, told):
            return False
        powers = [abs(one.kw) for one in [*self._believed[first:], told] if one.kw is not None]
        most = carried_kwh(
            self._meter.connection_kw,
            seconds=(told.at - last.at).total_seconds(),
            lag_kw=max(powers, default=self._meter.connection_kw),
            lag_seconds=min(still, LAG_SECONDS),
        )
        self._forget_still()
        return used <= most


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A time of which nobody knows what flowed in it: the clock was set, so it was shown twice (`back`) or never."""

    start: datetime
    end: datetime
    back: bool


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
        first = bisect_left(made, step.end, key=lambda stand: stand.at)
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
