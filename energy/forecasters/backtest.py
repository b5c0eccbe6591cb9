"""A rolling-origin test: each day of the past is forecast again from what was known before it, and held against what came.

A forecaster gets copies that end at its issue time, so it cannot see the future even by mistake; drivers reach over
the horizon, since they stand for forecasts that were issued before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from datetime import time as wall_time
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from energy.clock import local_date, wall_to_utc
from energy.forecasters.bands import Band, banded
from energy.forecasters.days import local_slots, wall_minutes
from energy.forecasters.score import Score, coverage, mae, score
from energy.forecasters.similar import DayTable, seen_before
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.ports import Forecaster

Floats = NDArray[np.float64]

WEEK = "copy of last week"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is tested on: the whole series, its drivers, and when a forecast is issued for how long."""

    target: Target
    actual: Series
    drivers: tuple[tuple[str, Series], ...] = ()
    days: int
    slots_ahead: int
    every: int = 1  # only each so manieth of the days, the last among them: a sample
    issue: wall_time = wall_time(0, 0)
    zone: str = "UTC"
    country: str = ""

    def issue_times(self) -> list[datetime]:
        """The issue times of the last `days` local days of which the whole horizon is in the series and anything came,
        oldest first; of these each `every`-th, counted from the last."""
        span, length = self.actual.horizon, self.slots_ahead * self.actual.horizon.step
        day = local_date(span.end - timedelta(microseconds=1), self.zone)
        times: list[datetime] = []
        while len(times) < self.days and day >= local_date(span.start, self.zone):
            at = wall_to_utc(day, self.issue, self.zone)
            if at + length <= span.end and at > span.start and self.actual.over(self.horizon_at(at)).known.any():
                times.append(at)
            day -= timedelta(days=1)
        return times[:: self.every][::-1]

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
        if any(told.issued_at >= at for told in past.issued):
            raise LeakError(f"the past given at {at} holds forecasts that were issued later")
        began = perf_counter()
        forecast = forecaster.forecast(trial.target, past, horizon)
        seconds[forecaster.name] = perf_counter() - began
        if forecast.horizon != horizon:
            raise LeakError(f"{forecaster.name} answered for {forecast.horizon}, asked was {horizon}")
        forecasts[forecaster.name] = forecast
    return Issued(at=at, forecasts=forecasts, seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one forecaster did. Lists are one entry a day of issue, an hour of the wall clock, a day ahead."""

    score: Score
    rmae_week: float  # its error over that of the copy of last week, on the slots that both know
    seconds: float
    daily_mae: list[float]
    coverage_by_hour: list[float]
    by_lead_day: list[Score]  # empty where forecasts reach no further than a day


def results(trial: Trial, days: Sequence[Issued]) -> dict[str, Result]:
    """How each forecaster did over the days of a trial."""
    names = list(days[0].forecasts) if days else []
    return {name: result(trial, days, name) for name in names}


def result(trial: Trial, days: Sequence[Issued], name: str) -> Result:
    told = [day.forecasts[name] for day in days]
    came = [trial.actual.over(forecast.horizon).values for forecast in told]
    return Result(
        score=score(told, trial.actual),
        rmae_week=relative_to_week(trial, days, name),
        seconds=sum(day.seconds[name] for day in days),
        daily_mae=[mae(forecast.p50.values, y) for forecast, y in zip(told, came, strict=True)],
        coverage_by_hour=coverage_by_hour(trial, told, came),
        by_lead_day=by_lead_day(trial, told),
    )


def coverage_by_hour(trial: Trial, told: Sequence[Forecast], came: Sequence[Floats]) -> list[float]:
    """Share of what came within P10 … P90 by the hour of the wall clock."""
    hours = np.concatenate([wall_minutes(forecast.horizon, trial.zone) // 60 % 24 for forecast in told])
    low, high = (np.concatenate([getattr(forecast, name).values for forecast in told]) for name in ("p10", "p90"))
    y = np.concatenate(came)
    return [coverage(low[here], high[here], y[here]) for here in (hours == hour for hour in range(24))]


def by_lead_day(trial: Trial, told: Sequence[Forecast]) -> list[Score]:
    """The score of the first 24 hours ahead, of the second, and so on."""
    a_day = 24 * 60 // trial.actual.horizon.step_minutes
    edges = range(0, trial.slots_ahead, a_day)
    if len(edges) < 2:
        return []
    return [score([part_of(f, first, first + a_day) for f in told], trial.actual) for first in edges]


def part_of(forecast: Forecast, first: int, end: int) -> Forecast:
    """Some slots of a forecast, as a forecast."""
    whole = forecast.horizon
    span = Horizon(whole.time_of(first), min(end, whole.slots) - first, whole.step_minutes)
    return replace(
        forecast,
        p10=forecast.p10.over(span),
        p50=forecast.p50.over(span),
        p90=forecast.p90.over(span),
        quantiles=tuple((level, series.over(span)) for level, series in forecast.quantiles),
        members=(),
    )


def relative_to_week(trial: Trial, days: Sequence[Issued], name: str) -> float:
    def joined(forecaster: str) -> np.ndarray:
        return np.concatenate([day.forecasts[forecaster].p50.values for day in days])

    came = np.concatenate([trial.actual.over(trial.horizon_at(day.at)).values for day in days])
    own, week = joined(name), joined(WEEK)
    both = ~(np.isnan(own) | np.isnan(week))
    error = mae(week[both], came[both])
    return mae(own[both], came[both]) / error if error > 0 else float("nan")
