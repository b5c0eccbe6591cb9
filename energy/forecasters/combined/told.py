"""What a combined forecast said at each issue, beside what came: what its bands and its middle learn from.

Of an issue only those errors count that were known by then: an error two days ahead is known two days later.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Told:
    """Axes are issues (rising, the last is the one being made), rows ahead and slots a day; NaN is unknown."""

    issues: Ints  # the row of each issue
    middle: Floats
    members: Floats  # (members, …)
    came: Floats
    bands: Floats  # (2, …): the P10 and P90 that were issued
    kind: Ints  # DayKind of each cell
    slots_an_hour: int

    @property
    def errors(self) -> Floats:
        """What came less what was said, of all issues; of the one being made it is unknown."""
        errors: Floats = self.came - self.middle
        errors[-1] = np.nan
        return errors

    @property
    def ahead(self) -> int:
        return int(self.middle.shape[1])

    @property
    def slots(self) -> int:
        return int(self.middle.shape[2])

    def known_before(self, half_life_days: float, ahead: int) -> Floats:
        """(issues, issues): how much each issue counts in the eyes of another, fading with its age; nothing where what
        it said of that row ahead was not known yet."""
        age = (self.issues[:, None] - self.issues[None, :]).astype(np.float64)
        counts: Floats = np.where(age > ahead, 0.5 ** (age / half_life_days), 0.0)
        return counts

    def recency(self, half_life_days: float) -> Floats:
        """(issues): how much each counts now."""
        counts: Floats = 0.5 ** ((self.issues[-1] - self.issues) / half_life_days)
        return counts


def told_of(
    days: Days,
    issues: tuple[int, ...],
    middle: Floats,
    members: Floats,
    came: Floats,
    issued: Mapping[int, Mapping[str, Floats]] | None = None,
) -> Told:
    """What was told, from a book and what its members make together; `issued` are P10 and P90 by row and name."""
    bands = np.full((2, *middle.shape), np.nan)
    for place, issue in enumerate(issues):
        for which, name in enumerate(("P10", "P90")):
            if issued and issue in issued:
                bands[which, place] = issued[issue][name]
    rows = np.minimum(np.array(issues)[:, None] + np.arange(days.ahead)[None, :], days.rows - 1)
    return Told(
        issues=np.array(issues, dtype=np.int64),
        middle=middle,
        members=members,
        came=came,
        bands=bands,
        kind=days.kind[rows],
        slots_an_hour=max(1, 60 // days.step_minutes),
    )


def near_in_day(slots: int, slots_an_hour: int, hours: float) -> Floats:
    """(slots, slots): how much each slot of a day counts for another, a bell of so many hours around the clock; each
    row adds up to 1."""
    apart = np.abs(np.arange(slots)[:, None] - np.arange(slots)[None, :]) / slots_an_hour
    apart = np.minimum(apart, slots / slots_an_hour - apart)
    bell = np.exp(-0.5 * (apart / hours) ** 2)
    counts: Floats = bell / bell.sum(axis=1, keepdims=True)
    return counts
