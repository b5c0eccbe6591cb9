"""What keeps a job from standing somewhere for the sake of the site: what the grid connection carries, what was promised
to import at most, and what may be emitted; with all else as a plan has it."""

from collections.abc import Iterator

import numpy as np

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.plant_words import clock
from energy.planning.price_site import Rows

SLACK = 1e-4  # kW or kg


def site_limits(problem: Problem, job: ProblemJob, place: Placement, plan: Plan) -> Iterator[str]:
    """Each limit of the site that the job would break there, or break more than the plan does."""
    planned = next((p for p in plan.placements if p.job == job.id), None)
    was = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
    becomes = was + _load_kw(problem, job, place)
    if planned is not None:
        becomes = becomes - _load_kw(problem, job, planned)
    for name, row, limit_kw, first, end in _limits(problem, was, becomes):
        before, after = row
        over = np.flatnonzero(after[first:end] > np.maximum(before[first:end], limit_kw) + SLACK)
        if len(over):
            k = first + int(over[0])
            yield f"{name} at {clock(problem, k, place.start)}: {after[k]:,.0f} kW, and {limit_kw:,.0f} are allowed"
    yield from _carbon(problem, was, becomes)


def _limits(problem: Problem, was: Rows, becomes: Rows) -> Iterator[tuple[str, tuple[Rows, Rows], float, int, int]]:
    """(what would happen, (before, after), limit, first slot, end) of the connection and of each mandatory limit."""
    imported, slots = (was, becomes), problem.slots
    yield "the site would import too much", imported, problem.import_limit_kw, 0, slots
    yield "the site would export too much", (-was, -becomes), problem.export_limit_kw, 0, slots
    for limit in problem.limits:
        if limit.penalty_per_kwh is None:
            first, end = max(0, limit.start), max(0, min(slots, limit.end))
            yield f"{limit.name} would be broken", imported, limit.limit_kw, first, end


def _carbon(problem: Problem, was: Rows, becomes: Rows) -> Iterator[str]:
    limit_kg = problem.carbon_limit_kg
    if limit_kg is None:
        return
    per_kw = problem.step_hours * np.asarray(problem.carbon_kg_per_kwh)
    before, after = (float(np.maximum(net, 0.0) @ per_kw) for net in (was, becomes))
    if after > max(before, limit_kg) + SLACK:
        yield f"the site would emit {after:,.1f} kg CO2e, and {limit_kg:,.1f} are allowed"


def _load_kw(problem: Problem, job: ProblemJob, place: Placement) -> Rows:
    load = np.zeros(problem.slots)
    power = job.powers_kw(place)
    first, end = max(0, place.start), min(problem.slots, place.start + len(power))
    if first < end:
        load[first:end] = power[first - place.start : end - place.start]
    return load
