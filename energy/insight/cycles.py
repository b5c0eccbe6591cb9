"""Cycles: pieces of work between coming up and going down, the strokes within them, and what they took."""

import itertools
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from energy.insight.states import held_above, stretches
from energy.insight.trace import Trace
from energy.model.insight import Cycle, PowerState, StateSpan
from energy.model.job import Job
from energy.model.run import JobRun

LEAST_STROKES, LEAST_STEPS = 5, 4  # so many, each so many steps of the grid long, before they are counted
SWING, ALIKE = 0.3, 0.5  # of the peak; spread of the periods (interquartile / median)


def cycles(told: Trace, spans: Sequence[StateSpan], runs: Sequence[JobRun], jobs: dict[str, Job]) -> list[Cycle]:
    """The cycles that end within a trace; one that runs on at its end belongs to the next. Where the MES tells jobs
    apart that follow each other without a pause, there the cycle ends too."""
    made = []
    for index, span in enumerate(spans):
        if span.state is not PowerState.RUNNING or (span.end >= told.end and index == len(spans) - 1):
            continue
        gap = [s.state is PowerState.UNKNOWN for s in spans[max(0, index - 1) : index + 2]]
        for start, end in cut_at_jobs(span, runs):
            first, last = told.step_of(start), told.step_of(end)
            part = told.kw[first:last]
            if last <= first or np.isnan(part).all():
                continue
            job = most_of(start, end, runs)
            made.append(
                Cycle(
                    start=start,
                    end=end,
                    kwh=float(np.nansum(part)) * told.step_hours,
                    peak_kw=float(np.nanmax(part)),
                    strokes=strokes(told, first, last),
                    job=job,
                    product=jobs[job].product if job in jobs else "",
                    whole=not any(gap) and start > told.start,
                )
            )
    return made


def cut_at_jobs(span: StateSpan, runs: Sequence[JobRun]) -> list[tuple[datetime, datetime]]:
    """The span in pieces of one job each."""
    cuts = sorted(
        {
            run.start
            for run in runs
            if span.start < run.start < span.end
            and any(r.end and r.end <= run.start and r.end > span.start for r in runs)
        }
    )
    edges = [span.start, *cuts, span.end]
    return list(itertools.pairwise(edges))


def most_of(start: datetime, end: datetime, runs: Sequence[JobRun]) -> str:
    """The job that ran for most of a span, "" where that is less than half of it."""
    shares = {
        run.job: (min(end, run.end or end) - max(start, run.start)).total_seconds() for run in runs
    }  # fmt: skip
    job = max(shares, key=lambda j: shares[j], default="")
    return job if job and shares[job] > 0.5 * (end - start).total_seconds() else ""


def strokes(told: Trace, first: int, last: int) -> int:
    """How many regular peaks the power has within a piece of work: strokes of a press, shots of a moulding machine, as
    far as the readings are fine enough to show them; else 0."""
    part = told.kw[first:last]
    if not told.fine[first:last].all() or np.isnan(part).any() or len(part) < LEAST_STROKES * LEAST_STEPS:
        return 0
    low, high = np.percentile(part, [10, 95])
    if high <= 0 or high - low < SWING * high:
        return 0
    ups = [a for code, a, _ in stretches(held_above(part - low, 0.65 * (high - low), 0.46)) if code == 1]
    if len(ups) < LEAST_STROKES:
        return 0
    periods = np.diff(ups)
    middle = float(np.median(periods))
    q1, q3 = np.percentile(periods, [25, 75])
    return len(ups) if middle >= LEAST_STEPS and (q3 - q1) / middle <= ALIKE else 0
