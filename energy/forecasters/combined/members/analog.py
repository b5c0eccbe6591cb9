"""Analog days: the weighted median of past days that followed a day like the last one, under the same calendar and plan.

What a plant draws in one quarter of an hour is mostly chance, so that the median of many days misses by less than any
one of them. Which days count is what can be known: the calendar, the plan (drivers of few values, as shifts), the shape
of the last day, and whether the plant was unexpectedly down on it. Weather and other drivers are taken out of the days
beforehand and put in again for the day ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.change import Change, changes, levelled
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.known import deviation, mean, median
from energy.forecasters.combined.members.driven import driven_part, is_plan, quantities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS_OF_CHANCE = 2.0  # times chance: kinds of days that are so far apart are no examples for each other
MOST_APART = 4.0
BLOCKS = 12  # of a day, by whose means days are compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How unlike days are: what adds one to the distance divides the weight of a day by e."""

    back: int = 200  # days looked back
    most: int = 40  # days that count
    kind: float = 2.0  # another kind of day, where kinds are no further apart than chance
    weekday: float = 0.3
    kind_before: float = 0.15
    plan: float = 6.0  # another plan on the day
    plan_before: float = 0.3
    shape: float = 0.8  # the last day, a standard deviation away in each block
    down: float = 4.0  # one was unexpectedly down the day before, the other not
    age_days: float = 120.0  # so many days older
    still_down: float = 1.2  # what a last day that was unexpectedly down weighs as an example of the next


class AnalogDays:
    name = "analog"
    least_days = 5

    def __init__(self, likeness: Likeness | None = None) -> None:
        self._like = likeness or Likeness()

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        found, plans = changes(days), plans_of(days)
        weather = replace(days, drivers=quantities(days))
        for place, issue in enumerate(issues):
            said[place] = self._issued(weather, issue, found, plans)
        return said

    def _issued(self, days: Days, issue: int, found: Sequence[Change], plans: Sequence[Floats]) -> Floats:
        """(rows ahead, slots a day)"""
        said = np.full((days.ahead, days.slots), np.nan)
        first = max(0, issue - self._like.back)
        rows = levelled(days, issue, first, found)
        moved = driven_part(days, issue, first, rows)
        state = State.of(days, issue, first, rows - moved[: issue - first])
        for ahead in range(min(days.ahead, days.rows - issue)):
            here, weights = self._examples(days, issue, first, ahead, state, plans)
            if not len(here):
                continue
            profiles = state.rows[here]
            if state.still_down(days.kind[issue + ahead]) and not plans:
                profiles = np.concatenate([profiles, state.rows[-1:]])
                weights = np.append(weights, self._like.still_down)
            said[ahead] = pooled_median(profiles, weights, 15 // days.step_minutes) + moved[issue + ahead - first]
        return said

    def _examples(
        self, days: Days, issue: int, first: int, ahead: int, state: "State", plans: Sequence[Floats]
    ) -> tuple[Ints, Floats]:
        """Past days by their place in the rows looked at, and their weights."""
        like, row = self._like, issue + ahead
        past = np.arange(first + ahead + 1, issue)  # each with the last day that was known as far ahead of it
        past = past[(~np.isnan(state.rows[past - first])).mean(axis=1) > 0.5]
        if not len(past):
            return past, np.empty(0)
        before = past - ahead - 1
        unlike = like.shape * state.unlike(before - first)
        # where a plan says whether there is work, a Sunday may be the example for a free Thursday
        apart = np.minimum(state.kinds_apart, 1.0) if plans else state.kinds_apart
        unlike += like.kind * apart[days.kind[past], days.kind[row]].mean(axis=1)
        unlike += like.kind_before * (days.kind[before] != days.kind[issue - 1]).mean(axis=1)
        weekday = acted_weekday(days)[:, days.slots // 2]
        unlike += like.weekday * (weekday[past] != weekday[row])
        for plan in plans:
            unlike += like.plan * otherwise(plan, past, row) + like.plan_before * otherwise(plan, past - 1, row - 1)
        unlike += (issue - past) / like.age_days
        closest = unlike.min()  # but for how the plant stood: where no day followed one as the last, all count little
        unlike += like.down * (state.down[before - first] - state.down[-1]) ** 2
        nearest = np.argsort(unlike, kind="stable")[: like.most]
        return past[nearest] - first, np.exp(closest - unlike[nearest])


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """The rows looked at, without what drivers moved, and what each says of the day after it."""

    rows: Floats  # (rows, slots a day)
    blocks: Floats  # (rows, blocks) how far they were from usual, in standard deviations of the last weeks
    down: Floats  # (rows) how far a day was below (-1 is all of it) or above its usual, zero if less than half
    usual: Floats  # (kinds, slots a day)
    kinds_apart: Floats  # (kinds, kinds) one for another kind, more where the two are further apart than chance
    base: float  # what is drawn when nothing runs
    span: float  # what a working day adds to it

    @classmethod
    def of(cls, days: Days, issue: int, first: int, rows: Floats) -> "State":
        kinds = days.kind[first:issue]
        late = slice(max(0, len(rows) - 60), None)
        usual = np.stack([median(np.where(kinds[late] == kind, rows[late], np.nan)) for kind in range(3)])
        usual = np.where(np.isnan(usual), median(rows[late]), usual)
        apart = rows - np.take_along_axis(usual, kinds, axis=0)
        blocks = np.stack([mean(part, axis=1) for part in np.array_split(apart, BLOCKS, axis=1)], axis=1)
        spread = deviation(blocks[late]) if len(rows) > 1 else np.ones(BLOCKS)
        known = rows[late][~np.isnan(rows[late])]
        base = float(np.quantile(known, 0.05)) if len(known) else np.nan
        span = max(float(mean(usual[0], axis=0)) - base, 1e-9)
        gap = mean(apart, axis=1) / span
        down = np.where(np.abs(gap) > 0.5, gap, 0.0)
        chance = float(mean(np.abs(apart[late]).ravel(), axis=0))
        between = np.stack([[np.abs(one - other).mean() for one in usual] for other in usual])
        kinds_apart = np.clip(between / max(KINDS_OF_CHANCE * chance, 1e-9), 1.0, MOST_APART) * (1.0 - np.eye(3))
        return cls(rows, blocks / np.where(spread > 0, spread, 1.0), down, usual, kinds_apart, base, span)

    def unlike(self, places: Ints) -> Floats:
        """How unlike the last day some days were, later hours counting more."""
        weights = np.linspace(0.3, 1.7, self.blocks.shape[1])
        apart = mean((self.blocks[places] - self.blocks[-1]) ** 2 * weights, axis=1)
        return np.where(np.isnan(apart), 4.0, apart)

    def still_down(self, kinds: Ints) -> bool:
        """Whether the last day was unexpectedly down, before a day on which work would be usual."""
        usual = float(mean(np.take_along_axis(self.usual, kinds[None, :], axis=0)[0], axis=0))
        return bool(self.down[-1] < -0.5 and usual - self.base > 0.4 * self.span)


def acted_weekday(days: Days) -> Ints:
    """(rows, slots a day): the weekday as which a cell behaves; a holiday is a Sunday."""
    acted: Ints = np.where(days.kind == 2, 6, np.where(days.kind == 1, 5, days.weekday))
    return acted


def plans_of(days: Days) -> list[Floats]:
    return [values for values in days.drivers.values() if is_plan(values)]


def otherwise(plan: Floats, rows: Ints, row: int) -> Floats:
    """How far the plan of some days is another: the share of the day, full from a third of it on."""
    if row < 0:
        return np.zeros(len(rows))
    both = ~(np.isnan(plan[rows]) | np.isnan(plan[row]))
    share: Floats = ((plan[rows] != plan[row]) & both).mean(axis=1)
    return np.minimum(1.0, 3.0 * share)


def pooled_median(profiles: Floats, weights: Floats, slots: int) -> Floats:
    """The weighted median of each slot, over the profiles and the same shifted by so many slots either way."""
    shifted = [np.roll(profiles, shift, axis=1) for shift in range(-slots, slots + 1)]
    pool = np.concatenate(shifted)
    known = ~np.isnan(pool)
    order = np.argsort(np.where(known, pool, np.inf), axis=0, kind="stable")
    each = np.tile(weights, len(shifted))[:, None] * known
    upto = np.cumsum(np.take_along_axis(each, order, axis=0), axis=0)
    place = (upto >= 0.5 * upto[-1]).argmax(axis=0)
    found: Floats = np.take_along_axis(pool, order, axis=0)[place, np.arange(pool.shape[1])]
    return np.where(upto[-1] > 0, found, np.nan)
