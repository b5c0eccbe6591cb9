"""The planted test: a forecaster is asked again in a world in which all that it must not know is another. If its answer is
another too, it saw the future."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.backtest import Issued, Trial, issue
from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import Member
from energy.model.forecast import Forecast
from energy.model.series import Series
from energy.ports import Forecaster

Floats = NDArray[np.float64]

TARGET = "what came after the issue"
DRIVER = "a driver beyond the horizon"
LATER_FORECASTS = "forecasts that were issued later"
EARLIER_CALL = "what it was asked for a later day before"


def leaks(
    trial: Trial, make: Callable[[Trial], Forecaster], at: datetime, before: Sequence[Issued] = ()
) -> tuple[str, ...]:
    """Which parts of the future change a forecaster's answer; none is as it must be.

    `make` builds the forecaster as it would be built for a trial, so that one which got hold of a series by a back door
    is found out as well. `before` are issued days; of those later than `at` it may learn nothing.
    """
    earlier = [day for day in before if day.at < at]
    answer = told(trial, make(trial), at, earlier)
    slot = trial.actual.horizon.slot_of(at)
    target = replace(trial, actual=changed(trial.actual, slot))
    beyond = slot + trial.slots_ahead
    drivers = replace(trial, drivers=tuple((name, changed(series, beyond)) for name, series in trial.drivers))
    used = make(trial)
    later = [t for t in trial.issue_times() if t > at]
    later_days = [issue(trial, [used], later[-1])] if later else []
    name = used.name
    known_later = [Issued(at=day.at, forecasts={name: after(day.forecasts[name])}, seconds={}) for day in later_days]
    others = {
        TARGET: told(target, make(target), at, earlier),
        DRIVER: told(drivers, make(drivers), at, earlier),
        LATER_FORECASTS: told(trial, make(trial), at, [*before, *known_later]),
        EARLIER_CALL: told(trial, used, at, earlier),
    }
    return tuple(why for why, other in others.items() if other != answer)


def sees_the_future(
    trial: Trial, make: Callable[[Trial], Forecaster], at: datetime, before: Sequence[Issued] = ()
) -> bool:
    """Whether anything that comes after its issue changes a forecaster's answer."""
    return bool(leaks(trial, make, at, before))


def told(trial: Trial, forecaster: Forecaster, at: datetime, before: Sequence[Issued]) -> Forecast:
    """The forecast without the digests of what it was made from."""
    return replace(issue(trial, [forecaster], at, before).forecasts[forecaster.name], inputs=())


def changed(series: Series, first: int) -> Series:
    """The same series up to a slot, and quite another from there on."""
    values = series.values.copy()
    values[first:] = other(values[first:])
    return Series(series.horizon, values, series.unit)


def other(values: Floats) -> Floats:
    """Values that have nothing to do with the given ones: turned about, upside down, shifted, and known."""
    turned: Floats = np.where(np.isnan(values), 0.0, values)[::-1] * -3.0 + 17.0
    return turned


def after(forecast: Forecast) -> Forecast:
    """A forecast of a later day, with another middle than it had."""
    return replace(forecast, p50=changed(forecast.p50, 0))


def peeks(member: Member, days: Days, issue_row: int) -> tuple[str, ...]:
    """Which rows that a member must not use when it says what it would have said at an earlier row change that answer.

    A combined forecast weighs its members by such answers, so one that peeks is not found in the forecast itself: it
    would only seem better than it is.
    """
    answer = retraced(member, days, issue_row)
    end = issue_row + days.ahead
    y = days.y.copy()
    y[issue_row : days.issue] = other_days(y[issue_row : days.issue])
    drivers = {name: np.concatenate([values[:end], other_days(values[end:])]) for name, values in days.drivers.items()}
    others = {
        TARGET: retraced(member, replace(days, y=y), issue_row),
        DRIVER: retraced(member, replace(days, drivers=drivers), issue_row),
    }
    near = 1e-9 * max(1.0, float(np.nanmax(np.abs(days.y))))  # sums of other lengths round in other ways
    return tuple(
        why for why, told in others.items() if not np.allclose(told, answer, rtol=1e-9, atol=near, equal_nan=True)
    )


def other_days(rows: Floats) -> Floats:
    """Other days, in another order, at which nothing is where nothing was: a night is a night in any world."""
    turned: Floats = rows[::-1] * 2.5 + 7.0 * (rows[::-1] != 0)
    return turned


def retraced(member: Member, days: Days, issue_row: int) -> Floats:
    """(rows ahead, slots a day): what a member would have said at an earlier row."""
    rows: Floats = member.forecast(days, [issue_row, days.issue])[0]
    return rows
