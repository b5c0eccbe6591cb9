"""Invented machines for the tests of insight: their true power second by second, and what a meter makes of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from energy.insight.levels import Told, histogram, learn_levels
from energy.insight.trace import Trace, trace
from energy.model.horizon import Interval
from energy.model.insight import Levels
from energy.model.meter import IntervalEnergy, Quality, Reading

MONDAY = datetime(2026, 5, 11, 22, 0, tzinfo=UTC)  # local midnight in Berlin: Tuesday the 12th
Part = tuple[float, float | Callable[[np.ndarray], np.ndarray]]
"""(hours, power in kW, or a function of the seconds since its start)."""


def truth(parts: Sequence[Part], *, noise: float = 0.01, seed: int = 1, every: int = 10) -> np.ndarray:
    """The power of each `every` seconds, with a machine's ripple."""
    dice = np.random.default_rng(seed)
    rows = []
    for hours, kw in parts:
        at = np.arange(round(hours * 3600 / every)) * float(every)
        rows.append(kw(at) if callable(kw) else np.full(len(at), float(kw)))
    row = np.concatenate(rows)
    return row * (1.0 + noise * dice.standard_normal(len(row)))


def thermostat(kw: float, period: float, duty: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda at: np.where(at % period < duty * period, kw, 0.2)


def readings(row: np.ndarray, *, start: datetime = MONDAY, every: int = 10) -> list[Reading]:
    """What a meter polled at that pace says; NaN is a reading that never came."""
    return [
        Reading(meter="m", taken_at=start + timedelta(seconds=every * k), power_kw=float(kw))
        for k, kw in enumerate(row)
        if not np.isnan(kw)
    ]


def intervals(row: np.ndarray, *, start: datetime = MONDAY, every: int = 10, minutes: int = 15) -> list[IntervalEnergy]:
    """What its counter says; an interval that touches a gap is missing."""
    size = minutes * 60 // every
    return [
        IntervalEnergy(
            meter="m",
            start=start + timedelta(minutes=minutes * k),
            minutes=minutes,
            import_kwh=None if np.isnan(part).any() else float(part.sum()) * every / 3600.0,
            export_kwh=None,
            quality=Quality.MISSING if np.isnan(part).any() else Quality.MEASURED,
        )
        for k, part in enumerate(row[: len(row) // size * size].reshape(-1, size))
    ]


def fine(row: np.ndarray, *, start: datetime = MONDAY, every: int = 10) -> Trace:
    """The trace of dense readings and counters."""
    span = Interval(start, start + timedelta(seconds=every * len(row)))
    return trace(readings(row, start=start, every=every), intervals(row, start=start, every=every), span)


def coarse(row: np.ndarray, *, start: datetime = MONDAY, every: int = 10) -> Trace:
    """The trace of counters alone."""
    span = Interval(start, start + timedelta(seconds=every * len(row)))
    return trace([], intervals(row, start=start, every=every), span, step_seconds=60)


def levels(told: Trace, prior: Told | None = None, **more) -> Levels:
    """The levels learned from a trace."""
    found = learn_levels({told.start.date(): histogram(told.kw, told.step_hours)}, prior or Told(), **more)
    assert found is not None
    return found
