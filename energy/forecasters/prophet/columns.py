"""The columns that Prophet weighs: a daily shape for each kind of day, lags, and drivers, all in the local calendar.

Prophet itself sees UTC times without a zone. A daily seasonality in UTC would move by one hour twice a year, and
local times have twins and holes on those days; so the shape of the day comes in as Fourier terms of the wall clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.days import DayKind
from energy.forecasters.prophet.fit import Regressor
from energy.forecasters.prophet.ground import Ground
from energy.forecasters.similar import Depth, at_step
from energy.model.series import Series

Floats = NDArray[np.float64]

SHAPE_SPREAD = 3.0  # of the daily shapes, in units of the largest value seen
LAG_SPREAD = 1.0
DRIVER_SPREAD = 0.5
DRIVER_KNOWN = 0.9  # of the slots, or a driver is not used

SIMILAR = "similar days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """All regressors over the past and the horizon together, and in which readable part each belongs."""

    regressors: list[Regressor] = field(default_factory=list)
    values: dict[str, Floats] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, part: str, regressor: Regressor, values: Floats) -> None:
        self.regressors.append(regressor)
        self.values[regressor.name] = values
        self.parts.setdefault(part, []).append(regressor.name)


def columns_of(
    ground: Ground, drivers: Sequence[tuple[str, Series]], *, terms: int, depth: Depth | None
) -> tuple[Columns, list[str]]:
    """All columns of a forecast, and a flag for each driver that could not be used. Without a depth there are no lags."""
    columns, flags = Columns(), []
    add_daily_shapes(columns, ground, terms)
    if depth is not None:
        add_lags(columns, ground, depth)
    for name, series in drivers:
        values, why = driver(series, ground)
        if why:
            flags.append(f"driver {name!r} is not used: {why}")
        else:
            columns.add(f"driver {name}", Regressor(name=f"driver {name}", spread=DRIVER_SPREAD), values)
    return columns, flags


def add_daily_shapes(columns: Columns, ground: Ground, terms: int) -> None:
    """One daily shape for each kind of day that the past has, and a level of its own for all but the first."""
    angle = 2 * np.pi * ground.slots.minute / (24 * 60)
    kinds = [0] if ground.alike else np.unique(ground.slots.kind[: ground.seen.horizon.slots]).tolist()
    for place, kind in enumerate(kinds):
        part = "daily" if ground.alike else f"daily, {DayKind(kind).words}"
        on = np.ones(len(angle)) if ground.alike else (ground.slots.kind == kind).astype(np.float64)
        if place:
            columns.add(part, Regressor(name=f"{part} level", spread=SHAPE_SPREAD, standardize=False), on)
        for term in range(1, terms + 1):
            for name, wave in (("sin", np.sin(term * angle)), ("cos", np.cos(term * angle))):
                regressor = Regressor(name=f"{part} {name} {term}", spread=SHAPE_SPREAD / term, standardize=False)
                columns.add(part, regressor, on * wave)


def add_lags(columns: Columns, ground: Ground, depth: Depth) -> None:
    """What was known by then of the same wall time: similar days, the last day, the day one week before."""
    similar = similar_by_then(ground, depth)
    columns.add(SIMILAR, Regressor(name=SIMILAR, spread=LAG_SPREAD), similar)
    week = 7 * -(-ground.lead_days // 7)
    lags = {"a week before" if lag == 7 else f"{lag} days before" if lag > 1 else "the day before": lag
            for lag in (ground.lead_days, week)}  # fmt: skip
    for name, lag in lags.items():
        lagged = lagged_days(ground, lag)
        columns.add(name, Regressor(name=name, spread=LAG_SPREAD), np.where(np.isnan(lagged), similar, lagged))


def similar_by_then(ground: Ground, depth: Depth) -> Floats:
    """The similar-day mean of each slot from the days that are known as far ahead as the horizon reaches."""
    place, similar = ground.slots.minute // ground.table.step_minutes, np.full(ground.span.slots, np.nan)
    for day in np.unique(ground.slots.day):
        here = ground.slots.day == day
        kind = int(ground.slots.kind[here][0])
        mean, _ = ground.table.similar(int(day) + 1 - ground.lead_days, kind, depth, alike=ground.alike)
        similar[here] = mean[place[here]]
    return np.where(np.isnan(similar), float(np.nanmedian(ground.table.values)), similar)


def lagged_days(ground: Ground, days: int) -> Floats:
    """The values at the same wall time so many days before; NaN where unknown."""
    row = ground.slots.day - days - ground.table.first
    last = len(ground.table.values) - 1
    place = ground.slots.minute // ground.table.step_minutes
    return np.where((row >= 0) & (row <= last), ground.table.values[np.clip(row, 0, last), place], np.nan)


def driver(series: Series, ground: Ground) -> tuple[Floats, str]:
    """A driver over past and horizon, its small gaps filled from the day before; or why it cannot be used."""
    values = at_step(series, ground.span).over(ground.span).values.copy()
    past, ahead = values[ground.fitted_from : -ground.ahead.slots], values[-ground.ahead.slots :]
    if np.isnan(ahead).mean() > 1 - DRIVER_KNOWN:
        return values, "not known over the horizon"
    if np.isnan(past).mean() > 1 - DRIVER_KNOWN:
        return values, "too many gaps in its past"
    if np.nanmax(past) == np.nanmin(past):
        return values, "it never changed"
    day = 24 * 60 // ground.span.step_minutes
    middle = float(np.nanmedian(values))
    for slot in np.flatnonzero(np.isnan(values)).tolist():
        values[slot] = values[slot - day] if slot >= day else middle
    return values, ""
