"""The exact maximum of Prophet's posterior: never below what Stan finds, and what Prophet makes of it afterwards."""

from typing import Any

import numpy as np
import pytest

from benchmarks.forecast.exact import KINDS, case_of, compared, conditions, fitted
from energy.forecasters.prophet.exact.backend import Exact, maximum
from energy.forecasters.prophet.exact.lasso import lasso
from energy.forecasters.prophet.exact.posterior import Posterior
from energy.forecasters.prophet.fit import quiet

quiet()


@pytest.mark.parametrize("seed", [*range(len(KINDS)), 22, 25, 28, 35, 48])
def test_it_is_never_below_stan_and_tells_the_same_where_stan_arrives(seed: int) -> None:
    found = compared(case_of(seed), restarts=2)
    assert not found.by_stan
    assert found.good
    assert not found.elsewhere


def test_stan_arrives_often_enough_for_that_to_mean_something() -> None:
    assert sum(compared(case_of(seed), restarts=1).arrived for seed in (9, 22, 25, 35, 43, 48)) >= 4


@pytest.mark.parametrize("seed", range(100, 160))
def test_nothing_can_be_gained_from_where_it_ends(seed: int) -> None:
    """Given the noise scale the problem is convex: its optimality conditions are a proof."""
    case = case_of(seed)
    _, kept = fitted(case, Exact(20))
    gain, kinks = conditions(Posterior.of(kept.data), kept.found)
    assert gain < 1e-4
    assert kinks < 1e-3


@pytest.mark.parametrize("seed", [101, 109, 116, 120])
def test_no_other_noise_scale_is_better(seed: int) -> None:
    """The rest is solved again for noise scales around: as rows divided by the noise, their own prior left out."""
    case = case_of(seed)
    _, kept = fitted(case, Exact(20))
    posterior = Posterior.of(kept.data)
    at = float(kept.found["sigma_obs"].ravel()[0])
    told = {name: kept.found[name].ravel() for name in ("k", "m", "delta", "beta")}
    heights = [
        posterior.log(
            k=float(told["k"][0]), m=float(told["m"][0]), delta=told["delta"], beta=told["beta"], noise=at * f
        )
        for f in (0.5, 0.9, 0.999, 1.0, 1.001, 1.1, 2.0)
    ]
    assert max(heights) == heights[3]


def test_the_lasso_by_hand() -> None:
    """Orthogonal columns: each weight is its product drawn towards zero by the penalty."""
    weights = lasso(np.eye(4), np.array([3.0, -2.0, 0.5, -1.0]), 1.0, np.zeros(4))
    assert weights == pytest.approx([2.0, -1.0, 0.0, 0.0])


def test_the_ridge_by_hand() -> None:
    """One level for two rows, flat growth, noise held by the data: m is the mean drawn towards 0 by its prior."""
    data = {
        "y": np.array([0.6, 0.8]), "t": np.array([0.0, 1.0]), "X": np.zeros((2, 1)), "sigmas": [1.0], "s_a": [1], "s_m": [0],
        "t_change": np.array([0.0]), "tau": 0.05, "trend_indicator": 2,
    }  # fmt: skip
    found = maximum(Posterior.of(data))
    variance = float(found["sigma_obs"].ravel()[0]) ** 2
    assert found["m"].ravel()[0] == pytest.approx(1.4 / (2 + variance / 25))
    errors = np.square(np.array([0.6, 0.8]) - found["m"].ravel()[0]).sum()
    assert 4 * variance**2 + 2 * variance == pytest.approx(errors)


def test_columns_that_can_meet_every_row_have_an_answer() -> None:
    rng = np.random.default_rng(3)
    data = {
        "y": rng.uniform(size=5), "t": np.linspace(0, 1, 5), "X": rng.normal(size=(5, 9)), "sigmas": [10.0] * 9, "s_a": [1] * 9,
        "s_m": [0] * 9, "t_change": np.array([0.25, 0.5]), "tau": 0.05, "trend_indicator": 0,
    }  # fmt: skip
    found = maximum(Posterior.of(data))
    assert all(np.isfinite(values).all() for values in found.values())


def frame(rows: int = 24 * 30) -> Any:
    import pandas as pd

    rng, hours = np.random.default_rng(4), np.arange(rows)
    y = 100 + 0.02 * hours + 20 * np.sin(2 * np.pi * hours / 24) + rng.normal(size=rows)
    return pd.DataFrame({"ds": pd.date_range("2026-01-05", periods=rows, freq="h"), "y": y, "cap": 300.0})


def test_a_model_is_kept_and_read_again() -> None:
    from prophet import Prophet
    from prophet.serialize import model_from_json, model_to_json

    model = Prophet(yearly_seasonality=False, uncertainty_samples=50)
    model.stan_backend = Exact(20)
    model.fit(frame())
    ahead = model.make_future_dataframe(24, freq="h", include_history=False)
    told = model.predict(ahead)
    again = model_from_json(model_to_json(model)).predict(ahead)
    assert again["yhat"].to_numpy() == pytest.approx(told["yhat"].to_numpy())
    assert (told["trend"] + told["daily"] + told["weekly"]).to_numpy() == pytest.approx(told["yhat"].to_numpy())
    assert (told["yhat_lower"] < told["yhat_upper"]).all()


@pytest.mark.parametrize("settings", [{"seasonality_mode": "multiplicative"}, {"growth": "logistic"}])
def test_what_it_does_not_cover_goes_to_stan_within_its_time(settings: dict[str, Any]) -> None:
    from prophet import Prophet

    model, late = (Prophet(yearly_seasonality=False, uncertainty_samples=0, **settings) for _ in range(2))
    model.stan_backend, late.stan_backend = Exact(20), Exact(0.001)
    model.fit(frame(), seed=1)
    assert model.stan_backend.asked_stan
    off = model.predict(frame().drop(columns="y"))["yhat"].to_numpy() - frame()["y"].to_numpy()
    assert np.abs(off).mean() < 2
    with pytest.raises(TimeoutError):
        late.fit(frame(), seed=1)
