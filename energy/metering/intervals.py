"""Counters → the energy of intervals: labelled, never invented."""

from collections.abc import Sequence
from datetime import timedelta

from energy.metering.belief import clock_steps, good_stands
from energy.metering.counters import AT_THE_EDGE, Point, Stand, point_at
from energy.model.horizon import Horizon, Interval
from energy.model.meter import Exchange, IntervalEnergy, Meter, Quality, Reading

GONE = timedelta(hours=1)
COUNTERS = ("import_kwh", "export_kwh")
WORST_LAST = (Quality.MEASURED, Quality.INTERPOLATED, Quality.SPREAD, Quality.MISSING)


def intervals(
    readings: Sequence[Reading],
    meter: Meter,
    edges: Horizon,
    *,
    max_gap_minutes: float | None = None,
    exchanges: Sequence[Exchange] = (),
) -> list[IntervalEnergy]:
    """The energy of each slot of `edges` that the readings can speak of.

    Readings may come in any order and twice; only stands that count (GOOD, or RELEASED by a person) make energy. An
    edge within seconds of a stand is MEASURED; one between two stands not further apart than `max_gap_minutes` (by
    default the step) INTERPOLATED; one inside a longer gap SPREAD: what flowed in the gap is known, and shared out
    evenly. A slot that touches a time in which the counter was reset, exchanged, or counted more than the connection
    can carry is MISSING; so is one that the clock showed twice or never. Across an exchange all is known where both stands
    were written down.

    Slots before the first stand, and those after whose end no stand has come yet, are not there: ask again later. The
    same readings always give the same intervals, so a late reading only means to ask again.
    """
    counters = {name: found for name in COUNTERS if (found := good_stands(readings, meter, name, exchanges))}
    if not counters:
        return []
    unclear = clock_steps(readings)
    longest = edges.step if max_gap_minutes is None else timedelta(minutes=max_gap_minutes)
    powers = _highest_power(readings, edges)
    made: list[IntervalEnergy] = []
    for slot in range(edges.slots):
        span = edges.interval(slot)
        speaking = _speaking(counters, span)
        if speaking and all(span.end <= counter[-1].at for counter in speaking.values()):
            odd = any(step.touches(span.start, span.end) for step in unclear)
            made.append(_slot(span, meter, speaking, longest, powers.get(slot), odd=odd))
    return made


def _speaking(counters: dict[str, list[Stand]], span: Interval) -> dict[str, list[Stand]]:
    """The counters that have something to say of a slot, or will have: not one that a meter began to tell only later,
    nor one that it told no more for so long that it is gone (another profile, another meter)."""
    newest = max(counter[-1].at for counter in counters.values())
    return {
        name: counter
        for name, counter in counters.items()
        if counter[0].at - AT_THE_EDGE <= span.start and (span.end <= counter[-1].at or newest - counter[-1].at < GONE)
    }


def _slot(
    span: Interval,
    meter: Meter,
    counters: dict[str, list[Stand]],
    longest: timedelta,
    max_power_kw: float | None,
    *,
    odd: bool,
) -> IntervalEnergy:
    flowed = {name: _energy(counter, span, longest) for name, counter in counters.items()}
    quality = Quality.MISSING if odd else max((quality for _, quality in flowed.values()), key=WORST_LAST.index)
    # Half an answer would read as if nothing had flowed the other way: without one counter the slot is missing.
    known = {} if quality is Quality.MISSING else {name: kwh for name, (kwh, _) in flowed.items()}
    return IntervalEnergy(
        meter=meter.id,
        start=span.start,
        minutes=round(span.hours * 60),
        import_kwh=known.get("import_kwh"),
        export_kwh=known.get("export_kwh"),
        quality=quality,
        max_power_kw=max_power_kw,
    )


def _energy(counter: Sequence[Stand], span: Interval, longest: timedelta) -> tuple[float | None, Quality]:
    start = point_at(counter, span.start, ends=False, longest=longest)
    end = point_at(counter, span.end, ends=True, longest=longest)
    if start is None or end is None or start.piece != end.piece:
        return None, Quality.MISSING
    return max(end.kwh - start.kwh, 0.0), max(_quality(start, longest), _quality(end, longest), key=WORST_LAST.index)


def _quality(point: Point, longest: timedelta) -> Quality:
    if not point.apart:
        return Quality.MEASURED
    return Quality.INTERPOLATED if point.apart <= longest else Quality.SPREAD


def _highest_power(readings: Sequence[Reading], edges: Horizon) -> dict[int, float]:
    """The highest power of each slot, of the readings that count."""
    highest: dict[int, float] = {}
    for reading in readings:
        if reading.quality.counts and reading.power_kw is not None:
            slot = edges.slot_of(reading.taken_at)
            highest[slot] = max(reading.power_kw, highest.get(slot, reading.power_kw))
    return highest
