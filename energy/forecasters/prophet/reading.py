"""What a person can read of a series: one Prophet by the hour, with trend, changepoints, day kinds, time of year and drivers.

It has no lags, which forecast well and explain nothing. Where another forecaster was the one to say what comes, the
difference to what it said is a part of its own, so that all parts add up to the forecast on the screen.
"""

from collections.abc import Sequence

import numpy as np

from energy.forecasters.prophet.columns import columns_of
from energy.forecasters.prophet.fit import FitError, fitted
from energy.forecasters.prophet.forecaster import LEAST_DAYS, frame_of
from energy.forecasters.prophet.ground import Ground
from energy.forecasters.prophet.parts import Fit, parts_of
from energy.forecasters.similar import at_step
from energy.model.forecast import Component, Forecast, Past
from energy.model.horizon import Horizon

WEEKS = 106  # two years and the days that lags would need
DAYS_OF_TREND = 56  # below that a bend cannot be told from a week
DAYS_OF_YEAR = 365
DAILY_TERMS, YEARLY_TERMS = 6, 4
REST = "what other models know"


def readable(past: Past, forecast: Forecast, *, seconds: float) -> Sequence[Component]:
    """The parts of a forecast that was made from this past; none where the past is too short to tell them apart."""
    horizon = by_the_hour(forecast.horizon)
    ground = Ground.of(forecast.target, past, horizon, WEEKS)
    days = ground.days_known if ground else 0
    if ground is None or days < LEAST_DAYS:
        return ()
    columns, _ = columns_of(ground, past.drivers, terms=DAILY_TERMS, depth=None)
    frame = frame_of(ground, columns)
    learned = frame.iloc[ground.fitted_from : ground.seen.horizon.slots]
    try:
        model = fitted(learned, columns.regressors, seconds=seconds, trend=days >= DAYS_OF_TREND,
                       yearly=YEARLY_TERMS if days >= DAYS_OF_YEAR else 0)  # fmt: skip
    except FitError:
        return ()
    fit = Fit(model=model, columns=columns, ground=ground, frame=frame, unit=past.target.unit)
    return (*parts_of(fit), rest(fit, forecast))


def rest(fit: Fit, forecast: Forecast) -> Component:
    """What the forecast says beyond its readable parts."""
    ahead = fit.ground.ahead
    said = at_step(forecast.p50, ahead).over(ahead).values
    parts = fit.model.predict(fit.frame.iloc[-ahead.slots :].drop(columns="y"))["yhat"].to_numpy()
    times = tuple(t.isoformat() for t in ahead.times())
    return Component(name=REST, x=times, y=tuple(np.asarray(said - parts).tolist()), unit=fit.unit)


def by_the_hour(horizon: Horizon) -> Horizon:
    """The same horizon in slots of an hour, where it begins and ends with one."""
    minutes = horizon.slots * horizon.step_minutes
    if horizon.step_minutes >= 60 or horizon.start.minute or minutes % 60:
        return horizon
    return Horizon(horizon.start, minutes // 60, 60)
