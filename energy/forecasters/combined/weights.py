"""How much each member counts: by the inverse of its error on issued forecasts, drawn towards what was found beforehand."""

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.book import Book

Floats = NDArray[np.float64]

POWER = 2.0  # of the inverse error
DAYS_OF_PRIOR = 14.0  # days of own errors that weigh as much as what was found beforehand


def weights_of(book: Book, prior: dict[str, float]) -> Floats:
    """(members): the weights, which add up to 1. Without any error known they are the prior."""
    start = np.array([prior.get(name, 0.0) for name in book.names])
    start = start / start.sum() if start.sum() > 0 else np.full(len(book.names), 1.0 / max(1, len(book.names)))
    errors = np.abs(book.errors)
    all_told = ~np.asarray(np.isnan(errors).any(axis=0))
    days = int(all_told.reshape(len(all_told), -1).any(axis=1).sum())
    if not days:
        return start
    mean = np.array([errors[place][all_told].mean() for place in range(len(errors))])
    inverse = 1.0 / np.maximum(mean, 1e-12 + 1e-6 * mean.max()) ** POWER
    share = days / (days + DAYS_OF_PRIOR)
    by_error = start * inverse
    mixed: Floats = share * by_error / by_error.sum() + (1.0 - share) * start
    return mixed


def combined(said: Floats, weights: Floats) -> Floats:
    """The weighted mean over the first axis, of the members that say something of a cell; NaN where none does."""
    known = ~np.isnan(said)
    shaped = weights.reshape(-1, *([1] * (said.ndim - 1)))
    total = (shaped * known).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = (shaped * np.where(known, said, 0.0)).sum(axis=0) / total
    return mean
