"""How good forecasts were: issued forecasts held against what came. Slots of which either says nothing do not count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.forecast import Forecast
from energy.model.series import Series

Floats = NDArray[np.float64]

LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The score of some forecasts, in the unit of the target; NaN where nothing can be said. `slots` is how many
    slots were held against what came."""

    slots: int
    mae: float
    bias: float  # forecast less what came: positive is too high
    crps: float  # from three quantiles, see `crps`
    coverage_80: float  # share of what came that lay within P10 … P90


def score(forecasts: Sequence[Forecast], actual: Series) -> Score:
    """The score of issued forecasts against what came; a slot that two of them cover counts for both."""
    came = np.concatenate([actual.over(f.horizon).values for f in forecasts]) if forecasts else np.empty(0)
    p10, p50, p90 = (
        np.concatenate([getattr(f, name).values for f in forecasts]) if forecasts else np.empty(0)
        for name in ("p10", "p50", "p90")
    )
    return Score(
        slots=int((~np.isnan(came) & ~np.isnan(p50)).sum()),
        mae=mae(p50, came),
        bias=bias(p50, came),
        crps=crps(p10, p50, p90, came),
        coverage_80=coverage(p10, p90, came),
    )


def skill(forecasts: Sequence[Forecast], yardstick: Sequence[Forecast], actual: Series) -> float:
    """How much smaller the error is than the yardstick's: 0.2 is a fifth smaller, negative is worse than the
    yardstick. NaN where either has nothing to show."""
    own, other = score(forecasts, actual).mae, score(yardstick, actual).mae
    return 1.0 - own / other if other > 0 else float("nan")


def mae(forecast: Floats, actual: Floats) -> float:
    """Mean absolute error."""
    return _mean(np.abs(forecast - actual))


def bias(forecast: Floats, actual: Floats) -> float:
    """Mean of forecast less actual."""
    return _mean(forecast - actual)


def coverage(low: Floats, high: Floats, actual: Floats) -> float:
    """Share of what came that lay within the band, its edges included."""
    known = ~(np.isnan(low) | np.isnan(high) | np.isnan(actual))
    return float(((low <= actual) & (actual <= high))[known].mean()) if known.any() else float("nan")


def pinball(quantile: Floats, actual: Floats, level: float) -> float:
    """Mean pinball loss of one quantile: what came above it costs `level`, what came below it the rest."""
    above = actual - quantile
    return _mean(np.maximum(level * above, (level - 1.0) * above))


def crps(p10: Floats, p50: Floats, p90: Floats, actual: Floats) -> float:
    """The continuous ranked probability score, approximated from three quantiles as twice their mean pinball loss.

    The exact score is twice the integral of the pinball loss over all levels. Three levels leave out the far tails;
    the figure is for comparing forecasts that give the same three, not with scores from whole distributions.
    """
    return 2.0 * float(np.mean([pinball(q, actual, level) for q, level in zip((p10, p50, p90), LEVELS, strict=True)]))


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
