"""A neural network of one layer, so wide that its random first layer need not be drawn: what all such networks together
would say of a whole day, in one solve.

Each unit bends and then gives way: a column ten spreads out tells it hardly more than one three spreads out. So it goes
less far than the straight lines do where a day is like none before. It learns how a day differs from the last week's level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members.stepwise import day_after_day
from energy.forecasters.combined.members.wholeday import (
    LAGS,
    Described,
    Standard,
    described,
    filled,
    learned_rows,
    useful_drivers,
)

Floats = NDArray[np.float64]

DAYS = 1092  # the last days that are learned from
HALF_LIFE = 364.0  # days after which a day is trusted half as much
NOISE = 0.03  # variance of a day of today, over that of the network
LINE = 0.01  # of a straight line beside the bends
FARTHEST = 6.0  # spreads: what is further out counts as that
YEAR_DAYS = 365.2425


class Wide:
    name = "wide"
    least_days = 28

    def __init__(self, *, refit_days: int = 61) -> None:
        self._refit_days = refit_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=self._refit_days)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Network":
        drivers = useful_drivers(days, drivers, DAYS)
        rows, good = learned_rows(days, drivers, DAYS)
        standard = Standard.of(days.y[rows])
        seen = described(days, drivers, standard, rows)
        columns = columns_of(seen, days, rows)[good]
        wanted = (standard.scaled(filled(days.y[rows])) - seen.level)[good]
        centre, spread = columns.mean(axis=0), columns.std(axis=0)
        spread = np.where(spread > 1e-9, spread, 1.0)
        known = drawn_in(columns, centre, spread)
        trust = 0.5 ** ((days.issue - rows[good]) / HALF_LIFE)
        mean = trust @ wanted / trust.sum()
        factor = cho_factor(alike(known, known) + np.diag(NOISE / trust), overwrite_a=True, check_finite=False)
        added = cho_solve(factor, wanted - mean, check_finite=False)
        return Network(drivers=drivers, standard=standard, centre=centre, spread=spread, known=known, added=added,
                       mean=mean)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Network:
    """The days it knows, and what each of them adds to a day that is like it."""

    drivers: tuple[str, ...]
    standard: Standard
    centre: Floats  # (columns)
    spread: Floats
    known: Floats  # (days, columns)
    added: Floats  # (days, slots)
    mean: Floats  # (slots)

    def day(self, days: Days, row: int) -> Floats:
        rows = np.array([row])
        seen = described(days, self.drivers, self.standard, rows)
        day = drawn_in(columns_of(seen, days, rows), self.centre, self.spread)
        return self.standard.back((alike(day, self.known) @ self.added + self.mean + seen.level)[0])


def columns_of(seen: Described, days: Days, rows: NDArray[np.int64]) -> Floats:
    """(rows, columns): values relative to the level, the drivers and the weekday, the level, the season."""
    season = 2.0 * np.pi * days.ordinal[rows, :1] / YEAR_DAYS
    own = [block - seen.level for block in seen.blocks[: len(LAGS)]]
    return np.hstack([*own, *seen.blocks[len(LAGS) :], seen.level, np.cos(season), np.sin(season)])


def drawn_in(columns: Floats, centre: Floats, spread: Floats) -> Floats:
    return np.clip((columns - centre) / spread, -FARTHEST, FARTHEST)


def alike(days: Floats, others: Floats) -> Floats:
    """(days, others): how much one day tells of another, over all sigmoid units with random weights (Williams 1998)."""
    width = days.shape[1]
    line = days @ others.T / width
    here, there = ((each**2).sum(axis=1) / width + 1.0 for each in (days, others))
    share = 2.0 * (line + 1.0) / np.sqrt((1.0 + 2.0 * here)[:, None] * (1.0 + 2.0 * there)[None, :])
    covariance: Floats = 2.0 / np.pi * np.arcsin(np.clip(share, -1.0, 1.0)) + LINE * line
    return covariance
