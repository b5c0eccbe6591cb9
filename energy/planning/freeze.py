"""As-is, frozen: when a job first may be planned, and when production itself changes its place."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from energy.model.horizon import Interval
from energy.model.job import AsIsEntry, Cause, Job, Planned
from energy.planning import offer_times
from energy.planning.as_is import assume_starts
from energy.planning.effects import Effects
from energy.planning.situation import Situation


def freeze(
    situation: Situation, jobs: Mapping[str, Job], limits: Effects
) -> tuple[dict[str, Planned], tuple[AsIsEntry, ...]]:
    """Each job's as-is place, and the entries that are new: first frozen, changed by production, or pushed by a fact.

    A re-import that says where an accepted shift has put the job is our own echo and changes nothing.
    """
    places: dict[str, Planned] = {}
    entries: list[AsIsEntry] = []
    unplanned = [j for j in jobs.values() if j.planned_start is None and j.id not in situation.as_is]
    assumed = (
        assume_starts(
            unplanned,
            situation.horizon,
            situation.calendar,
            situation.site.zone,
            fixed=released(jobs, situation),
            others=[j for j in jobs.values() if j not in unplanned],
        )
        if unplanned
        else {}
    )
    for id, job in sorted(jobs.items()):
        entry = situation.as_is.get(id)
        said = production_place(job)
        if entry is None:
            place, cause = (said, Cause.RELEASED) if said else (assumed.get(id), Cause.ASSUMED)
            if place is None:
                continue
            places[id] = place
            if due_to_freeze(situation, place):
                entries.append(AsIsEntry(planned=place, revision=job.revision, cause=cause, frozen_at=situation.now))
            continue
        places[id] = entry.planned
        moved = (
            said is not None
            and job.revision > entry.revision
            and (said.start, said.machine) != (entry.planned.start, entry.planned.machine)
        )
        if (
            moved
            and said is not None
            and said != situation.accepted.get(id)
            and not same_place(said, situation.accepted.get(id))
        ):
            places[id] = said
            entries.append(
                AsIsEntry(planned=said, revision=job.revision, cause=Cause.REPLANNED, frozen_at=situation.now)
            )
    entries += pushed_by_facts(situation, jobs, places, limits)
    return places, tuple(entries)


def same_place(a: Planned | None, b: Planned | None) -> bool:
    return a is not None and b is not None and (a.start, a.machine) == (b.start, b.machine)


def production_place(job: Job) -> Planned | None:
    """Where production itself says the job runs; None where it does not say."""
    if job.planned_start is None:
        return None
    mode = next((m for m in job.modes if m.machine == job.planned_machine), job.modes[0])
    end = job.planned_start + timedelta(minutes=mode.minutes)
    return Planned(job=job.id, machine=mode.machine, start=job.planned_start, end=end, mode=mode.name)


def released(jobs: Mapping[str, Job], situation: Situation) -> dict[str, Planned]:
    """Where the jobs stand that have a place: the frozen one, else production's."""
    places = {id: entry.planned for id, entry in situation.as_is.items() if id in jobs}
    for id, job in jobs.items():
        said = production_place(job)
        if id not in places and said is not None:
            places[id] = said
    return places


def due_to_freeze(situation: Situation, place: Planned) -> bool:
    """As-is is frozen when a job may be planned for the first time, or when the cut-off of the day before has passed."""
    if situation.movable.holds(place.start) or place.job in situation.touched:
        return True
    cut_off = offer_times.cut_off_before(place.start, situation.calendar.rules.cut_off, situation.site.zone)
    return situation.now >= cut_off


def pushed_by_facts(
    situation: Situation, jobs: Mapping[str, Job], places: dict[str, Planned], limits: Effects
) -> list[AsIsEntry]:
    """New as-is entries for jobs not yet started that a fact makes impossible where they stand: production itself would
    wait, and no saving may come of that. Changes `places`."""
    entries = []
    running = {run.job for run in situation.runs}
    for id, place in sorted(places.items()):
        if id in running:
            continue
        start, cause = place.start, None
        if (there := limits.earliest.get(id)) is not None and there > start:
            start, cause = there, Cause.MATERIAL
        for closure in limits.closed(place.machine):
            if Interval(start, start + (place.end - place.start)).overlaps(closure.interval):
                start, cause = closure.interval.end, Cause.BREAKDOWN
        if cause is None:
            continue
        start = situation.horizon.time_of(situation.horizon.slot_edge(start))
        places[id] = replace(place, start=start, end=start + (place.end - place.start))
        entries.append(AsIsEntry(planned=places[id], revision=jobs[id].revision, cause=cause, frozen_at=situation.now))
    return entries
