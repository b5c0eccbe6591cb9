"""The noise scale at the maximum of the posterior, and what is best given it.

Given the noise scale the rest is a convex problem, and its squared error E never falls as the noise rises. With n rows
the posterior is level along the noise scale where n + 4 noise² = E / noise². From above, the positive root for the E of
the last scale runs down to the highest such place. Few rows for many columns can have more than one: the range down to
the error of a fit without any prior is looked through, and the best place is taken.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.prophet.exact.lasso import NoOptimumError, lasso
from energy.forecasters.prophet.exact.posterior import NOISE_SPREAD
from energy.forecasters.prophet.exact.rotated import Rotated

Floats = NDArray[np.float64]

CLOSE = 1e-10  # of the noise scale
MOST_ROUNDS = 200
LEAST_NOISE = 1e-6  # of the scaled y; columns that can meet every row would have it vanish, without a maximum
LOOK = 1.3  # the ratio of two noise scales at which the range is looked through


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Given:
    """What is best given a noise scale."""

    noise: float
    delta: Floats
    cost: float  # the negative log-posterior, up to a constant
    slope: float  # of the cost, along the logarithm of the noise
    level: float  # the noise scale that the squared error asks for


def best(rows: Rotated, change_spread: float) -> Given:
    """The highest place of the posterior with a noise scale not below the least."""
    at = partial(given, rows, change_spread)
    last = falling(at, at(level_for(float(rows.y @ rows.y), rows.rows), np.zeros(rows.ramps.shape[1])))
    places, least = [last], max(LEAST_NOISE, least_noise(rows))
    while last.noise > least:
        last = at(last.noise / LOOK, last.delta)
        if last.slope > 0:
            last = falling(at, last)
            places.append(last)
    return min(places, key=lambda place: place.cost)


def given(rows: Rotated, change_spread: float, noise: float, start: Floats) -> Given:
    """What is best given a noise scale, sought from a first guess of the changes of slope."""
    share = rows.left(noise)
    root, delta = np.sqrt(share), start
    if len(delta):
        delta = lasso(rows.ramps * root[:, None], rows.y * root, noise**2 / change_spread, start)
    off = rows.y - rows.ramps @ delta
    error = float(np.square(share * off).sum())
    cost = (
        float(share @ off**2) / (2 * noise**2)
        + float(np.abs(delta).sum()) / change_spread
        + (noise / NOISE_SPREAD) ** 2 / 2
        + rows.rows * float(np.log(noise))
    )
    slope = rows.rows + (noise / NOISE_SPREAD) ** 2 - error / noise**2
    return Given(noise=noise, delta=delta, cost=cost, slope=slope, level=level_for(error, rows.rows))


def level_for(error: float, rows: int) -> float:
    """The noise scale at which rows of this squared error are most probable, with its own prior."""
    a = 1 / NOISE_SPREAD**2
    return float(np.sqrt(2 * error / (rows + np.sqrt(rows**2 + 4 * a * error))))


def least_noise(rows: Rotated) -> float:
    """The noise scale of a fit without any prior: no place is below it."""
    beyond = rows.values <= 0
    y, ramps = rows.y[beyond], rows.ramps[beyond]
    if len(y) and ramps.shape[1]:
        y = y - ramps @ np.linalg.lstsq(ramps, y, rcond=None)[0]
    return level_for(float(y @ y), rows.rows)


def falling(at: "partial[Given]", high: Given) -> Given:
    """The next place at or below a noise scale at which the cost rises with the noise."""
    for _ in range(MOST_ROUNDS):
        if settled(high) or high.noise <= LEAST_NOISE:
            return high
        low = at(max(LEAST_NOISE, high.level**2 / high.noise), high.delta)  # as far again as the error asks for
        if low.slope <= 0:
            return between(at, low, high)
        high = low
    raise NoOptimumError("the noise scale does not settle")


def between(at: "partial[Given]", low: Given, high: Given) -> Given:
    """The place between two noise scales where the cost turns from falling to rising (the Illinois method)."""
    down, up = low.slope, high.slope
    for _ in range(MOST_ROUNDS):
        share = up / (up - down)
        middle = at(float(high.noise ** (1 - share) * low.noise**share), high.delta)
        if settled(middle) or high.noise - low.noise <= CLOSE * high.noise:
            return middle
        if middle.slope > 0:
            high, up, down = middle, middle.slope, down / 2
        else:
            low, down, up = middle, middle.slope, up / 2
    raise NoOptimumError("the noise scale does not settle")


def settled(place: Given) -> bool:
    return abs(place.level - place.noise) <= CLOSE * place.noise
