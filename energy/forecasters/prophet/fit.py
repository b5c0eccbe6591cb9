"""One fit of Prophet: quiet, within a time limit, and with the reason where there is none."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class FitError(Exception):
    """There is no fitted model; the text says why, as a flag would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressor:
    """A column that Prophet weighs. `spread` is the prior scale of its weight: small means little unless proven."""

    name: str
    spread: float
    standardize: bool = True


def fitted(
    frame: "pd.DataFrame", regressors: list[Regressor], *, seconds: float, trend: bool = False, yearly: int = 0
) -> Any:
    """A fitted Prophet. `frame` has `ds` (UTC, naive), `y` (NaN is a gap, and not learned) and the regressors. With
    `trend` its level is a line that bends at changepoints; `yearly` is the number of its yearly Fourier terms."""
    quiet()
    from prophet import Prophet

    quiet()  # the first import sets Prophet's own logger back

    from energy.forecasters.prophet.exact.backend import Exact

    model = Prophet(
        growth="linear" if trend else "flat",
        yearly_seasonality=yearly or False,
        weekly_seasonality=False,
        daily_seasonality=False,  # the daily shape comes in as regressors, in local time
        uncertainty_samples=0,  # the band comes from errors
    )
    model.stan_backend = Exact(seconds)
    try:
        for regressor in regressors:
            model.add_regressor(regressor.name, prior_scale=regressor.spread, standardize=regressor.standardize)
        model.fit(frame, seed=1)
    except TimeoutError as late:
        raise FitError(f"Prophet's fit took longer than {seconds:g} s") from late
    except (RuntimeError, ValueError) as failure:
        raise FitError("Prophet's fit did not converge") from failure
    return model


def quiet() -> None:
    """Keep cmdstanpy and Prophet from writing to the console; before the first import, or cmdstanpy adds a handler."""
    stan = logging.getLogger("cmdstanpy")
    if not stan.handlers:
        stan.addHandler(logging.NullHandler())
    stan.propagate = False
    stan.setLevel(logging.CRITICAL)
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # "Importing plotly failed"
    logging.getLogger("prophet").setLevel(logging.ERROR)
