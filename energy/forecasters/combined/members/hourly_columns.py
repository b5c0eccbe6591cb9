"""What each day's forecast can stand on, cell by cell: what was known of the target, the drivers, and the calendar."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.days import DayKind
from energy.model.forecast import Target

Floats = NDArray[np.float64]

LAGS = (1, 2, 3, 7)  # days before, counted from the last one known
ALIKE = 4  # days of the same kind
DRIVER_LAGS = (1, 7)
DRIVER_KNOWN = 0.5  # of the cells ahead, or a driver is not used

LAG, SHAPE, DRIVER, SQUARE, CALENDAR = 0.1, 0.03, 1.0, 0.3, 1.0  # prior scales


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Columns over all cells (rows, slots a day), their prior scales, and which are standardized."""

    shape: tuple[int, int]
    values: list[Floats] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    standardized: list[bool] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, name: str, values: Floats, spread: float, *, standardized: bool = True) -> None:
        self.names.append(name)
        self.values.append(np.broadcast_to(values, self.shape))
        self.spreads.append(spread)
        self.standardized.append(standardized)


def columns_of(days: Days, lead: int, *, seen: int, yearly: bool) -> Columns:
    """All columns for forecasts of the row `lead` days after the first one ahead. Nothing is reckoned over rows that do not
    belong together but those before `seen`, the first issue."""
    columns = Columns(shape=days.y.shape)
    add_target(columns, days, lead)
    for name, series in days.drivers.items():
        if np.isnan(series[days.issue :]).mean() <= 1 - DRIVER_KNOWN:
            add_driver(columns, name, carried(series), seen)
    add_calendar(columns, days, yearly=yearly)
    return columns


def add_target(columns: Columns, days: Days, lead: int) -> None:
    """What was known of the target: the same slot of days before, the last day's shape and figures, days of the kind."""
    y = carried(days.y)
    for lag in LAGS:
        back = lag + lead if lag < 7 else 7 * -(-(lead + 1) // 7)
        columns.add(f"{back} days before", before(y, back), LAG)
    last = before(y, lead + 1)
    columns.add("last value", last[:, -1:], LAG)
    columns.add("lowest of the last day", last.min(axis=1, keepdims=True), LAG)
    columns.add("highest of the last day", last.max(axis=1, keepdims=True), LAG)
    columns.add("mean of the last day", last.mean(axis=1, keepdims=True), LAG)
    week = np.mean([before(y, lead + back) for back in range(1, 8)], axis=0)
    columns.add("mean of a week", week, LAG)
    if days.target is Target.BASE_LOAD:
        columns.add("mean of days of the kind", alike(days, lead), LAG)
    hour = max(1, 60 // days.step_minutes)
    for first in range(0, days.slots, hour):
        columns.add(f"last day, slot {first}", last[:, first : first + hour].mean(axis=1, keepdims=True), SHAPE)


def add_driver(columns: Columns, name: str, series: Floats, seen: int) -> None:
    columns.add(name, series, DRIVER)
    for lag in DRIVER_LAGS:
        columns.add(f"{name} {lag} days before", before(series, lag), DRIVER)
    middle, spread = float(np.mean(series[:seen])), float(np.std(series[:seen])) or 1.0
    columns.add(f"{name} squared", np.square((series - middle) / spread), SQUARE)


def add_calendar(columns: Columns, days: Days, *, yearly: bool) -> None:
    weekday = days.weekday
    for each in range(7):
        columns.add(f"weekday {each}", (weekday == each).astype(np.float64), CALENDAR, standardized=False)
    holiday = (days.kind == int(DayKind.CLOSED)) & (weekday < 6)
    if holiday[: days.issue].any():
        columns.add("holiday", holiday.astype(np.float64), CALENDAR, standardized=False)
    if yearly:
        angle = 2 * np.pi * days.ordinal / 365.25
        columns.add("yearly sine", np.sin(angle), CALENDAR, standardized=False)
        columns.add("yearly cosine", np.cos(angle), CALENDAR, standardized=False)


def alike(days: Days, lead: int) -> Floats:
    """(rows, slots): the mean of the last days of the same kind that were known."""
    y, told = carried(days.y), np.empty(days.y.shape)
    for date in np.unique(days.ordinal[0]):  # slots of one local date have their kind in common
        here = days.ordinal[0] == date
        kind = days.kind[:, here][:, 0]
        seen = np.full((days.rows, int(here.sum())), np.nan)
        for each in np.unique(kind):
            rows = np.flatnonzero(kind == each)
            sums = np.cumsum(np.vstack([np.zeros((1, seen.shape[1])), y[np.ix_(rows, here)]]), axis=0)
            known = np.searchsorted(
                rows, np.arange(days.rows) - lead
            )  # days of the kind before the last one known ends
            first = np.maximum(known - ALIKE, 0)
            mean = (sums[known] - sums[first]) / np.maximum(known - first, 1)[:, None]
            seen[rows] = np.where((known > first)[:, None], mean, np.nan)[rows]
        told[:, here] = np.where(np.isnan(seen), before(y, lead + 1)[:, here], seen)
    return told


def before(values: Floats, rows: int) -> Floats:
    """The values so many rows before; before the first row that row."""
    return values[np.maximum(np.arange(len(values)) - rows, 0)]


def carried(values: Floats) -> Floats:
    """Unknown cells with the last known value of their slot; before the first one the first, and 0 where none is known."""
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values))[:, None], -1), axis=0)
    first = np.argmax(known, axis=0)
    filled = values[np.where(last >= 0, last, first[None, :]), np.arange(values.shape[1])[None, :]]
    return np.nan_to_num(filled, nan=0.0)
