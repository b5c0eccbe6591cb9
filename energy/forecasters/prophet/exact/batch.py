"""Many flat Prophets at once, from their moments: the same maximum as `backend` finds, for a stack of fits.

With a flat trend and regressors alone a fit needs no more of its rows than the sums of their products. So a Prophet for
each hour of the day, on several lengths of history, day after day, costs a small system of equations each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.prophet.exact.posterior import NOISE_SPREAD, TREND_SPREAD

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CLOSE = 1e-4  # of the noise scale, which no forecast feels
MOST_ROUNDS = 30
CONSTANT = 1e-12  # variance, of the mean square: below that a column does not vary, and is not standardized
LEAST_NOISE = 1e-4  # of the scaled y: a constant series has none, and then nothing would hold the weights


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Weights:
    """What a stack of fits says: `level + columns * weights`, in the units of y."""

    level: Floats  # (fits)
    weights: Floats  # (fits, columns)

    def of(self, columns: Floats) -> Floats:
        """(fits, rows) for columns (fits, rows, columns)."""
        said: Floats = self.level[:, None] + np.einsum("frc,fc->fr", columns, self.weights)
        return said


def moments(columns: Floats, y: Floats) -> Floats:
    """(fits, columns + 2, columns + 2): sums of products of 1, the columns and y over rows (fits, rows, columns). A row with
    unknown y is left out."""
    known = ~np.isnan(y)
    rows = np.concatenate([np.ones((*y.shape, 1)), columns, np.where(known, y, 0.0)[:, :, None]], axis=2)
    rows = rows * known[:, :, None]
    return np.asarray(rows.transpose(0, 2, 1) @ rows)


def maxima(moments: Floats, largest: Floats, spreads: Floats, standardized: Bools) -> Weights:
    """The maximum of each posterior. `largest` is the largest |y| of each fit, Prophet's scale; `spreads` are the prior
    scales of the columns, which are standardized (as Prophet does by itself) or taken as they are."""
    rows = np.maximum(moments[:, 0, 0], 2.0)
    scale = np.where(largest > 0, largest, 1.0)
    means = moments[:, 0, 1:-1] / rows[:, None]
    squares = np.diagonal(moments, axis1=1, axis2=2)[:, 1:-1]
    variance = (squares - rows[:, None] * means**2) / (rows - 1)[:, None]
    turns = standardized & (variance > CONSTANT * np.maximum(squares / rows[:, None], 1e-300))
    means, deviations = np.where(turns, means, 0.0), np.sqrt(np.where(turns, variance, 1.0))

    # rows become [1, (column - mean) / deviation], y / scale: a linear map of the moments on both sides
    turn = np.zeros_like(moments)
    width = moments.shape[1]
    turn[:, np.arange(width), np.arange(width)] = np.concatenate(
        [np.ones((len(rows), 1)), 1 / deviations, 1 / scale[:, None]], axis=1
    )
    turn[:, 0, 1:-1] = -means / deviations
    turned = turn.transpose(0, 2, 1) @ moments @ turn
    gram, products, square = turned[:, :-1, :-1], turned[:, :-1, -1], turned[:, -1, -1]
    weights = solved(gram, products, square, rows, np.concatenate([[TREND_SPREAD], spreads]))
    slopes = weights[:, 1:] / deviations * scale[:, None]
    return Weights(level=weights[:, 0] * scale - (slopes * means).sum(axis=1), weights=slopes)


def solved(gram: Floats, products: Floats, square: Floats, rows: Floats, spreads: Floats) -> Floats:
    """The ridge of each fit at its own most probable noise scale, which falls to its place from above."""
    noise = np.maximum(LEAST_NOISE, level_for(square, rows) / 2)
    for _ in range(MOST_ROUNDS):
        weights = ridge(gram, products, noise, spreads)
        error = square - 2 * (weights * products).sum(axis=1) + np.einsum("fc,fcd,fd->f", weights, gram, weights)
        after = np.maximum(LEAST_NOISE, level_for(np.maximum(error, 0.0), rows))
        if (np.abs(after - noise) <= CLOSE * noise).all():
            break
        noise = after
    return weights


def ridge(gram: Floats, products: Floats, noise: Floats, spreads: Floats) -> Floats:
    """(fits, columns): the weights of each fit given its noise scale."""
    penalty = noise[:, None, None] ** 2 * np.diag(1 / spreads**2)
    return np.asarray(np.linalg.solve(gram + penalty, products[:, :, None])[:, :, 0])


def level_for(error: Floats, rows: Floats) -> Floats:
    """The noise scale at which rows of this squared error are most probable, with its own prior."""
    a = 1 / NOISE_SPREAD**2
    level: Floats = np.sqrt(2 * error / (rows + np.sqrt(rows**2 + 4 * a * error)))
    return level
