"""Our own settlement meter beside what the network operator bills: the difference of each day, and whether it is too large."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

from energy.clock import day_bounds, local_date
from energy.metering.tree import settlement
from energy.model.horizon import Interval
from energy.model.meter import IntervalEnergy, Meter, Quality
from energy.store import Store

DIFFERS_SHARE = 0.02  # two meters of class 1 with transformers of class 0.5 seldom differ by more
DIFFERS_KWH = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledDay:
    """A local day of the settlement meter. Both energies are of the `compared` intervals that both sides know, import; what
    was fed in stands apart, over those of which both know the export; `only_billed` are those that our meter missed, which
    the operator's word has filled."""

    day: date
    own_kwh: float
    billed_kwh: float
    compared: int
    only_billed: int
    not_billed: int  # known to us, and not in the operator's file
    worst: datetime | None = None  # the interval that differs most
    worst_kwh: float = 0.0
    own_export_kwh: float = 0.0
    billed_export_kwh: float = 0.0

    @property
    def export_difference_kwh(self) -> float:
        """What the operator says was fed in beyond what our own meter counted."""
        return self.billed_export_kwh - self.own_export_kwh

    @property
    def export_differs(self) -> bool:
        """Whether that is more than two good meters have."""
        return abs(self.export_difference_kwh) > DIFFERS_KWH + DIFFERS_SHARE * self.own_export_kwh

    @property
    def difference_kwh(self) -> float:
        """What is billed beyond what our own meter counted."""
        return self.billed_kwh - self.own_kwh

    @property
    def differs(self) -> bool:
        """Whether the difference is more than two good meters have."""
        return abs(self.difference_kwh) > DIFFERS_KWH + DIFFERS_SHARE * self.own_kwh


def billed_days(store: Store, meters: Sequence[Meter], zone: str, first: date, last: date) -> list[BilledDay]:
    """The local days from first to last of which the network operator has said something, oldest first."""
    meter = settlement(meters)
    if meter is None:
        return []
    span = Interval(day_bounds(first, zone)[0], day_bounds(last, zone)[1])
    own = {one.start: one for one in store.intervals.of(meter.id, span)}
    billed = store.billed.of(meter.id, span)
    days = groupby(billed, key=lambda one: local_date(one.start, zone))
    return [compared_day(day, list(said), own, zone) for day, said in days]


def compared_day(
    day: date, billed: Sequence[IntervalEnergy], own: Mapping[datetime, IntervalEnergy], zone: str
) -> BilledDay:
    """One day of both, over the billed intervals of which both know the import."""
    start, end = day_bounds(day, zone)
    said = [(one, one.import_kwh, own_of(own, one)) for one in billed if one.import_kwh is not None]
    pairs = [(one.start, theirs, ours) for one, theirs, ours in said if ours is not None]
    fed_in = [(one.export_kwh, own_of(own, one, "export_kwh")) for one in billed if one.export_kwh is not None]
    both = [(theirs, ours) for theirs, ours in fed_in if ours is not None]
    worst = max(pairs, key=lambda pair: abs(pair[1] - pair[2]), default=None)
    covered = [(one.start, one.start + timedelta(minutes=one.minutes)) for one, _, _ in said]
    known = [at for at, one in own.items() if start <= at < end and one.import_kwh is not None]
    return BilledDay(
        day=day,
        own_kwh=sum(ours for _, _, ours in pairs),
        billed_kwh=sum(theirs for _, theirs, _ in pairs),
        compared=len(pairs),
        only_billed=len(said) - len(pairs),
        not_billed=sum(not any(first <= at < last for first, last in covered) for at in known),
        worst=worst[0] if worst else None,
        worst_kwh=worst[1] - worst[2] if worst else 0.0,
        own_export_kwh=sum(ours for _, ours in both),
        billed_export_kwh=sum(theirs for theirs, _ in both),
    )


def own_of(
    own: Mapping[datetime, IntervalEnergy],
    billed: IntervalEnergy,
    counter: Literal["import_kwh", "export_kwh"] = "import_kwh",
) -> float | None:
    """What our own meter counted in a billed interval, kWh; None where it does not know all of it."""
    total, at, end = 0.0, billed.start, billed.start + timedelta(minutes=billed.minutes)
    while at < end:
        one = own.get(at)
        kwh: float | None = None if one is None else getattr(one, counter)
        if one is None or kwh is None or one.quality is Quality.MISSING:
            return None
        total += kwh
        at += timedelta(minutes=one.minutes)
    return total if at == end else None
