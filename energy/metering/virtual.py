"""A virtual meter: the sum or difference of others, with a stand-in where one of them is dead.

Where all its parts are added, import adds up and export adds up. Where one is taken off, only the balance of a slot means
something: its import is what remains, and what is below zero is export (meters differ by their class, so a difference
that should be zero is seldom exactly zero).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

from energy.clock import local
from energy.model.horizon import Horizon
from energy.model.meter import IntervalEnergy, Meter, Quality

USUAL_DAYS = timedelta(days=28)  # over which it is learned what a part usually does
LEAST = 3  # so many equal slots must be known to say what is usual
WORST_LAST = (
    Quality.MEASURED,
    Quality.IMPORTED,
    Quality.INTERPOLATED,
    Quality.SPREAD,
    Quality.MODELLED,
    Quality.MISSING,
)

Flow = tuple[float | None, float | None]  # import and export, kWh


@dataclass(frozen=True, slots=True, kw_only=True)
class PartData:
    """What is known of a part: its intervals over the slots that are asked for, and those before, to learn from."""

    factor: float
    intervals: Mapping[datetime, IntervalEnergy]
    before: Sequence[IntervalEnergy] = ()


def virtual_intervals(
    meter: Meter, parts: Mapping[str, PartData], edges: Horizon, zone: str, *, wait_until: datetime
) -> list[IntervalEnergy]:
    """The energy of each slot of `edges` that the parts can speak of.

    A part that is silent after `wait_until` may only be late: its slots are not there yet. Before, it is dead, and
    stands for itself by what it usually is (the median of the same wall time on the same kind of day); the slot is
    MODELLED. Where nobody knows what is usual, the slot is MISSING. A slot of which no part has said anything is not
    there. What a part says later makes the slot anew.
    """
    made = []
    for slot in range(edges.slots):
        span = edges.interval(slot)
        said = {id: part.intervals.get(span.start) for id, part in parts.items()}
        if all(one is None for one in said.values()):
            continue
        if any(one is None for one in said.values()) and span.end > wait_until:
            continue
        made.append(_slot(meter, parts, said, span.start, edges.step_minutes, zone))
    return made


def _slot(
    meter: Meter,
    parts: Mapping[str, PartData],
    said: Mapping[str, IntervalEnergy | None],
    start: datetime,
    minutes: int,
    zone: str,
) -> IntervalEnergy:
    flows: list[tuple[float, Flow]] = []
    quality = Quality.MEASURED
    for id, part in parts.items():
        flow, own = _flow(said[id], part, start, minutes, zone)
        quality = max(quality, own, key=WORST_LAST.index)
        flows.append((part.factor, flow))
    missing = quality is Quality.MISSING
    taken, given = (None, None) if missing else _total(flows)
    return IntervalEnergy(
        meter=meter.id, start=start, minutes=minutes, import_kwh=taken, export_kwh=given, quality=quality
    )


def _flow(one: IntervalEnergy | None, part: PartData, start: datetime, minutes: int, zone: str) -> tuple[Flow, Quality]:
    """What flowed through a part, and how that is known."""
    if one is not None and one.quality is not Quality.MISSING:
        return (one.import_kwh, one.export_kwh), one.quality
    flow = usual(part.before, start, minutes, zone)
    return ((None, None), Quality.MISSING) if flow is None else (flow, Quality.MODELLED)


def _total(flows: Sequence[tuple[float, Flow]]) -> Flow:
    if all(factor > 0 for factor, _ in flows):
        return _added([(f, taken) for f, (taken, _) in flows]), _added([(f, given) for f, (_, given) in flows])
    net = sum(factor * ((taken or 0.0) - (given or 0.0)) for factor, (taken, given) in flows)
    return max(net, 0.0), max(-net, 0.0)


def _added(energies: Sequence[tuple[float, float | None]]) -> float | None:
    """The sum of what is known; None where a direction is counted by none of the parts."""
    known = [factor * kwh for factor, kwh in energies if kwh is not None]
    return sum(known) if known else None


def usual(before: Sequence[IntervalEnergy], start: datetime, minutes: int, zone: str) -> Flow | None:
    """What usually flows in a slot: the median of the known slots at the same wall time on the same kind of day (working
    day, Saturday, Sunday), else at the same wall time on any day; None where fewer than three are known."""
    wall = local(start, zone)
    same_time = [
        one
        for one in before
        if one.minutes == minutes
        and one.quality not in (Quality.MISSING, Quality.SPREAD, Quality.MODELLED)
        and one.start < start
        and local(one.start, zone).time() == wall.time()
    ]
    same_day = [one for one in same_time if _kind(local(one.start, zone)) == _kind(wall)]
    for found in (same_day, same_time):
        if len(found) >= LEAST:
            return _median([one.import_kwh for one in found]), _median([one.export_kwh for one in found])
    return None


def _kind(wall: datetime) -> int:
    return max(wall.weekday(), 4)  # Monday to Friday are of one kind


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def live(meter: Meter, powers_kw: Mapping[str, float | None]) -> float | None:
    """The power of a virtual meter now, import positive; None where a part does not know its own."""
    said = [(part.factor, powers_kw.get(part.meter)) for part in meter.parts]
    if any(kw is None for _, kw in said):
        return None
    return sum(factor * kw for factor, kw in said if kw is not None)


def at_step(one: IntervalEnergy, minutes: int) -> list[IntervalEnergy]:
    """An interval of a longer step as equal shares of a shorter one, labelled so; itself where the steps are equal."""
    if one.minutes == minutes or one.minutes % minutes:
        return [one]
    count = one.minutes // minutes
    return [
        replace(
            one,
            start=one.start + n * timedelta(minutes=minutes),
            minutes=minutes,
            import_kwh=None if one.import_kwh is None else one.import_kwh / count,
            export_kwh=None if one.export_kwh is None else one.export_kwh / count,
            quality=max(one.quality, Quality.SPREAD, key=WORST_LAST.index),
        )
        for n in range(count)
    ]
