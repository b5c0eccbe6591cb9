"""Crew: the people whom jobs need at the same time are no more than are rostered."""

import numpy as np

from optimizer.model import Model


def add(model: Model) -> None:
    """For each skill and slot: Σ people · x[job, s] attended in the slot ≤ people on the roster.

    Attended is the whole run, its first slot, or its first and last. Where the given plan already asks for more people
    than there are, nobody new comes in and those given there may stay.
    """
    plant = model.plant
    parts = []
    for job, columns, starts in zip(model.problem.jobs, model.start, plant.starts, strict=True):
        for need in job.needs:
            start, slot = starts.attended_slots(need.attended, plant.slots)
            place = plant.skill_row[need.skill] * plant.slots + slot
            parts.append((place, columns[start], np.full(len(start), float(need.people))))
    if not parts:
        return
    asked, column, people = (np.concatenate(part) for part in zip(*parts, strict=True))
    place, term = np.unique(asked, return_inverse=True)
    there = plant.people.ravel()[place].astype(np.float64)
    scarce = (np.bincount(term, people) > there) & ~plant.crew_overfull.ravel()[place]
    row, kept = np.cumsum(scarce) - 1, scarce[term]
    skills = {row: skill for skill, row in plant.skill_row.items()}
    where = place[scarce]

    def name(row: int) -> str:
        skill, slot = divmod(int(where[row]), plant.slots)
        return f"{skills[skill]} crew in slot {slot}"

    model.rows(row[term[kept]], column[kept], people[kept], upper=there[scarce], name=name)
