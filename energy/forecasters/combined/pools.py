"""Pools of standardised errors: at each hour those of the neighbouring hours too, newer days and like days first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.told import Told
from energy.model.forecast import LEVELS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BELL_HOURS = 2.0
RECENT_HALF_LIFE = 90.0
EVEN_SHARE = 0.4  # of the quantiles that is read from the size of the errors alone, as if both sides were alike
MOST = 10.0  # scales: an error of a plant or a market that was another one says no more than that it was far off
SHAPE_DAYS = 3.0  # of errors that a Laplace shape counts for
SHAPE = np.sign(np.array(LEVELS) - 0.5) * -np.log1p(-np.abs(2.0 * np.array(LEVELS) - 1.0))  # its mean size is 1


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Pool:
    """What was erred around one hour of one row ahead: (issues, slots of the hours around it)."""

    slots: slice  # of the hour that it is for
    errors: Floats
    counts: Floats  # by nearness in the day; 0 where nothing is known


def pools(told: Told, standard: Floats, ahead: int, *, neighbours: int) -> Iterator[Pool]:
    """One pool an hour, with so many hours on each side of it."""
    an_hour = told.slots_an_hour
    for first in range(0, told.slots, an_hour):
        around = np.arange(first - neighbours * an_hour, first + (neighbours + 1) * an_hour)
        errors = np.clip(standard[:, ahead, around % told.slots], -MOST, MOST)
        hours = np.floor((around - first) / an_hour)
        counts = np.exp(-0.5 * (hours / BELL_HOURS) ** 2) * ~np.isnan(errors)
        yield Pool(slots=slice(first, first + an_hour), errors=np.nan_to_num(errors), counts=counts)


def quantiles(pool: Pool, by_issue: Floats) -> Floats:
    """(levels): the quantiles of a pool, each issue counted as said. The middle one is 0: what shifts the middle is
    said elsewhere. With few errors known they are those of a Laplace distribution of the scale, a little widened."""
    counts = (pool.counts * by_issue[:, None]).ravel()
    days = float((pool.counts.any(axis=1) * by_issue).sum())
    share = days / (days + SHAPE_DAYS)
    widened = SHAPE * (1.0 + 1.0 / (1.0 + days))
    used = counts > 0
    if not used.any():
        return widened
    errors, counts = pool.errors.ravel()[used], counts[used]
    levels = np.array(LEVELS)
    own = weighted(errors, counts, levels)
    even = np.sign(levels - 0.5) * weighted(np.abs(errors), counts, np.abs(2.0 * levels - 1.0))
    middle = own[LEVELS.index(0.5)]
    told: Floats = share * ((1.0 - EVEN_SHARE) * (own - middle) + EVEN_SHARE * even) + (1.0 - share) * widened
    return told


def weighted(values: Floats, counts: Floats, levels: Floats) -> Floats:
    """Quantiles of values that count differently, on the line between the middles of their counts."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    at = (reached - 0.5 * counts[order]) / reached[-1]
    read: Floats = np.interp(levels, at, values[order])
    return read
