"""Boosted trees of a load: one model of all slots that lowers the absolute error, on what the last days and the plan say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.change import Change, changes, codes, levelled, stood_still
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.known import mean
from energy.forecasters.combined.members.analog import acted_weekday
from energy.forecasters.combined.members.driven import is_plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ALIKE = 15  # of the last days of the same kind and plan that features are taken from
LEAST_ALIKE = 3  # of them, below which all days help out


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How many trees grow, how large, and from how many days."""

    days: int = 200
    trees: int = 160
    leaves: int = 9
    rate: float = 0.06
    least_in_leaf: int = 40
    column_share: float = 0.5
    row_share: float = 0.7


class BoostedLoad:
    name = "boosted"
    least_days = 28

    def __init__(self, growth: Growth | None = None, *, refit_days: int = 30) -> None:
        self._growth, self._refit_days = growth or Growth(), refit_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        """Fitted anew for the last issue, every so many days before it, and after each change of level."""
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        found, planned = changes(days), any(is_plan(values) for values in days.drivers.values())
        down = stood_still(days.y[: days.issue], codes(days)) & (not planned)
        refit_days = self._refit_days * (1 if days.ahead == 1 else 2)  # days ahead cost time, and age a fit less
        for batch in batches(issues, refit_days, found):
            table = Table.of(days, batch[0], found)
            booster = self._grown(table, batch[0])
            if booster is None:
                continue
            for place, issue in ((place, issue) for place, issue in enumerate(issues) if issue in batch):
                for ahead in range(min(days.ahead, days.rows - issue)):
                    if down[issue - 1] and days.kind[issue + ahead].min() == 0:
                        continue  # the plant stood still without a plan: too few such days to have learned from
                    x = table.features(np.array([issue + ahead]), np.array([ahead]))
                    said[place, ahead] = np.asarray(booster.predict(x, num_threads=1))
        return said

    def _grown(self, table: "Table", issue: int) -> lightgbm.Booster | None:
        """A model of the rows before an issue, each as if it were so many rows ahead; None where too little is known."""
        rows = np.arange(max(7, issue - self._growth.days), issue)
        ahead = np.minimum((rows * 3) % table.days.ahead, rows - 1)
        target = table.y[rows].ravel()
        known = ~np.isnan(target)
        if known.sum() < 14 * table.days.slots:
            return None
        params = {"objective": "l1", "learning_rate": self._growth.rate, "num_leaves": self._growth.leaves,
                  "min_data_in_leaf": self._growth.least_in_leaf, "feature_fraction": self._growth.column_share,
                  "bagging_fraction": self._growth.row_share, "bagging_freq": 1, "extra_trees": True, "max_bin": 127,
                  "num_threads": 1, "seed": 7, "deterministic": True, "force_row_wise": True, "verbose": -1}  # fmt: skip
        data = lightgbm.Dataset(table.features(rows, ahead)[known], target[known], params=params)
        return lightgbm.train(params, data, num_boost_round=self._growth.trees)


def batches(issues: Sequence[int], refit_days: int, found: Sequence[Change]) -> list[list[int]]:
    """Issues that share a model, which is fitted at the first of them: the last issue alone, before it so many days
    each, and a new one wherever a change of level was noticed."""
    groups: list[list[int]] = []
    for issue in issues:
        fresh = issue == issues[-1] or not groups or issue - groups[-1][0] >= refit_days
        fresh = fresh or any(groups[-1][0] < change.known_from <= issue for change in found)
        groups = [*groups, [issue]] if fresh else [*groups[:-1], [*groups[-1], issue]]
    return groups


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """What features are taken from: the days as they were known at a fit, brought to the level of then."""

    days: Days
    y: Floats  # (rows, slots a day)
    level: Floats  # (rows) mean of each day
    code: Ints  # (rows) kind of day and plan
    plans: Mapping[str, Floats]
    quantities: Mapping[str, Floats]

    @classmethod
    def of(cls, days: Days, issue: int, found: Sequence[Change]) -> "Table":
        y = days.y.copy()
        y[:issue] = levelled(days, issue, 0, found)
        plans = {name: values for name, values in days.drivers.items() if is_plan(values)}
        others = {name: values for name, values in days.drivers.items() if name not in plans}
        code = codes(days)
        for values in plans.values():
            # a plan that is another over the day makes another kind of day
            code = np.unique(np.column_stack([code, np.nan_to_num(values, nan=-1.0)]), axis=0, return_inverse=True)[
                1
            ].ravel()
        return cls(days, y, mean(y, axis=1), code, plans, others)

    def features(self, rows: Ints, ahead: Ints) -> Floats:
        """(rows times slots, features), of rows so many ahead of the first one that was not known."""
        alike = self._alike(rows, ahead)
        taken = self._taken(alike)
        ordered = np.sort(taken, axis=1)  # NaN last
        count = (~np.isnan(taken)).sum(axis=1)
        last5 = mean(taken[:, :5], axis=1)
        last15 = mean(taken, axis=1)
        before = rows - ahead - 1  # the last day that was known
        # where the day a week before was of another kind, what the alike ones were stands for it
        weeks = np.stack([self._like(rows, rows - 7 * (ahead // 7 + 1 + k), last15) for k in range(4)], axis=1)
        levels = np.where(alike >= 0, self.level[np.maximum(alike, 0)], np.nan)
        last_level = mean(np.stack([self._level(before - k) for k in range(7)], axis=1), axis=1)
        evening = self._row(before)
        tail = self.days.slots // 24
        kinds = self.days.kind
        columns: list[Floats] = [
            np.broadcast_to(np.arange(self.days.slots, dtype=float), taken.shape[::2]),
            acted_weekday(self.days)[rows].astype(float),
            kinds[rows].astype(float),
            weeks[:, 0],
            evening,
            self._row(before - 1),
            smooth(evening, tail),
            last5,
            smooth(last5, tail),
            last15,
            at_share(ordered, count, 0.5),
            at_share(ordered, count, 0.2),
            at_share(ordered, count, 0.8),
            mean(weeks, axis=1),
            mean(np.stack([self._row(before - k) for k in range(7)], axis=1), axis=1),
            *(each[:, None] for each in (
                self._level(before), mean(levels[:, :5], axis=1), mean(levels, axis=1), last_level,
                mean(weeks[:, 0], axis=1), ahead.astype(float),
                kinds[rows - 1, -1].astype(float), kinds[np.minimum(rows + 1, len(kinds) - 1), 0].astype(float),
                mean(evening[:, -tail:], axis=1), mean(evening[:, -4 * tail :], axis=1),
                mean(evening[:, -4 * tail :], axis=1) - mean(last15[:, -4 * tail :], axis=1),
            )),
        ]  # fmt: skip
        for values in self.days.drivers.values():
            columns += of_driver(values, rows, before, alike, tail)
        if self.plans:
            columns += [self.code[rows].astype(float)[:, None], self.code[rows - 1].astype(float)[:, None]]
        table = np.stack([np.broadcast_to(column, taken.shape[::2]) for column in columns], axis=-1)
        return np.asarray(table.reshape(-1, len(columns)), dtype=np.float64)

    def _alike(self, rows: Ints, ahead: Ints) -> Ints:
        """(rows, ALIKE): the last rows of the same kind and plan that were known, the latest first; -1 is none."""
        found = np.full((len(rows), ALIKE), -1)
        kind = codes(self.days)
        for place, (row, far) in enumerate(zip(rows, ahead, strict=True)):
            known = row - far
            own = np.flatnonzero(self.code[:known] == self.code[row])
            if len(own) < LEAST_ALIKE:
                own = np.flatnonzero(kind[:known] == kind[row])
            if len(own) < LEAST_ALIKE:
                own = np.arange(known)
            own = own[-ALIKE:][::-1]
            found[place, : len(own)] = own
        return found

    def _taken(self, alike: Ints) -> Floats:
        taken: Floats = np.where((alike >= 0)[:, :, None], self.y[np.maximum(alike, 0)], np.nan)
        return taken

    def _like(self, rows: Ints, others: Ints, instead: Floats) -> Floats:
        same = (others >= 0) & (self.code[np.maximum(others, 0)] == self.code[rows])
        return np.where(same[:, None], self._row(others), instead)

    def _row(self, rows: Ints) -> Floats:
        found: Floats = np.where((rows >= 0)[:, None], self.y[np.maximum(rows, 0)], np.nan)
        return found

    def _level(self, rows: Ints) -> Floats:
        found: Floats = np.where(rows >= 0, self.level[np.maximum(rows, 0)], np.nan)
        return found


def of_driver(values: Floats, rows: Ints, before: Ints, alike: Ints, tail: int) -> list[Floats]:
    """A driver at the slot, around it and over the day, and beside the days that were alike and the last one known."""
    here, daily = values[rows], mean(values, axis=1)
    others = np.where((alike[:, :5] >= 0)[:, :, None], values[np.maximum(alike[:, :5], 0)], np.nan)
    return [here, smooth(here, tail), daily[rows][:, None], daily[rows - 1][:, None],
            here - mean(others, axis=1), here - values[np.maximum(before, 0)]]  # fmt: skip


def at_share(ordered: Floats, count: Ints, share: float) -> Floats:
    """The value below which a share of each column's known ones lie; `ordered` (rows, examples, slots) has NaN last."""
    place = np.maximum(0, np.floor(share * (count - 1) + 0.5)).astype(np.int64)
    found: Floats = np.take_along_axis(ordered, place[:, None, :], axis=1)[:, 0]
    return found


def smooth(rows: Floats, slots: int) -> Floats:
    """The mean over so many slots either way, within the row."""
    known = ~np.isnan(rows)
    total = np.cumsum(np.pad(np.where(known, rows, 0.0), ((0, 0), (1, 0))), axis=1)
    count = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=1)
    place = np.arange(rows.shape[1])
    low, high = np.maximum(0, place - slots), np.minimum(rows.shape[1], place + slots + 1)
    with np.errstate(invalid="ignore"):
        means: Floats = (total[:, high] - total[:, low]) / (count[:, high] - count[:, low])
    return means
