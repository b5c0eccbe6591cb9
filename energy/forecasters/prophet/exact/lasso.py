"""The lasso by feature-sign search (Lee, Battle, Raina and Ng, 2006): exact, and quick from a near guess.

It minimizes |target - columns w|² / 2 + penalty |w|₁. Columns of changepoints lie close to each other, where descent by
coordinate crawls; this search solves for all weights of a set at once and ends at the optimality conditions.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CLOSE = 1e-6  # of the penalty: how closely the optimality conditions are met
ROUNDING = 1e-13  # of the products that a condition is a sum of: no condition can be met more closely
DISTINCT = 1e-12  # of the largest singular value: below that columns are taken for one and the same
MOST_STEPS = 50  # a column; the search is finite, and this is a guard against rounding without end


class NoOptimumError(Exception):
    """The search did not reach the optimality conditions."""


def lasso(columns: Floats, target: Floats, penalty: float, start: Floats) -> Floats:
    """The weights at the minimum. Raises NoOptimumError where rounding keeps the conditions from being met."""
    weights = start.copy()
    close = CLOSE * penalty + ROUNDING * np.linalg.norm(columns, axis=0) * np.linalg.norm(target)
    for _ in range(MOST_STEPS * (len(weights) + 1)):
        slope = columns.T @ (columns @ weights - target)
        on, signs = weights != 0, np.sign(weights)
        if (np.abs(slope + penalty * signs) <= close)[on].all():
            beyond = np.where(on, 0.0, np.abs(slope) - penalty - close)
            if beyond.max(initial=0.0) <= 0:
                return weights
            enters = int(beyond.argmax())
            on[enters], signs[enters] = True, -np.sign(slope[enters])
        weights = step(columns, target, penalty, weights, on, signs)
    raise NoOptimumError(f"{len(weights)} columns")


def step(columns: Floats, target: Floats, penalty: float, weights: Floats, on: Bools, signs: Floats) -> Floats:
    """The best point on the way to the minimum of the weights that are on, as if their signs stayed as they are."""
    solve = np.linalg.pinv(columns[:, on], rcond=DISTINCT)
    aim = np.zeros_like(weights)
    aim[on] = solve @ target - penalty * (solve @ (solve.T @ signs[on]))
    crosses = (weights != 0) & (np.sign(aim) != signs)
    if not crosses.any():
        return aim
    points = [aim]
    for share in np.unique(weights[crosses] / (weights - aim)[crosses]):
        point = weights + share * (aim - weights)
        point[crosses & np.isclose(weights, share * (weights - aim), rtol=1e-12, atol=0)] = 0.0
        points.append(point)
    return min(points, key=lambda point: height(columns, target, penalty, point))


def height(columns: Floats, target: Floats, penalty: float, weights: Floats) -> float:
    off = target - columns @ weights
    return float(off @ off / 2 + penalty * np.abs(weights).sum())
