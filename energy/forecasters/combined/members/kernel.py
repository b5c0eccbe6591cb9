"""Days that looked alike from the evening before, by a Gaussian process on whole days: what a neural network would
bring to prices, in one solve.

A straight line and a smooth bend over the same description of a day; recent days are trusted more. It is told twice, of
the prices as they are and of how they differ from the last week's level, and the mean of both is what it says.
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

LATE_HOURS = 4.0  # over which the weight of yesterday's last slots rises


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What makes two days alike, and how far a day is trusted."""

    days: int = 1092  # the last days that are learned from
    own: tuple[float, ...] = (1.0, 0.3, 0.2, 0.3)  # weight of the values 1, 2, 3 and 7 days before
    late: float = 2.0  # by how much more yesterday's last slots count than its first
    driver: tuple[float, ...] = (1.0, 0.7, 0.5)  # of the day itself, of how it differs from 1 and from 7 days before
    weekday: float = 1.0
    level: float = 0.5  # of the last week's mean, where values are told relative to it
    reach: float = 1.5  # distance within which the bend holds
    noise: float = 0.5  # variance of a day of today, over that of the line
    half_life: float = 364.0  # days after which a day is trusted half as much


class Kernel:
    name = "kernel"
    least_days = 28

    def __init__(self, likeness: Likeness | None = None, *, refit_days: int = 61) -> None:
        self._likeness, self._refit_days = likeness or Likeness(), refit_days

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        return day_after_day(self, days, issues, refit_days=self._refit_days)

    def learn(self, days: Days, drivers: tuple[str, ...]) -> "Fitted":
        likeness = self._likeness
        drivers = useful_drivers(days, drivers, likeness.days)
        rows, good = learned_rows(days, drivers, likeness.days)
        standard = Standard.of(days.y[rows])
        seen = described(days, drivers, standard, rows)
        target = standard.scaled(filled(days.y[rows]))
        age = (days.issue - rows[good]).astype(float)
        views = tuple(View.fitted(likeness, seen, target, good, age, relative=relative) for relative in (False, True))
        return Fitted(drivers=drivers, standard=standard, views=views)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Fitted:
    drivers: tuple[str, ...]
    standard: Standard
    views: tuple["View", ...]

    def day(self, days: Days, row: int) -> Floats:
        seen = described(days, self.drivers, self.standard, np.array([row]))
        told: Floats = np.mean([self.standard.back(view.told(seen)) for view in self.views], axis=0)
        return told


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class View:
    """One Gaussian process: the days it knows, and what each of them adds to a day that is like it."""

    likeness: Likeness
    relative: bool  # to the last week's level
    centres: tuple[Floats, ...]
    gains: tuple[Floats, ...]  # by which each column is multiplied
    known: Floats  # (days, columns)
    size: Floats  # (days) the squared length of each
    added: Floats  # (days, slots)
    mean: Floats  # (slots)

    @classmethod
    def fitted(
        cls,
        likeness: Likeness,
        seen: Described,
        target: Floats,
        good: NDArray[np.int64],
        age: Floats,
        *,
        relative: bool,
    ) -> "View":
        blocks = blocks_of(seen, relative=relative)
        gains = tuple(
            gain / max(float(block[good].std()), 1e-9) / np.sqrt(block.shape[1])
            for gain, block in zip(
                gains_of(likeness, len(blocks), target.shape[1], relative=relative), blocks, strict=True
            )
        )
        centres = tuple(block[good].mean(axis=0) for block in blocks)
        known = np.hstack([(b[good] - c) * g for b, c, g in zip(blocks, centres, gains, strict=True)])
        size = np.einsum("ij,ij->i", known, known)
        wanted = target[good] - (seen.level[good] if relative else 0.0)
        trust = 0.5 ** (age / likeness.half_life)
        mean = trust @ wanted / trust.sum()
        covariance = alike(known, known, size, likeness.reach) + np.diag(likeness.noise / trust)
        added = cho_solve(
            cho_factor(covariance, overwrite_a=True, check_finite=False), wanted - mean, check_finite=False
        )
        return cls(
            likeness=likeness,
            relative=relative,
            centres=centres,
            gains=gains,
            known=known,
            size=size,
            added=added,
            mean=mean,
        )

    def told(self, seen: Described) -> Floats:
        """(slots): one described day, on the standard scale."""
        blocks = blocks_of(seen, relative=self.relative)
        day = np.hstack([(b - c) * g for b, c, g in zip(blocks, self.centres, self.gains, strict=True)])
        told = alike(day, self.known, self.size, self.likeness.reach) @ self.added + self.mean
        scaled: Floats = (told + (seen.level if self.relative else 0.0))[0]
        return scaled


def alike(days: Floats, others: Floats, size: Floats, reach: float) -> Floats:
    """(days, others): how much one day tells of another: by a straight line, and by a bend where they are close.
    `size` are the squared lengths of the others."""
    line = days @ others.T
    apart = (days**2).sum(axis=1)[:, None] + size[None, :] - 2.0 * line
    covariance: Floats = line + np.exp(np.maximum(apart, 0.0) / (-2.0 * reach**2))
    return covariance


def blocks_of(seen: Described, *, relative: bool) -> list[Floats]:
    """The blocks of a description; where values are relative to the level, it is one of them."""
    own, others = seen.blocks[: len(LAGS)], seen.blocks[len(LAGS) :]
    if not relative:
        return [*own, *others]
    return [*(block - seen.level for block in own), *others, seen.level]


def gains_of(likeness: Likeness, blocks: int, slots: int, *, relative: bool) -> list[Floats]:
    """The weight of each block's columns, in the order of `blocks_of`."""
    hours_left = np.arange(slots)[::-1] * 24.0 / slots
    late = 1.0 + likeness.late * np.exp(-hours_left / LATE_HOURS)
    evening = likeness.own[0] * late / np.sqrt((late**2).mean())
    plain = [np.full(1, gain) for gain in likeness.own[1:]]
    drivers = (blocks - len(LAGS) - 1 - relative) // len(likeness.driver)
    weekday = np.full(1, likeness.weekday)
    level = [np.full(1, likeness.level)] if relative else []
    return [evening, *plain, *(np.full(1, gain) for gain in likeness.driver * drivers), weekday, *level]
