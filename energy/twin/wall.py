"""Local wall time of a row of slots, as numbers: what load curves and markets go by."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from energy.clock import local
from energy.model.horizon import Horizon
from energy.twin.noise import Floats


@dataclass(frozen=True, slots=True)
class Wall:
    """The middle of each slot: `epoch_hours` since 1970 in UTC, `hour` of the local day, local `day` since 1970,
    `weekday` (0 = Monday) and `season` (the part of the year gone by, 0 to 1)."""

    epoch_hours: Floats
    hour: Floats
    day: NDArray[np.int64]
    weekday: NDArray[np.int64]
    season: Floats


def middle_hours(horizon: Horizon) -> Floats:
    """Hours since 1970, in UTC, of the middle of each slot."""
    start = horizon.start.timestamp() / 3600.0
    middles: Floats = start + (np.arange(horizon.slots, dtype=np.float64) + 0.5) * horizon.step_hours
    return middles


def wall(horizon: Horizon, zone: str) -> Wall:
    """The local wall time of each slot; clock changes happen on the hour in UTC, everywhere."""
    hours = middle_hours(horizon)
    whole = np.floor(hours).astype(np.int64)
    known, where = np.unique(whole, return_inverse=True)
    offsets = np.array([_offset_hours(int(hour), zone) for hour in known])
    there = hours + (offsets[where] if len(known) else 0.0)
    day: NDArray[np.int64] = np.floor(there / 24.0).astype(np.int64)
    return Wall(
        epoch_hours=hours,
        hour=there - 24.0 * day,
        day=day,
        weekday=(day + 3) % 7,  # the first of January 1970 was a Thursday
        season=(there / 24.0 / 365.2425) % 1.0,
    )


def _offset_hours(epoch_hour: int, zone: str) -> float:
    offset = local(datetime.fromtimestamp(epoch_hour * 3600, UTC), zone).utcoffset()
    return offset.total_seconds() / 3600.0 if offset is not None else 0.0
