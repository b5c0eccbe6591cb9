"""The joint log-posterior of Prophet's Stan program for additive terms and linear or flat growth, term by term.

    k, m ~ normal(0, 5)    delta ~ double_exponential(0, tau)    beta ~ normal(0, sigmas)    sigma_obs ~ normal(0, 0.5)
    y ~ normal(trend + X * beta, sigma_obs)

Stan's optimizer maximizes it as a density of the parameters as they stand, without the Jacobian of their bounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TREND_SPREAD = 5.0  # of the prior on k and m
NOISE_SPREAD = 0.5  # of the prior on sigma_obs
LINEAR, FLAT = 0, 2  # Prophet's trend indicators


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Posterior:
    """The data of one fit, in Prophet's own scales."""

    y: Floats  # (rows)
    t: Floats  # (rows) 0 at the first row, 1 at the last
    features: Floats  # (rows, columns)
    spreads: Floats  # (columns) prior scales of the features' weights
    changes: Floats  # times of the potential changepoints
    change_spread: float  # tau, of the Laplace prior on the changes of slope
    flat: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Posterior":
        """From what Prophet would hand to Stan."""
        return cls(
            y=np.asarray(data["y"], dtype=np.float64),
            t=np.asarray(data["t"], dtype=np.float64),
            features=np.asarray(data["X"], dtype=np.float64) * np.asarray(data["s_a"], dtype=np.float64),
            spreads=np.asarray(data["sigmas"], dtype=np.float64),
            changes=np.asarray(data["t_change"], dtype=np.float64),
            change_spread=float(data["tau"]),
            flat=data["trend_indicator"] == FLAT,
        )

    def ramps(self) -> Floats:
        """(rows, changepoints): what a unit change of slope at each changepoint adds."""
        ramps: Floats = np.maximum(self.t[:, None] - self.changes[None, :], 0.0)
        return ramps

    def trend(self, k: float, m: float, delta: Floats) -> Floats:
        return np.full(len(self.y), m) if self.flat else k * self.t + m + self.ramps() @ delta

    def log(self, *, k: float, m: float, delta: Floats, beta: Floats, noise: float) -> float:
        """The log-posterior up to a constant, as Stan's `lp__` counts it."""
        off = self.y - self.trend(k, m, delta) - self.features @ beta
        return float(
            -(k**2 + m**2) / (2 * TREND_SPREAD**2)
            - np.abs(delta).sum() / self.change_spread
            - (noise / NOISE_SPREAD) ** 2 / 2
            - np.square(beta / self.spreads).sum() / 2
            - len(off) * np.log(noise)
            - off @ off / (2 * noise**2)
        )


def covers(data: Mapping[str, Any]) -> bool:
    """Whether the posterior of a fit is of this kind."""
    return data["trend_indicator"] in (LINEAR, FLAT) and not np.asarray(data["s_m"]).any()
