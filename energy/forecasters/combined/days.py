"""The past and the horizon as whole days that begin at the wall time of issue: what every member of a combined forecast sees.

A row is a day of 24 hours by the wall clock, a column a slot of it. A forecast that is issued at 14:00 has rows from
14:00 to 14:00. A wall time that a clock change repeats holds the mean of both, one that it skips is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.days import closed_days, kind_of, local_slots
from energy.forecasters.similar import at_step
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Days:
    """Rows are days, columns slots of the wall clock; NaN is unknown, and all of `y` from `issue` on is.

    `y` is (rows, slots a day) in the target's unit, each driver of the same shape, known over the rows ahead too.
    """

    target: Target
    y: Floats
    drivers: Mapping[str, Floats]
    issue: int  # the first row that is forecast; the rows ahead are those from here on
    step_minutes: int
    minute: Ints  # (slots a day) wall-clock minute at which each column starts
    ordinal: Ints  # (rows, slots a day) the local date of each cell, as an ordinal
    kind: Ints  # (rows, slots a day) DayKind of the local date
    latitude: float | None = None  # degrees north, where the plant is known to stand

    @property
    def rows(self) -> int:
        return len(self.y)

    @property
    def slots(self) -> int:
        """Slots a day."""
        return int(self.y.shape[1])

    @property
    def ahead(self) -> int:
        """Rows that are forecast."""
        return self.rows - self.issue

    @property
    def weekday(self) -> Ints:
        """(rows, slots a day): 0 is Monday."""
        return (self.ordinal + 6) % 7

    def as_of(self, issue: int) -> "Days":
        """The same days as they were known when an earlier row was the first to be forecast, as far ahead as now (less
        at the end, where the rows end)."""
        end = min(issue + self.ahead, self.rows)
        y = self.y[:end].copy()
        y[issue:] = np.nan
        return Days(
            target=self.target,
            y=y,
            drivers={name: values[:end] for name, values in self.drivers.items()},
            issue=issue,
            step_minutes=self.step_minutes,
            minute=self.minute,
            ordinal=self.ordinal[:end],
            kind=self.kind[:end],
            latitude=self.latitude,
        )


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Laid:
    """Days, and where each slot of the horizon stands in them. Slots finer than those of the days share a cell."""

    days: Days
    row: Ints  # of each slot of the horizon
    column: Ints
    first_day: int  # the local date (ordinal) on which row 0 begins
    origin: int  # the wall minute at which rows begin
    zone: str
    flags: tuple[str, ...]

    def cells_of(self, horizon: Horizon) -> tuple[Ints, Ints]:
        """The row and the column of each slot of any horizon on the same step."""
        wall = local_slots(horizon, self.zone, frozenset())
        since = wall.day * DAY_MINUTES + wall.minute - self.origin
        return since // DAY_MINUTES - self.first_day, since % DAY_MINUTES // self.days.step_minutes

    @property
    def asked(self) -> NDArray[np.bool_]:
        """(rows ahead, slots a day): the cells ahead that the horizon holds."""
        cells = np.zeros((self.days.ahead, self.days.slots), dtype=np.bool_)
        cells[self.row - self.days.issue, self.column] = True
        return cells

    def on_horizon(self, ahead: Floats) -> Floats:
        """Values of the rows ahead (rows ahead, slots a day) as one value a slot of the horizon."""
        return ahead[self.row - self.days.issue, self.column]


def made_on(series: Horizon, horizon: Horizon, least_minutes: int) -> Horizon:
    """The horizon in whole slots of the step on which a forecast is made: that of the past or `least_minutes` where they
    are coarser, else its own. It may begin before the horizon and end after it."""
    step = horizon.step_minutes
    for coarser in (series.step_minutes, least_minutes):
        if coarser > step and coarser % step == 0 and DAY_MINUTES % coarser == 0:
            step = coarser
    if step == horizon.step_minutes:
        return horizon
    edge = series.start if series.step_minutes == step else datetime(2000, 1, 1, tzinfo=UTC)
    length = timedelta(minutes=step)
    start = edge + (horizon.start - edge) // length * length
    return Horizon(start, max(1, -((start - horizon.end) // length)), step)


def laid_out(target: Target, past: Past, horizon: Horizon, *, most_days: int, least_minutes: int = 0) -> Laid | None:
    """The past, not more than so many days of it, and the horizon as days; None where nothing is known of the past."""
    ahead = made_on(past.target.horizon, horizon, least_minutes)
    step = ahead.step_minutes
    seen = at_step(past.target, ahead)
    slots_a_day = DAY_MINUTES // step
    end = min(seen.horizon.slots, max(0, seen.horizon.slot_of(ahead.start)))
    first = max(0, end - most_days * slots_a_day)
    if not seen.known[first:end].any():
        return None
    span = Horizon.between(seen.horizon.time_of(first), ahead.end, step)
    closed, flags = closed_days(past, range(span.start.year - 1, span.end.year + 2))
    wall = local_slots(span, past.zone, closed)
    issued_in = span.slots - ahead.slots  # the slot of the span at which the horizon begins
    origin = int(wall.minute[issued_in])  # the wall minute at which the days begin
    since = wall.day * DAY_MINUTES + wall.minute - origin
    first_day = int(since[0] // DAY_MINUTES)
    row, column = since // DAY_MINUTES - first_day, since % DAY_MINUTES // step
    rows, issue = int(row[-1]) + 1, int(row[issued_in])

    def table(series: Series, until: int) -> Floats:
        values = series.over(Horizon(span.start, until, step)).values
        return averaged(values, row[:until], column[:until], (rows, slots_a_day))

    y = table(seen, min(issued_in, end - first))
    y[issue:] = np.nan
    drivers = {name: table(at_step(series, ahead), span.slots) for name, series in past.drivers}
    ordinal, kind = calendar_of(first_day, rows, origin, slots_a_day, step, closed)
    days = Days(target=target, y=y, drivers=drivers, issue=issue, step_minutes=step,
                minute=(origin + np.arange(slots_a_day) * step) % DAY_MINUTES, ordinal=ordinal, kind=kind,
                latitude=past.latitude)  # fmt: skip
    late = (horizon.start - ahead.start) // timedelta(minutes=1)
    in_slot = issued_in + (late + np.arange(horizon.slots) * horizon.step_minutes) // step
    return Laid(days=days, row=row[in_slot], column=column[in_slot], first_day=first_day, origin=origin,
                zone=past.zone, flags=flags)  # fmt: skip


def averaged(values: Floats, row: Ints, column: Ints, shape: tuple[int, int]) -> Floats:
    """Values put into their cells; a cell of two known values holds their mean, one without any is NaN."""
    known = ~np.isnan(values)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (row[known], column[known]), values[known])
    np.add.at(count, (row[known], column[known]), 1.0)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(count > 0, total / count, np.nan)
    return means


def calendar_of(
    first_day: int, rows: int, origin: int, slots: int, step: int, closed: frozenset[date]
) -> tuple[Ints, Ints]:
    """The local date (ordinal) and the kind of day of each cell; a row that begins at 14:00 has two dates."""
    minutes = origin + np.arange(slots) * step
    ordinal = first_day + np.arange(rows)[:, None] + (minutes // DAY_MINUTES)[None, :]
    dates = np.arange(int(ordinal.min()), int(ordinal.max()) + 1)
    kinds = np.array([int(kind_of(date.fromordinal(int(d)), closed)) for d in dates], dtype=np.int64)
    return ordinal.astype(np.int64), kinds[ordinal - dates[0]]
