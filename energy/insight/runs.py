"""A job run as the machine's meter saw it: its power over equal parts of the run, above idle."""

import numpy as np
from numpy.typing import NDArray

from energy.insight.trace import Trace
from energy.model.insight import RunSample
from energy.model.job import Job
from energy.model.run import JobRun

Row = NDArray[np.float64]
PARTS = 12  # of a run; a longer list says nothing more when a meter is read every quarter of an hour
LEAST_KNOWN = 0.95  # share of the run
LEAST_MINUTES = 10.0
ABOVE_IDLE = 0.02  # a run below this share of idle is none: the meter hangs elsewhere, or the MES told it late


def sample(told: Trace, run: JobRun, job: Job, idle_kw: float) -> RunSample | None:
    """What a run took; None where the meter does not know enough of it, or saw nothing run."""
    if run.end is None or run.start < told.start or run.end > told.end:
        return None
    minutes = (run.end - run.start).total_seconds() / 60.0
    first, last = told.step_of(run.start), told.step_of(run.end)
    part = told.kw[first:last]
    if minutes < LEAST_MINUTES or not len(part) or float(np.mean(~np.isnan(part))) < LEAST_KNOWN:
        return None
    above = filled(part) - idle_kw
    power = parts_of(above, PARTS)
    kwh = float(above.mean()) * minutes / 60.0
    if kwh <= ABOVE_IDLE * max(idle_kw, 1.0) * minutes / 60.0:
        return None
    ways = [m for m in job.modes if m.machine == run.machine]
    way = min(ways, key=lambda m: (bool(m.name), abs(m.energy_kwh - kwh)), default=None) if ways else None
    if len(ways) > 1:
        way = min(ways, key=lambda m: abs(m.minutes - minutes))  # eco and normal differ in how long they take
    return RunSample(
        job=run.job,
        product=job.product,
        mode=way.name if way else "",
        start=run.start,
        end=run.end,
        kwh=round(kwh, 4),
        power_kw=tuple(round(float(kw), 3) for kw in power),
        quantity=job.quantity or None,
        typed_kw=way.power_kw if way else (),
        typed_minutes=way.minutes if way else None,
    )


def filled(part: Row) -> Row:
    """A power with its short gaps bridged by straight lines."""
    known = ~np.isnan(part)
    at = np.arange(len(part))
    return part if known.all() else np.interp(at, at[known], part[known])


def parts_of(kw: Row, parts: int) -> Row:
    """The means of equal parts of a power over time; their mean is its mean."""
    energy = np.concatenate([[0.0], np.cumsum(kw)])
    edges = np.interp(np.linspace(0.0, len(kw), parts + 1), np.arange(len(kw) + 1), energy)
    return np.asarray(np.diff(edges) * parts / len(kw))
