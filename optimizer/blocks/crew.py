"""Crew: the people whom jobs need at the same time are no more than are rostered."""

from collections import defaultdict
from typing import Any

from optimizer.model import Model


def add(model: Model) -> None:
    """For each skill and slot: Σ people · x[job, s] attended in the slot ≤ people on the roster.

    Attended is the whole run, its first slot, or its first and last. Where the given plan already asks for more people
    than there are, nobody new comes in and those given there may stay.
    """
    asked: dict[tuple[int, int], dict[int, tuple[Any, float]]] = defaultdict(dict)
    for job, variables, starts in zip(model.problem.jobs, model.start, model.plant.starts, strict=True):
        for x, start in zip(variables, starts, strict=True):
            for row, slots, people in model.plant.crew_of(job, start):
                for slot in slots:
                    _, already = asked[row, slot].get(id(x), (x, 0.0))
                    asked[row, slot][id(x)] = (x, already + people)
    skills = {row: skill for skill, row in model.plant.skill_row.items()}
    for (row, slot), terms in asked.items():
        there = int(model.plant.people[row, slot])
        if sum(people for _, people in terms.values()) > there and not model.plant.crew_overfull[row, slot]:
            model.require(model.total(terms.values()) <= there, f"{skills[row]} crew in slot {slot}")
