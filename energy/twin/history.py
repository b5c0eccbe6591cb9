"""Weeks of a plant's past at once, without the wire: what its meters showed at each slot edge, and what ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energy.model.calendar import Calendar
from energy.model.fact import Fact
from energy.model.horizon import Horizon
from energy.model.job import Job
from energy.model.meter import Meter, Reading
from energy.model.run import JobRun
from energy.model.site import Site
from energy.twin.plant import Twin


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A past, and the twin that lived it: it stands at the end and goes on from there with the same counters."""

    readings: list[Reading]
    jobs: list[Job]
    runs: list[JobRun]
    facts: list[Fact]
    twin: Twin


def history(
    site: Site, meters: Sequence[Meter], calendar: Calendar, *, seed: int, start: datetime, end: datetime
) -> History:
    """The readings of every meter at every slot edge of [start, end], both included."""
    twin = Twin(site, meters, calendar, seed=seed, start=start)
    edges = Horizon.between(start, end, site.step_minutes)
    readings = []
    for edge in [*edges.times(), edges.end]:
        twin.advance_to(edge)
        readings += [reading(twin, meter) for meter in meters]
    return History(readings=readings, jobs=twin.jobs(), runs=twin.runs(), facts=twin.facts(), twin=twin)


def reading(twin: Twin, meter: Meter) -> Reading:
    """What a meter shows now."""
    stand = twin.stand(meter.id)
    return Reading(
        meter=meter.id,
        taken_at=twin.now,
        import_kwh=stand.import_kwh,
        export_kwh=stand.export_kwh,
        power_kw=stand.power_kw,
    )
