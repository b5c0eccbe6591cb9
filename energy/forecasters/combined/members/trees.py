"""Boosted trees over all slots of all days: what is nonlinear in drivers, calendar and the days before.

Trees cannot tell a price that they never saw. So they learn how each slot differs from the last week's mean, on a scale
of the market's own spread with its peaks drawn in; that alone makes them a sixth better on prices than the plain values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.stepwise import day_after_day
from energy.forecasters.combined.members.wholeday import LEVEL_DAYS, Standard

Floats = NDArray[np.float64]

LEAST_ROWS = 14  # days to learn from
LEAST_CELLS = 200
YEAR_DAYS = 365.2425


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How many trees grow, how large, and from how many days."""

    days: int = 728  # the last days that are learned from
    trees: int = 120
    leaves: int = 24
    rate: float = 0.07
    least_in_leaf: int = 30
    column_share: float = 0.4
    row_share: float = 0.6
    lags: tuple[int, ...] = (1, 2, 3, 7, 14)
    driver_lags: tuple[int, ...] = (1, 7)
    half_life: float | None = None  # days after which a day counts half


class Trees:
    """One model for all slots, on the last days' values, the drivers and the calendar."""

    name = "trees"
    least_days = 28

    def __init__(self, growth: Growth | None = None, *, refit_days: int = 61) -> None:
        self._growth, self._refit_days = growth or Growth(), refit_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=self._refit_days)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Grown":
        growth = self._growth
        rows = np.arange(max(*growth.lags, LEVEL_DAYS, days.issue - growth.days), days.issue)
        if len(rows) < LEAST_ROWS:
            raise MemberError(f"{len(rows)} days to learn from, {LEAST_ROWS} needed")
        standard = Standard.of(days.y[rows])
        z = standard.scaled(days.y)
        wanted = (z[rows] - level_before(z, rows)).ravel()
        known = ~np.isnan(wanted)
        if known.sum() < LEAST_CELLS:
            raise MemberError("too few known values to learn from")
        age = np.repeat(days.issue - rows, days.slots)[known]
        data = lightgbm.Dataset(
            features(days, z, drivers, growth, rows)[known],
            wanted[known],
            weight=None if growth.half_life is None else 0.5 ** (age / growth.half_life),
            params={"verbose": -1, "max_bin": 127, "num_threads": 1, "min_data_in_bin": 5},
        )
        booster = lightgbm.train(parameters(growth), data, num_boost_round=growth.trees)
        return Grown(booster=booster, growth=growth, drivers=drivers, standard=standard)


def parameters(growth: Growth) -> dict[str, object]:
    return {
        "objective": "l1",
        "learning_rate": growth.rate,
        "num_leaves": growth.leaves,
        "min_data_in_leaf": growth.least_in_leaf,
        "feature_fraction": growth.column_share,
        "bagging_fraction": growth.row_share,
        "bagging_freq": 1,
        "max_bin": 127,
        "num_threads": 1,
        "seed": 7,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    booster: lightgbm.Booster
    growth: Growth
    drivers: tuple[str, ...]
    standard: Standard

    def day(self, days: Days, row: int) -> Floats:
        z, rows = self.standard.scaled(days.y), np.array([row])
        columns = features(days, z, self.drivers, self.growth, rows)
        told = np.asarray(self.booster.predict(columns, num_threads=1)) + level_before(z, rows)[0]
        return self.standard.back(told)


def level_before(z: Floats, rows: NDArray[np.int64]) -> Floats:
    """(rows, 1): the mean of the last week before each row."""
    week = np.concatenate([at_row(z, rows - lag) for lag in range(1, LEVEL_DAYS + 1)], axis=1)
    known = ~np.isnan(week)
    with np.errstate(invalid="ignore"):
        level: Floats = np.where(known, week, 0.0).sum(axis=1) / known.sum(axis=1)
    return level[:, None]


def features(days: Days, z: Floats, drivers: Sequence[str], growth: Growth, rows: NDArray[np.int64]) -> Floats:
    """(rows times slots, features): what is known of each cell before its day begins; `z` are the scaled values."""
    level = level_before(z, rows)
    columns = [*calendar(days, rows), *(past - level for past in from_the_past(z, rows, growth.lags)), level]
    for name in drivers:
        columns += of_driver(days.drivers[name], rows, growth.driver_lags)
    table: Floats = np.stack([np.broadcast_to(c, (len(rows), days.slots)) for c in columns], axis=-1)
    return table.reshape(len(rows) * days.slots, len(columns))


def calendar(days: Days, rows: NDArray[np.int64]) -> list[Floats]:
    kind = days.kind[rows].astype(float)
    around = [days.kind[np.clip(rows + by, 0, days.rows - 1)].astype(float) for by in (-1, 1)]
    return [
        np.broadcast_to(days.minute.astype(float), kind.shape),
        days.weekday[rows].astype(float),
        kind,
        *around,
        np.cos(2 * np.pi * days.ordinal[rows] / YEAR_DAYS),
        np.sin(2 * np.pi * days.ordinal[rows] / YEAR_DAYS),
    ]


def from_the_past(y: Floats, rows: NDArray[np.int64], lags: Sequence[int]) -> list[Floats]:
    """Own slot of earlier days, the shape of yesterday, and where it ended."""
    with np.errstate(invalid="ignore"):
        own = [at_row(y, rows - lag) for lag in lags]
        yesterday, week = at_row(y, rows - 1), np.stack([at_row(y, rows - lag) for lag in range(1, 8)])
        known = ~np.isnan(week)
        week_mean = np.where(known, week, 0.0).sum(axis=0) / known.sum(axis=0)
        day = [low_mean_high(yesterday), low_mean_high(at_row(y, rows - 7))[1:2]]
    return [*own, week_mean, *day[0], *day[1], yesterday[:, -1:], yesterday[:, -max(1, y.shape[1] // 8)][:, None]]


def low_mean_high(values: Floats) -> list[Floats]:
    """Of each row, as columns; NaN of a row of which nothing is known."""
    known = ~np.isnan(values)
    none = ~known.any(axis=1)
    low = np.where(known, values, np.inf).min(axis=1)
    high = np.where(known, values, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
    return [np.where(none, np.nan, each)[:, None] for each in (low, mean, high)]


def of_driver(values: Floats, rows: NDArray[np.int64], lags: Sequence[int]) -> list[Floats]:
    """A driver at the slot, beside its own day, and how it differs from the days before."""
    here = values[rows]
    shift = max(1, values.shape[1] // 24)
    before, after = np.roll(here, shift, axis=1), np.roll(here, -shift, axis=1)
    before[:, :shift], after[:, -shift:] = here[:, :1], here[:, -1:]
    low, mean, high = low_mean_high(here)
    return [here, here - before, after - here, here - mean, low, mean, high,
            *(here - at_row(values, rows - lag) for lag in lags)]  # fmt: skip


def at_row(values: Floats, rows: NDArray[np.int64]) -> Floats:
    """Rows of a table; NaN where one lies before it."""
    found: Floats = np.where((rows >= 0)[:, None], values[np.maximum(rows, 0)], np.nan)
    return found
