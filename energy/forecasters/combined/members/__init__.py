"""The members of a combined forecast: one file each, all behind `Member`. `week` is the one to copy."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days

Floats = NDArray[np.float64]


class MemberError(Exception):
    """A member has no answer; the text says why, as a flag would."""


class NotItsKindError(MemberError):
    """The series is nothing for this member (a wind park for one that knows the sun). That is no flaw to tell of."""


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


@runtime_checkable
class Remarks(Protocol):
    """A member that has found something out about the plant or its drivers which a person should know."""

    def remarks(self, days: Days) -> tuple[str, ...]: ...


# Each member by its name: its file, and its class. LightGBM and scikit-learn are imported with the members that need them.
MEMBERS = {
    "week": ("week", "WeekBefore"),
    "similar": ("similar", "SimilarDays"),
    "analog": ("analog", "AnalogDays"),
    "kernel": ("kernel", "Kernel"),
    "lasso": ("lasso", "Lasso"),
    "wide": ("wide", "Wide"),
    "trees": ("trees", "Trees"),
    "boosted": ("boosted", "BoostedLoad"),
    "sun": ("sun", "SunnyDays"),
    "wind": ("wind", "WindyDays"),
    "hourly": ("hourly", "Hourly"),
    "mix": ("mix", "Mix"),
    "mix trees": ("mix_trees", "MixTrees"),
    "hourly_prices": ("drawn", "HourlyPrices"),
}


def known_members() -> Mapping[str, Callable[[], Member]]:
    """Every member by its name. What is heavy is imported when the member is made."""
    return {name: partial(made, *place) for name, place in MEMBERS.items()}


def made(file: str, kind: str) -> Member:
    member: Member = getattr(import_module(f"{__name__}.{file}"), kind)()
    return member
