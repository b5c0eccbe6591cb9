"""The machine's day as a shortest path: slot after slot, a run or a slot of rest, each job at a price for being done.

A path may run a job twice, or never; what it costs, with each job's price taken off once, is therefore never more than
the best plan does. The prices that make this bound high are those of the linear program with one row a job and one a
slot; a subgradient gives rough ones at once.

    from_here[t] = least Σ (cost − price of the job) of any path from slot t to the end
    up_to[t]     = the same from slot 0 to t
    bound        = from_here[0] + Σ prices
"""

from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.runs import Mask, Rows, Table, Whole

SMOOTHING = 0.5  # of a step's direction: this much of the last one is kept


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The relaxation at given job prices."""

    prices: Rows
    reduced: Rows  # cost − price of the job: a row a run
    up_to: Rows
    from_here: Rows

    @property
    def bound(self) -> float:
        return float(self.from_here[0] + self.prices.sum())

    def insisting(self, table: Table) -> Rows:
        """The bound if one insists on a start, for each run and slot (inf where it may not start)."""
        ends = np.minimum(np.arange(table.slots)[None, :] + table.length[:, None], table.slots)
        bounds: Rows = self.up_to[: table.slots] + self.reduced + self.from_here[ends] + self.prices.sum()
        return bounds

    def beyond(self, table: Table, cost: float) -> Mask:
        """The starts that are in no plan cheaper than this."""
        mask: Mask = self.insisting(table) > cost
        return mask


def relax(table: Table, prices: Rows) -> Relaxed:
    """Both directions of the shortest path."""
    reduced = table.cost - prices[table.job][:, None]
    cheapest = _cheapest_of_length(table, reduced)
    up_to, from_here = _up_to(table, cheapest), _from_here(table, cheapest)
    return Relaxed(prices, reduced, up_to, from_here)


def climb(table: Table, prices: Rows, *, steps: int, cost: float) -> Rows:
    """Better prices by a subgradient: dearer for a job that the path leaves out, cheaper for one that it repeats.
    `cost` is what a good plan costs, or a guess."""
    best, best_bound = prices, -np.inf
    direction, scale, vain = np.zeros(table.jobs), 1.0, 0
    for _ in range(steps):
        bound, count = _path(table, prices)
        if bound > best_bound + 1e-9 * abs(bound):
            best, best_bound, vain = prices, bound, 0
        else:
            vain += 1
            scale, vain = (0.7 * scale, 0) if vain == 5 else (scale, vain)
        missing = 1.0 - count
        if not missing.any():
            break
        direction = missing + SMOOTHING * direction
        reach = max(cost - bound, 1e-4 * abs(cost))
        prices = prices + scale * reach / float(direction @ direction) * direction
    return best


def first_prices(table: Table) -> Rows:
    """A first guess: what a job costs on average over its starts."""
    allowed = np.isfinite(table.cost)
    sums = np.where(allowed, table.cost, 0.0).sum(axis=1)
    total, count = np.zeros(table.jobs), np.zeros(table.jobs)
    np.add.at(total, table.job, sums)
    np.add.at(count, table.job, allowed.sum(axis=1))
    guess: Rows = total / np.maximum(count, 1.0)
    return guess


def _cheapest_of_length(table: Table, reduced: Rows) -> Rows:
    """The cheapest run of each length at each start (slots × lengths)."""
    return np.ascontiguousarray(np.minimum.reduceat(reduced, table.group_start, axis=0).T)


def _from_here(table: Table, cheapest: Rows) -> Rows:
    slots, lengths = table.slots, table.lengths
    value = np.full(slots + 1 + int(lengths.max()), np.inf)
    value[slots] = 0.0
    for t in range(slots - 1, -1, -1):
        value[t] = min(value[t + 1], (cheapest[t] + value[t + lengths]).min())
    return value[: slots + 1]


def _up_to(table: Table, cheapest: Rows) -> Rows:
    slots, lengths = table.slots, table.lengths
    value = np.full(slots + 1 + int(lengths.max()), np.inf)
    value[0] = 0.0
    for t in range(slots):
        if value[t] < np.inf:
            ends = t + lengths
            value[ends] = np.minimum(value[ends], value[t] + cheapest[t])
            value[t + 1] = min(value[t + 1], value[t])
    return value[: slots + 1]


def _path(table: Table, prices: Rows) -> tuple[float, Rows]:
    """The bound at these prices, and how often its path runs each job."""
    reduced = table.cost - prices[table.job][:, None]
    cheapest = _cheapest_of_length(table, reduced)
    value = _from_here(table, cheapest)
    count = np.zeros(table.jobs)
    ends = [*table.group_start[1:], len(table.length)]
    padded = np.concatenate([value, np.full(int(table.lengths.max()), np.inf)])
    t = 0
    while t < table.slots:
        ways = cheapest[t] + padded[t + table.lengths]
        group = int(np.argmin(ways))
        if value[t + 1] <= ways[group]:
            t += 1
            continue
        first = int(table.group_start[group])
        count[table.job[first + int(np.argmin(reduced[first : ends[group], t]))]] += 1.0
        t += int(table.lengths[group])
    return float(value[0] + prices.sum()), count


