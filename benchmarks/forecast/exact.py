"""The exact maximum of Prophet's posterior against Stan's search for it, on random fits.

    python -m benchmarks.forecast.exact                  # 390 random fits and a year of quarter hours, about 5 minutes
    python -m benchmarks.forecast.exact --cases 39 --year no

Each case is a stock Prophet, fitted by us, by Stan as Loadstone calls it, and by Stan started again where it stopped
until that gains nothing. All log-posteriors are reckoned by one function. Ours must never be lower than Stan's by more
than 0.01. Stan's descent often stalls at the kinks of the Laplace prior, below the maximum; where it comes within 0.01
of it, forecasts of history and a fifth of its length ahead are compared. A direction that the data hardly determine can
keep Stan's apart from ours even there, so Stan is also started from our place: it must find nothing higher, and come to
forecasts within 0.02 standard deviations of the data. Beside Stan stands the mathematics: how much could still be gained.
"""

import argparse
import json
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parents[1] / "results" / "forecast"
LEAST_BEHIND = -0.01  # log-posterior, ours less Stan's
MOST_APART = 0.02  # standard deviations of the data
SECONDS = 60.0
AHEAD = 5  # one row ahead for so many of history
RESTARTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A random Prophet and its data."""

    seed: int
    kind: str
    settings: dict[str, Any]
    regressors: dict[str, dict[str, Any]]
    frame: Any  # history, then rows ahead with y unknown
    rows: int  # of the history


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One case, fitted both ways. Stan's figures are None where it found nothing."""

    case: Case
    ahead: float | None  # log-posterior, ours less Stan's; None where Stan found nothing
    apart: float | None  # largest difference of forecasts, in standard deviations of the data
    ahead_end: float | None  # both, once Stan was started again until that gained nothing
    apart_end: float | None
    gain_from_ours: float  # log-posterior, by Stan started at our place
    moved: float  # by how much its forecasts differ from ours, in standard deviations of the data
    could_gain: float  # log-posterior, along k, m and beta, given all else
    kinks_off: float  # by how much a changepoint misses its optimality condition, as a share of the prior's slope
    seconds: float  # CPU, ours
    stan_seconds: float  # wall clock, Stan's
    by_stan: bool  # our backend handed it to Stan

    @property
    def behind(self) -> bool:
        return self.ahead is not None and self.ahead_end is not None and min(self.ahead, self.ahead_end) < LEAST_BEHIND

    @property
    def good(self) -> bool:
        return not self.behind and self.gain_from_ours <= -LEAST_BEHIND and self.moved <= MOST_APART

    @property
    def arrived(self) -> bool:
        """Whether Stan came to the maximum in the end, so that forecasts can be compared."""
        return self.ahead_end is not None and self.ahead_end <= -LEAST_BEHIND

    @property
    def elsewhere(self) -> bool:
        return self.arrived and self.apart_end is not None and self.apart_end > MOST_APART


KINDS = ("hourly", "quarter hours", "daily", "few rows", "spikes", "gaps", "near constant", "high level", "close fit",
         "flat", "many changepoints", "tight priors", "wide priors")  # fmt: skip


def case_of(seed: int) -> Case:
    """The random case of a seed; kinds take turns."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    step = {"quarter hours": 15, "daily": 1440}.get(kind, int(rng.choice([15, 60, 1440])))
    rows = int(rng.integers(12, 60) if kind == "few rows" else rng.integers(120, 1200))
    total = rows + max(2, rows // AHEAD)
    ds = pd.date_range("2025-03-03", periods=total, freq=f"{step}min")
    days = np.arange(total) * step / 1440
    weights: dict[str, dict[str, Any]] = {}
    columns: dict[str, Any] = {}
    y = rng.normal(0, 30) * days / days[-1] + 20 * np.sin(2 * np.pi * days + rng.uniform(0, 6))
    y += 10 * np.sin(2 * np.pi * days / 7 + rng.uniform(0, 6)) + rng.normal(0, 40) * np.maximum(
        days / days[-1] - rng.uniform(0, 0.5), 0
    )
    for place in range(int(rng.integers(0, 2 if kind == "few rows" else 5))):
        name = f"x{place}"
        form = rng.choice(["normal", "binary", "scaled", "walk", "constant"])
        columns[name] = {
            "normal": rng.normal(size=total),
            "binary": (rng.random(total) < 0.3).astype(float),
            "scaled": 1e3 + 50 * rng.normal(size=total),
            "walk": rng.normal(size=total).cumsum(),
            "constant": np.full(total, 2.0),
        }[form]
        weights[name] = {
            "prior_scale": float(10 ** rng.uniform(-2, 1)),
            "standardize": bool(rng.random() < 0.7) or form == "scaled",
        }
        spread = columns[name].std()
        y += 5 * rng.normal() * columns[name] / (spread if spread > 0 else 1)
    y += rng.normal(0, 0.02 if kind == "close fit" else 10 ** rng.uniform(-0.3, 1.3), total)
    if kind == "spikes":
        y[rng.integers(0, rows, 5)] += 500 * rng.normal(size=5)
    if kind == "near constant":
        y = 500 + 1e-3 * y
    if kind == "high level":
        y += 1e4
    if kind == "gaps":
        y[rng.random(total) < 0.4] = np.nan
        y[rows // 3 : rows // 2] = np.nan
    y[rows:] = np.nan
    settings: dict[str, Any] = {
        "growth": "flat" if kind == "flat" else "linear",
        "n_changepoints": int(rng.integers(40, 80)) if kind == "many changepoints" else int(rng.choice([0, 5, 25])),
        "changepoint_range": float(rng.choice([0.8, 0.95])),
        "changepoint_prior_scale": float(10 ** rng.uniform(-3, -0.3)),
        "seasonality_prior_scale": float(10 ** rng.uniform(-1, 1)),
        "holidays_prior_scale": float(10 ** rng.uniform(-1, 1)),
        "scaling": str(rng.choice(["absmax", "minmax"])),
        "yearly_seasonality": step * rows > 1440 * 365 and bool(rng.random() < 0.7),
        "weekly_seasonality": 1 if kind == "few rows" else True,
        "daily_seasonality": step < 1440,
        "uncertainty_samples": 0,
    }
    if kind in ("tight priors", "wide priors"):
        tight = kind == "tight priors"
        settings |= {
            "changepoint_prior_scale": 1e-3 if tight else 5.0,
            "seasonality_prior_scale": 0.01 if tight else 50.0,
        }
    if rng.random() < 0.4:
        dates = pd.to_datetime(ds.normalize().unique())
        closed = dates[rng.random(len(dates)) < 0.1].insert(0, dates[1 % len(dates)])
        settings["holidays"] = pd.DataFrame(
            {"holiday": "closed", "ds": closed, "lower_window": 0, "upper_window": int(rng.integers(0, 2))}
        )
    return Case(
        seed=seed,
        kind=kind,
        settings=settings,
        regressors=weights,
        frame=pd.DataFrame({"ds": ds, "y": y, **columns}),
        rows=rows,
    )


class Kept:
    """A backend that keeps what it was given."""

    def __init__(self, backend: Any) -> None:
        self._backend, self.stan_fit = backend, None
        self.data: dict[str, Any] = {}
        self.found: dict[str, Any] = {}
        self.seconds, self.wall = 0.0, 0.0

    def get_type(self) -> str:
        return str(self._backend.get_type())

    def fit(self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any) -> OrderedDict[str, Any]:
        self.data = stan_data
        cpu, wall = time.process_time(), time.perf_counter()
        found: OrderedDict[str, Any] = self._backend.fit(stan_init, stan_data, **kwargs)
        self.seconds, self.wall = time.process_time() - cpu, time.perf_counter() - wall
        self.found = dict(found)
        return found


def compared(case: Case, restarts: int = RESTARTS) -> Compared:
    """A case fitted by us, by Stan as Prophet calls it, and by Stan started again where it stopped, until that gains nothing."""
    from energy.forecasters.prophet.exact.backend import Exact
    from energy.forecasters.prophet.exact.posterior import Posterior
    from energy.forecasters.prophet.stan import TimedStan

    ours = Exact(SECONDS)
    model, kept = fitted(case, ours)
    posterior = Posterior.of(kept.data)

    def height(params: Any) -> float:
        p = {name: np.asarray(value).reshape(-1) for name, value in params.items()}
        return posterior.log(
            k=float(p["k"][0]), m=float(p["m"][0]), delta=p["delta"], beta=p["beta"], noise=float(p["sigma_obs"][0])
        )

    top, gain, kinks = height(kept.found), *conditions(posterior, kept.found)
    on, kept_on = going_on(case, kept.found)
    common = {
        "case": case,
        "gain_from_ours": height(kept_on.found) - top,
        "moved": difference(case, model, on),
        "could_gain": gain,
        "kinks_off": kinks,
        "seconds": kept.seconds,
        "by_stan": ours.asked_stan,
    }
    try:
        stan, kept_stan = fitted(case, TimedStan(SECONDS), seed=1, require_converged=False)
    except RuntimeError:
        return Compared(**common, stan_seconds=0.0, ahead=None, apart=None, ahead_end=None, apart_end=None)
    end, kept_end, last = stan, kept_stan, height(kept_stan.found)
    for _ in range(restarts):
        try:
            end, kept_end = going_on(case, kept_end.found)
        except RuntimeError:
            break
        if height(kept_end.found) < last + 1e-6:
            break
        last = height(kept_end.found)
    return Compared(
        **common,
        stan_seconds=kept_stan.wall,
        ahead=top - height(kept_stan.found),
        apart=difference(case, model, stan),
        ahead_end=top - height(kept_end.found),
        apart_end=difference(case, model, end),
    )


def going_on(case: Case, params: dict[str, Any]) -> tuple[Any, Kept]:
    """Stan from some place on; it stays where it can take no step."""
    from energy.forecasters.prophet.stan import TimedStan

    return fitted(case, From(TimedStan(SECONDS), params), seed=1, require_converged=False)


def conditions(posterior: Any, found: dict[str, Any]) -> tuple[float, float]:
    """What could still be gained along k, m and beta given all else, and by how much the worst changepoint misses."""
    from energy.forecasters.prophet.exact.posterior import TREND_SPREAD

    p = {name: np.asarray(value).reshape(-1) for name, value in found.items()}
    variance = float(p["sigma_obs"][0]) ** 2
    off = posterior.y - posterior.trend(float(p["k"][0]), float(p["m"][0]), p["delta"]) - posterior.features @ p["beta"]
    lines = np.column_stack([np.ones(len(off)), np.zeros(len(off)) if posterior.flat else posterior.t]) * TREND_SPREAD
    columns = np.column_stack([lines, posterior.features * posterior.spreads])
    weights = np.concatenate([[p["m"][0] / TREND_SPREAD, p["k"][0] / TREND_SPREAD], p["beta"] / posterior.spreads])
    slope = columns.T @ off / variance - weights
    gain = slope @ np.linalg.solve(columns.T @ columns / variance + np.eye(len(slope)), slope) / 2
    if posterior.flat:
        return float(gain), 0.0
    pull = posterior.ramps().T @ off * posterior.change_spread / variance
    missed = np.where(p["delta"] != 0, np.abs(pull - np.sign(p["delta"])), np.maximum(np.abs(pull) - 1.0, 0.0))
    return float(gain), float(missed.max())


class From:
    """A backend that starts at the parameters of another fit."""

    def __init__(self, backend: Any, params: Any) -> None:
        self._backend, self._params = backend, params

    def get_type(self) -> str:
        return str(self._backend.get_type())

    def fit(self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any) -> Any:
        flat = {name: np.asarray(self._params[name]).reshape(-1) for name in stan_init}
        start = {name: values if name in ("delta", "beta") else float(values[0]) for name, values in flat.items()}
        return self._backend.fit(start, stan_data, **kwargs)


def fitted(case: Case, backend: Any, **kwargs: Any) -> tuple[Any, Kept]:
    """A fitted Prophet, or None where there is none."""
    from prophet import Prophet

    model, kept = Prophet(**case.settings), Kept(backend)
    model.stan_backend = kept
    for name, how in case.regressors.items():
        model.add_regressor(name, **how)
    model.fit(case.frame.iloc[: case.rows].copy(), **kwargs)
    return model, kept


def difference(case: Case, one: Any, other: Any) -> float:
    rows = case.frame.drop(columns="y")
    apart = np.abs(one.predict(rows)["yhat"].to_numpy() - other.predict(rows)["yhat"].to_numpy())
    return float(apart.max() / np.nanstd(case.frame["y"].to_numpy()))


def table_of(all_compared: list[Compared]) -> str:
    """One line a kind, and one for all."""
    head = (
        "kind",
        "cases",
        "behind by > 0.01",
        "Stan stopped lower by > 0.01",
        "Stan arrived",
        "of these apart by > 0.02 sd",
        "Stan from ours gains at most",
        "and moves, sd",
        "could gain at most",
        "by Stan",
        "CPU ms",
        "Stan ms",
    )
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for kind in (*KINDS, "all"):
        own = [each for each in all_compared if kind in (each.case.kind, "all")]
        if not own:
            continue
        arrived = [each for each in own if each.arrived]
        lines.append(" | ".join(str(cell) for cell in (
            kind,
            len(own),
            sum(each.behind for each in own),
            sum(each.ahead is None or each.ahead > -LEAST_BEHIND for each in own),
            len(arrived),
            sum(each.elsewhere for each in own),
            f"{max(each.gain_from_ours for each in own):.4f}",
            f"{max(each.moved for each in own):.4f}",
            f"{max(each.could_gain for each in own):.1e}",
            sum(each.by_stan for each in own),
            f"{1000 * np.mean([each.seconds for each in own]):.0f}",
            f"{1000 * np.mean([each.stan_seconds for each in own]):.0f}",
        )))  # fmt: skip
    return "\n".join(f"| {line} |" for line in lines)


def year() -> dict[str, float]:
    """A year of quarter hours with daily, weekly and yearly terms: the whole of Prophet's fit (CPU; Stan's by wall clock)."""
    import pandas as pd
    from prophet import Prophet

    from energy.forecasters.prophet.exact.backend import Exact
    from energy.forecasters.prophet.stan import TimedStan

    rng, rows = np.random.default_rng(1), 35_040
    days = np.arange(rows) / 96
    y = 300 + 80 * np.sin(2 * np.pi * days) + 40 * (days % 7 < 5) + 30 * np.cos(2 * np.pi * days / 365)
    y += 0.2 * np.maximum(days - 120, 0) - 0.3 * np.maximum(days - 250, 0) + rng.normal(0, 15, rows)
    frame = pd.DataFrame({"ds": pd.date_range("2025-01-01", periods=rows, freq="15min"), "y": y})

    def timed(backend: Any) -> tuple[Any, float, float]:
        model = Prophet(yearly_seasonality=10, weekly_seasonality=True, daily_seasonality=True, uncertainty_samples=0)
        model.stan_backend = backend
        cpu, wall = time.process_time(), time.perf_counter()
        model.fit(frame, seed=1)
        return model, time.process_time() - cpu, time.perf_counter() - wall

    timed(Exact(SECONDS))  # the first one imports
    ours, cpu, _ = timed(Exact(SECONDS))
    stan, _, wall = timed(TimedStan(600.0))
    ahead = float(np.ravel(ours.params["lp__"])[0] - np.ravel(stan.params["lp__"])[0])
    apart = np.abs(ours.predict(frame)["yhat"] - stan.predict(frame)["yhat"]).max() / y.std()
    return {"rows": rows, "seconds": cpu, "stan_seconds": wall, "ahead": ahead, "apart": float(apart)}


def year_told(said: dict[str, float]) -> str:
    return (f"A year of quarter hours ({said['rows']:.0f} rows): Prophet.fit {said['seconds']:.2f} s CPU, with Stan "
            f"{said['stan_seconds']:.1f} s; log-posterior {said['ahead']:+.2f} over Stan's, forecasts apart by "
            f"{said['apart']:.3f} sd.")  # fmt: skip


def main() -> int:
    """Compare; 1 where ours is behind, or Stan goes on from it to somewhere else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast.exact", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--cases", type=int, default=390, help="how many random fits")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--year", choices=("yes", "no"), default="yes", help="also time a year of quarter hours")
    asked = parser.parse_args()
    from energy.forecasters.prophet.fit import quiet

    quiet()
    import prophet  # noqa: F401 - its first import sets its logger back

    quiet()
    done = []
    for seed in range(asked.first, asked.first + asked.cases):
        done.append(compared(case_of(seed)))
        if not done[-1].good:
            print(
                f"NOT GOOD: {done[-1].case.kind}, seed {seed}: {done[-1].ahead}, {done[-1].gain_from_ours}, {done[-1].moved}",
                file=sys.stderr,
            )
    print(table_of(done))
    if asked.year == "yes":
        said = year()
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "exact.json").write_text(json.dumps(said) + "\n", encoding="utf-8")
        print(f"\n{year_told(said)}")
    return int(not all(each.good for each in done))


if __name__ == "__main__":
    sys.exit(main())
