"""How each meter is: what it said last, how old that is, and whether it is silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import local
from energy.metering.running import running_interval
from energy.metering.tree import in_order, settlement
from energy.metering.virtual import live
from energy.model.horizon import Interval
from energy.model.meter import Meter, Reading, ReadingQuality
from energy.planning.tariff import in_window
from energy.reports.pages import Running
from energy.reports.situation import Rules
from energy.store import Store

SILENT_AFTER = timedelta(minutes=5)  # of plant time without a good reading


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterState:
    """A meter's newest reading of any quality, and its newest good one."""

    meter: Meter
    reading: Reading | None
    good: Reading | None
    age: timedelta | None

    @property
    def silent(self) -> bool:
        return self.age is None or self.age > SILENT_AFTER


def meter_states(store: Store, now: datetime) -> list[MeterState]:
    """The meters of the plant, in the order of the config."""
    newest, meters = store.readings.latest(), store.meters()
    found: dict[str, MeterState] = {}
    for meter in (m for m in meters if not m.parts):
        reading = newest.get(meter.id)
        good = reading
        if reading is not None and not reading.quality.counts:
            good = store.readings.good_before(meter.id, reading.taken_at)
        age = None if good is None else now - good.taken_at
        found[meter.id] = MeterState(meter=meter, reading=reading, good=good, age=age)
    for meter in in_order(meters):
        found[meter.id] = virtual_state(meter, [found.get(part.meter) for part in meter.parts], now)
    return [found[meter.id] for meter in meters]


def virtual_state(meter: Meter, parts: Sequence[MeterState | None], now: datetime) -> MeterState:
    """A virtual meter now: as old as its oldest part, and silent as soon as one of them is."""
    names = ", ".join(
        part.meter if state is None else state.meter.name
        for part, state in zip(meter.parts, parts, strict=True)
        if state is None or state.silent
    )
    heard = [state.good for state in parts if state is not None and state.good is not None]
    if len(heard) < len(parts):
        note = f"its part is silent: {names}"
        silence = Reading(meter=meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)
        return MeterState(meter=meter, reading=silence, good=None, age=None)
    oldest = min(reading.taken_at for reading in heard)
    powers = {reading.meter: reading.power_kw for reading in heard}
    good = Reading(meter=meter.id, taken_at=oldest, power_kw=live(meter, powers))
    reading = good
    if names:
        note = f"its part is silent: {names}"
        reading = Reading(meter=meter.id, taken_at=now, quality=ReadingQuality.NO_ANSWER, note=note)
    return MeterState(meter=meter, reading=reading, good=good, age=now - oldest)


def running(store: Store, rules: Rules, now: datetime) -> Running:
    """The running quarter hour of the settlement meter."""
    step = timedelta(minutes=rules.site.step_minutes)
    begun = now - (now - datetime.fromtimestamp(0, now.tzinfo)) % step
    target, limit = target_now(rules, now), rules.site.import_limit_kw
    left = (begun + step - now).total_seconds() / 60.0
    nothing = Running(
        now_kw=None,
        as_of=None,
        mean_so_far_kw=None,
        closes_at_kw=None,
        allowed_kw=None,
        minutes_left=left,
        target_kw=target,
        limit_kw=limit,
    )
    meter = settlement(store.meters())
    if meter is None:
        return nothing
    readings = store.readings.of(meter.id, Interval(begun - 2 * step, now + timedelta(seconds=1)))
    good = [r for r in readings if r.quality.counts]
    newest = good[-1] if good else store.readings.good_before(meter.id, now)
    quarter = running_interval(readings, meter, now, step)
    fresh = newest is not None and now - newest.taken_at <= SILENT_AFTER
    allowed = None
    if quarter.mean_so_far_kw is not None and quarter.seen_until is not None and fresh:
        used = quarter.mean_so_far_kw * (quarter.seen_until - begun) / step
        share_left = (begun + step - quarter.seen_until) / step
        goal = limit if target is None else min(target, limit)
        allowed = max(0.0, (goal - used) / share_left) if share_left > 0 else None
    return Running(
        now_kw=newest.power_kw if newest is not None and fresh else None,
        as_of=newest.taken_at if newest else None,
        mean_so_far_kw=quarter.mean_so_far_kw,
        closes_at_kw=quarter.projected_kw if fresh else None,
        allowed_kw=allowed,
        minutes_left=left,
        target_kw=target,
        limit_kw=limit,
    )


def target_now(rules: Rules, now: datetime) -> float | None:
    """The lowest agreed peak of the charges that look at this hour."""
    wall, holidays = local(now, rules.site.zone), rules.calendar.holidays
    agreed = [
        rate.target_kw
        for rate in rules.tariff.demand
        if rate.target_kw > 0 and (not rate.windows or any(in_window(w, wall, holidays) for w in rate.windows))
    ]
    return min(agreed) if agreed else None
