"""What Prophet would have said on each past day, had it been asked then: the honest source of its band.

Residuals of a fit are smaller than the errors of a forecast, since the fit has seen them. With a flat trend, Prophet's
estimate given its noise scale is a ridge regression: its seasonal weights have normal priors. So each past day can be
predicted from the days before it in closed form, on Prophet's own columns, priors and scales.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.prophet.exact.batch import LEAST_NOISE, ridge
from energy.forecasters.prophet.exact.posterior import TREND_SPREAD

Floats = NDArray[np.float64]

LEAST_DAYS = 14  # to learn from before the first day is predicted


def retraced(model: Any, learned: Any, days: NDArray[np.int64], lead_days: int) -> Floats:
    """The errors of each fitted slot, predicted from the days up to `lead_days` before its own; NaN where unknown."""
    features, priors, _, _ = model.make_all_seasonality_features(model.setup_dataframe(learned.drop(columns="y")))
    x = np.column_stack([np.ones(len(features)), features.to_numpy(dtype=np.float64)])
    y = learned["y"].to_numpy() / model.y_scale
    noise = max(LEAST_NOISE, float(np.asarray(model.params["sigma_obs"]).ravel()[0]))
    spreads = np.array([TREND_SPREAD, *priors])
    order = np.unique(days)
    squares, products = np.zeros((x.shape[1], x.shape[1])), np.zeros(x.shape[1])
    waiting: list[tuple[Floats, Floats]] = []
    errors = np.full(len(y), np.nan)
    for place, day in enumerate(order):
        here = days == day
        if place >= LEAST_DAYS + lead_days - 1:
            weights = ridge(squares[None], products[None], np.array([noise]), spreads)[0]
            errors[here] = (y[here] - x[here] @ weights) * model.y_scale
        known = here & ~np.isnan(y)
        waiting.append((x[known], y[known]))
        if len(waiting) >= lead_days:
            past_x, past_y = waiting.pop(0)
            squares = squares + past_x.T @ past_x
            products = products + past_x.T @ past_y
    return errors
