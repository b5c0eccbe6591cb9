"""A load as it can be believed: frozen values are unknown, and what was noticed about its level is said."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.change import changes
from energy.forecasters.combined.days import Days, Laid

Floats = NDArray[np.float64]

FROZEN_MINUTES = 180  # one value for so long, while the plant works, is a meter or a line that stood still
FROZEN_SLOTS = 6
NATURAL_SHARE = 0.05  # of all that is known: where such runs are that common, the load really is like that
OFF_SHARE = 0.15  # of the span above the base: what stands still down there is a plant that is off
OFF_DAYS = 3.0  # of nothing at all up to now: then the plant really is off
SAID_DAYS = 21  # for so long something noticed is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Slots in a row that hold one value."""

    start: int
    end: int
    value: float


def believed(laid: Laid, unit: str) -> Laid:
    """The same days without frozen values, and what a planner should know about the level."""
    days, notes = thawed(laid.days)
    notes += [change.told(days, unit) for change in changes(days) if change.known_from > days.issue - SAID_DAYS]
    return replace(laid, days=days, flags=(*laid.flags, *notes))


def thawed(days: Days) -> tuple[Days, list[str]]:
    """The days with frozen values unknown, and what to say of those of the last weeks."""
    flat = days.y[: days.issue].ravel()
    frozen = frozen_runs(flat, days.step_minutes)
    if not frozen:
        return days, []
    y = days.y.copy()
    cells = y.reshape(-1)
    for run in frozen:
        cells[run.start : run.end] = np.nan
    late = [run for run in frozen if run.end > (days.issue - SAID_DAYS) * days.slots]
    notes = []
    if late:
        on = date.fromordinal(int(days.ordinal.ravel()[late[-1].start]))
        hours = sum(run.end - run.start for run in late) * days.step_minutes / 60
        notes = [f"{hours:.0f} h of one frozen value, last on {on:%d} {on:%B} at {late[-1].value:.4g}: not learned"]
    return replace(days, y=y), notes


def frozen_runs(flat: Floats, step_minutes: int) -> list[Run]:
    """Runs of one value that a working plant would not draw."""
    known = flat[~np.isnan(flat)]
    least = max(FROZEN_SLOTS, FROZEN_MINUTES // step_minutes)
    if len(known) < 7 * least:
        return []
    base, high = np.quantile(known, (0.05, 0.95))
    moving = known[known != 0]
    never_zero = len(moving) > 0 and np.quantile(np.abs(moving), 0.01) > 0.03 * max(abs(high), abs(base))
    runs = [run for run in equal_runs(flat) if run.end - run.start >= least]
    odd = [run for run in runs if (run.value == 0 and never_zero)
           or (run.value != 0 and run.value > base + OFF_SHARE * (high - base))]  # fmt: skip
    off_slots = OFF_DAYS * 24 * 60 / step_minutes
    odd = [run for run in odd if not (run.value == 0 and run.end == len(flat) and run.end - run.start >= off_slots)]
    common = sum(run.end - run.start for run in odd) > NATURAL_SHARE * len(known)
    return [] if common else odd


def equal_runs(flat: Floats) -> list[Run]:
    """All runs of equal neighbours; a gap ends a run."""
    if not len(flat):
        return []
    edges = np.flatnonzero(~(flat[1:] == flat[:-1])) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(flat)]])
    long = ends - starts > 1
    return [
        Run(start=int(start), end=int(end), value=float(flat[start]))
        for start, end in zip(starts[long], ends[long], strict=True)
    ]
