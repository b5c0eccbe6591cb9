"""Prophet's backend by the exact maximum. What it does not cover goes to Stan.

Importing this module imports Prophet (170 MB, 3 s).
"""

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prophet.models import IStanBackend

from energy.forecasters.prophet.exact.lasso import NoOptimumError
from energy.forecasters.prophet.exact.noise import best
from energy.forecasters.prophet.exact.posterior import TREND_SPREAD, Posterior, covers
from energy.forecasters.prophet.exact.rotated import Rotated
from energy.forecasters.prophet.stan import TimedStan

Floats = NDArray[np.float64]


class Exact(IStanBackend):
    """Set it as a Prophet's `stan_backend` before `fit`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self.asked_stan = False  # at the last fit

    @staticmethod
    def get_type() -> str:
        return TimedStan.get_type()  # by this name Prophet makes models of its own for regressors

    def load_model(self) -> None:
        """Nothing to load; Stan's is loaded where it is needed."""

    def fit(self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any) -> OrderedDict[str, Any]:
        """The parameters of the maximum a posteriori, as Stan names them."""
        self.asked_stan = not covers(stan_data)
        if not self.asked_stan:
            try:
                return maximum(Posterior.of(stan_data))
            except NoOptimumError:  # rounding kept it from the optimality conditions
                self.asked_stan = True
        return TimedStan(self._seconds).fit(stan_init, stan_data, **kwargs)

    def sampling(
        self, stan_init: dict[str, Any], stan_data: dict[str, Any], samples: int, **kwargs: Any
    ) -> OrderedDict[str, Any]:
        return TimedStan(self._seconds).sampling(stan_init, stan_data, samples, **kwargs)


def maximum(posterior: Posterior) -> OrderedDict[str, Any]:
    """The parameters at the maximum, each with one row, as Prophet keeps them. Raises NoOptimumError."""
    lines = [np.ones(len(posterior.y))] if posterior.flat else [np.ones(len(posterior.y)), posterior.t]
    ridge = np.column_stack([*(TREND_SPREAD * line for line in lines), posterior.features * posterior.spreads])
    ramps = posterior.ramps()[:, :0] if posterior.flat else posterior.ramps()
    rows = Rotated.of(ridge, ramps, posterior.y)
    found = best(rows, posterior.change_spread)
    weights = rows.ridge_weights(rows.y - rows.ramps @ found.delta, found.noise)
    m, k = TREND_SPREAD * weights[0], 0.0 if posterior.flat else TREND_SPREAD * weights[1]
    delta = np.zeros(len(posterior.changes)) if posterior.flat else found.delta
    beta = weights[len(lines) :] * posterior.spreads
    told = {
        "lp__": posterior.log(k=k, m=m, delta=delta, beta=beta, noise=found.noise),
        "k": k,
        "m": m,
        "delta": delta,
        "sigma_obs": found.noise,
        "beta": beta,
        "trend": posterior.trend(k, m, delta),
    }
    return OrderedDict((name, np.asarray(value, dtype=np.float64).reshape(1, -1)) for name, value in told.items())
