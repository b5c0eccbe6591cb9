"""Which old raw readings are still needed: what `intervals` makes of the rest is the same to the last bit, and stays so when a
doubted reading is released afterwards.

A meter that is asked each second says mostly what lies on the line between two of its other words. Only such *calm* readings
go: good ones, soon after the one before, whose counters went on by what the connection can carry. Kept are, of each slot of
the intervals,

- the first and the last reading: the stands at the edges;
- those with the highest and the lowest power;
- every reading that is not calm (doubted, released, refused, after a gap, a reset, a rollover, a set clock), and so many
  before and after it as the rules of `energy.metering.belief` may look at;
- where a counter stands still at the end of the slot or before such a reading: the first reading of that, and those of
  highest and lowest power in it;
- whatever is needed for one kept reading to go on from the one before;
- the first of each `each` (a minute), so that the shape of a day can be seen and silence told from sameness.

Of a silence the first and the last word are kept, and one each `each`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from energy.metering.belief import AMBIGUOUS, JITTER_SECONDS, OVERLOAD, STEP_KWH
from energy.model.meter import Meter, Reading, ReadingQuality

CALM_SECONDS = 150.0  # a longer time between two readings is a gap
MARGIN = AMBIGUOUS + 3  # the rules of belief look at so many stands before a step, and at the ones after it
CONTEXT = timedelta(minutes=30)  # so much before and after a stretch shows what is calm in it, at any poll that can be


def needed(
    readings: Sequence[Reading],
    meter: Meter,
    step: timedelta,
    *,
    each: timedelta | None,
    special: Sequence[datetime] = (),
) -> set[datetime]:
    """The times of the readings (of one meter, oldest first) that have to stay. `special` are moments around which all
    stays: an exchange of the meter."""
    silent = [one for one in readings if one.quality is ReadingQuality.NO_ANSWER]
    said = [one for one in readings if one.quality is not ReadingQuality.NO_ANSWER]
    keep = [False] * len(said)
    rough = _rough(said, meter, special)
    for position in rough:
        for near in range(max(position - MARGIN, 0), min(position + MARGIN, len(said))):
            keep[near] = True
    _keep_of_slots(said, keep, step, set(rough))
    if each is not None:
        for first in _firsts(said, each):
            keep[first] = True
    _keep_chained(said, keep, meter)
    stay = {one.taken_at for one, needs in zip(said, keep, strict=True) if needs}
    return stay | {silent[i].taken_at for i in _of_silence(silent, said, step, each)}


def _rough(said: Sequence[Reading], meter: Meter, special: Sequence[datetime]) -> list[int]:
    """Where a reading does not go on calmly from the one before; the ends are rough, as nobody knows what is beyond."""
    moments = sorted(special)
    found = [0]
    for i in range(1, len(said)):
        earlier, later = said[i - 1], said[i]
        between = any(earlier.taken_at <= moment <= later.taken_at for moment in moments)
        if between or not _calm(earlier, later, meter):
            found.append(i)
    return [*found, len(said)]


def _calm(earlier: Reading, later: Reading, meter: Meter) -> bool:
    good = ReadingQuality.GOOD
    if earlier.quality is not good or later.quality is not good or later.clock_step_seconds is not None:
        return False
    if earlier.state != later.state:  # when a machine began or stopped is what its state is kept for
        return False
    seconds = (later.taken_at - earlier.taken_at).total_seconds()
    return 0 < seconds <= CALM_SECONDS and _goes_on(earlier, later, seconds, meter)


def _goes_on(earlier: Reading, later: Reading, seconds: float, meter: Meter) -> bool:
    """Whether both counters go on from one reading to another, as `belief` would have it without a second look."""
    most = OVERLOAD * meter.connection_kw / 3600 * (seconds + JITTER_SECONDS) + STEP_KWH
    for before, after in ((earlier.import_kwh, later.import_kwh), (earlier.export_kwh, later.export_kwh)):
        if before is None or after is None:
            if before is not after:
                return False
        elif not 0 <= after - before <= most:
            return False
    return True


def _keep_of_slots(said: Sequence[Reading], keep: list[bool], step: timedelta, rough: set[int]) -> None:
    """What each slot needs, and each stretch of a slot that ends before something rough."""
    begin = 0
    for i in range(1, len(said) + 1):
        new_slot = i == len(said) or _number(said[i], step) != _number(said[i - 1], step)
        if new_slot or i in rough:
            keep[begin] = keep[i - 1] = True
            _keep_extremes(said, keep, range(begin, i))
            for counter in ("import_kwh", "export_kwh"):
                first = i - 1
                while first > begin and getattr(said[first - 1], counter) == getattr(said[i - 1], counter):
                    first -= 1
                keep[first] = True
                _keep_extremes(said, keep, range(first, i))
            begin = i


def _keep_extremes(said: Sequence[Reading], keep: list[bool], among: Iterable[int]) -> None:
    powers = [(kw, -i) for i in among if (kw := said[i].power_kw) is not None]
    if powers:
        keep[-max(powers)[1]] = keep[-min(powers)[1]] = True


def _keep_chained(said: Sequence[Reading], keep: list[bool], meter: Meter) -> None:
    """Keep also what is needed so that each kept reading goes on from the kept one before it, as in small steps."""
    last = 0
    for i in range(1, len(said)):
        if last < i - 1:
            seconds = (said[i].taken_at - said[last].taken_at).total_seconds()
            if seconds > CALM_SECONDS or not _goes_on(said[last], said[i], seconds, meter):
                keep[i - 1], last = True, i - 1
        if keep[i]:
            last = i


def _firsts(readings: Sequence[Reading], each: timedelta) -> list[int]:
    return [i for i, one in enumerate(readings) if i == 0 or _number(one, each) != _number(readings[i - 1], each)]


def _of_silence(
    silent: Sequence[Reading], said: Sequence[Reading], step: timedelta, each: timedelta | None
) -> set[int]:
    """The first and last word of each silence and slot, and the first of each `each`."""
    spoke = [one.taken_at for one in said]
    stay: set[int] = set(_firsts(silent, each)) if each is not None else set()
    at = 0
    silence = []  # how often the meter had spoken before each silent reading: the same number, the same silence
    for one in silent:
        while at < len(spoke) and spoke[at] < one.taken_at:
            at += 1
        silence.append((at, _number(one, step)))
    for i, this in enumerate(silence):
        if i == 0 or silence[i - 1] != this:
            stay.add(i)
        if i == len(silence) - 1 or silence[i + 1] != this:
            stay.add(i)
    return stay


def _number(reading: Reading, step: timedelta) -> int:
    """Which slot of that length, counted from the epoch, a reading is in."""
    return int(reading.taken_at.timestamp() // step.total_seconds())
