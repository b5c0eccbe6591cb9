"""Every hour a straight line over all hours of the days before, the drivers and the weekday, of which a lasso keeps few.

The autoregression that the literature on day-ahead prices measures itself by, on several lengths of history at once:
the long ones know the drivers, the short ones the price level of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.stepwise import day_after_day
from energy.forecasters.combined.members.wholeday import (
    Described,
    Standard,
    described,
    filled,
    learned_rows,
    useful_drivers,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A length of history, and how strictly the lasso chooses on it (the penalty on standardised columns)."""

    days: int
    penalty: float


WINDOWS = (Window(days=364, penalty=0.01), Window(days=84, penalty=0.05), Window(days=56, penalty=0.1))
STEPS = 6  # of the path of penalties, from the strictest down
STRICTEST = 0.3
SWEEPS = 100  # over all columns, at most, at each step of the path


class Lasso:
    name = "lasso"
    least_days = 28

    def __init__(self, windows: Sequence[Window] = WINDOWS, *, refit_days: int = 31) -> None:
        self._windows, self._refit_days = tuple(windows), refit_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=self._refit_days)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Lines":
        """A line for each window that there is history for; MemberError where there is for none."""
        lines: dict[int, Line] = {}
        why = MemberError("nothing to learn from")
        for window in self._windows:
            try:
                line = Line.fitted(days, drivers, window)
            except MemberError as error:
                why = error
            else:
                lines.setdefault(len(line.rows), line)  # windows longer than the history are one and the same
        if not lines:
            raise why
        return Lines(lines=tuple(lines.values()))


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Line:
    """What one window taught: the slopes of each slot, on standardised columns."""

    drivers: tuple[str, ...]
    standard: Standard
    rows: NDArray[np.int64]
    centre: Floats  # (columns)
    scale: Floats
    slopes: Floats  # (columns, slots)
    mean: Floats  # (slots)

    @classmethod
    def fitted(cls, days: Days, drivers: tuple[str, ...], window: Window) -> "Line":
        drivers = useful_drivers(days, drivers, window.days)
        rows, good = learned_rows(days, drivers, window.days)
        standard = Standard.of(days.y[rows])
        columns = columns_of(described(days, drivers, standard, rows))[good]
        wanted = standard.scaled(filled(days.y[rows]))[good]
        centre, scale = columns.mean(axis=0), above_zero(columns.std(axis=0))
        mean, spread = wanted.mean(axis=0), above_zero(wanted.std(axis=0))
        slopes = chosen((columns - centre) / scale, (wanted - mean) / spread, window.penalty) * spread
        return cls(drivers=drivers, standard=standard, rows=rows, centre=centre, scale=scale, slopes=slopes, mean=mean)

    def day(self, days: Days, row: int) -> Floats:
        columns = columns_of(described(days, self.drivers, self.standard, np.array([row])))[0]
        return self.standard.back((columns - self.centre) / self.scale @ self.slopes + self.mean)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Lines:
    lines: tuple[Line, ...]

    def day(self, days: Days, row: int) -> Floats:
        told: Floats = np.mean([line.day(days, row) for line in self.lines], axis=0)
        return told


def columns_of(seen: Described) -> Floats:
    return np.hstack(seen.blocks)


def above_zero(spread: Floats) -> Floats:
    """What a column is divided by: its spread, and 1 where it never changes."""
    return np.where(spread > 1e-9, spread, 1.0)


def chosen(columns: Floats, wanted: Floats, penalty: float) -> Floats:
    """(columns, slots): the slopes that the lasso leaves, by coordinate descent from the strictest penalty down. What
    all slots have in common, the products of the columns, is computed once."""
    gram, products = columns.T @ columns, np.asfortranarray(columns.T @ wanted)
    path = np.geomspace(max(STRICTEST, penalty), penalty, STEPS)
    slopes = np.empty((columns.shape[1], wanted.shape[1]))
    with catch_warnings():  # a forecast needs no more digits than so many sweeps give
        simplefilter("ignore", ConvergenceWarning)
        for slot in range(wanted.shape[1]):
            told = {"precompute": gram, "Xy": products[:, slot], "max_iter": SWEEPS, "tol": 1e-3, "check_input": False}
            slopes[:, slot] = enet_path(columns, wanted[:, slot], l1_ratio=1.0, alphas=path, **told)[1][:, -1]
    return slopes
