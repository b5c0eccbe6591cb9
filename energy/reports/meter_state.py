"""How each meter is: what it said last, how old that is, and whether it is silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import local
from energy.metering.running import running_interval
from energy.model.horizon import Interval
from energy.model.meter import Meter, Reading
from energy.planning.tariff import in_window
from energy.reports.pages import Running
from energy.reports.picture import settlement_meter
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
    newest = store.readings.latest()
    found = []
    for meter in store.meters():
        reading = newest.get(meter.id)
        good = reading
        if reading is not None and not reading.quality.counts:
            good = store.readings.good_before(meter.id, reading.taken_at)
        age = None if good is None else now - good.taken_at
        found.append(MeterState(meter=meter, reading=reading, good=good, age=age))
    return found


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
    meter = settlement_meter(store.meters())
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
