"""Does the weather's clock agree with the meter's? By how much a driver runs early or late, found from what both did.

Two things are compared: the course of the day, which is plain but which a roof that faces west bends as well (by an
hour or two at most), and the clouds, each series against its own usual day, which no roof bends but which takes weeks
to see in a poor weather forecast. A small drift is believed if the clouds say so, a large one anyway.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.sun.envelope import envelope

Floats = NDArray[np.float64]

DAYS_SEEN = 45  # the last days: a clock may change with the season
USUAL = 10  # days to each side whose mean is the usual day
LEAST_MINUTES = 25.0  # what is less is nobody's clock
NO_ROOF_MINUTES = 100.0  # a roof that faces due west shifts its day by less than that
SURE = 1.5  # standard errors of the gain over days, at the least
LEAST_DAYS = 3
LEAST_GAIN = 0.015  # of the correlation
LEAST_ALIKE = 0.3  # correlation below which a driver says too little to have a clock
CLOUDY_DAYS = 20  # of history from which on the clouds say as much as the course of the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A driver's values stand so many slots too early (positive: it must be moved later), or too late."""

    slots: float = 0.0
    alike: float = 0.0  # correlation of target and driver once it is moved

    def minutes(self, step_minutes: int) -> int:
        return 5 * round(self.slots * step_minutes / 5)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Likeness:
    """How alike target and driver are at each lag, in sum and on each day."""

    lags: Floats
    alike: Floats  # (lags) correlation
    shares: Floats  # (lags, days) what each day adds to it

    def gain_is_sure(self, best: int, still: int) -> bool:
        """Is it better there on most days, or by the accident of a few?"""
        gains = self.shares[best] - self.shares[still]
        gained = float(self.alike[best] - self.alike[still])
        return gained > LEAST_GAIN and float(gains.sum()) > SURE * float(gains.std(ddof=1)) * len(gains) ** 0.5


def drift_of_radiation(output: Floats, radiation: Floats, step_minutes: int, *, at_most_hours: float = 12.0) -> Drift:
    """How the clock of the radiation runs against that of what the sun made; both (days, slots), of the past alone."""
    seen, told = output[-DAYS_SEEN:], radiation[-DAYS_SEEN:]
    if len(seen) < LEAST_DAYS:
        return Drift()
    lags = lags_of(at_most_hours, step_minutes)
    course = likeness(from_mean(seen), from_mean(told), lags)
    clouds = likeness(unusual(seen), unusual(told), lags)
    both = course.alike + clouds.alike * min(1.0, len(seen) / CLOUDY_DAYS)
    best, still = int(both.argmax()), len(lags) // 2
    exact = float(lags[best]) + peak_of(both, best)
    large = abs(exact) * step_minutes >= NO_ROOF_MINUTES and course.alike[best] - course.alike[still] > LEAST_GAIN
    if course.alike[best] < LEAST_ALIKE:
        return Drift(alike=float(course.alike[still]))
    if large or (abs(exact) * step_minutes >= LEAST_MINUTES and clouds.gain_is_sure(best, still)):
        return Drift(slots=exact, alike=float(course.alike[best]))
    return Drift(alike=float(course.alike[still]))


def drift_of_wind(output: Floats, wind: Floats, step_minutes: int, *, at_most_hours: float = 6.0) -> Drift:
    """How the clock of the wind runs against that of what it made. There is no course of the day to go by."""
    seen, told = output[-DAYS_SEEN:], wind[-DAYS_SEEN:]
    if len(seen) < LEAST_DAYS:
        return Drift()
    lags = lags_of(at_most_hours, step_minutes)
    squalls = likeness(from_mean(seen), from_mean(told), lags)
    best, still = int(squalls.alike.argmax()), len(lags) // 2
    exact = float(lags[best]) + peak_of(squalls.alike, best)
    if squalls.alike[best] < LEAST_ALIKE or best in (0, len(lags) - 1):
        return Drift(alike=float(squalls.alike[still]))
    if abs(exact) * step_minutes >= LEAST_MINUTES and squalls.gain_is_sure(best, still):
        return Drift(slots=exact, alike=float(squalls.alike[best]))
    return Drift(alike=float(squalls.alike[still]))


def lags_of(at_most_hours: float, step_minutes: int) -> Floats:
    reach = round(at_most_hours * 60 / step_minutes)
    return np.arange(-reach, reach + 1).astype(np.float64)


def moved(values: Floats, slots: float, *, hold: bool = False) -> Floats:
    """The same series so many slots later, over the ends of days; between two slots on the straight line. Beyond its
    ends it is unknown, or holds its outermost value."""
    if slots == 0:
        return values
    flat = values.ravel()
    at = np.arange(len(flat)) - slots
    if hold:
        at = np.clip(at, 0, len(flat) - 1)
    below = np.floor(at).astype(np.int64)
    share = at - below
    inside = (below >= 0) & (below + (share > 0) < len(flat))
    low = flat[np.clip(below, 0, len(flat) - 1)]
    high = np.where(share > 0, flat[np.clip(below + 1, 0, len(flat) - 1)], 0.0)
    put: Floats = np.where(inside, low * (1.0 - share) + share * high, np.nan)
    return put.reshape(values.shape)


def likeness(came: Floats, told: Floats, lags: Floats) -> Likeness:
    both_known = [by_day(came, moved(told, float(lag))) for lag in lags]
    parts = np.array(both_known)  # (lags, days, 3)
    own, others = parts[:, :, 1].sum(axis=1), parts[:, :, 2].sum(axis=1)
    size = np.sqrt(np.maximum(own * others, 1e-300))
    shares = parts[:, :, 0] / size[:, None]
    return Likeness(lags=lags, alike=shares.sum(axis=1), shares=shares)


def by_day(came: Floats, told: Floats) -> Floats:
    """(days, 3): what the two have in common on each day, and what each has alone."""
    both = ~np.isnan(came) & ~np.isnan(told)
    a, b = np.where(both, came, 0.0), np.where(both, told, 0.0)
    return np.stack([(a * b).sum(axis=1), (a * a).sum(axis=1), (b * b).sum(axis=1)], axis=1)


def from_mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    return values - (float(values[known].mean()) if known.any() else 0.0)


def unusual(values: Floats) -> Floats:
    """What is unlike the usual day around, as a share of what a fine one gives; NaN where nothing ever comes."""
    usual = np.array([mean_of(values[max(0, day - USUAL) : day + USUAL + 1]) for day in range(len(values))])
    fine = np.nan_to_num(envelope(values, smooth=0.0))
    top = float(fine.max())
    lit = fine > 0.02 * top
    share: Floats = np.where(lit, (values - usual) / (fine + 0.1 * top + (top <= 0)), np.nan)
    return share


def mean_of(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, rows, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean


def peak_of(curve: Floats, best: int) -> float:
    """Where between the slots a curve peaks, from the parabola through the highest slot and its neighbours."""
    if not 0 < best < len(curve) - 1:
        return 0.0
    before, top, after = curve[best - 1 : best + 2]
    bend = before - 2.0 * top + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
