"""Precedence: a job starts only so long after another has ended, and not too long after."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Mask, Rows, Starts, Whole


def add(model: Model) -> None:
    """For B after A with at least `least` and at most `most` slots between, in each slot k:

    Σ (x[B, s]: s ≤ k)  +  Σ (x[A, s]: end of A + least > k)  ≤ 1       not too early
    Σ (x[B, s]: s > k)  +  Σ (x[A, s]: end of A + most ≤ k)   ≤ 1       not too late

    The sums up to a slot and beyond it are columns of their own, each the one before and what the slot adds: so a row
    has two terms and not hundreds. Two jobs that production gave in the wrong order may stay so together: then each
    counts one half.
    """
    plant, sums = model.plant, _Sums(model)
    for after, before, least, most in plant.order:
        a, b = plant.starts[before], plant.starts[after]
        if not len(a) or not len(b):
            continue  # one of the two is left out
        given_a, given_b = plant.given[before], plant.given[after]
        first, last = int(b.slot.min()), int(b.slot.max())
        name = f"{model.problem.jobs[after].id} after {model.problem.jobs[before].id}"
        k = np.arange(first, min(last, int(a.end.max()) + least - 1) + 1)
        if given_a.end + least > given_b.slot:
            early = (before, a.end + least > k[:, None], _half(a)), (after, b.slot <= k[:, None], _half(b))
            _at_most_one(model, k, early, f"{name}, not before slot {{}}", 1)
        else:
            pairs = sums.beyond(before, a.end, k - least), sums.up_to(after, b.slot, k)
            _pairs_at_most_one(model, k, pairs, f"{name}, not before slot {{}}", 1)
        if most is not None:
            k = np.arange(int(a.end.min()) + most, last)
            if given_b.slot > given_a.end + most:
                late = (before, a.end + most <= k[:, None], _half(a)), (after, b.slot > k[:, None], _half(b))
                _at_most_one(model, k, late, f"{name}, at the latest in slot {{}}", 0)
            else:
                pairs = sums.up_to(before, a.end, k - most), sums.beyond(after, b.slot, k)
                _pairs_at_most_one(model, k, pairs, f"{name}, at the latest in slot {{}}", 0)


class _Sums:
    """Columns for how much of a job happens up to each slot, or beyond it; made once for all rules that ask."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._made: dict[tuple[int, str, bool], tuple[int, Whole]] = {}

    def up_to(self, job: int, at: Whole, k: Whole) -> Whole:
        """For each slot k, the column of Σ (x[job, s]: at ≤ k); -1 where nothing is that early."""
        first, columns = self._of(job, at, beyond=False)
        place = np.minimum(k - first, len(columns) - 1)
        return np.where(place < 0, -1, columns[np.maximum(place, 0)])

    def beyond(self, job: int, at: Whole, k: Whole) -> Whole:
        """For each slot k, the column of Σ (x[job, s]: at > k); -1 where nothing is that late."""
        first, columns = self._of(job, at, beyond=True)
        place = np.maximum(k + 1 - first, 0)
        return np.where(place >= len(columns), -1, columns[np.minimum(place, len(columns) - 1)])

    def _of(self, job: int, at: Whole, *, beyond: bool) -> tuple[int, Whole]:
        """(first slot, a column a slot) of Σ (at ≤ slot), or beyond of Σ (at ≥ slot)."""
        starts = self.model.plant.starts[job]
        key = job, "start" if at is starts.slot else "end", beyond
        if key not in self._made:
            first, count = int(at.min()), int(at.max() - at.min()) + 1
            columns = self.model.columns(count, 0.0, 1.0)
            here, there = (columns[1:], columns[:-1]) if not beyond else (columns[:-1], columns[1:])
            slot = np.arange(count)
            self.model.rows(
                np.concatenate([at - first, slot, slot[1:] if not beyond else slot[:-1]]),
                np.concatenate([self.model.start[job], columns, there]),
                np.concatenate([np.ones(len(at)), np.full(count, -1.0), np.ones(len(here))]),
                lower=np.zeros(count),
                upper=np.zeros(count),
                name=f"sums of the starts of {self.model.problem.jobs[job].id}",
            )
            self._made[key] = first, columns
        return self._made[key]


def _pairs_at_most_one(model: Model, k: Whole, pairs: tuple[Whole, Whole], name: str, shown: int) -> None:
    """One row for each k: two sums of at most one together."""
    both = (pairs[0] >= 0) & (pairs[1] >= 0)
    where = k[both]
    row = np.arange(len(where))
    model.rows(
        np.concatenate([row, row]),
        np.concatenate([pairs[0][both], pairs[1][both]]),
        1.0,
        upper=1.0,
        name=lambda row: name.format(int(where[row]) + shown),
        count=len(where),
    )


def _at_most_one(model: Model, k: Whole, parts: tuple[tuple[int, Mask, Rows], ...], name: str, shown: int) -> None:
    """One row for each k: of these starts of two jobs at most one."""
    rows, columns, weights = [], [], []
    for job, counts, weight in parts:
        row, start = np.nonzero(counts)
        rows.append(row)
        columns.append(model.start[job][start])
        weights.append(weight[start])
    row, column, weight = np.concatenate(rows), np.concatenate(columns), np.concatenate(weights)
    model.rows(row, column, weight, upper=1.0, name=lambda row: name.format(int(k[row]) + shown), count=len(k))


def _half(starts: Starts) -> Rows:
    return np.where(starts.given, 0.5, 1.0)
