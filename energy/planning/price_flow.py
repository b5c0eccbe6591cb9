"""What flows through the plant, and what it draws on the way: load by machine, holding, batches, levels of buffers.

    load of a machine[k] = jobs on it + holding of what it made + recipes of its batches + the state in which it stands
                           + its setups (each part of MACHINE_LOADS)
    holding[k]           = holding_kw of each precedence whose first job has ended by k and whose next starts after k
    batch[k]             = power of the recipe once for each batch: jobs of one machine, start and recipe (mode)
    level[k]             = level[k−1] − draw[k] + flows whose moment is slot k; level[−1] = start

The moment of a flow is the slot that begins as the run starts, or as it ends (the slot after its last one).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from energy.model.problem import Feeder, Placement, Problem, Recipe
from energy.planning.price_setups import setups_powers_kw
from energy.planning.price_states import states_powers_kw

if TYPE_CHECKING:
    from energy.planning.price import Choice

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one job made waits on its machine in slots [first, end) for the next one."""

    before: str
    after: str
    machine: str
    first: int
    end: int
    power_kw: float
    keeps_machine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """One batch: the jobs that start together by a recipe, and how much they fill."""

    machine: str
    recipe: Recipe
    start: int
    jobs: tuple[str, ...]
    quantity: float

    @property
    def end(self) -> int:
        return self.start + len(self.recipe.power_kw)


def held(problem: Problem, placements: Sequence[Placement]) -> Iterator[Held]:
    """Everything that is held between two jobs that both run."""
    places = {placement.job: placement for placement in placements}
    jobs = {job.id: job for job in problem.jobs}
    for job in problem.jobs:
        for rule in job.after:
            before, after = places.get(rule.job), places.get(job.id)
            if (rule.holding_kw or rule.keeps_machine) and before is not None and after is not None:
                first = jobs[rule.job].end(before)
                if first < after.start:
                    yield Held(
                        before=rule.job,
                        after=job.id,
                        machine=before.machine,
                        first=first,
                        end=after.start,
                        power_kw=rule.holding_kw,
                        keeps_machine=rule.keeps_machine,
                    )


def batch_runs(problem: Problem, placements: Sequence[Placement]) -> list[BatchRun]:
    """The batches that placements make, by machine and start."""
    batches = {machine.id: machine.batch for machine in problem.machines if machine.batch is not None}
    jobs = {job.id: job for job in problem.jobs}
    together: dict[tuple[str, int, str], list[str]] = {}
    for place in placements:
        if place.machine in batches:
            together.setdefault((place.machine, place.start, place.mode), []).append(place.job)
    runs = []
    for (machine, start, mode), ids in sorted(together.items()):
        recipe = next(recipe for recipe in batches[machine].recipes if recipe.name == mode)
        quantity = sum(jobs[id].option(machine, mode).quantity for id in ids)
        runs.append(BatchRun(machine=machine, recipe=recipe, start=start, jobs=tuple(ids), quantity=quantity))
    return runs


def load_by_machine_kw(problem: Problem, choice: "Choice") -> dict[str, Rows]:
    """What each machine draws in each slot: every part of `MACHINE_LOADS` added up."""
    load = {machine.id: np.zeros(problem.slots) for machine in problem.machines}
    for part in MACHINE_LOADS:
        for machine, first, power_kw in part(problem, choice):
            _add(load.setdefault(machine, np.zeros(problem.slots)), first, power_kw)
    return load


def machines_load_kw(problem: Problem, choice: "Choice") -> Rows:
    """What all machines draw in each slot."""
    total = np.zeros(problem.slots)
    for row in load_by_machine_kw(problem, choice).values():
        total += row
    return total


def feeder_load_kw(problem: Problem, feeder: Feeder, by_machine: dict[str, Rows]) -> Rows:
    """What a feeder carries in each slot."""
    load = np.zeros(problem.slots)
    if feeder.base_load_kw:
        load += np.asarray(feeder.base_load_kw, dtype=np.float64)
    for machine in feeder.machines:
        load += by_machine[machine]
    return load


def buffer_levels(problem: Problem, placements: Sequence[Placement]) -> dict[str, Rows]:
    """The level of each buffer at the end of each slot."""
    change = {buffer.id: np.zeros(problem.slots) for buffer in problem.buffers}
    for buffer in problem.buffers:
        if buffer.draw:
            change[buffer.id] -= np.asarray(buffer.draw, dtype=np.float64)
    jobs = {job.id: job for job in problem.jobs}
    for place in placements:
        job = jobs[place.job]
        for flow in job.flows:
            moment = job.end(place) if flow.at_end else place.start
            if 0 <= moment < problem.slots:
                change[flow.buffer][moment] += flow.quantity
    return {buffer.id: buffer.start + np.cumsum(change[buffer.id]) for buffer in problem.buffers}


def _jobs(problem: Problem, choice: "Choice") -> Iterator[tuple[str, int, Sequence[float]]]:
    jobs = {job.id: job for job in problem.jobs}
    for place in choice.placements:
        yield place.machine, place.start, jobs[place.job].powers_kw(place)


def _holding(problem: Problem, choice: "Choice") -> Iterator[tuple[str, int, Sequence[float]]]:
    for each in held(problem, choice.placements):
        if each.power_kw:
            yield each.machine, each.first, (each.power_kw,) * (each.end - each.first)


def _batches(problem: Problem, choice: "Choice") -> Iterator[tuple[str, int, Sequence[float]]]:
    for run in batch_runs(problem, choice.placements):
        yield run.machine, run.start, run.recipe.power_kw


def _add(load: Rows, first: int, power_kw: Sequence[float]) -> None:
    """Add powers from a slot on, as far as they lie in the horizon."""
    begin, end = max(0, first), min(len(load), first + len(power_kw))
    if begin < end:
        load[begin:end] += power_kw[begin - first : end - first]


# Each part says (machine, first slot, kW from there on); what else a machine draws is one more part.
MACHINE_LOADS: tuple[Callable[[Problem, "Choice"], Iterator[tuple[str, int, Sequence[float]]]], ...] = (
    _jobs,
    _holding,
    _batches,
    lambda problem, choice: states_powers_kw(problem, choice.states),
    lambda problem, choice: setups_powers_kw(problem, choice.placements),
)
