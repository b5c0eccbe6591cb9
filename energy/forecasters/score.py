"""How good forecasts were: issued forecasts held against what came. Slots of which either says nothing do not count."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from energy.model.forecast import Forecast
from energy.model.series import Series

Floats = NDArray[np.float64]

PERCENTILES = tuple(k / 100 for k in range(1, 100))
TOLD_BY_ALL = (0.1, 0.5, 0.9)  # what a forecast without `quantiles` tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The score of some forecasts, in the unit of the target; NaN where nothing can be said. `slots` is how many
    slots were held against what came."""

    slots: int
    mae: float
    bias: float  # forecast less what came: positive is too high
    mape: float  # mean of error over what came, as a share, on slots where that is not zero
    pct_of_peak: float  # `mae` in percent of the largest value, up or down, of the whole series
    crps: float  # see `crps`
    coverage_80: float  # share of what came that lay within P10 … P90


def score(forecasts: Sequence[Forecast], actual: Series) -> Score:
    """The score of issued forecasts against what came; a slot that two of them cover counts for both."""
    came = np.concatenate([actual.over(f.horizon).values for f in forecasts]) if forecasts else np.empty(0)
    p10, p50, p90 = (
        np.concatenate([getattr(f, name).values for f in forecasts]) if forecasts else np.empty(0)
        for name in ("p10", "p50", "p90")
    )
    told = np.concatenate([percentiles(f) for f in forecasts], axis=1) if forecasts else np.empty((99, 0))
    error, peak = mae(p50, came), peak_of(actual)
    return Score(
        slots=int((~np.isnan(came) & ~np.isnan(p50)).sum()),
        mae=error,
        bias=bias(p50, came),
        mape=mape(p50, came),
        pct_of_peak=100.0 * error / peak,
        crps=crps(told, came),
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


def mape(forecast: Floats, actual: Floats) -> float:
    """Mean absolute error as a share of what came; slots in which nothing came (zero) do not count."""
    something = np.where(actual == 0, np.nan, np.abs(actual))
    return _mean(np.abs(forecast - actual) / something)


def peak_of(actual: Series) -> float:
    """The largest value of a series, up or down; NaN where it has none but zero."""
    largest = float(np.abs(actual.values[actual.known]).max()) if actual.known.any() else 0.0
    return largest if largest > 0 else float("nan")


def crps(told: Floats, actual: Floats) -> float:
    """The continuous ranked probability score from 99 percentiles (99, slots): twice their mean pinball loss.

    The score is 2 ∫ pinball(q(a), y, a) da over all levels a from 0 to 1 (Gneiting and Ranjan, J. Business & Economic
    Statistics 29, 2011), here as the mean over a = 0.01 … 0.99, as in the GEFCom2014 competition. A forecast that tells
    fewer levels (a yardstick tells three) is read off the straight line between them, and beyond the outermost at
    the outermost, as `Forecast.at` reads it; so all are scored on the same levels.
    """
    levels = np.array(PERCENTILES)[:, None]
    above = actual - told
    return 2.0 * _mean(np.maximum(levels * above, (levels - 1.0) * above).mean(axis=0))


def percentiles(forecast: Forecast) -> Floats:
    """(99, slots): the percentiles of a forecast, those that it does not tell as `Forecast.at` reads them."""
    told = forecast.quantiles or tuple(zip(TOLD_BY_ALL, (forecast.p10, forecast.p50, forecast.p90), strict=True))
    return percentiles_of(tuple(level for level, _ in told), np.array([series.values for _, series in told]))


def percentiles_of(levels: tuple[float, ...], quantiles: Floats) -> Floats:
    """(99, slots): the percentiles that lie between quantiles (levels, slots) of rising levels."""
    read: Floats = _reading(levels) @ quantiles
    return read


@lru_cache(maxsize=16)
def _reading(told: tuple[float, ...]) -> Floats:
    """(99, told levels): how much of each told level a percentile is made of."""
    return np.array([np.interp(PERCENTILES, told, one) for one in np.eye(len(told))]).T


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
