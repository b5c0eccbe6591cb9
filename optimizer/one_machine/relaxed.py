"""The machine's horizon as a shortest path: slot after slot, a run or a slot of rest, each job at a price for being done.

A path may run a job twice, or never; what it costs, with each job's price taken off once for every time that it runs, is
therefore never more than the best plan costs. A few *tracked* jobs are counted exactly: a node is a slot and the set of
tracked jobs done before it. The more are tracked the higher is the bound, and the work doubles with each.

    from_here[t, done] = least Σ (cost − price of the job) of any path from slot t to the end
    up_to[t, done]     = the same from slot 0 to t
    bound              = from_here[0, none] + Σ prices
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.one_machine.runs import Mask, Rows, Table, Whole

KEPT_DIRECTION = 0.5  # of a step: this much of the last one is kept
VAIN_STEPS = 4  # without a better bound, before the steps get shorter
SHORTER = 0.6


class Network:
    """The paths through a table, with some jobs tracked."""

    def __init__(self, table: Table, tracked: Sequence[int] = ()) -> None:
        self.table = table
        self.tracked = tuple(tracked)
        self.sets = 1 << len(self.tracked)
        bit_of = np.zeros(table.jobs, dtype=np.int64)
        bit_of[list(self.tracked)] = 1 << np.arange(len(self.tracked), dtype=np.int64)
        self.bit: Whole = bit_of[table.job]  # of each run's job; 0 where it is not tracked
        self.counted = np.flatnonzero(self.bit)
        self.lengths, self.alike = _by_length(table, np.flatnonzero(self.bit == 0))
        every = np.arange(self.sets)
        bits = self.bit[self.counted][:, None]
        self.with_it = every[None, :] | bits
        self.twice = np.where(every[None, :] & bits, np.inf, 0.0)

    def relax(self, prices: Rows) -> "Relaxed":
        """The relaxation at these prices."""
        reduced = self.table.cost - prices[self.table.job][:, None]
        cheapest = self._cheapest(reduced)
        return Relaxed(self, prices, reduced, cheapest, self._from_here(reduced, cheapest))

    def climb(self, prices: Rows, *, steps: int, cost: float, reach: float = 1.0) -> "Climbed":
        """Better prices by a subgradient: dearer for a job that the path leaves out, cheaper for one that it repeats.
        `cost` is what a good plan costs, or a guess; `reach` the share of the way to it that a first step goes."""
        best = self.relax(prices)
        astray = np.zeros(self.table.jobs)
        direction, vain, relaxed = np.zeros(self.table.jobs), 0, best
        for _ in range(steps):
            missing = 1.0 - relaxed.counts()
            missing[list(self.tracked)] = 0.0
            astray = 0.95 * astray + np.abs(missing)
            if not missing.any():
                break
            direction = missing + KEPT_DIRECTION * direction
            if not direction.any():
                direction = missing
            gap = max(cost - relaxed.bound, 1e-4 * abs(cost))
            relaxed = self.relax(relaxed.prices + reach * gap / float(direction @ direction) * direction)
            if relaxed.bound > best.bound:
                best, vain = relaxed, 0
            else:
                vain += 1
            if vain == VAIN_STEPS:
                reach, vain = SHORTER * reach, 0
        return Climbed(best, astray)

    def _cheapest(self, reduced: Rows) -> Rows:
        """The cheapest run of each length at each start, among jobs that are not tracked (slots × lengths)."""
        if not self.alike:
            return np.empty((self.table.slots, 0))
        return np.stack([reduced[rows].min(axis=0) for rows in self.alike], axis=1)

    def _from_here(self, reduced: Rows, cheapest: Rows) -> Rows:
        slots, length = self.table.slots, self.table.length[self.counted]
        value = np.full((slots + 1 + int(self.table.length.max()), self.sets), np.inf)
        value[slots, self.sets - 1] = 0.0
        counted = np.ascontiguousarray(reduced[self.counted].T)
        for t in range(slots - 1, -1, -1):
            best = value[t + 1]
            if self.alike:
                best = np.minimum(best, (value[t + self.lengths] + cheapest[t][:, None]).min(axis=0))
            if len(length):
                after = value[(t + length)[:, None], self.with_it]
                best = np.minimum(best, (after + counted[t][:, None] + self.twice).min(axis=0))
            value[t] = best
        return value

    def up_to(self, reduced: Rows, cheapest: Rows) -> Rows:
        """The cheapest path from slot 0 to each node."""
        slots, length = self.table.slots, self.table.length[self.counted]
        value = np.full((slots + 1 + int(self.table.length.max()), self.sets), np.inf)
        value[0, 0] = 0.0
        without = self.with_it ^ self.bit[self.counted][:, None]  # read backwards: the set before the run
        never = np.where(self.twice == 0.0, np.inf, 0.0)  # a set without the job is not where its run leads
        for t in range(1, slots + 1):
            best = value[t - 1]
            back = t - self.lengths
            fits = back >= 0
            if fits.any():
                steps = value[back[fits]] + cheapest[back[fits], np.flatnonzero(fits)][:, None]
                best = np.minimum(best, steps.min(axis=0))
            back = t - length
            fits = back >= 0
            if fits.any():
                cost = reduced[self.counted[fits], back[fits]][:, None] + never[fits]
                best = np.minimum(best, (value[back[fits][:, None], without[fits]] + cost).min(axis=0))
            value[t] = best
        return value


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The relaxation at given job prices. `reduced`: cost − price of the job, a row a run."""

    network: Network
    prices: Rows
    reduced: Rows
    cheapest: Rows
    from_here: Rows

    @property
    def bound(self) -> float:
        return float(self.from_here[0, 0] + self.prices.sum())

    def insisting(self) -> Rows:
        """The bound if one insists on a start, for each run and slot (inf where it may not start)."""
        network, table = self.network, self.network.table
        before = network.up_to(self.reduced, self.cheapest)[: table.slots]
        every = np.arange(network.sets)
        bounds = np.full((len(table.job), table.slots), np.inf)
        for row, (length, bit) in enumerate(zip(table.length, network.bit, strict=True)):
            sets = every[(every & bit) == 0]
            ends = slice(int(length), table.slots + 1)
            starts = table.slots + 1 - int(length)
            through = (before[:starts][:, sets] + self.from_here[ends][:, sets | bit]).min(axis=1)
            bounds[row, :starts] = through + self.reduced[row, :starts] + self.prices.sum()
        return bounds

    def beyond(self, cost: float) -> Mask:
        """The starts that are in no plan as cheap as this."""
        mask: Mask = self.insisting() > cost
        return mask

    def counts(self) -> Rows:
        """How often the shortest path runs each job."""
        network, table, value = self.network, self.network.table, self.from_here
        length = table.length[network.counted]
        count = np.zeros(table.jobs)
        t, done = 0, 0
        while t < table.slots:
            alike = self.cheapest[t] + value[t + network.lengths, done]
            after = value[t + length, network.with_it[:, done]] + network.twice[:, done]
            counted = self.reduced[network.counted, t] + after
            least_alike, least_counted = alike.min(initial=np.inf), counted.min(initial=np.inf)
            if value[t + 1, done] <= min(least_alike, least_counted):
                t += 1
                continue
            if least_alike <= least_counted:
                rows = network.alike[int(np.argmin(alike))]
                row = int(rows[int(np.argmin(self.reduced[rows, t]))])
            else:
                row = int(network.counted[int(np.argmin(counted))])
            count[table.job[row]] += 1.0
            t, done = t + int(table.length[row]), done | int(network.bit[row])
        return count


@dataclass(frozen=True, slots=True, eq=False)
class Climbed:
    """The best relaxation of a climb, and how far each job was from being run once, lately."""

    relaxed: Relaxed
    astray: Rows


def first_prices(table: Table) -> Rows:
    """A first guess: what a job costs on average over its starts."""
    allowed = np.isfinite(table.cost)
    sums = np.where(allowed, table.cost, 0.0).sum(axis=1)
    total, count = np.zeros(table.jobs), np.zeros(table.jobs)
    np.add.at(total, table.job, sums)
    np.add.at(count, table.job, allowed.sum(axis=1))
    guess: Rows = total / np.maximum(count, 1.0)
    return guess


def _by_length(table: Table, rows: Whole) -> tuple[Whole, list[Whole]]:
    """The lengths among these rows, and the rows of each."""
    lengths = np.unique(table.length[rows])
    return lengths, [rows[table.length[rows] == length] for length in lengths]
