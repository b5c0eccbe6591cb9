"""Where the jobs really can stand: what runs stays where it runs, what should have started and has not starts now, what a
breakdown or late material forbids waits, and what stands behind it waits in turn.

A conflict that the production plan itself has (two jobs at once on a machine) is left as it is, and reported.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from energy.model.job import Job, Planned
from energy.model.problem import (
    Closed,
    Placement,
)
from energy.model.run import JobRun
from energy.planning.effects import Effects
from energy.planning.situation import Situation
from energy.planning.slots import mode_of, slot_near, slots_of


def settle(situation: Situation, wanted: Mapping[str, Planned], limits: Effects) -> dict[str, Placement]:
    """Where each job really can stand, given what runs, what is late and what facts forbid. Slots of the horizon."""
    horizon = situation.horizon
    jobs = {job.id: job for job in situation.jobs}
    running = {run.job: run for run in situation.runs if run.end is None}
    placed: dict[str, Placement] = {}
    pushed: set[str] = set()
    for id, planned in wanted.items():
        job, run = jobs[id], running.get(id)
        mode = mode_of(job, replace(planned, machine=run.machine) if run else planned)
        length = slots_of(mode, horizon.step_minutes)
        if run is not None:
            start = max(slot_near(horizon, run.start), 1 - length)  # an overrun is taken to end with the first slot
            pushed.add(id)
        else:
            start = slot_near(horizon, planned.start)
            if start < 0:
                start = 0
                pushed.add(id)
        placed[id] = Placement(job=id, machine=mode.machine, start=start, mode=mode.name)
    for _ in range(len(placed) + 1):
        if not _push_once(situation, jobs, running, placed, pushed, limits):
            break
    return placed


def _push_once(
    situation: Situation,
    jobs: Mapping[str, Job],
    running: Mapping[str, JobRun],
    placed: dict[str, Placement],
    pushed: set[str],
    limits: Effects,
) -> bool:
    """Push what cannot stand where it is; True where anything moved."""
    horizon, moved = situation.horizon, False

    def length(id: str) -> int:
        mode = mode_of(
            jobs[id],
            Planned(job=id, machine=placed[id].machine, start=situation.now, end=situation.now, mode=placed[id].mode),
        )
        return slots_of(mode, horizon.step_minutes)

    before: dict[str, tuple[int, bool]] = {}
    for id in sorted(placed, key=lambda i: (placed[i].start, i not in running, i)):
        place, start = placed[id], placed[id].start
        if id not in running:
            free, waits = before.get(place.machine, (start, False))
            if waits and free > start:
                start = free
            for follow in jobs[id].follows:
                if follow.job in placed and follow.job in pushed:
                    lag = math.ceil(follow.at_least_minutes / horizon.step_minutes)
                    start = max(start, placed[follow.job].start + length(follow.job) + lag)
            if (there := limits.earliest.get(id)) is not None:
                start = max(start, horizon.slot_edge(there))
            for closure in limits.closed(place.machine):
                first, last = horizon.slot_of(closure.interval.start), horizon.slot_edge(closure.interval.end)
                if start < last and first < start + length(id):
                    start = last
            if start != place.start:
                placed[id] = replace(place, start=start)
                pushed.add(id)
                moved = True
        end = start + length(id)
        free, waits = before.get(place.machine, (end, False))
        before[place.machine] = (max(free, end), id in pushed or (waits and free > start))
    return moved


def within(
    situation: Situation, as_is: Mapping[str, Placement], in_force: Mapping[str, Placement]
) -> tuple[list[str], tuple[str, ...]]:
    """The jobs that both chains end within the horizon, and what was left out, in words."""
    jobs = {job.id: job for job in situation.jobs}
    kept, left_out = [], []
    for id in sorted(as_is):
        ends = []
        for place in (as_is[id], in_force[id]):
            planned = Planned(job=id, machine=place.machine, start=situation.now, end=situation.now, mode=place.mode)
            ends.append(place.start + slots_of(mode_of(jobs[id], planned), situation.horizon.step_minutes))
        if max(ends) > situation.horizon.slots:
            left_out.append(f"job {id} ends beyond the horizon")
        elif max(ends) <= 0:
            left_out.append(f"job {id} is over")
        else:
            kept.append(id)
    return kept, tuple(left_out)


def past_the_end(
    situation: Situation, in_force: Mapping[str, Placement], kept: Sequence[str]
) -> dict[str, list[Closed]]:
    """The machine time that jobs need which start within the horizon and end beyond it."""
    blocked: dict[str, list[Closed]] = {}
    inside = set(kept)
    for id, place in sorted(in_force.items()):
        if id not in inside and place.start < situation.horizon.slots:
            closed = Closed(
                start=max(0, place.start), end=situation.horizon.slots, why=f"job {id} runs past the horizon"
            )
            blocked.setdefault(place.machine, []).append(closed)
    return blocked
