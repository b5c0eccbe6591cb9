"""Bands: P10 and P90 around a middle, from errors that were really made at that time of day."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.days import LocalSlots
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

if TYPE_CHECKING:
    from energy.forecasters.similar import DayTable

Floats = NDArray[np.float64]

HALF_LIFE_DAYS = 14.0  # an error this old weighs half of one of yesterday
ENOUGH_DAYS = 7  # of errors, to speak of a tenth
ENOUGH_OF_A_KIND = 8  # days of one kind, to give it a band of its own


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """P10, P50 and P90, one entry a slot."""

    p10: Floats
    p50: Floats
    p90: Floats


def banded(
    band: Band, *, target: Target, issued_at: datetime, horizon: Horizon, unit: str, source: str, flags: tuple[str, ...]
) -> Forecast:
    """A forecast from a band; the quantiles never cross."""
    p10, p90 = np.fmin(band.p10, band.p50), np.fmax(band.p90, band.p50)
    return Forecast(
        target=target,
        issued_at=issued_at,
        p10=Series(horizon, p10, unit),
        p50=Series(horizon, band.p50, unit),
        p90=Series(horizon, p90, unit),
        source=source,
        flags=tuple(dict.fromkeys(flags)),
    )


def error_band(
    middle: Floats, ahead: LocalSlots, errors: Floats, table: "DayTable", *, alike: bool
) -> tuple[Band, bool]:
    """The band around a middle from past errors (one row a day) at the same hour and, where there are enough, on the
    same kind of day; and whether there were too few days even so."""
    measured = (~np.isnan(errors)).any(axis=1)
    if measured.sum() < ENOUGH_DAYS:
        spread = table.values[~np.isnan(table.values)] - np.nanmedian(table.values)
        return Band(middle + quantile(spread, 0.1), middle, middle + quantile(spread, 0.9)), True
    low, high = np.empty(len(middle)), np.empty(len(middle))
    hours, hour_of_column = ahead.minute // 60, np.arange(errors.shape[1]) * table.step_minutes // 60
    kinds = np.zeros_like(ahead.kind) if alike else ahead.kind
    for kind in np.unique(kinds):
        rows = measured if alike else measured & (table.kinds == kind)
        rows = rows if rows.sum() >= ENOUGH_OF_A_KIND else measured
        for hour in np.unique(hours[kinds == kind]):
            here = (kinds == kind) & (hours == hour)
            pool: Floats = errors[:, hour_of_column == hour] + np.where(rows, 0.0, np.nan)[:, None]
            pool = pool if np.isfinite(pool).any() else errors
            days = int(rows.sum())
            low[here], high[here] = -widened(-pool, days), widened(pool, days)
    return Band(middle + np.fmin(low, 0.0), middle, middle + np.fmax(high, 0.0)), False


def widened(errors: Floats, days: int) -> float:
    """The P90 of errors (one row a day, the newest last), at the conformal level of so many independent days,
    (n + 1) / n of nine tenths. Newer days weigh more: a market or a plant that has become wilder shows in its band."""
    age = np.broadcast_to(np.arange(len(errors))[::-1, None], errors.shape)
    known = np.isfinite(errors)
    values, weights = errors[known], 0.5 ** (age[known] / HALF_LIFE_DAYS)
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    level = min(1.0, 0.9 * (days + 1) / days)
    return float(values[order][min(int(np.searchsorted(reached, level)), len(values) - 1)])


def quantile(values: Floats, level: float) -> float:
    return float(np.quantile(values, level)) if len(values) else 0.0
