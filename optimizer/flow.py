"""What production's own plan makes of feeders, buffers, kept machines and batches: where it breaks a rule it may stay as
it is, and by how much tells how far the program must allow that."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from energy.model.problem import Buffer, Feeder, Placement, Problem
from energy.planning.price import Choice, whole
from energy.planning.price_flow import buffer_levels, feeder_load_kw, held, load_by_machine_kw
from optimizer.starts import Rows, Whole

if TYPE_CHECKING:
    from optimizer.plant import Plant

LOUD_PER_RUN_HOUR = 5000.0  # for a level that is off by as much as one run brings or takes, for an hour


def concerns(problem: Problem) -> bool:
    """Whether the problem has any such rule, which only the program knows."""
    return bool(
        problem.feeders
        or problem.buffers
        or any(machine.batch is not None for machine in problem.machines)
        or any(rule.holding_kw or rule.keeps_machine for job in problem.jobs for rule in job.after)
    )


def given_placements(plant: "Plant") -> tuple[Placement, ...]:
    """Where production has every job."""
    return tuple(start.placement(job.id) for job, start in zip(plant.problem.jobs, plant.given, strict=True))


def feeders_over_kw(problem: Problem, choice: Choice) -> list[tuple[Feeder, Rows]]:
    """Each feeder with what it carries above its limit in each slot."""
    if not problem.feeders:
        return []
    by_machine = load_by_machine_kw(problem, whole(problem, choice))
    return [(f, np.maximum(feeder_load_kw(problem, f, by_machine) - f.limit_kw, 0.0)) for f in problem.feeders]


def buffers_off(problem: Problem, placements: Iterable[Placement]) -> list[tuple[Buffer, Rows, Rows]]:
    """Each buffer with what is too much and what is too little in it at the end of each slot."""
    levels = buffer_levels(problem, tuple(placements))
    return [
        (buffer, np.maximum(levels[buffer.id] - buffer.most, 0.0), np.maximum(buffer.least - levels[buffer.id], 0.0))
        for buffer in problem.buffers
    ]


def loud_per_unit(problem: Problem, buffer: Buffer) -> float:
    """The price of a unit too much or too little in a buffer, for an hour."""
    flows = [abs(flow.quantity) for job in problem.jobs for flow in job.flows if flow.buffer == buffer.id]
    return LOUD_PER_RUN_HOUR / max(flows, default=1.0) if any(flows) else LOUD_PER_RUN_HOUR


def loud_price(problem: Problem, choice: Choice, per_kwh: float) -> float:
    """What a plan is charged for feeders that carry too much and levels that are off; on no bill."""
    hours = problem.step_hours
    feeders = sum(float(over.sum()) for _, over in feeders_over_kw(problem, choice))
    buffers = sum(
        float(above.sum() + below.sum()) * loud_per_unit(problem, buffer)
        for buffer, above, below in buffers_off(problem, choice.placements)
    )
    return hours * (per_kwh * feeders + buffers)


def kept_use(plant: "Plant", placements: Iterable[Placement]) -> Whole:
    """How many jobs' work each machine keeps in each slot: what one job made counts once, until the last one that
    waits for it has begun."""
    use = np.zeros((len(plant.machine_row), plant.slots), dtype=np.int64)
    spans: dict[str, tuple[str, int, int]] = {}
    for each in held(plant.problem, tuple(placements)):
        if each.keeps_machine:
            _, first, end = spans.get(each.before, (each.machine, each.first, each.end))
            spans[each.before] = (each.machine, first, max(end, each.end))
    for machine, first, end in spans.values():
        use[plant.machine_row[machine], max(0, first) : max(0, end)] += 1
    return use
