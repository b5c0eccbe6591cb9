"""Collect: counters become the energy of intervals, and from those the load of the plant.

Idempotent: the same readings write nothing new; a late reading or a late run writes a newer version of what it changes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from energy.clock import floor_to
from energy.metering.belief import EXCHANGED_WITHIN
from energy.metering.intervals import intervals
from energy.metering.site import base_load, job_loads, only_shares, shaped, site_load
from energy.metering.tree import counting, in_order
from energy.metering.virtual import USUAL_DAYS, PartData, at_step, virtual_intervals
from energy.model.horizon import Horizon, Interval
from energy.model.job import Mode
from energy.model.meter import Measures, Meter, Part, Quality
from energy.model.series import BASE_LOAD, PV_POWER, SITE_EXPORT, SITE_IMPORT, Series
from energy.model.site import Site
from energy.steps.late import GAPS_NOTE, filled_gaps
from energy.steps.restate import WORDS_NOTE, spoken_of
from energy.steps.unspoken import UnspokenBook
from energy.store import Store
from energy.store.metered import site_meters
from energy.store.thinning import Grade

LATE = timedelta(hours=6)  # readings this late still change their intervals in the regular round
PART_LATE = timedelta(minutes=15)  # a part of a virtual meter that is silent for longer is dead, not late
RUNS_KNOWN = timedelta(days=62)  # runs that become known this late still change the loads
GAPS_KNOWN = timedelta(days=31)  # readings that come this late still fill a gap
NO_BOUND = 10**18
THIN_SECONDS = 10.0  # of work a round; two million readings
# From what age on raw readings are thinned, and how far; the further ones only where there is no room.
THINNED = (
    (timedelta(days=2), Grade.MINUTES),
    (timedelta(hours=1), Grade.MINUTES),
    (timedelta(days=1), Grade.EDGES),
)
RECKONED_NOTE = "how many readings the last intervals were reckoned from"
RUNS_NOTE = "runs that the loads know"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How many intervals and load values were new or changed, and how many raw readings were dropped for space."""

    intervals: int
    loads: int
    pruned: int


def collect(
    store: Store, *, site: Site, now: datetime, raw_days: float, raw_bytes: int, late: timedelta = LATE
) -> Collected:
    """Turn what the meters said into intervals up to the last full step, and renew the loads of the plant."""
    step = timedelta(minutes=site.step_minutes)
    until = floor_to(now, step)
    meters = store.meters()
    changed = 0
    oldest = until
    there = store.readings.counts(Interval(until - late, until))
    same = settled(store, until, there)
    for meter in (m for m in meters if not m.parts and m.id not in same):
        since = first_open(store, meter, until, step, late)
        if since is None or since >= until:
            continue
        changed += collect_meter(store, meter, since, until, site.step_minutes, now)
        oldest = min(oldest, since)
    store.note(RECKONED_NOTE, {"until": until.isoformat(), "readings": there})
    # A day less than raw readings reach: what is said around a gap has to be there, too.
    known_since = until - min(timedelta(days=raw_days), GAPS_KNOWN) + EXCHANGED_WITHIN
    came_late, looked = filled_gaps(store, meters, Interval(min(known_since, until - late), until - late), now)
    restated = restate(store, meters, until, site.step_minutes, now, came_late)
    if looked is not None:
        store.note(GAPS_NOTE, looked)
    changed += sum(restated.values())
    oldest = min([oldest, *restated])
    changed += collect_virtual(store, site, meters, Interval(min(oldest, until), until), now)
    stale, runs = stale_since(store, until)
    if stale is not None and stale < oldest:
        oldest = floor_to(stale, step)
    loads = renew_loads(store, site, meters, Interval(oldest, until), now) if oldest < until else 0
    if stale is not None:
        store.note(RUNS_NOTE, runs)
    pruned = make_room(store, meters, step, now, raw_days, raw_bytes)
    return Collected(intervals=changed, loads=loads, pruned=pruned)


def settled(store: Store, until: datetime, there: Mapping[str, int]) -> set[str]:
    """The meters that need no reckoning in this round: their intervals reach the last full step, as many readings are
    there as when that was reckoned, and none is doubted, of which what comes later may tell what it was worth."""
    known = store.note(RECKONED_NOTE) or {}
    if known.get("until") != until.isoformat():
        return set()
    same = {meter for meter, count in there.items() if known["readings"].get(meter) == count}
    looked = Interval(until - LATE, until + timedelta(days=1))
    return {
        meter
        for meter in same
        if (store.intervals.last_end(meter) or looked.start) >= until and not store.readings.doubted(meter, looked)
    }


def make_room(
    store: Store, meters: Sequence[Meter], step: timedelta, now: datetime, raw_days: float, raw_bytes: int
) -> int:
    """Drop raw readings that are too old, and thin the older ones to one a minute, which changes no interval. Where the
    rest takes too much room, thin what is younger, then to the stands at the edges alone, and only then drop the oldest.
    Returns how many went; a round works for some seconds at the most, the next one goes on. The journal tells of doubted
    ones that went before anybody spoke of them."""
    unspoken = UnspokenBook(store, now)
    oldest = now - timedelta(days=raw_days)
    went = store.readings.prune(oldest, NO_BOUND, unspoken.add)
    for number, (age, grade) in enumerate(THINNED):
        if number and store.readings.fits(raw_bytes):
            break
        went += store.thinning.thin(meters, step, floor_to(now - age, step), grade, seconds=THIN_SECONDS)
    else:
        went += store.readings.prune(oldest, raw_bytes, unspoken.add)
    unspoken.tell()
    return went


def stale_since(store: Store, until: datetime) -> tuple[datetime | None, dict[str, str]]:
    """Since when the loads were made without what is now known of runs (None where they know them all), and the runs
    that they know (`RUNS_NOTE`) once they are made anew."""
    runs = store.runs.of(Interval(until - RUNS_KNOWN, until))
    known = store.note(RUNS_NOTE) or {}
    said = {f"{r.job} {r.start.isoformat()}": f"{r.end} {r.machine} {r.kwh}" for r in runs}
    changed = [r.start for r, (key, word) in zip(runs, said.items(), strict=True) if known.get(key) != word]
    return min(changed, default=None), said


def first_open(store: Store, meter: Meter, until: datetime, step: timedelta, late: timedelta) -> datetime | None:
    """The first slot to reckon (again): where intervals end less what may still come late; else the first reading."""
    end = store.intervals.last_end(meter.id)
    if end is not None:
        return min(end, max(end - late, until - late))
    first = store.readings.first_stand(meter.id, Interval(until - timedelta(days=31), until))
    return floor_to(first, step) + step if first is not None else None


def collect_meter(
    store: Store,
    meter: Meter,
    since: datetime,
    until: datetime,
    step_minutes: int,
    now: datetime,
    but: Collection[datetime] = (),
) -> int:
    """The intervals of one meter over a span (but for some, by their start), kept where they are new or differ."""
    edges = Horizon.between(since, until, step_minutes)
    looked = Interval(since - timedelta(minutes=2 * step_minutes), now + timedelta(seconds=1))
    readings = store.readings.of(meter.id, looked)
    before = store.readings.good_before(meter.id, since)
    if before is not None and (not readings or before.taken_at < readings[0].taken_at):
        readings = [before, *readings]
    if not readings:
        return 0
    told = Interval(looked.start - EXCHANGED_WITHIN, looked.end)
    steps = store.readings.clock_steps(meter.id, Interval(told.start, looked.start))
    exchanges = store.exchanges.of(meter.id, told)
    made = intervals([*steps, *readings], meter, edges, exchanges=exchanges)
    return store.intervals.put([one for one in made if one.start not in but], now)


def restate(
    store: Store,
    meters: Sequence[Meter],
    until: datetime,
    step_minutes: int,
    now: datetime,
    came_late: Sequence[tuple[str, Interval]] = (),
) -> dict[datetime, int]:
    """The intervals that people's words on readings and meters change, and readings that came late to gaps: since when →
    how many. What a file of the network operator said stays."""
    by_id = {meter.id: meter for meter in meters}
    found: dict[datetime, int] = {}
    spans, news = spoken_of(store)
    for id, span in [*spans, *came_late]:
        since = floor_to(span.start, timedelta(minutes=step_minutes))
        end = min(until, span.end)
        if id not in by_id or since >= end:
            continue
        kept = store.intervals.of(id, Interval(since, end))
        imported = {one.start for one in kept if one.quality is Quality.IMPORTED}
        end = floor_to(end, timedelta(minutes=step_minutes))
        changed = collect_meter(store, by_id[id], since, end, step_minutes, now, but=imported)
        found[since] = found.get(since, 0) + changed
    if spans:
        store.note(WORDS_NOTE, news)
    return found


def collect_virtual(store: Store, site: Site, meters: Sequence[Meter], span: Interval, now: datetime) -> int:
    """The intervals of the virtual meters over a span in which their parts may have changed; of a new one, over all that
    its parts ever said."""
    changed = 0
    for meter in in_order(meters):
        begun = [first for part in meter.parts if (first := store.intervals.first_start(part.meter)) is not None]
        if not begun:
            continue
        since = span.start if store.intervals.last_end(meter.id) is not None else min(begun)
        if since >= span.end:
            continue
        edges = Horizon.between(since, span.end, site.step_minutes)
        parts = {part.meter: part_data(store, part, edges) for part in meter.parts}
        waits = now - PART_LATE
        changed += store.intervals.put(virtual_intervals(meter, parts, edges, site.zone, wait_until=waits), now)
    return changed


def part_data(store: Store, part: Part, edges: Horizon) -> PartData:
    """What is known of a part over some slots; of the weeks before only where it is silent in one of them."""
    known = {
        one.start: one
        for said in store.intervals.of(part.meter, Interval(edges.start, edges.end))
        for one in at_step(said, edges.step_minutes)
    }
    whole = len(known) == edges.slots and all(one.quality is not Quality.MISSING for one in known.values())
    before = [] if whole else store.intervals.of(part.meter, Interval(edges.start - USUAL_DAYS, edges.end))
    return PartData(factor=part.factor, intervals=known, before=before)


def renew_loads(store: Store, site: Site, meters: Sequence[Meter], span: Interval, now: datetime) -> int:
    """Site import and export, PV and base load of a span, from the intervals and the runs. A gap that was spread over its
    slots counts on the bill, but says nothing of when the plant drew what: there the base load is unknown, and not learned."""
    horizon = Horizon.between(span.start, span.end, site.step_minutes)
    flows = site_meters(store, horizon)
    if flows is None:
        return 0
    load = site_load(flows)
    runs = store.runs.of(Interval(span.start, span.end))
    jobs = {job.id: job for job in store.jobs.all(Interval(span.start - timedelta(days=7), span.end))}
    modes: dict[tuple[str, str], Mode] = {(j.id, m.machine): m for j in jobs.values() for m in j.modes}
    machine_kw = {
        m.machine: shaped(store.intervals.of(m.id, span), horizon)
        for m in meters
        if m.machine is not None and m.measures is Measures.MACHINE
    }
    idle = {m.id: m.idle_kw for m in site.machines}
    balance = [m for kind in (Measures.GRID, Measures.PV, Measures.BATTERY) for m in counting(meters, kind)]
    shares = [only_shares(store.intervals.of(meter.id, span), horizon) for meter in balance]
    shaped_load = Series(horizon, np.where(np.any(shares, axis=0), np.nan, load.values), load.unit)
    base = base_load(shaped_load, job_loads(runs, horizon, machine_kw=machine_kw, idle_kw=idle, modes=modes))
    rows = [(SITE_IMPORT, flows.imported), (SITE_EXPORT, flows.exported), (BASE_LOAD, base)]
    if flows.generation is not None:
        rows.append((PV_POWER, flows.generation))
    with store.unit():
        return sum(store.series.add(key, series, known_at=now, source="meters") for key, series in rows)
