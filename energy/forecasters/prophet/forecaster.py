"""The Prophet forecaster: fit on the last weeks, predict the horizon, band from errors at that hour.

Where Prophet cannot answer (too little past, a failed or late fit) similar days do, and the flags say so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.bands import Band, banded, error_band
from energy.forecasters.limits import kept_within
from energy.forecasters.prophet.columns import Columns, columns_of
from energy.forecasters.prophet.fit import FitError, fitted
from energy.forecasters.prophet.ground import Ground
from energy.forecasters.prophet.parts import Fit, parts_of
from energy.forecasters.prophet.retrace import retraced
from energy.forecasters.published import by_parts
from energy.forecasters.similar import Depth, forecast_similar_days
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon

Floats = NDArray[np.float64]

LEAST_DAYS = 14  # of history with values, before Prophet is asked at all


class ProphetForecaster:
    """Prophet on the last weeks, in the local calendar."""

    name = "prophet"

    def __init__(self, *, weeks: int, seconds: float, daily_terms: int) -> None:
        self._weeks, self._seconds, self._terms = weeks, seconds, daily_terms
        self._depth = Depth()
        self._last: dict[Target, Fit] = {}

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        self._last.pop(target, None)
        return by_parts(self._one, target, past, horizon)

    def _one(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        try:
            return self._by_prophet(target, past, horizon)
        except FitError as why:
            said = (f"similar days instead of Prophet: {why}",)
            return forecast_similar_days(target, past, horizon, self._depth, source="naive", flags=said)

    def components(self, target: Target) -> Sequence[Component]:
        """Trend, daily shapes by kind of day, week, lags and drivers of the last fit; empty where there was none."""
        last = self._last.get(target)
        return parts_of(last) if last else ()

    def _by_prophet(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        ground = Ground.of(target, past, horizon, self._weeks)
        days = ground.days_known if ground else 0
        if ground is None or days < LEAST_DAYS:
            raise FitError(f"{days} days of history, {LEAST_DAYS} needed")
        columns, flags = columns_of(ground, past.drivers, terms=self._terms, depth=self._depth)
        frame = frame_of(ground, columns)
        learned = frame.iloc[ground.fitted_from : ground.seen.horizon.slots]
        model = fitted(learned, columns.regressors, seconds=self._seconds)
        self._last[target] = Fit(model=model, columns=columns, ground=ground, frame=frame, unit=past.target.unit)
        middle = model.predict(frame.iloc[-ground.ahead.slots :].drop(columns="y"))["yhat"].to_numpy()
        errors = error_table(model, learned, ground)
        band, thin = error_band(middle, ground.slots_ahead, errors, ground.table, alike=ground.alike)
        if thin:
            flags.append("too few days for a band from own errors: the band is the spread of what was measured")
        band = kept_within(target, band, ground.slots_ahead, ground.table)
        return banded(
            on_horizon(band, ground.ahead, horizon),
            target=target,
            issued_at=past.known_at,
            horizon=horizon,
            unit=past.target.unit,
            source=self.name,
            flags=(*ground.flags, *flags),
        )


def frame_of(ground: Ground, columns: Columns) -> Any:
    """The rows for Prophet: UTC times without a zone, the past (NaN ahead) and all regressors."""
    import pandas as pd

    y = np.full(ground.span.slots, np.nan)
    y[: ground.seen.horizon.slots] = ground.seen.values
    start, step = ground.span.start.replace(tzinfo=None), ground.span.step_minutes
    ds = pd.date_range(start, periods=ground.span.slots, freq=f"{step}min")
    return pd.DataFrame({"ds": ds, "y": y, **columns.values})


def error_table(model: Any, learned: Any, ground: Ground) -> Floats:
    """What came less what Prophet would have said on each past day, one row a local day."""
    errors = np.full(ground.table.values.shape, np.nan)
    index = learned.index.to_numpy()
    rows, columns = ground.slots.day[index] - ground.table.first, ground.slots.minute[index] // ground.span.step_minutes
    errors[rows, columns] = retraced(model, learned, rows, ground.lead_days)
    return errors


def on_horizon(band: Band, fit: Horizon, horizon: Horizon) -> Band:
    """A band of the fit's step on the horizon's own."""
    times = fit.step_minutes // horizon.step_minutes
    return Band(np.repeat(band.p10, times), np.repeat(band.p50, times), np.repeat(band.p90, times))
