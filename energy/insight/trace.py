"""The power of a machine over a span on a fine, even grid: its shape from readings, its energy from the counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.model.horizon import Interval
from energy.model.insight import Detail
from energy.model.meter import IntervalEnergy, Quality, Reading

Row = NDArray[np.float64]
STEP_SECONDS = 10  # of the grid, as meters are usually polled
COARSE_SECONDS = 60  # where only intervals are known
HOLD_SECONDS = 90.0  # a reading speaks for this long at most, then the power is unknown
SHAPES = (Quality.MEASURED, Quality.INTERPOLATED, Quality.IMPORTED)
DENSE = 0.6  # share of a slot that readings must cover to give it its shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Mean power of even steps, kW; NaN is unknown. `fine` marks steps whose shape comes from readings."""

    start: datetime
    step_seconds: int
    kw: Row
    fine: NDArray[np.bool_]

    @property
    def step_hours(self) -> float:
        return self.step_seconds / 3600.0

    @property
    def end(self) -> datetime:
        return self.time_of(len(self.kw))

    @property
    def known(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.kw)

    @property
    def detail(self) -> Detail:
        if not self.known.any():
            return Detail.NOTHING
        share = float(self.fine[self.known].mean())
        return Detail.READINGS if share > 0.95 else Detail.INTERVALS if share < 0.05 else Detail.MIXED

    def time_of(self, step: int) -> datetime:
        return self.start + timedelta(seconds=step * self.step_seconds)

    def step_of(self, t: datetime) -> int:
        return int((t - self.start).total_seconds() // self.step_seconds)

    def kwh(self, first: int, end: int) -> float | None:
        """The energy of steps [first, end); None where none of them is known."""
        part = self.kw[first:end]
        return None if np.isnan(part).all() else float(np.nansum(part)) * self.step_hours

    def cut(self, span: Interval) -> "Trace":
        """The part within a span whose edges lie on steps."""
        first, end = max(0, self.step_of(span.start)), min(len(self.kw), self.step_of(span.end))
        return Trace(
            start=self.time_of(first),
            step_seconds=self.step_seconds,
            kw=self.kw[first:end],
            fine=self.fine[first:end],
        )


def trace(
    readings: Sequence[Reading],
    intervals: Sequence[IntervalEnergy],
    span: Interval,
    *,
    step_seconds: int = STEP_SECONDS,
) -> Trace:
    """The power over a span. Where readings are dense their shape is taken and scaled so that each interval keeps the
    energy of its counters; elsewhere a step has the mean of its interval; where nobody knows it is NaN.

    A SPREAD interval is the share of a longer gap: its energy is known, when it was drawn is not, so its power is not."""
    steps = int((span.end - span.start).total_seconds()) // step_seconds
    kw = held_power(readings, span.start, steps, step_seconds)
    fine = ~np.isnan(kw)
    for one in intervals:
        first = max(0, round((one.start - span.start).total_seconds() / step_seconds))
        end = min(
            steps, round((one.start - span.start).total_seconds() / step_seconds + one.minutes * 60 / step_seconds)
        )
        if first >= end:
            continue
        shape, covered = kw[first:end], fine[first:end]
        known = one.quality in SHAPES and one.net_kw is not None
        counted = one.net_kw if known else None
        if covered.mean() >= DENSE and (counted is None or not covered.all() or agree(shape, counted)):
            kw[first:end] = shape * (counted / shape.mean()) if counted and covered.all() else shape
        elif counted is not None:
            kw[first:end], fine[first:end] = counted, False
        else:
            kw[first:end], fine[first:end] = np.nan, False
    return Trace(start=span.start, step_seconds=step_seconds, kw=kw, fine=fine)


def held_power(readings: Sequence[Reading], start: datetime, steps: int, step_seconds: int) -> Row:
    """Mean power of each step if each reading holds until the next one, but for HOLD_SECONDS at most."""
    said = [(r.taken_at, r.power_kw) for r in readings if r.quality.counts and r.power_kw is not None]
    if not said:
        return np.full(steps, np.nan)
    at = np.array([(t - start).total_seconds() for t, _ in said]) / step_seconds
    power = np.array([p for _, p in said])
    order = np.argsort(at, kind="stable")
    at, power = at[order], power[order]
    until = np.minimum(np.append(at[1:], np.inf), at + HOLD_SECONDS / step_seconds)
    # Energy and covered time up to each instant are straight lines between the edges of the pieces.
    edges = np.ravel(np.column_stack([at, until]))
    drawn = np.ravel(np.column_stack([power * (until - at), np.zeros_like(at)]))
    told = np.ravel(np.column_stack([until - at, np.zeros_like(at)]))
    energy = np.concatenate([[0.0], np.cumsum(drawn)[:-1]])
    covered = np.concatenate([[0.0], np.cumsum(told)[:-1]])
    grid = np.arange(steps + 1, dtype=np.float64)
    share = np.diff(np.interp(grid, edges, covered))
    total = np.diff(np.interp(grid, edges, energy))
    return np.where(share > 0.5, np.divide(total, share, where=share > 0.0, out=np.zeros(steps)), np.nan)


def agree(shape: Row, counted_kw: float) -> bool:
    """Whether readings and counters speak of the same power; where they do not, the counters are believed."""
    mean = float(shape.mean())
    return mean > 0.0 and 0.5 <= counted_kw / mean <= 2.0


def sharpened(told: Trace, slot_seconds: int) -> Trace:
    """The trace with the edges of runs where the means of coarse slots place them: a slot between a low and a high one
    is taken to have changed once, so that its mean comes out. Energy stays as it is, slot by slot."""
    size = slot_seconds // told.step_seconds
    slots = len(told.kw) // size
    if size < 2 or slots < 3:
        return told
    kw = told.kw.copy()
    means = told.kw[: slots * size].reshape(slots, size)
    coarse = np.logical_not(told.fine[: slots * size].reshape(slots, size).any(axis=1))
    mean = means.mean(axis=1)  # NaN where a part is unknown
    for k in np.flatnonzero(coarse[1:-1]) + 1:
        before, here, after = mean[k - 1], mean[k], mean[k + 1]
        low, high = min(before, after), max(before, after)
        if not (low < here < high) or high < 1.3 * max(low, 1e-9):
            continue  # NaN compares false
        then = round(size * (here - before) / (after - before))
        shape = np.where(np.arange(size) < size - then, before, after)
        kw[k * size : (k + 1) * size] = shape * (here / shape.mean()) if shape.mean() > 0 else here
    return Trace(start=told.start, step_seconds=told.step_seconds, kw=kw, fine=told.fine)
