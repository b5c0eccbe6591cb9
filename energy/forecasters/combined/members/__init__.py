"""The members of a combined forecast: one file each, all behind `Member`. `week` is the one to copy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]


class MemberError(Exception):
    """A member has no answer; the text says why, as a flag would."""


class Member(Protocol):
    """One model of days. It holds settings alone: what it learned of one series is never carried to the next call."""

    name: str
    least_days: int  # of history with values, before it is asked at all

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        """What it would have said on each of some rows, had it been asked at their begin: (issues, rows ahead, slots a
        day), in the target's unit. `issues` rise and the last one is `days.issue`.

        For an issue it may use `y` of the rows before it, and drivers up to the rows ahead of it; not a value more.
        It may fit less often than it is asked, but only on rows before the issue. A cell that it cannot tell is NaN.
        Raises MemberError where it has no answer at all.
        """
        ...


def known_members() -> Mapping[str, Callable[[], Member]]:
    """Every member by its name. What is heavy is imported when the member is made."""
    from energy.forecasters.combined.members.analog import AnalogDays
    from energy.forecasters.combined.members.boosted import BoostedLoad
    from energy.forecasters.combined.members.similar import SimilarDays
    from energy.forecasters.combined.members.trees import Trees
    from energy.forecasters.combined.members.week import WeekBefore

    return {
        "week": WeekBefore, "similar": SimilarDays, "trees": Trees, "analog": AnalogDays, "boosted": BoostedLoad,
    }  # fmt: skip
