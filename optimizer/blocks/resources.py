"""Resources: what runs hold at the same time of cranes, moulds, floor power is no more than there is."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Rows, Whole


def add(model: Model) -> None:
    """For each resource and slot: Σ amount · x[job, s] held in the slot ≤ what is there.

    Held is what is used while the run is attended (all of it, its first slot, or its first and last), and `after_slots`
    longer. Where the given plan already holds more than there is, nobody new comes in and those given there may stay.
    """
    resources = model.plant.resources
    parts = []
    for job, (columns, starts) in enumerate(zip(model.start, model.plant.starts, strict=True)):
        start, place, amount = resources.held(starts)
        if len(start):
            parts.append((place, columns[start], amount, np.full(len(start), job)))
    if not parts:
        return
    asked, column, amount, who = (np.concatenate(part) for part in zip(*parts, strict=True))
    place, term = np.unique(asked, return_inverse=True)
    there = resources.amount.ravel()[place]
    scarce = (_most(term, who, amount, len(place)) > there) & ~model.plant.resource_overfull.ravel()[place]
    row, kept = np.cumsum(scarce) - 1, scarce[term]
    where, keys = place[scarce], resources.keys

    def name(row: int) -> str:
        resource, slot = divmod(int(where[row]), resources.slots)
        return f"{keys[resource][1]} in slot {slot}"

    model.rows(row[term[kept]], column[kept], amount[kept], upper=there[scarce], name=name, count=len(where))


def _most(term: Whole, job: Whole, amount: Rows, places: int) -> Rows:
    """The most that can be held in each place: of each job the start that holds most there."""
    order = np.lexsort((-amount, job, term))
    term, job, amount = term[order], job[order], amount[order]
    first = np.concatenate([[True], (term[1:] != term[:-1]) | (job[1:] != job[:-1])])
    return np.asarray(np.bincount(term[first], amount[first], minlength=places), dtype=np.float64)
