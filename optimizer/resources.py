"""What runs hold of things of which there is only so much, laid out as rows of numbers: a row a resource, a column a slot.

A resource of a machine goes before one of the site with the same name; what nobody has is not there at all.
"""

import numpy as np

from energy.model.calendar import Attended
from energy.model.problem import Problem, Use
from optimizer.starts import Mask, Rows, Starts, Way, Whole

SLACK = 1e-6
SITE = -1


class Resources:
    """All resources of a plant that its jobs use."""

    def __init__(self, problem: Problem) -> None:
        self.slots = problem.slots
        machine_row = {machine.id: row for row, machine in enumerate(problem.machines)}
        there = {(SITE, r.name): r.amount for r in problem.resources}
        there |= {(machine_row[m.id], r.name): r.amount for m in problem.machines for r in m.resources}
        self._there = there
        used = {
            self._key(machine_row.get(machine, SITE), use.resource)
            for job in problem.jobs
            for option in job.options
            for machine in option.machines
            for use in option.uses
        }
        self.keys = tuple(sorted(used))
        self._row = {key: row for row, key in enumerate(self.keys)}
        self.amount: Rows = np.zeros((len(self.keys), self.slots))
        for row, key in enumerate(self.keys):
            self.amount[row] = np.asarray(there.get(key, (0.0,)), dtype=np.float64)

    def _key(self, machine: int, name: str) -> tuple[int, str]:
        return (machine, name) if (machine, name) in self._there else (SITE, name)

    def row_of(self, machine: int, name: str) -> int:
        """The row of what a run on a machine uses by this name."""
        return self._row[self._key(machine, name)]

    def beyond(self, use: Rows) -> Mask:
        """Where more is held than is there."""
        over: Mask = use > self.amount + SLACK * np.maximum(1.0, self.amount)
        return over

    def held(self, starts: Starts) -> tuple[Whole, Whole, Rows]:
        """(start, place, amount) of each slot of the horizon in which a start holds something; a place is row · slots +
        slot. What a run uses twice at a time is added up."""
        number, place, amount = [], [], []
        for w, way in enumerate(starts.ways):
            mine = np.flatnonzero(starts.way == w)[:, None] if way.option.uses else np.zeros((0, 1), dtype=np.int64)
            for use in way.option.uses if len(mine) else ():
                slot = starts.slot[mine] + offsets(way, use)
                inside = (slot >= 0) & (slot < self.slots)
                number.append(np.broadcast_to(mine, slot.shape)[inside])
                place.append(self.row_of(way.machine, use.resource) * self.slots + slot[inside])
                amount.append(np.full(int(inside.sum()), float(use.amount)))
        if not number:
            none = np.zeros(0, dtype=np.int64)
            return none, none, np.zeros(0)
        size = max(1, len(self.keys) * self.slots)
        key, term = np.unique(np.concatenate(number) * size + np.concatenate(place), return_inverse=True)
        summed: Rows = np.asarray(np.bincount(term, np.concatenate(amount)), dtype=np.float64)
        return np.asarray(key // size, dtype=np.int64), np.asarray(key % size, dtype=np.int64), summed

    def use(self, starts: Starts, number: int) -> Rows:
        """What one of the starts of a job holds, a row a resource."""
        _, place, amount = self.held(starts.pick([number]))
        held = np.zeros(self.amount.size)
        held[place] = amount
        return held.reshape(self.amount.shape)


def offsets(way: Way, use: Use) -> Whole:
    """The slots, counted from the start of a run, in which it holds what it uses: while attended, and so much longer after
    the last such slot."""
    held = np.flatnonzero(way.busy)
    if use.attended is not Attended.RUN:
        held = held[:1] if use.attended is Attended.START else np.unique(held[[0, -1]])
    return np.concatenate([held, held[-1:] + 1 + np.arange(use.after_slots)])
