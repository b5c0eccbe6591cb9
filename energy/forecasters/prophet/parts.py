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
    trend = fit.model.predict(ahead.drop(columns="y"))["trend"].to_numpy()
    parts = [Component(name="trend", x=times, y=tuple(trend.tolist()), unit=fit.unit)]
    shapes = {name: columns for name, columns in fit.columns.parts.items() if name.startswith("daily")}
    parts += [daily(fit, name, columns, weights) for name, columns in shapes.items()]
    parts.append(weekly(fit, [SIMILAR, *(column for columns in shapes.values() for column in columns)], weights))
    for name, columns in fit.columns.parts.items():
        if name not in shapes:
            added = contribution(fit.model, ahead, columns, weights)
            parts.append(Component(name=name, x=times, y=tuple(added.tolist()), unit=fit.unit))
    return tuple(parts)


def weights_of(model: Any) -> dict[str, float]:
    """What one unit of each (scaled) column adds, in the unit of the target."""
    beta = np.asarray(model.params["beta"]).reshape(-1) * model.y_scale
    return dict(zip(model.extra_regressors, beta.tolist(), strict=True))


def contribution(model: Any, rows: Any, columns: list[str], weights: dict[str, float]) -> Floats:
    """What some columns add in some rows. A standardized column adds its distance from its own mean."""
    total = np.zeros(len(rows))
    for column in columns:
        scale = model.extra_regressors[column]
        total += weights[column] * (rows[column].to_numpy() - scale["mu"]) / scale["std"]
    return total


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
