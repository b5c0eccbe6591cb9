"""What keeps a job from standing somewhere for the sake of metal, heat and power: machines that hold, batches, buffers,
feeders."""

from collections.abc import Iterator, Mapping

import numpy as np

from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.plant_words import clock, machine_name, name_of
from energy.planning.price import Choice, whole
from energy.planning.price_flow import batch_runs, buffer_levels, feeder_load_kw, held, load_by_machine_kw

Places = Mapping[str, Placement]

SLACK = 1e-6


def flows(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """Everything of that in the way, with the job there and the others as they are."""
    together = (*others.values(), place)
    yield from _held(problem, job, place, others)
    yield from _batch(problem, job, place, together)
    yield from _buffers(problem, job, place, tuple(others.values()), together)
    yield from _feeders(problem, place, tuple(others.values()), together)


def _held(problem: Problem, job: ProblemJob, place: Placement, others: Places) -> Iterator[str]:
    """A machine that holds what another job made runs nothing else; nor would it while it holds what this one makes."""
    capacity = {machine.id: machine.capacity for machine in problem.machines}
    jobs = {each.id: each for each in problem.jobs}
    for hold in held(problem, (*others.values(), place)):
        if not hold.keeps_machine or capacity.get(hold.machine) != 1:
            continue
        holds = f"{machine_name(problem, hold.machine)} holds the work of {name_of(jobs[hold.before])}"
        until = f"until {clock(problem, hold.end, place.start)}"
        if job.id not in {hold.before, hold.after}:
            if place.machine == hold.machine and place.start < hold.end and hold.first < job.end(place):
                yield f"{holds} {until}"
            continue
        for other, there in others.items():
            meanwhile = there.start < hold.end and hold.first < jobs[other].end(there)
            if meanwhile and other != hold.before and there.machine == hold.machine:
                yield f"{holds} {until} then, and runs {name_of(jobs[other])} meanwhile"


def _batch(problem: Problem, job: ProblemJob, place: Placement, together: tuple[Placement, ...]) -> Iterator[str]:
    """A batch machine treats one batch at a time, neither too full nor too empty."""
    machine = next((m for m in problem.machines if m.id == place.machine), None)
    if machine is None or machine.batch is None:
        return
    runs = [run for run in batch_runs(problem, together) if run.machine == machine.id]
    name = machine.name or machine.id
    here = next(run for run in runs if job.id in run.jobs)
    for run in runs:
        if run is not here and run.start < here.end and here.start < run.end:
            yield f"{name} treats a batch by {run.recipe.name} until {clock(problem, run.end, place.start)}"
    if here.quantity > machine.batch.capacity + SLACK:
        yield f"the batch would be {here.quantity:g}, and {name} holds {machine.batch.capacity:g}"
    if here.quantity < machine.batch.least_fill - SLACK:
        yield f"the batch would be {here.quantity:g}, and {name} starts with at least {machine.batch.least_fill:g}"


def _buffers(
    problem: Problem, job: ProblemJob, place: Placement, others: tuple[Placement, ...], together: tuple[Placement, ...]
) -> Iterator[str]:
    """A buffer that would run full or empty, where it does not without the job."""
    touched = {flow.buffer for flow in job.flows}
    if not touched:
        return
    before, after = buffer_levels(problem, others), buffer_levels(problem, together)
    for buffer in problem.buffers:
        if buffer.id in touched:
            name, slack = buffer.name or buffer.id, SLACK * max(1.0, abs(buffer.most))
            over = np.maximum(before[buffer.id], buffer.most)
            short = np.minimum(before[buffer.id], buffer.least)
            full = np.flatnonzero(after[buffer.id] > over + slack)
            empty = np.flatnonzero(after[buffer.id] < short - slack)
            if len(full):
                yield f"{name} is full at {clock(problem, int(full[0]), place.start)}"
            if len(empty):
                short_of = (
                    f"too few {buffer.unit} left" if buffer.unit == "pieces" else f"too little {buffer.unit} left"
                )
                yield f"{name} has {short_of} at {clock(problem, int(empty[0]), place.start)}"


def _feeders(
    problem: Problem, place: Placement, others: tuple[Placement, ...], together: tuple[Placement, ...]
) -> Iterator[str]:
    """A feeder that would carry too much, or more than it already does."""
    feeders = [feeder for feeder in problem.feeders if place.machine in feeder.machines]
    if not feeders:
        return
    before = load_by_machine_kw(problem, whole(problem, Choice(placements=others)))
    after = load_by_machine_kw(problem, whole(problem, Choice(placements=together)))
    for feeder in feeders:
        most = np.maximum(feeder_load_kw(problem, feeder, before), feeder.limit_kw)
        load = feeder_load_kw(problem, feeder, after)
        over = np.flatnonzero(load > most + 1e-4)
        if len(over):
            when = clock(problem, int(over[0]), place.start)
            yield f"{feeder.name or feeder.id} would carry {load[over[0]]:.0f} kW at {when}, and bears {feeder.limit_kw:g} kW"
