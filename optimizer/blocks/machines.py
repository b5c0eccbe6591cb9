"""Machines: one job at a time."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """In each slot a machine runs at most one job.

    Σ (x[job, s] whose run holds slot k on the machine) ≤ 1

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
    batching = np.array([machine.batch is not None for machine in model.problem.machines])
    most[batching[place // plant.slots]] = -1  # several jobs at once are a batch there
    contested = (least < most) & ~plant.machine_overfull.ravel()[place]  # a job alone is in nobody's way
    row = np.cumsum(contested) - 1
    kept = contested[term]
    names = [machine.id for machine in model.problem.machines]
    where = place[contested]

    def name(row: int) -> str:
        machine, slot = divmod(int(where[row]), plant.slots)
        return f"{names[machine]} runs one job in slot {slot}"

    model.rows(row[term[kept]], np.concatenate(columns)[kept], 1.0, upper=1.0, name=name, count=len(where))
