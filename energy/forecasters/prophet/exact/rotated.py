"""The rows of a fit rotated into as many as it has columns, with the ridge in diagonal form.

Rotations change no squared error, so a year of quarter hours is solved in the space of its columns (a QR decomposition),
and a singular value decomposition of the ridge's columns solves it for every noise scale at once: what the ridge leaves
of a row i is `noise² / (values_i² + noise²)` of it. Nothing is subtracted, so nothing cancels where a fit is close.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Rotated:
    """Columns under the ridge are in units of their prior spread; `y` and `ramps` are rotated like they are."""

    y: Floats  # (rows)
    ramps: Floats  # (rows, changepoints): the columns under the lasso
    values: Floats  # (rows) singular values of the ridge's columns, 0 in the rows that they do not reach
    back: Floats  # (ridge columns, values): from rotated weights to the weights of the columns
    rows: int  # of the fit

    @classmethod
    def of(cls, ridge: Floats, ramps: Floats, y: Floats) -> "Rotated":
        width = ridge.shape[1]
        table = np.column_stack([ridge, ramps, y])
        small: Floats = np.asarray(np.linalg.qr(table, mode="r")) if len(table) > table.shape[1] else table
        left, values, back = np.linalg.svd(small[:, :width], full_matrices=True)
        turned = left.T @ small[:, width:]
        all_values = np.zeros(len(small))
        all_values[: len(values)] = values
        return cls(y=turned[:, -1], ramps=turned[:, :-1], values=all_values, back=back[: len(values)].T, rows=len(y))

    def left(self, noise: float) -> Floats:
        """(rows): the share of each rotated row that the ridge does not take up."""
        left: Floats = noise**2 / (self.values**2 + noise**2)
        return left

    def ridge_weights(self, off: Floats, noise: float) -> Floats:
        """The weights of the ridge's columns, in units of their spread, for rows `off` that are left to explain."""
        reach = self.back.shape[1]
        values = self.values[:reach]
        weights: Floats = self.back @ (values / (values**2 + noise**2) * off[:reach])
        return weights
