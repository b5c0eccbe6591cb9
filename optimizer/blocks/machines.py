"""Machines: one job at a time, or as many as they can run."""

import numpy as np

from optimizer.model import Model
from optimizer.starts import Whole


def add(model: Model) -> None:
    """In each slot a machine runs at most as many jobs as its capacity says.

    Σ (x[job, s] whose run holds slot k on the machine) ≤ capacity

    Closed slots are no start of anybody (see `optimizer.plant`). A slot that production has double-booked takes nobody
    new, and those given there may stay.
    """
    plant = model.plant
    held, columns, jobs = [], [], []
    for job, (column, starts) in enumerate(zip(model.start, plant.starts, strict=True)):
        start, slot = starts.busy_slots(plant.slots)
        held.append(starts.machine[start] * plant.slots + slot)
        columns.append(column[start])
        jobs.append(np.full(len(start), job))
    if not held:
        return
    place, term = np.unique(np.concatenate(held), return_inverse=True)
    who = np.concatenate(jobs)
    least, most = np.full(len(place), len(plant.starts)), np.full(len(place), -1)
    np.minimum.at(least, term, who)
    np.maximum.at(most, term, who)
    capacity = plant.capacity[place // plant.slots]
    full = np.where(
        capacity == 1, least < most, _jobs_there(term, who, capacity) > capacity
    )  # else nobody is in the way
    contested = full & ~plant.machine_overfull.ravel()[place]
    row = np.cumsum(contested) - 1
    kept = contested[term]
    names = [machine.id for machine in model.problem.machines]
    where = place[contested]

    def name(row: int) -> str:
        machine, slot = divmod(int(where[row]), plant.slots)
        return f"{names[machine]} runs at most {plant.capacity[machine]} in slot {slot}"

    upper = capacity[contested].astype(np.float64)
    model.rows(row[term[kept]], np.concatenate(columns)[kept], 1.0, upper=upper, name=name, count=len(where))


def _jobs_there(term: Whole, who: Whole, capacity: Whole) -> Whole:
    """How many jobs could hold each place of a machine that runs several."""
    many = capacity[term] > 1
    jobs = int(who.max(initial=0)) + 1
    pairs = np.unique(term[many] * jobs + who[many])
    return np.bincount(pairs // jobs, minlength=len(capacity))
