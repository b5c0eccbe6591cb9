"""Day after day: how a model that tells one day from the days before it answers for several days and several issues.

The first day ahead is told from what is known; each later one takes the days told before it for known. In the retrace a
model is fitted once for some issues in a row, always on days before the first of them.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError

Floats = NDArray[np.float64]


class Learned(Protocol):
    """A model of one day, fitted."""

    def day(self, days: Days, row: int) -> Floats:
        """(slots a day): what it says of a row, from `y` of the rows before it and drivers up to it."""
        ...


class DayModel(Protocol):
    """A model of one day."""

    def learn(self, days: Days, drivers: tuple[str, ...]) -> Learned:
        """Fitted on the rows before `days.issue`, with these drivers. Raises MemberError where that cannot be."""
        ...


def day_after_day(model: DayModel, days: Days, issues: Sequence[int], *, refit_days: int) -> Floats:
    """(issues, rows ahead, slots a day): what the model says at each issue, fitted anew for the last one and once in
    `refit_days` days before it. The last issue raises MemberError where it has no answer, an earlier one is NaN."""
    said = np.full((len(issues), days.ahead, days.slots), np.nan)
    fitted: dict[tuple[int, tuple[str, ...]], Learned | None] = {}
    for place, (issue, fit_at) in enumerate(zip(issues, fits_of(issues, refit_days), strict=True)):
        seen = days.as_of(issue)
        for row in range(issue, seen.rows):
            names = known_drivers(seen, row)
            key = fit_at, names
            if key not in fitted:
                fitted[key] = tried(model, days.as_of(fit_at), names, needed=issue == days.issue and row == issue)
            learned = fitted[key]
            if learned is None:
                break
            seen.y[row] = said[place, row - issue] = learned.day(seen, row)
    return said


def fits_of(issues: Sequence[int], refit_days: int) -> list[int]:
    """The row before which the model of each issue is fitted: the last issue has its own."""
    fits: list[int] = []
    for issue in issues[:-1]:
        fits.append(fits[-1] if fits and issue - fits[-1] < refit_days else issue)
    return [*fits, issues[-1]]


def tried(model: DayModel, days: Days, names: tuple[str, ...], *, needed: bool) -> Learned | None:
    """The fitted model; None where it cannot be had and is not what the forecast hangs on."""
    try:
        return model.learn(days, names)
    except MemberError:
        if needed:
            raise
        return None


def known_drivers(days: Days, row: int) -> tuple[str, ...]:
    """The drivers that are known over a whole row."""
    return tuple(name for name, values in days.drivers.items() if not np.isnan(values[row]).any())
