"""The readable parts of a fitted Prophet, for the screen: what each adds to the forecast, in its own unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.prophet.columns import SIMILAR, Columns
from energy.forecasters.prophet.ground import Ground
from energy.model.forecast import Component

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted model with what is needed to read it."""

    model: Any
    columns: Columns
    ground: Ground
    frame: Any  # the rows of past and horizon, with all columns
    unit: str


def parts_of(fit: Fit) -> tuple[Component, ...]:
    """Trend, the daily shape of each kind of day, the week, and what lags and drivers add over the horizon."""
    weights = weights_of(fit.model)
    ahead = fit.frame.iloc[-fit.ground.ahead.slots :]
    times = tuple(t.isoformat() for t in fit.ground.ahead.times())
    told = fit.model.predict(ahead.drop(columns="y"))
    parts = [Component(name="trend", x=times, y=tuple(told["trend"].tolist()), unit=fit.unit)]
    if "yearly" in told:
        parts.append(Component(name="time of year", x=times, y=tuple(told["yearly"].tolist()), unit=fit.unit))
        parts.append(yearly(fit))
    if fit.model.growth == "linear":
        parts.append(trend_so_far(fit))
    shapes = {name: columns for name, columns in fit.columns.parts.items() if name.startswith("daily")}
    parts += [daily(fit, name, columns, weights) for name, columns in shapes.items()]
    parts.append(
        weekly(
            fit,
            [*fit.columns.parts.get(SIMILAR, ()), *(column for columns in shapes.values() for column in columns)],
            weights,
        )
    )
    for name, columns in fit.columns.parts.items():
        if name not in shapes:
            added = contribution(fit.model, ahead, columns, weights)
            parts.append(Component(name=name, x=times, y=tuple(added.tolist()), unit=fit.unit))
    return tuple(parts)


def weights_of(model: Any) -> dict[str, float]:
    """What one unit of each (scaled) column adds, in the unit of the target."""
    beta = np.asarray(model.params["beta"]).reshape(-1) * model.y_scale
    regressors = list(model.extra_regressors)  # Prophet's last columns, after its own seasonalities
    return dict(zip(regressors, beta[len(beta) - len(regressors) :].tolist(), strict=True))


def contribution(model: Any, rows: Any, columns: list[str], weights: dict[str, float]) -> Floats:
    """What some columns add in some rows. A standardized column adds its distance from its own mean."""
    total = np.zeros(len(rows))
    for column in columns:
        scale = model.extra_regressors[column]
        total += weights[column] * (rows[column].to_numpy() - scale["mu"]) / scale["std"]
    return total


def yearly(fit: Fit) -> Component:
    """What the time of year adds, week by week over the year before the horizon."""
    import pandas as pd

    rows = pd.DataFrame({"ds": pd.date_range(end=fit.frame["ds"].iloc[-1].normalize(), periods=53, freq="7D")})
    shape = fit.model.predict_seasonal_components(with_regressors(fit, rows))["yearly"]
    return Component(name="yearly", x=dates(rows), y=tuple(shape.tolist()), unit=fit.unit)


def trend_so_far(fit: Fit) -> Component:
    """The line of the level over the past, which bends at changepoints, once a week."""
    import pandas as pd

    past = fit.frame["ds"].iloc[fit.ground.fitted_from : fit.ground.seen.horizon.slots]
    rows = pd.DataFrame({"ds": pd.date_range(past.iloc[0].normalize(), past.iloc[-1], freq="7D")})
    level = fit.model.predict_trend(with_regressors(fit, rows))
    return Component(name="trend so far", x=dates(rows), y=tuple(level.tolist()), unit=fit.unit)


def with_regressors(fit: Fit, rows: Any) -> Any:
    """Rows as Prophet wants them, with regressors that nobody looks at."""
    return fit.model.setup_dataframe(rows.assign(**dict.fromkeys(fit.model.extra_regressors, 0.0)))


def dates(rows: Any) -> tuple[str, ...]:
    return tuple(rows["ds"].dt.strftime("%Y-%m-%d"))


def daily(fit: Fit, name: str, columns: list[str], weights: dict[str, float]) -> Component:
    """The shape of one kind of day, by wall-clock time."""
    on = (fit.frame[columns].abs().to_numpy() > 0).any(axis=1)
    rows, minutes = fit.frame[on], fit.ground.slots.minute[on]
    times, first = np.unique(minutes, return_index=True)
    shape = contribution(fit.model, rows.iloc[first], columns, weights)
    labels = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in times.tolist())
    return Component(name=name, x=labels, y=tuple(shape.tolist()), unit=fit.unit)


def weekly(fit: Fit, columns: list[str], weights: dict[str, float]) -> Component:
    """What daily shapes and similar days add on each weekday, in the mean of the days that were fitted."""
    rows = slice(fit.ground.fitted_from, fit.ground.seen.horizon.slots)
    added = contribution(fit.model, fit.frame.iloc[rows], columns, weights)
    weekdays = (fit.ground.slots.day[rows] + 6) % 7  # the ordinal 1 was a Monday
    present = np.unique(weekdays)
    means = tuple(float(added[weekdays == weekday].mean()) for weekday in present)
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return Component(name="weekly", x=tuple(names[weekday] for weekday in present), y=means, unit=fit.unit)
