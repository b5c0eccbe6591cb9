"""Feeders, buffers, kept machines and batches that had to give, as production had planned them."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from energy.clock import local
from energy.model.plan import GaveWay, Plan
from energy.model.problem import Problem
from energy.planning.price import choice_of
from energy.planning.price_flow import BatchRun, batch_runs
from optimizer.flow import buffers_off, feeders_over_kw, kept_use, loud_per_unit
from optimizer.plant import Plant
from optimizer.reckoning import LOUD_PER_KWH
from optimizer.starts import Rows

SEEN = 1e-6


def gave_way_flow(plant: Plant, plan: Plan) -> Iterator[GaveWay]:
    """Which of these rules a plan does not keep, by how much, at what price."""
    yield from _feeders(plant.problem, plan)
    yield from _buffers(plant.problem, plan)
    yield from _kept(plant, plan)
    yield from _batches(plant.problem, plan)


def _feeders(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    for feeder, over in feeders_over_kw(problem, choice_of(plan)):
        kwh = float(over.sum()) * problem.step_hours
        if over.max() > SEEN:
            by = f"{kwh:.1f} kWh above {feeder.limit_kw:.0f} kW, most {_at_most(problem, over)} kW"
            yield GaveWay(rule=feeder.name or feeder.id, by=by, price=kwh * LOUD_PER_KWH)


def _buffers(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    for buffer, above, below in buffers_off(problem, plan.placements):
        per_hour = loud_per_unit(problem, buffer) * problem.step_hours
        name = buffer.name or buffer.id
        for off, what in ((above, f"{name} holds {buffer.most:g}"), (below, f"{name} keeps {buffer.least:g}")):
            if off.max() > SEEN * max(1.0, abs(buffer.most)):
                word = "too much" if off is above else "too little"
                by = f"{word}, most {_at_most(problem, off)} {buffer.unit}, as given by production"
                yield GaveWay(rule=f"{what} {buffer.unit}", by=by, price=float(off.sum()) * per_hour)


def _kept(plant: Plant, plan: Plan) -> Iterator[GaveWay]:
    kept = kept_use(plant, plan.placements)
    use = plant.machine_use(plant.chosen_of(plan.placements)) + kept
    for row, machine in enumerate(plant.problem.machines):
        if machine.capacity is not None:
            over = np.where(kept[row] > 0, use[row] - machine.capacity, 0)
            if over.max() > 0:
                minutes = int((over > 0).sum()) * plant.problem.step_minutes
                when = _clock(plant.problem, int(np.argmax(over > 0)))
                by = f"something else runs meanwhile for {minutes} min from {when} as given by production"
                yield GaveWay(rule=f"{machine.name or machine.id} holds what it made", by=by, price=0.0)


def _batches(problem: Problem, plan: Plan) -> Iterator[GaveWay]:
    runs: dict[str, list[BatchRun]] = {}
    for run in batch_runs(problem, plan.placements):
        runs.setdefault(run.machine, []).append(run)
    for machine in problem.machines:
        batch, name = machine.batch, machine.name or machine.id
        for run in runs.get(machine.id, []) if batch is not None else ():
            assert batch is not None
            when = f"{run.recipe.name} at {_clock(problem, run.start)} has {run.quantity:g} as given by production"
            if run.quantity > batch.capacity + SEEN * batch.capacity:
                yield GaveWay(rule=f"{name} holds {batch.capacity:g} at a time", by=when, price=0.0)
            if run.quantity < batch.least_fill - SEEN * batch.capacity:
                yield GaveWay(rule=f"{name} starts with at least {batch.least_fill:g}", by=when, price=0.0)
        for one, other in pairwise(sorted(runs.get(machine.id, []), key=lambda run: run.start)):
            if other.start < one.end:
                by = f"another begins at {_clock(problem, other.start)} as given by production"
                yield GaveWay(rule=f"{name} treats one batch at a time", by=by, price=0.0)


def _at_most(problem: Problem, off: Rows) -> str:
    return f"at {_clock(problem, int(np.argmax(off)))} with {off.max():.4g}"


def _clock(problem: Problem, slot: int) -> str:
    return f"{local(problem.horizon.time_of(slot), problem.zone):%a %H:%M}"
