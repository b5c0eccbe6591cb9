"""A rolling-origin test: each day of the past is forecast again from what was known before it, and held against what came.

A forecaster gets copies that end at its issue time, so it cannot see the future even by mistake; drivers reach over
the horizon, since they stand for forecasts that were issued before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as wall_time
from time import perf_counter

import numpy as np

from energy.clock import local_date, wall_to_utc
from energy.forecasters.bands import Band, banded
from energy.forecasters.days import local_slots
from energy.forecasters.score import Score, mae, score
from energy.forecasters.similar import DayTable, seen_before
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.ports import Forecaster

WEEK = "copy of last week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tested on: the whole series, its drivers, and when a forecast is issued for how long."""

    target: Target
    actual: Series
    drivers: tuple[tuple[str, Series], ...] = ()
    days: int
    slots_ahead: int
    issue: wall_time = wall_time(0, 0)
    zone: str = "UTC"
    country: str = ""

    def issue_times(self) -> list[datetime]:
        """The last `days` local days' issue times of which the whole horizon is in the series, oldest first."""
        span, length = self.actual.horizon, self.slots_ahead * self.actual.horizon.step
        day = local_date(span.end - timedelta(microseconds=1), self.zone)
        times: list[datetime] = []
        while len(times) < self.days and day >= local_date(span.start, self.zone):
            at = wall_to_utc(day, self.issue, self.zone)
            if at + length <= span.end and at > span.start:
                times.append(at)
            day -= timedelta(days=1)
        return times[::-1]

    def past_at(self, issued: datetime) -> Past:
        """What was known at a time: copies of the series up to it, and of the drivers over the horizon too."""
        span = self.actual.horizon
        told = Horizon(span.start, span.slot_of(issued), span.step_minutes)
        reach = Horizon(span.start, told.slots + self.slots_ahead, span.step_minutes)
        return Past(
            target=self.actual.over(told),
            drivers=tuple((name, series.over(reach)) for name, series in self.drivers),
            known_at=issued,
            zone=self.zone,
            country=self.country,
        )

    def horizon_at(self, issued: datetime) -> Horizon:
        return Horizon(issued, self.slots_ahead, self.actual.horizon.step_minutes)


class LastWeek:
    """The copy of last week: the same local wall time seven days before; its band is the spread of such copies."""

    name = WEEK

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        seen = seen_before(past, horizon, 90)
        span = Horizon.between(seen.horizon.start, horizon.end, horizon.step_minutes)
        slots = local_slots(span, past.zone, frozenset())
        table = DayTable.of(seen.values, slots.cut(0, seen.horizon.slots), horizon.step_minutes)
        days = 7 * -((seen.horizon.end - horizon.end) // timedelta(days=7))
        ahead = slots.cut(span.slots - horizon.slots, span.slots)
        row, column = ahead.day - table.first - days, ahead.minute // horizon.step_minutes
        middle = np.where(row >= 0, table.values[np.maximum(row, 0), column], np.nan)
        changes = (table.values[days:] - table.values[:-days])[-70:] if len(table.values) > days else np.empty((0, 1))
        low, high = middle.copy(), middle.copy()
        for hour in np.unique(ahead.minute // 60):
            pool = changes[:, np.arange(changes.shape[1]) * horizon.step_minutes // 60 == hour]
            pool = pool[~np.isnan(pool)]
            if len(pool):
                here = ahead.minute // 60 == hour
                low[here] += np.quantile(pool, 0.1)
                high[here] += np.quantile(pool, 0.9)
        return banded(Band(low, middle, high), target=target, issued_at=past.known_at, horizon=horizon,
                      unit=past.target.unit, source=self.name, flags=())  # fmt: skip

    def components(self, target: Target) -> Sequence[Component]:  # noqa: ARG002 - the port's signature
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One day of the test: each forecaster's forecast, and how long it took."""

    at: datetime
    forecasts: Mapping[str, Forecast]
    seconds: Mapping[str, float]


class LeakError(AssertionError):
    """A forecaster was about to see, or was given, what was not known at its issue time."""


REMEMBERED = 120  # earlier forecasts that a forecaster is given back


def issue(trial: Trial, forecasters: Sequence[Forecaster], at: datetime, before: Sequence[Issued] = ()) -> Issued:
    """The forecasts of one day. Each forecaster has its own copies, so that none can tell another, and its own earlier
    forecasts of the days `before`, oldest first."""
    forecasts, seconds = {}, {}
    for forecaster in forecasters:
        past, horizon = trial.past_at(at), trial.horizon_at(at)
        earlier = [day.forecasts[forecaster.name] for day in before if day.at < at][-REMEMBERED:]
        past = replace(past, issued=tuple(earlier))
        if past.target.horizon.end > at or any(s.horizon.end > horizon.end for _, s in past.drivers):
            raise LeakError(f"the past given at {at} reaches beyond it")
        began = perf_counter()
        forecast = forecaster.forecast(trial.target, past, horizon)
        seconds[forecaster.name] = perf_counter() - began
        if forecast.horizon != horizon:
            raise LeakError(f"{forecaster.name} answered for {forecast.horizon}, asked was {horizon}")
        forecasts[forecaster.name] = forecast
    return Issued(at=at, forecasts=forecasts, seconds=seconds)


def sees_the_future(trial: Trial, make: Callable[[Trial], Forecaster], at: datetime) -> bool:
    """Whether a forecaster's answer changes when all that came after its issue time is another: the planted test.

    `make` builds the forecaster as it would be built for a trial, so that one which got hold of the series by a back
    door is found out as well.
    """
    slot = trial.actual.horizon.slot_of(at)
    values = trial.actual.values.copy()
    values[slot:] = values[slot:][::-1] * -3.0 + 17.0
    other = replace(trial, actual=Series(trial.actual.horizon, values, trial.actual.unit))
    answers = [issue(t, [make(t)], at).forecasts for t in (trial, other)]
    (first,), (second,) = (list(answer.values()) for answer in answers)
    return (first.p10, first.p50, first.p90) != (second.p10, second.p50, second.p90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one forecaster did."""

    score: Score
    rmae_week: float  # its error over that of the copy of last week, on the slots that both know
    seconds: float


def results(trial: Trial, days: Sequence[Issued]) -> dict[str, Result]:
    """How each forecaster did over the days of a trial."""
    names = list(days[0].forecasts) if days else []
    return {
        name: Result(
            score=score([day.forecasts[name] for day in days], trial.actual),
            rmae_week=relative_to_week(trial, days, name),
            seconds=sum(day.seconds[name] for day in days),
        )
        for name in names
    }


def relative_to_week(trial: Trial, days: Sequence[Issued], name: str) -> float:
    def joined(forecaster: str) -> np.ndarray:
        return np.concatenate([day.forecasts[forecaster].p50.values for day in days])

    came = np.concatenate([trial.actual.over(trial.horizon_at(day.at)).values for day in days])
    own, week = joined(name), joined(WEEK)
    both = ~(np.isnan(own) | np.isnan(week))
    error = mae(week[both], came[both])
    return mae(own[both], came[both]) / error if error > 0 else float("nan")
