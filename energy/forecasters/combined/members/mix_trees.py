"""Carbon intensity by boosted trees over all hours: by how much it will differ from the mix that is forecast."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from energy.forecasters.carbon.columns import FIRST, Level, Told
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.stepwise import day_after_day

Floats = NDArray[np.float64]

MOST_DAYS = 365  # that are learned from
HALF_LIFE = 120.0  # days
TREES = 120
LEAST_ROWS = 20
LEAST_CELLS = 300
PARAMETERS = {
    "objective": "l1", "num_leaves": 16, "learning_rate": 0.07, "min_data_in_leaf": 30, "feature_fraction": 0.4,
    "bagging_fraction": 0.6, "bagging_freq": 1, "max_bin": 127, "num_threads": 1, "seed": 7, "deterministic": True,
    "force_row_wise": True, "verbose": -1,
}  # fmt: skip


class MixTrees:
    name = "mix trees"
    least_days = FIRST + LEAST_ROWS

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=45)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Grown":
        drawn = {name: days.drivers[name] for name in drivers}
        level = Level.of(days.y, drawn)
        told = Told.of(days.y, drawn, level)
        rows = np.arange(max(FIRST, days.issue - MOST_DAYS), days.issue)
        apart = (np.where(np.isnan(days.y[rows]), np.nan, told.came[rows]) - told.base(rows)).ravel()
        known = ~np.isnan(apart)
        if known.sum() < LEAST_CELLS:
            raise MemberError("too few known values to learn from")
        size = max(float(np.median(np.abs(apart[known]))), 1e-6)
        weight = np.repeat(0.5 ** ((days.issue - rows) / HALF_LIFE), days.slots)
        data = lightgbm.Dataset(table_of(told, rows, days, rows)[known], apart[known] / size, weight=weight[known],
                                params={"verbose": -1, "max_bin": 127, "num_threads": 1})  # fmt: skip
        return Grown(
            booster=lightgbm.train(PARAMETERS, data, num_boost_round=TREES), drivers=drivers, level=level, size=size
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    booster: lightgbm.Booster
    drivers: tuple[str, ...]
    level: Level
    size: float

    def day(self, days: Days, row: int) -> Floats:
        told = Told.late(days, row, self.drivers, self.level)
        last = np.array([len(told.came) - 1])
        apart = np.asarray(self.booster.predict(table_of(told, last, days, np.array([row])), num_threads=1))
        said: Floats = np.exp(told.base(last)[0] + self.size * apart)
        return said


def table_of(told: Told, at: NDArray[np.int64], days: Days, rows: NDArray[np.int64]) -> Floats:
    """(rows times slots, columns): those of the ridge, the time of day, the day of the week and its kind; of some rows,
    and where these stand in what was told."""
    shape = (len(rows), days.slots)
    when = [np.broadcast_to(each, shape).astype(np.float64)[..., None]
            for each in (days.minute, days.weekday[rows], days.kind[rows])]  # fmt: skip
    table = np.concatenate([told.columns(at), *when], axis=-1)
    flat: Floats = table.reshape(-1, table.shape[-1])
    return flat
