"""A Prophet for each hour of the day, with its own lags and day-ahead drivers as regressors, on several histories.

Each is a stock Prophet in all but the object: flat growth, regressors with normal priors, Prophet's scales and noise; the
mean of several lengths of history is what it says. All are solved at once from their moments.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import MemberError
from energy.forecasters.combined.members.hourly_columns import Columns, columns_of
from energy.forecasters.prophet.exact.batch import Weights, maxima, moments

Floats = NDArray[np.float64]

HISTORIES = (84, 182, 364, 728, 1461)  # days
WARM_UP = 7  # rows at the begin whose lags reach before it
REFIT = {True: 14, False: 28}  # days between two fits in the retrace, for the first day ahead and for later ones
YEAR = 365
MUCH = 0.8  # of the longest history: one that is nearly as long says nothing of its own


class Hourly:
    name = "hourly"
    least_days = 28

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        if np.isnan(days.y[: days.issue]).all():
            raise MemberError("nothing is known of the past")
        said = np.full((len(issues), days.ahead, days.slots), np.nan)
        for lead in range(days.ahead):
            columns = columns_of(days, lead, seen=issues[0], yearly=days.issue - WARM_UP > YEAR)
            cells = by_hour(np.stack(columns.values, axis=-1), days)
            fits = refits(issues, REFIT[lead == 0])
            found = dict(zip(sorted(set(fits)), fitted(days, columns, cells, sorted(set(fits))), strict=True))
            for place, (issue, fit) in enumerate(zip(issues, fits, strict=True)):
                row = issue + lead
                if row < days.rows:
                    said[place, lead] = np.mean([each.of(cells[:, row]) for each in found[fit]], axis=0).reshape(-1)
        return said


def by_hour(values: Floats, days: Days) -> Floats:
    """(hours, rows, slots an hour, …) of values (rows, slots, …)."""
    hour = max(1, 60 // days.step_minutes)
    return np.ascontiguousarray(values.reshape(days.rows, days.slots // hour, hour, *values.shape[2:]).swapaxes(0, 1))


def refits(issues: Sequence[int], every: int) -> list[int]:
    """The row before which each issue's fit was made: the last one's own, others at most so many days old."""
    return [issues[0] + (issue - issues[0]) // every * every for issue in issues[:-1]] + [issues[-1]]


def fitted(days: Days, columns: Columns, cells: Floats, ends: Sequence[int]) -> Iterator[list[Weights]]:
    """For each end the fits on the histories of several lengths before it. Moments are summed once, between all rows at
    which a history begins or ends."""
    y = by_hour(days.y, days)
    first = min(WARM_UP, max(0, ends[0] - 1))
    spans = {end: spans_before(end, first) for end in ends}
    marks = sorted({mark for each in spans.values() for span in each for mark in span})
    middle = np.mean(cells[:, first : ends[0]], axis=(1, 2), keepdims=True)
    deviation = np.std(cells[:, first : ends[0]], axis=(1, 2), keepdims=True)
    turns = np.array(columns.standardized)
    middle, deviation = np.where(turns, middle, 0.0), np.where(turns & (deviation > 0), deviation, 1.0)
    sums = [np.zeros((len(cells), cells.shape[-1] + 2, cells.shape[-1] + 2))]
    for begin, end in pairwise(marks):
        block = (cells[:, begin:end] - middle) / deviation  # so that sums of products keep their digits
        shape = (len(cells), -1)
        sums.append(sums[-1] + moments(block.reshape(*shape, cells.shape[-1]), y[:, begin:end].reshape(shape)))
    for end in ends:
        fits = []
        for span in spans[end]:
            summed = sums[marks.index(span[1])] - sums[marks.index(span[0])]
            largest = np.nanmax(np.abs(y[:, span[0] : span[1]]), axis=(1, 2), initial=0.0)
            told = maxima(summed, largest, np.array(columns.spreads), turns)
            slopes = told.weights / deviation[:, 0, 0]
            fits.append(Weights(level=told.level - (slopes * middle[:, 0, 0]).sum(axis=1), weights=slopes))
        yield fits


def spans_before(end: int, first: int) -> list[tuple[int, int]]:
    """The histories before a row, the longest as long as there is."""
    there = min(end - first, HISTORIES[-1])
    return [(end - length, end) for length in HISTORIES if length <= MUCH * there] + [(end - there, end)]
