"""Prophet as people use it: every default, the whole history, a fit each day. What Loadstone must leave behind.

    python -m benchmarks.forecast.stock FILE --target price --column OT --days 364 --every 30 --json out.json

The options are those of `loadstone backtest`, whose file it writes. The fit is the exact maximum of Prophet's posterior
(`energy/forecasters/prophet/exact/`), of which Stan's search finds the same or less; with LOADSTONE_STAN=1 it is Stan's, which
takes about 20 s for hourly prices of four years.
"""

import logging
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from energy.commands import backtest as command
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

NAME = "stock Prophet"
SEED = 7


class StockProphet:
    """`Prophet()` without a setting: linear trend with changepoints, yearly, weekly and daily seasonality as it chooses."""

    name = NAME

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        from prophet import Prophet

        from energy.forecasters.prophet.exact.backend import Exact

        for noisy in ("prophet", "cmdstanpy"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        seen = past.target.known
        model = Prophet(interval_width=0.8)
        if not os.environ.get("LOADSTONE_STAN"):
            model.stan_backend = Exact(seconds=120.0)
        model.fit(pd.DataFrame({"ds": wall_clock(past.target.horizon, past.zone)[seen], "y": past.target.values[seen]}))
        np.random.seed(SEED)
        said = model.predict(pd.DataFrame({"ds": wall_clock(horizon, past.zone)}))
        low, middle, high = (
            Series(horizon, said[name].to_numpy(), past.target.unit) for name in ("yhat_lower", "yhat", "yhat_upper")
        )
        return Forecast(target=target, issued_at=past.known_at, p10=low, p50=middle, p90=high, source=NAME)

    def components(self, target: Target) -> Sequence[Component]:  # noqa: ARG002 - the port's signature
        return ()


def wall_clock(horizon: Horizon, zone: str) -> pd.DatetimeIndex:
    """The local time without a zone at which each slot starts: all that Prophet knows of time."""
    utc = pd.date_range(horizon.start, periods=horizon.slots, freq=f"{horizon.step_minutes}min")
    return utc.tz_convert(zone).tz_localize(None)


def main() -> None:
    """Run the back-test with stock Prophet in the place of a kind of forecaster."""
    options = command.backtest.make_context("stock", sys.argv[1:]).params
    file, out = Path(options.pop("file")), Path(options.pop("out"))
    options["forecaster"] = NAME
    sheet = command.prepare(file, options)
    forecasters: list[Any] = [StockProphet(), *command.built("naive", sheet.trial)]
    answer = command.tested(sheet, forecasters, out)
    for line in command.summary(answer):
        click.echo(line)
    if not math.isfinite(answer["mae"] or math.nan):
        sys.exit(f"stock Prophet said nothing of {file.name}")


if __name__ == "__main__":
    main()
