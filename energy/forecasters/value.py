"""What a price forecast is worth to somebody who acts on it: the gain that it brings as a share of what perfect foresight
would have brought.

For each day a choice is made by the forecast (P50) and paid at the prices that came. Its gain is held against the mean
price of the day, which is what somebody pays who knows nothing. The share is the mean gain of all days over the mean
gain of perfect foresight, so that days on which little is to be gained count little.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Choice = Callable[[Floats, Floats], float]

HOURS = 4  # that are bought
CYCLE_HOURS = 2  # for which a battery is charged, and discharged
EFFICIENCY = 0.9  # of what is bought, so much is sold again


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Shares of perfect foresight, 1 at best; NaN where there was nothing to gain."""

    cheapest_hours: float
    cheapest_block: float
    battery_cycle: float


def value_of(forecast: Floats, actual: Floats) -> Value:
    """The value of the forecasts of some days (days, slots of an hour); days with a gap do not count."""
    whole = ~(np.isnan(forecast) | np.isnan(actual)).any(axis=1)
    days = list(zip(forecast[whole], actual[whole], strict=True))

    def share(gain: Choice) -> float:
        best = sum(gain(came, came) for _, came in days)
        return sum(gain(told, came) for told, came in days) / best if best > 0 else float("nan")

    return Value(
        cheapest_hours=share(cheapest_hours), cheapest_block=share(cheapest_block), battery_cycle=share(battery_cycle)
    )


def cheapest_hours(told: Floats, came: Floats) -> float:
    """By how much the four hours that look cheapest, wherever they lie, are below the mean of the day."""
    chosen = np.argsort(told, kind="stable")[:HOURS]
    return float(came.mean() - came[chosen].mean())


def cheapest_block(told: Floats, came: Floats) -> float:
    """By how much the four hours in a row that look cheapest together are below the mean of the day."""
    blocks = np.convolve(told, np.ones(HOURS), mode="valid")
    first = int(np.argmin(blocks))
    return float(came.mean() - came[first : first + HOURS].mean())


def battery_cycle(told: Floats, came: Floats) -> float:
    """What one cycle of a battery earns for each kW: it is charged in two hours, and what is left of that (nine tenths)
    sold in two hours, all of which lie after them; the four hours that look best, or none if none looks worth it."""
    best, chosen = 0.0, None
    for split in range(CYCLE_HOURS, len(told) - CYCLE_HOURS + 1):
        buy = np.argsort(told[:split], kind="stable")[:CYCLE_HOURS]
        sell = split + np.argsort(-told[split:], kind="stable")[:CYCLE_HOURS]
        earned = float(EFFICIENCY * told[sell].sum() - told[buy].sum())
        if earned > best:
            best, chosen = earned, (buy, sell)
    if chosen is None:
        return 0.0
    buy, sell = chosen
    return float(EFFICIENCY * came[sell].sum() - came[buy].sum())
