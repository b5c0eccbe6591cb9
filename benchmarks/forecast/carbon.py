"""Carbon intensity as the day-ahead production forecasts in the data have it: the yardstick for what is forecast from them.

The intensity of a grid is the mean of its sources' direct emission factors, weighed by what they produce; with the
forecast production in the place of the metered one it is a forecast. The factors are those that the files were made
with (g/kWh; CarbonCast, Maji, Shenoy, Sitaraman, BuildSys 2022): they give the metered intensity from the metered
production to the last digit.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.answers import Answer
from energy.commands.backtest import series_of
from energy.exchange.readings import FileMapping, read_intervals

Floats = NDArray[np.float64]

FACTORS = {"coal": 760.0, "nat_gas": 370.0, "oil": 406.0, "other": 575.0, "unknown": 575.0}  # g/kWh; of all others 0
FORECAST = "avg_{}_production_forecast"


def by_production(answer: Answer) -> Floats:
    """(days, slots): the intensity that the production forecasts give, on the slots of a back-test."""
    before, after = FORECAST.split("{}")
    columns = tuple(name for name in answer.case.drivers if name.startswith(before) and name.endswith(after))
    read = read_intervals(answer.case.file, FileMapping(columns=columns))
    series = series_of(read, len(columns))
    factors = np.array([FACTORS.get(name.removeprefix(before).removesuffix(after), 0.0) for name in columns])
    produced = np.array([np.maximum(0.0, each.values) for each in series])
    intensity = (factors[:, None] * produced).sum(axis=0) / produced.sum(axis=0)
    started = {f"{t.replace(tzinfo=None).isoformat()}": slot for slot, t in enumerate(series[0].horizon.times())}
    first = [started[day["start"].removesuffix("+00:00")] for day in answer.issued]
    return np.array([intensity[slot : slot + len(answer.issued[0]["actual"])] for slot in first])
