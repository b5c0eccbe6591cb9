"""The book of what was said: every member's earlier forecasts beside what came.

An issued forecast is taken as it was issued. Where there are fewer of them than weights and bands ask for (a new plant,
a new member, another hour of issue), the members are asked what they would have said on those days; never what a fit
says of the days that it was fitted on.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.deadline import Deadline, LateError
from energy.forecasters.combined.members import Member, MemberError, NotItsKindError, Remarks

Floats = NDArray[np.float64]

log = logging.getLogger("loadstone.forecasters")

RUNAWAY = 3.0  # times all that a series ever spanned
NO_TIME = "no time was left"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Book:
    """`said` is (members, issues, rows ahead, slots a day), `came` the same without members; NaN is unknown. The last
    issue is the one being made, of which nothing came yet."""

    names: tuple[str, ...]
    issues: tuple[int, ...]  # rows of the days
    said: Floats
    came: Floats
    silent: tuple[tuple[str, str], ...]  # what members had no answer, and why
    remarks: tuple[str, ...] = ()  # what members found out about the plant and its drivers

    @property
    def now(self) -> Floats:
        """(members, rows ahead, slots a day): what each member says of the days ahead."""
        now: Floats = self.said[:, -1]
        return now

    @property
    def errors(self) -> Floats:
        """What came less what was said, of all issues but the one being made."""
        errors: Floats = self.came[None, :-1] - self.said[:, :-1]
        return errors


def opened(
    days: Days, members: Sequence[Member], *, back: int, kept: dict[int, dict[str, Floats]], deadline: Deadline
) -> Book:
    """The book of the last `back` days and of today, and of older days of which there is an issued forecast: what was
    issued costs nothing. `kept` is what was issued: by row, what each member said (rows ahead, slots a day). Members are
    asked in their order, for as long as there is time."""
    first = max(1, days.issue - back)
    issues = (*sorted(row for row in kept if row < first), *range(first, days.issue + 1))
    names, rows, silent = [], [], []
    remarks: list[str] = []
    hasty: tuple[str, ...] = ()
    for member in members:
        try:
            if not deadline.leaves_time():
                raise MemberError(NO_TIME)
            said, whole = in_time(member, days, issues, kept, first, deadline)
            rows.append(said)
            names.append(member.name)
            hasty += () if whole else (member.name,)
            remarks += member.remarks(days) if isinstance(member, Remarks) else ()
        except NotItsKindError:
            continue
        except MemberError as why:
            silent.append((member.name, str(why)))
        except Exception as failure:  # of a library, on data that nobody thought of: the others have an answer
            log.exception("%s failed on %s", member.name, days.target)
            silent.append((member.name, f"it failed ({type(failure).__name__})"))
    if hasty:
        remarks.append(f"no time was left to see how well {' and '.join(hasty)} did lately")
    table = np.array(rows) if rows else np.empty((0, len(issues), days.ahead, days.slots))
    return Book(names=tuple(names), issues=issues, said=table, came=what_came(days, issues), silent=tuple(silent),
                remarks=tuple(remarks))  # fmt: skip


def in_time(
    member: Member,
    days: Days,
    issues: Sequence[int],
    kept: dict[int, dict[str, Floats]],
    first: int,
    deadline: Deadline,
) -> tuple[Floats, bool]:
    """What a member said at each issue, and whether it was asked all of them: one that would take too long is asked for
    today alone."""
    try:
        return asked(member, days, issues, kept, first, deadline), True
    except LateError:
        known = [issue for issue in issues if issue == days.issue or member.name in kept.get(issue, {})]
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        said[np.searchsorted(issues, known)] = asked(member, days, known, kept, days.issue, Deadline())
        return said, False


def asked(
    member: Member,
    days: Days,
    issues: Sequence[int],
    kept: dict[int, dict[str, Floats]],
    first: int,
    deadline: Deadline,
) -> Floats:
    """What a member said at each issue, or would have said at those from `first` on. LateError where there is no time
    for it."""
    known = int((~np.isnan(days.y[: days.issue])).any(axis=1).sum())
    if known < member.least_days:
        raise MemberError(f"it needs {member.least_days} days of history")
    said = np.full((len(issues), days.ahead, days.slots), np.nan)
    missing = [issue for issue in issues if issue >= first and member.name not in kept.get(issue, {})]
    to_ask = missing if days.issue in missing else [*missing, days.issue]
    answers = dict(zip(to_ask, member.forecast(days, deadline.watched(to_ask)), strict=True))
    for place, issue in enumerate(issues):
        said[place] = answers.get(issue, kept.get(issue, {}).get(member.name, np.nan))
    said[~(np.abs(said - np.nanmedian(days.y)) <= reach(days))] = np.nan
    if np.isnan(said[-1]).all():
        raise MemberError("it says nothing of the days ahead")
    return said


def reach(days: Days) -> float:
    """How far from its middle a series may be thought to go: what lies beyond is a model that ran away, and no forecast."""
    known = days.y[~np.isnan(days.y)]
    return RUNAWAY * float(max(known.max() - known.min(), np.abs(known).max())) if len(known) else np.inf


def what_came(days: Days, issues: Sequence[int]) -> Floats:
    came = np.full((len(issues), days.ahead, days.slots), np.nan)
    for place, issue in enumerate(issues):
        rows = days.y[issue : min(issue + days.ahead, days.issue)]
        came[place, : len(rows)] = rows
    return came
