"""Whether one forecast is really better than another, or was only lucky: the test of Diebold and Mariano on daily errors.

The loss of a day is the mean absolute error of its slots (the L1 norm of the day's error vector, the multivariate form
of Lago, Marcjasz, De Schutter and Weron, Applied Energy 293, 2021, section 3.4.2), so that errors of neighbouring
hours, which come together, count once. With d the difference of the two losses of a day, n days and m the mean of d,

    S = sqrt((n + 1 − 2h + h (h − 1) / n) / n) · m / sqrt(V / n)

V is the long-run variance of d with Bartlett weights over q = max(h − 1, ⌊4 (n / 100)^(2/9)⌋) lags (Newey and West,
Econometrica 55, 1987; Review of Economic Studies 61, 1994), h is how many days ahead a forecast reaches, and the first
factor is the small-sample correction of Harvey, Leybourne and Newbold (International Journal of Forecasting 13, 1997),
by whom S is held against Student's t with n − 1 degrees of freedom. (Diebold and Mariano, JBES 13, 1995.)
"""

import math
from collections.abc import Sequence

import numpy as np

FEWEST_DAYS = 10  # below which nothing is said


def better(own: Sequence[float], other: Sequence[float], *, days_ahead: int = 1) -> float:
    """The probability of so large a lead of `own` daily losses over `other` ones, if neither were better (one-sided p).
    Small is significant; above one half `own` is behind. NaN where there are too few days."""
    lead = np.asarray(other, dtype=np.float64) - np.asarray(own, dtype=np.float64)
    lead = lead[~np.isnan(lead)]
    days = len(lead)
    if days < FEWEST_DAYS:
        return float("nan")
    variance = long_run_variance(lead, max(days_ahead - 1, int(4 * (days / 100) ** (2 / 9))))
    if variance <= 0:
        return 0.5 if lead.mean() == 0 else float(lead.mean() < 0)
    factor = math.sqrt(max(0.0, days + 1 - 2 * days_ahead + days_ahead * (days_ahead - 1) / days) / days)
    return upper_tail(factor * float(lead.mean()) / math.sqrt(variance / days), days - 1)


def long_run_variance(values: np.ndarray, lags: int) -> float:
    """The variance of which the mean of a correlated series has its n-th part."""
    centred = values - values.mean()
    of_lag = [float((centred[k:] * centred[: len(centred) - k]).mean() * (1 - k / len(centred)))
              for k in range(lags + 1)]  # fmt: skip
    return of_lag[0] + 2 * sum((1 - k / (lags + 1)) * of_lag[k] for k in range(1, lags + 1))


def upper_tail(t: float, degrees: int) -> float:
    """The probability of more than t under Student's distribution with whole degrees of freedom: the finite sums of
    Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2 == 1
    term, total = (cosine, cosine) if odd else (1.0, 1.0)
    if degrees == 1:
        total = 0.0
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= cosine**2 * ((k - 1) / k)
        total += term
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total  # P(|T| < t), with the sign of t
    return 0.5 * (1.0 - within)
