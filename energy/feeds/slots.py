"""What every feed's rows must be before they are believed: finite, within a band, no slot said twice, one step."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from energy.clock import local_date
from energy.errors import FeedError
from energy.model.horizon import Horizon, Interval
from energy.model.series import Series

STEPS_MINUTES = (5, 10, 15, 30, 60)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A value from an instant on; None is not known. Where the feed gives no end, the stamps around it say how long
    it holds."""

    start: datetime
    value: float | None
    end: datetime | None = None


def value_of(said: object, at: datetime, feed: str) -> float | None:
    """A number as feeds write them, also as text; null is not known. All else is not believed."""
    if said is None:
        return None
    try:
        value = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FeedError(f"{feed}: {said!r} at {at:%Y-%m-%d %H:%M} UTC is not a number; nothing of the answer is taken")
    return value


def series_of(
    stamps: Iterable[Stamp], *, unit: str, band: tuple[float, float], feed: str, market_zone: str = "UTC"
) -> list[Series]:
    """The stamps as series, one for each stretch of equal step (markets change it from one of their days to the
    next), missing slots NaN. FeedError where they contradict themselves or leave the band."""
    rows = _unique(stamps, band, feed)
    days: dict[object, list[Stamp]] = {}
    for row in rows:
        days.setdefault(local_date(row.start, market_zone), []).append(row)
    usual = _step(rows, feed)
    stretches: list[tuple[int, list[Stamp]]] = []
    for day in days.values():
        step = _step(day, feed) or usual
        if step is None:
            raise FeedError(f"{feed}: one value alone does not say how long it holds")
        if stretches and stretches[-1][0] == step:
            stretches[-1][1].extend(day)
        else:
            stretches.append((step, day))
    return [
        _series(step, stretch, unit, feed) for step, stretch in stretches if any(s.value is not None for s in stretch)
    ]


def within(series: Series, span: Interval) -> Series | None:
    """The slots of a series that touch a span; None where there are none."""
    first = max(0, series.horizon.slot_of(span.start))
    last = min(series.horizon.slots, series.horizon.slot_edge(span.end))
    if first >= last:
        return None
    horizon = Horizon(series.horizon.time_of(first), last - first, series.horizon.step_minutes)
    return series.over(horizon)


def _unique(stamps: Iterable[Stamp], band: tuple[float, float], feed: str) -> list[Stamp]:
    found: dict[datetime, Stamp] = {}
    for stamp in sorted(stamps, key=lambda s: s.start):
        if stamp.value is not None and not band[0] <= stamp.value <= band[1]:
            said = f"{stamp.value:g} at {stamp.start:%Y-%m-%d %H:%M} UTC is outside {band[0]:g} to {band[1]:g}"
            raise FeedError(f"{feed}: {said}; nothing of the answer is taken")
        known = found.setdefault(stamp.start, stamp)
        if known.value != stamp.value:
            said = f"two values for {stamp.start:%Y-%m-%d %H:%M} UTC: {known.value} and {stamp.value}"
            raise FeedError(f"{feed}: {said}; nothing of the answer is taken")
    return list(found.values())


def _step(rows: Sequence[Stamp], feed: str) -> int | None:
    """How long a value holds, in minutes: as the feed says, else the least distance of two stamps; or None."""
    said = [row.end - row.start for row in rows if row.end is not None]
    apart = [later.start - row.start for row, later in pairwise(rows)]
    if not said and not apart:
        return None
    if said and (max(said) > min(said) or min(apart, default=said[0]) < said[0]):
        raise FeedError(f"{feed}: values hold for different lengths or overlap; nothing of the answer is taken")
    least = min(said or apart)
    minutes, rest = divmod(least, timedelta(minutes=1))
    if rest or minutes not in STEPS_MINUTES:
        raise FeedError(f"{feed}: values {least} apart are no step of a market; nothing of the answer is taken")
    return minutes


def _series(step_minutes: int, rows: Sequence[Stamp], unit: str, feed: str) -> Series:
    step = timedelta(minutes=step_minutes)
    horizon = Horizon.between(rows[0].start, rows[-1].start, step_minutes) if _whole(rows, step) else None
    if horizon is None:
        raise FeedError(f"{feed}: the stamps are not on one {step_minutes} min grid; nothing of the answer is taken")
    horizon = Horizon(horizon.start, horizon.slots + 1, step_minutes)
    values = np.full(horizon.slots, np.nan)
    for row in rows:
        values[horizon.slot_of(row.start)] = np.nan if row.value is None else row.value
    return Series(horizon, values, unit)


def _whole(rows: Sequence[Stamp], step: timedelta) -> bool:
    return all(not (row.start - rows[0].start) % step for row in rows)
