"""Which drivers tell of sun and which of wind: by their names, else by what they do at night."""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SUNNY = re.compile(r"radiat|irradi|ghi\b|gti\b|dni\b|dswrf|ssrd|shortwave|insolation|sunshine|solar|(^|[_.\s])pv", re.I)
WINDY = re.compile(r"wind.?(speed|power|prod|forecast|gust|\d|_|$)|gust", re.I)
NOT_SPEED = re.compile(r"direction|bearing|(^|[_.\s])dir($|[_.\s])", re.I)


def sunny(drivers: Mapping[str, Floats], issue: int) -> Floats | None:
    """The radiation among drivers of (rows, slots), as what falls in each slot; None where there is none."""
    named = [name for name in drivers if SUNNY.search(name)]
    for name in named or [each for each in drivers if dark_at_night(drivers[each][:issue])]:
        values = spread_out(np.maximum(drivers[name], 0.0), issue)
        if varies(values[:issue]):
            return values
    return None


def windy(drivers: Mapping[str, Floats], issue: int) -> Floats | None:
    """The wind speed (or a forecast of wind power) among drivers; None where there is none."""
    for name, values in drivers.items():
        if WINDY.search(name) and not NOT_SPEED.search(name) and varies(values[:issue]):
            return values
    return None


def directions(drivers: Mapping[str, Floats]) -> Floats | None:
    """The direction of the wind in degrees; None where there is none."""
    for name, values in drivers.items():
        if "wind" in name.lower() and NOT_SPEED.search(name):
            return values
    return None


def varies(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and float(known.max()) > float(known.min())


def dark_at_night(values: Floats) -> bool:
    """Is it zero for a third of the day and more, always at the same time, and never below?"""
    known = values[~np.isnan(values)]
    if not len(known) or not varies(values) or float(known.min()) < -0.01 * float(known.max()):
        return False
    lit = values > 0.02 * np.quantile(known, 0.98)
    dark = lit.sum(axis=0) < 0.05 * (~np.isnan(values)).sum(axis=0)
    return bool(0.2 <= dark.mean() < 0.95)


def spread_out(values: Floats, issue: int) -> Floats:
    """What came in each slot of a column that is summed up over the day or since a start, as weather models give it."""
    flat = values.ravel()
    steps = np.diff(flat)
    seen = steps[: max(0, issue * values.shape[1] - 1)]
    known = seen[~np.isnan(seen)]
    moving = known[known != 0]
    if len(moving) < 20 or not summed_up(flat[: issue * values.shape[1]], moving):
        return values
    # At a reset what stands there is what came since.
    out = np.concatenate([[np.nan], np.where(steps < 0, flat[1:], steps)])
    return out.reshape(values.shape)


def summed_up(flat: Floats, moving: Floats) -> bool:
    """Does it rise almost always, and fall rarely but all the way?"""
    falls = moving < 0
    if falls.mean() > 0.1:
        return False
    if not falls.any():
        return True
    before = flat[:-1][np.diff(flat) < 0]
    after = flat[1:][np.diff(flat) < 0]
    return bool(np.nanmedian(after / np.maximum(before, 1e-300)) < 0.2)
