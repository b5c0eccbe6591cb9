"""How far off a combined forecast is likely to be, cell by cell: the width that its errors are measured in.

It starts from what was erred lately at that time of day on that kind of day. What then makes a day wider or narrower
than usual is learned from the past errors themselves, by a ridge regression of the logarithm of the error that is drawn
towards exponents found beforehand: errors of the last days, members that disagree, a middle far from its usual level,
steep hours, drivers far from their mean.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.told import Told, near_in_day

Floats = NDArray[np.float64]

TIME_OF_DAY_HALF_LIFE = 40.0  # days, of what is usual at a time of day
LATELY_HALF_LIFE = 4.0
DAY_HALF_LIFE = 1.5  # of how a whole day was
WEEK_HALF_LIFE = 7.0
LEVEL_HALF_LIFE = 10.0  # of the usual level of the middle
USUAL_HALF_LIFE = 30.0  # of what else is usual
PRIOR_DAYS = 2.0  # of errors that the mean of all errors counts for
LEAST_SHARE = 0.05  # of the mean error: no time of day is surer than that
RIDGE_HOURS = 400.0  # hours of errors that weigh as much as the exponents found beforehand
LEARN_HALF_LIFE = 90.0
NOISE_SHARE = 0.1  # of the scale, added to an error before its logarithm is taken
MOST_LOG = 1.2  # a day is at most e^1.2 wider or narrower than usual

EXPONENTS: Mapping[str, float] = {"day": 0.3, "disagree": 0.3, "off level": 0.1, "level": 0.1, "lately": 0.1}


def scale_of(told: Told, drivers: Sequence[Floats], *, prior: Floats, other_kinds: float, bell_hours: float) -> Floats:
    """(issues, rows ahead, slots): the scale of each cell, from errors known by its issue. `prior` (slots) is a size of
    errors for when none are known; `drivers` are in the shape of what was told; another kind of day counts
    `other_kinds` of the same one, and `bell_hours` is over how much of a day the size of errors is averaged."""
    near = near_in_day(told.slots, told.slots_an_hour, bell_hours)
    size = np.abs(told.errors)
    usual = usual_size(told, size, prior, near, other_kinds)
    wider = learned(told, size, usual, signs_of(told, size, usual, near, drivers))
    return by_hour(told, usual * np.exp(np.clip(wider, -MOST_LOG, MOST_LOG)))


def by_hour(told: Told, values: Floats) -> Floats:
    """The mean of each hour in all slots of it: a price by the hour has no finer band."""
    hours = values.reshape(*values.shape[:-1], -1, told.slots_an_hour).mean(axis=-1)
    return np.asarray(np.repeat(hours, told.slots_an_hour, axis=-1), dtype=np.float64)


def usual_size(told: Told, size: Floats, prior: Floats, near: Floats, other_kinds: float) -> Floats:
    """The mean error at each time of day on that kind of day, newer ones first."""
    known = ~np.isnan(size)
    total, count = np.where(known, size, 0.0) @ near.T, known @ near.T
    usual = np.empty_like(told.middle)
    for ahead in range(told.ahead):
        kind = told.kind[:, ahead]
        alike = np.where(kind[:, None] == kind[None, :], 1.0, other_kinds)
        of_all = (np.einsum("ijs,js->is", alike, total[:, ahead]) + prior) / (
            np.einsum("ijs,js->is", alike, count[:, ahead]) + 1.0
        )
        alike = alike * told.known_before(TIME_OF_DAY_HALF_LIFE, ahead)[:, :, None]
        usual[:, ahead] = (np.einsum("ijs,js->is", alike, total[:, ahead]) + PRIOR_DAYS * of_all) / (
            np.einsum("ijs,js->is", alike, count[:, ahead]) + PRIOR_DAYS
        )
    least = LEAST_SHARE * usual.mean(axis=(0, 2), keepdims=True)
    bounded: Floats = np.maximum(usual, np.maximum(least, 1e-9))
    return bounded


def signs_of(told: Told, size: Floats, usual: Floats, near: Floats, drivers: Sequence[Floats]) -> dict[str, Floats]:
    """What may tell a wide cell from a narrow one, by name, each about zero on a usual day."""
    signs = days_before(told, size, usual, near)
    signs["disagree"] = beyond(told, disagreement(told) @ near.T, 0.2)
    off = told.middle - faded(told, told.middle, LEVEL_HALF_LIFE)
    signs["off level"] = beyond(told, np.abs(off), 0.5)
    signs["level"] = np.clip(off / (faded(told, np.abs(off), USUAL_HALF_LIFE) + 1e-9), -3.0, 3.0)
    steep = np.nan_to_num(np.abs(np.diff(told.middle, axis=2, prepend=told.middle[:, :, :1]))) @ near.T
    signs["steep"] = beyond(told, steep, 0.5)
    for place, driver in enumerate(drivers):
        known = driver[:-1][~np.isnan(driver[:-1])]
        if len(known) and (wide := float(known.std())) > 0:
            away = np.nan_to_num(np.clip((driver - known.mean()) / wide, -3.0, 3.0))
            signs[f"driver {place}"], signs[f"driver {place} away"] = away, np.abs(away) - 0.8
    return signs


def disagreement(told: Told) -> Floats:
    """The standard deviation between the members that say something of a cell."""
    known = ~np.isnan(told.members)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, told.members, 0.0).sum(axis=0) / count
    apart: Floats = np.sqrt(np.where(known, (told.members - mean) ** 2, 0.0).sum(axis=0) / count)
    return apart


def days_before(told: Told, size: Floats, usual: Floats, near: Floats) -> dict[str, Floats]:
    """How the last days were against the usual, by what was said of the first row ahead: the newest errors there are."""
    relative = size[:, 0] / usual[:, 0]
    known = ~np.isnan(relative)
    count = known.sum(axis=1)
    of_day = np.where(known, relative, 0.0).sum(axis=1) / np.maximum(count, 1)
    mean = float(of_day[count > 0].mean()) if (count > 0).any() else 1.0
    signs = {}
    for name, half_life in (("day", DAY_HALF_LIFE), ("week", WEEK_HALF_LIFE)):
        counts = told.known_before(half_life, 0) * (count > 0)
        before = (counts @ of_day + PRIOR_DAYS * mean) / (counts.sum(axis=1) + PRIOR_DAYS)
        signs[name] = np.broadcast_to(np.log(np.clip(before / max(mean, 1e-9), 0.2, 5.0))[:, None, None],
                                      told.middle.shape)  # fmt: skip
    counts = told.known_before(LATELY_HALF_LIFE, 0)
    lately = (counts @ (np.where(known, relative, 0.0) @ near.T) + PRIOR_DAYS) / (
        counts @ (known @ near.T) + PRIOR_DAYS
    )
    signs["lately"] = np.broadcast_to(np.log(np.clip(lately, 0.2, 5.0))[:, None, :], told.middle.shape)
    return signs


def faded(told: Told, values: Floats, half_life: float) -> Floats:
    """The mean of values that were told at earlier issues, newer ones first; at the first issues that of all."""
    counts = told.known_before(half_life, 0)
    known = ~np.isnan(values)
    known[-1] = False
    filled = np.where(known, values, 0.0)
    of_all = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    total = np.tensordot(counts, filled, 1) + PRIOR_DAYS * of_all
    mean: Floats = total / (np.tensordot(counts, known.astype(np.float64), 1) + PRIOR_DAYS)
    return mean


def beyond(told: Told, values: Floats, calm: float) -> Floats:
    """The logarithm of positive values against what they usually are; `calm` of the usual is added to both."""
    usual = faded(told, values, USUAL_HALF_LIFE)
    return np.nan_to_num(np.log((values + calm * usual + 1e-12) / ((1.0 + calm) * usual + 1e-12)))


def learned(told: Told, size: Floats, usual: Floats, signs: Mapping[str, Floats]) -> Floats:
    """The logarithm of how much wider than usual each cell is, as the signs say."""
    x = np.array(list(signs.values()))
    prior = np.array([EXPONENTS.get(name, 0.0) for name in signs])
    known = ~np.isnan(size)
    known[-1] = False
    if not known.any():
        return np.zeros_like(size)
    counts = np.broadcast_to(told.recency(LEARN_HALF_LIFE)[:, None, None], size.shape)[known]
    counts = counts / counts.sum()
    y = np.log(size[known] / usual[known] + NOISE_SHARE)
    rows = x[:, known]
    centre = rows @ counts
    rows = rows - centre[:, None]
    left = y - y @ counts - prior @ rows
    hours = known.sum() / told.slots_an_hour
    weighed = rows * (counts * hours)
    exponents = prior + np.linalg.solve(weighed @ rows.T + RIDGE_HOURS * np.eye(len(x)), weighed @ left)
    wider: Floats = np.tensordot(exponents, x - centre[:, None, None, None], 1)
    return wider
