"""Feeders: what some machines draw together through one cable, transformer or converter."""

import numpy as np

from energy.planning.price import Choice
from optimizer.flow import feeders_over_kw, given_placements
from optimizer.model import Model
from optimizer.starts import Mask


def add(model: Model) -> None:
    """For each feeder, in each slot: base load behind it + Σ of what its machines draw ≤ limit + over.

    Everything that `model.load` knows of a machine counts: jobs, holding, batches, states, setups. Nothing new comes
    above the limit; where the given plan is above it, it may stay so, at a loud price (`over` ≤ what it is there).

    Runs that draw more than half of what the feeder has left never meet, which bounds the program better than the sum
    (by which half a melt on each of two furnaces would fit):   Σ (x[job, s] that draws more than half in slot k) ≤ 1
    """
    plant, slots = model.plant, np.arange(model.plant.slots)
    machine, slot, column, power_kw = model.loads()
    steady = _steady(model)
    for feeder, over_kw in feeders_over_kw(model.problem, Choice(placements=given_placements(plant))):
        fed = np.isin(machine, [plant.machine_row[id] for id in feeder.machines])
        base_kw = np.asarray(feeder.base_load_kw or (0.0,) * plant.slots)
        over = model.columns(len(slots), 0.0, over_kw)
        called = feeder.name or feeder.id

        def name(k: int, called: str = called) -> str:
            return f"{called} in slot {k}"

        model.rows(
            np.concatenate([slot[fed], slots]),
            np.concatenate([column[fed], over]),
            np.concatenate([power_kw[fed], np.full(len(slots), -1.0)]),
            upper=feeder.limit_kw - base_kw,
            name=name,
        )
        left_kw = np.where(over_kw > 0.0, np.inf, feeder.limit_kw - base_kw)
        alone = fed & steady[column] & (power_kw > left_kw[slot] / 2)
        model.rows(slot[alone], column[alone], 1.0, upper=np.ones(len(slots)), name=name, count=len(slots))
        model.price("beyond a feeder", over, model.loud_per_kwh * model.hours)


def _steady(model: Model) -> Mask:
    """Which columns are starts of runs that draw nothing but their own powers."""
    steady = np.zeros(model.size[0], dtype=np.bool_)
    for columns, starts in zip(model.start, model.plant.starts, strict=True):
        own = np.array([way.option.adjustable is None for way in starts.ways], dtype=np.bool_)
        steady[columns] = own[starts.way]
    return steady
