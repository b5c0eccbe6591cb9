"""Drift: a machine that needs more energy for the same work than it used to, found as it happens.

Each piece of work gives one observation: the logarithm of its energy over what the work should take, so that 0.05 is 5 %.
A change at an unknown time is looked for with the generalised likelihood ratio of a linear model (Hinkley 1970; Siegmund
and Venkatraman 1995; for ramps Andrews 1993): observations = a mean for each product + outdoor temperature where it is
known + size · (a step, or a ramp, from a time on). Every time that a day begins is tried; the strongest counts. The means
are estimated from the same data, so a product of which little is known weighs little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]

STRENGTH = 5.0  # of the strongest signal: beyond it a change is reported; see benchmarks/metering/drift.py
KEPT_ABOVE = 4.0  # what was reported stays so until it is weaker than this
LEAST_SIZE = 0.02  # a smaller change is within what meters and MES times are good for
LEAST_BEFORE, LEAST_AFTER = 20, 6  # observations
DAYS_BEFORE, DAYS_AFTER = 7.0, 1.5
CLIP = 2.25  # standard deviations: a bad run is one bad run, however bad
LEAST_SCATTER = 0.004  # no machine and meter repeat themselves better than that
LAGS = 3  # days
ALIKE, ALIKE_DAYS = 1.5, 30.0  # what that is taken to be before anything is seen, and how many days that is worth
SINCE = 5.94  # 2 · log likelihood below the best: the change lies there with 90 % (twice the larger of two Exp(1))
RAMP_BETTER = 2.0  # a ramp is said only where it explains so much more (2 · log likelihood) than a step
LEAST_KNOWN_TEMPERATURE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One piece of work: when it ended, what it is compared with, ln(energy / what it should take), and how warm it was."""

    at: datetime
    group: str
    value: float
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was found. `size` is a share (0.05: 5 % more), that of today where it grows."""

    size: float
    low: float
    high: float
    since: datetime
    since_first: datetime
    since_last: datetime
    ramp: bool
    strength: float
    scatter: float
    before: int
    after: int


def change(
    observations: Sequence[Observation], *, above: float = STRENGTH, scatter: float = LEAST_SCATTER
) -> Change | None:
    """The change that the observations tell of, if it is strong enough and big enough to be told."""
    data = prepared(observations)
    if data is None:
        return None
    found = max((scan(data, ramp, scatter) for ramp in (False, True)), key=lambda s: s.best)
    step = found if not found.ramp else scan(data, False, scatter)
    if found.ramp and found.best**2 - step.best**2 < RAMP_BETTER:
        found = step
    if found.best < above:
        return None
    told = measured(data, found, scatter)
    sure = told.low > 0.0 or told.high < 0.0
    return told if abs(told.size) >= LEAST_SIZE and sure else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Observations in order of time, as rows: days since the first, value, and the columns of what is known of each."""

    at: tuple[datetime, ...]
    days: Row
    value: Row
    clipped: Row
    known: Row  # an orthonormal basis of group means and temperature
    starts: NDArray[np.int64]  # the first observation of each day on which a change may have begun


def prepared(observations: Sequence[Observation]) -> Data | None:
    """The data of a scan; None where there is too little."""
    rows = sorted(observations, key=lambda o: o.at)
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.group] = sizes.get(row.group, 0) + 1
    rows = [r for r in rows if sizes[r.group] > 1]  # a product that came once tells nothing of change
    if len(rows) < LEAST_BEFORE + LEAST_AFTER:
        return None
    days = np.array([(r.at - rows[0].at).total_seconds() for r in rows]) / 86400.0
    value = np.array([r.value for r in rows])
    groups = {name: k for k, name in enumerate(dict.fromkeys(r.group for r in rows))}
    member = np.array([groups[r.group] for r in rows])
    counts = np.arange(len(rows))
    first_of_day = np.flatnonzero(np.diff(np.floor(days), prepend=-1.0) > 0)
    enough = (counts[first_of_day] >= LEAST_BEFORE) & (len(rows) - counts[first_of_day] >= LEAST_AFTER)
    enough &= (days[first_of_day] >= DAYS_BEFORE) & (days[-1] - days[first_of_day] >= DAYS_AFTER)
    starts = first_of_day[enough]
    if not len(starts):
        return None
    columns = np.zeros((len(rows), len(groups) + 1))
    columns[counts, member] = 1.0
    columns[:, -1] = warmth(rows)
    basis, upper = np.linalg.qr(columns)
    return Data(
        at=tuple(r.at for r in rows),
        days=days,
        value=value,
        clipped=clipped(value, member),
        known=basis[:, np.abs(np.diag(upper)) > 1e-9],
        starts=starts,
    )


def warmth(rows: Sequence[Observation]) -> Row:
    """The outdoor temperature about its mean, zero where it is not known; all zero where it mostly is not."""
    known = np.array([np.nan if r.temperature is None else r.temperature for r in rows])
    if np.isnan(known).mean() > 1.0 - LEAST_KNOWN_TEMPERATURE:
        return np.zeros(len(rows))
    return np.asarray(np.nan_to_num((known - np.nanmean(known)) / 10.0))


def clipped(value: Row, member: NDArray[np.int64]) -> Row:
    """The values, none further from the level of its group around that time than CLIP standard deviations.

    The level is a running median of what is left when each group's own median is taken off, so that neither a bad run
    nor a change of level pulls it; the scatter comes from differences of neighbours in a group, which know no level."""
    centre = np.zeros(len(value))
    steps = []
    for group in range(int(member.max()) + 1):
        own = member == group
        centre[own] = np.median(value[own])
        steps.append(np.diff(value[own]))
    rest = value - centre
    spread = max(robust(np.concatenate(steps)) / np.sqrt(2.0), LEAST_SCATTER)
    half = 7
    around = np.array([np.median(rest[max(0, k - half) : k + half + 1]) for k in range(len(rest))])
    return np.asarray(centre + around + np.clip(rest - around, -CLIP * spread, CLIP * spread))


def robust(values: Row) -> float:
    """The standard deviation about zero of the middle of some values, whatever their tails do."""
    return float(1.4826 * np.median(np.abs(values))) if len(values) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How strongly each start speaks for a change, and the strongest."""

    ramp: bool
    strengths: Row
    index: int  # into starts
    best: float
    scatter: float
    inflation: float  # of the variance of a mean, since neighbours are alike


def shapes(data: Data, ramp: bool) -> Row:
    """One column for each start: 0 before it, then 1, or the days since it."""
    since = data.days[data.starts]
    after = np.arange(len(data.days))[:, None] >= data.starts[None, :]
    grown = (data.days[:, None] - since[None, :]) if ramp else np.ones(1)
    return np.asarray(np.where(after, grown, 0.0))


def scan(data: Data, ramp: bool, least_scatter: float) -> Scan:
    """The likelihood ratio of a change at each start, as standard normal deviates (|t|)."""
    columns = shapes(data, ramp)
    free = columns - data.known @ (data.known.T @ columns)  # what of it no mean of a group explains
    rest = data.clipped - data.known @ (data.known.T @ data.clipped)
    size = np.einsum("ij,ij->j", free, free)
    told = size > 0.5 if not ramp else size > 1e-6
    fit = np.divide(free.T @ rest, size, where=told, out=np.zeros(len(size)))
    power = np.where(told, np.abs(fit) * np.sqrt(np.maximum(size, 0.0)), 0.0)
    index = int(np.argmax(power))
    left = rest - fit[index] * free[:, index]
    freedom = len(left) - data.known.shape[1] - 1
    scatter = max(robust(left), float(np.sqrt(np.mean(left**2))), least_scatter) * np.sqrt(len(left) / max(freedom, 1))
    inflation = alike(left, data.days)
    nights = len(np.unique(np.floor(data.days)))
    strengths = as_normal(power / (scatter * np.sqrt(inflation)), max(nights - 2, 3))
    return Scan(
        ramp=ramp,
        strengths=strengths,
        index=index,
        best=float(strengths[index]),
        scatter=float(scatter),
        inflation=inflation,
    )


def alike(left: Row, days: Row) -> float:
    """How much more the mean of what is left scatters than that of strangers: works of one day share its material and
    weather, and days are like their neighbours (Newey and West 1987 on the sums of days, Bartlett weights). What few days
    say of it is drawn towards what is usual, and it is at least 1."""
    _, of_day = np.unique(np.floor(days), return_inverse=True)
    sums = np.bincount(of_day, weights=left - left.mean())
    total, nights = float(left @ left), len(sums)
    if total <= 0.0 or nights <= LAGS + 1:
        return ALIKE
    lags = [float(sums[k:] @ sums[:-k]) for k in range(1, LAGS + 1)]
    spread = float(sums @ sums) + 2.0 * sum((1.0 - k / (LAGS + 1)) * r for k, r in enumerate(lags, start=1))
    return max(1.0, (nights * spread / total + ALIKE_DAYS * ALIKE) / (nights + ALIKE_DAYS))


def as_normal(t: Row, freedom: float) -> Row:
    """Deviates of Student's distribution as those of the normal one that are as rare (Wallace 1959): a scatter that was
    estimated from few days makes big deviates common."""
    return np.asarray((8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t**2 / freedom)))


def measured(data: Data, found: Scan, least_scatter: float) -> Change:
    """Size and time of a change, the size from the unclipped values with far ones drawn in (Huber's winsorising)."""
    shape = shapes(data, found.ramp)[:, found.index]
    columns = np.column_stack([data.known, shape])
    inverse = np.linalg.pinv(columns.T @ columns)
    value = data.clipped
    for _ in range(8):
        fitted = columns @ (inverse @ (columns.T @ value))
        spread = max(robust(data.value - fitted), least_scatter)
        value = fitted + np.clip(data.value - fitted, -2.0 * spread, 2.0 * spread)
    size = float((inverse @ (columns.T @ value))[-1])
    error = found.scatter * float(np.sqrt(inverse[-1, -1] * found.inflation))
    grown = float(data.days[-1] - data.days[data.starts[found.index]]) if found.ramp else 1.0
    near = data.starts[found.best**2 - found.strengths**2 <= SINCE]
    start = int(data.starts[found.index])
    return Change(
        size=float(np.expm1(size * grown)),
        low=float(np.expm1((size - 1.645 * error) * grown)),
        high=float(np.expm1((size + 1.645 * error) * grown)),
        since=data.at[start],
        since_first=data.at[max(0, int(near[0]) - 1)],
        since_last=data.at[int(near[-1])],
        ramp=found.ramp,
        strength=found.best,
        scatter=found.scatter,
        before=start,
        after=len(data.at) - start,
    )
