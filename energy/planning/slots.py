"""Jobs in slots: how long a mode runs, what it draws in each slot, and where an instant lies."""

import math
from dataclasses import replace
from datetime import datetime

from energy.model.horizon import Horizon
from energy.model.job import Job, Mode, Planned
from energy.model.problem import (
    Placement,
    Problem,
)


def slots_of(mode: Mode, step_minutes: int) -> int:
    """How many slots a run touches when it starts at a slot's edge."""
    return max(1, math.ceil(mode.minutes / step_minutes))


def slot_powers(mode: Mode, step_minutes: int) -> tuple[float, ...]:
    """The mean power of each slot of a run, kW; the energy of the run is kept exactly."""
    count, parts = slots_of(mode, step_minutes), len(mode.power_kw)
    part_minutes = mode.minutes / parts
    powers = []
    for slot in range(count):
        begin, end = slot * step_minutes, (slot + 1) * step_minutes
        kw_minutes = sum(
            kw * max(0.0, min(end, (i + 1) * part_minutes) - max(begin, i * part_minutes))
            for i, kw in enumerate(mode.power_kw)
        )
        powers.append(kw_minutes / step_minutes)
    return tuple(powers)


def slot_near(horizon: Horizon, t: datetime) -> int:
    """The slot whose start is nearest to an instant (a half goes to the later one)."""
    return horizon.slot_of(t + horizon.step / 2)


def mode_of(job: Job, planned: Planned) -> Mode:
    """The way a job runs at a place; a machine that is not among its ways gets the first way's time and power."""
    for mode in job.modes:
        if mode.machine == planned.machine and mode.name == planned.mode:
            return mode
    return replace(job.modes[0], machine=planned.machine, name=planned.mode)


def planned_at(problem: Problem, place: Placement) -> Planned:
    """A placement in time. The end is that of its last slot."""
    option = problem.job(place.job).option(place.machine, place.mode)
    horizon = problem.horizon
    return Planned(
        job=place.job,
        machine=place.machine,
        start=horizon.time_of(place.start),
        end=horizon.time_of(place.start + option.slots),
        mode=place.mode,
    )
