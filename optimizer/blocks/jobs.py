"""Jobs: each runs once, from one of its allowed starts; an optional one may be left out."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """One column a start; a job has exactly one start, and loads the slots of its run from there.

    Σ_s x[job, s] = 1 (optional: ≤ 1)        load[k] = Σ_job Σ_s x[job, s] · power[k − s]
    """
    slots = model.plant.slots
    most_kw = np.zeros(slots)
    parts = []
    for job, starts, optional in zip(model.problem.jobs, model.plant.starts, model.plant.optional, strict=True):
        only = len(starts) <= 1 and not optional
        columns = model.columns(len(starts), 1.0 if only else 0.0, 1.0, whole=True)
        model.start.append(columns)
        if not only:
            least = 0.0 if optional else 1.0
            model.rows(np.zeros(len(columns)), columns, 1.0, lower=least, upper=1.0, name=f"{job.id} starts once")
        start, slot, power_kw = starts.load_slots(slots)
        parts.append((starts.machine[start], slot, columns[start], power_kw))
        most_of_it = np.zeros(slots)
        np.maximum.at(most_of_it, slot, power_kw)
        most_kw += most_of_it
    if parts:
        machine, slot, column, power_kw = (np.concatenate(part) for part in zip(*parts, strict=True))
        model.load(machine, slot, column, power_kw, most_kw=most_kw)
