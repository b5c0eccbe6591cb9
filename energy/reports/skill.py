"""How good issued forecasts were: each day's word, as it was given before the day, held against what came.

Nothing is forecast again here. For a day that lies n days ahead the word is the last one that was issued before the day
n − 1 days earlier began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy.clock import day_bounds, local_date, same_wall_time
from energy.model.forecast import Forecast
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.reports.pages import Drift, LeadSkill, MemberShare

Row = NDArray[np.float64]

LATELY_DAYS = 7
ENOUGH_DAYS = 10  # before the last week, to say that it was worse than usual
WORSE = 1.5  # times the usual error
DRIFT_HOURS = 3.0  # outside the band on one side, before it is called a drift
DRIFT_SHARE = 0.9  # of the slots since then


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Day:
    """One day: what was said of it, what came, and what came a week before at the same wall time."""

    start: datetime
    actual: Row
    week_before: Row
    p10: Row
    p50: Row
    p90: Row
    members: Mapping[str, Row]


def days_told(
    series: Series, issued: Mapping[datetime, Forecast], zone: str, step: int, *, ahead: int, until: datetime
) -> list[Day]:
    """The whole days before `until` of which a word was given so many days ahead, oldest first.

    `issued` holds the last forecast that was issued before each day began, by the day's start.
    """
    days = []
    for start in sorted(issued):
        begin, end = day_bounds(local_date(same_wall_time(start, ahead - 1, zone), zone), zone)
        forecast = issued[start]
        if end > until or forecast.horizon.end <= begin:
            continue
        horizon = Horizon.between(begin, end, step)
        before = Horizon(same_wall_time(begin, -7, zone), horizon.slots, step)
        p10, p50, p90 = (s.over(horizon).values for s in (forecast.p10, forecast.p50, forecast.p90))
        days.append(
            Day(
                start=begin,
                actual=series.over(horizon).values,
                week_before=series.over(before).values,
                p10=p10,
                p50=p50,
                p90=p90,
                members={member.name: member.p50.over(horizon).values for member in forecast.members},
            )
        )
    return [day for day in days if (~(np.isnan(day.actual) | np.isnan(day.p50))).any()]


def skill_of(days: Sequence[Day], ahead: int) -> LeadSkill | None:
    """Mean absolute error of those days beside that of the copy of the week before on the same slots, and the share of
    what came that lay within the band; None without a day."""
    if not days:
        return None
    actual, week, low, middle, high = (
        np.concatenate([getattr(day, name) for day in days]) for name in ("actual", "week_before", "p10", "p50", "p90")
    )
    known = ~(np.isnan(actual) | np.isnan(middle))
    both = known & ~np.isnan(week)
    inside = (actual >= low - 1e-9) & (actual <= high + 1e-9)
    return LeadSkill(
        days_ahead=ahead,
        days=len(days),
        mae=float(np.abs(actual - middle)[known].mean()),
        mae_where_naive=float(np.abs(actual - middle)[both].mean()) if both.any() else None,
        naive_mae=float(np.abs(actual - week)[both].mean()) if both.any() else None,
        coverage_80=float(inside[known].mean()),
        bias=float((middle - actual)[known].mean()),
        hours=float(known.sum() * 24 / max(1, len(days[0].actual))),
    )


def shares_of(latest: Forecast, days: Sequence[Day]) -> tuple[MemberShare, ...]:
    """The members of the last forecast, heaviest first, with what each of them alone erred day-ahead on the slots of which
    it said something."""
    shares = [
        MemberShare(name=member.name, weight=member.weight, mae=own_error(days, member.name))
        for member in latest.members
    ]
    return tuple(sorted(shares, key=lambda share: -share.weight))


def own_error(days: Sequence[Day], member: str) -> float | None:
    errors = [np.abs(day.actual - day.members[member]) for day in days if member in day.members]
    joined = np.concatenate(errors) if errors else np.empty(0)
    known = joined[~np.isnan(joined)]
    return float(known.mean()) if len(known) else None


def worse_lately(days: Sequence[Day]) -> float | None:
    """By how much the error of the last week is above that of the days before, as a share of it; None unless it is well
    above."""
    errors = [float(np.nanmean(np.abs(day.actual - day.p50))) for day in days]
    lately, usual = errors[-LATELY_DAYS:], errors[:-LATELY_DAYS]
    if len(lately) < LATELY_DAYS or len(usual) < ENOUGH_DAYS or np.mean(usual) <= 0:
        return None
    ratio = float(np.mean(lately) / np.mean(usual))
    return ratio - 1.0 if ratio >= WORSE else None


def drift_of(horizon: Horizon, actual: Row, p10: Row, p50: Row, p90: Row) -> Drift | None:
    """What came lately lies outside the band on one side, since when and by how much; None where it does not.

    Slots in which the band has no width (a night without sun, a published price) say nothing.
    """
    telling = np.flatnonzero(~np.isnan(actual) & ~np.isnan(p10) & (p90 > p10))
    if not len(telling):
        return None
    last = telling[-1]
    for below in (True, False):
        outside = actual < p10 if below else actual > p90
        if not outside[last]:
            continue
        backwards = outside[telling][::-1]
        shares = np.cumsum(backwards) / np.arange(1, len(backwards) + 1)
        whole = np.flatnonzero(backwards & (shares >= DRIFT_SHARE))
        since = telling[len(telling) - 1 - int(whole[-1])]
        if (int(whole[-1]) + 1) * horizon.step_hours < DRIFT_HOURS:
            return None
        run = telling[telling >= since]
        said = float(p50[run].sum())
        share = float(actual[run].sum()) / said - 1.0 if said > 0 else None
        return Drift(since=horizon.time_of(int(since)), below=below, share=share)
    return None
