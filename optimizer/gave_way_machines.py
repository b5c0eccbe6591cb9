"""The rules of machines that had to give in a plan: up in time, set up, enough of a resource."""

import numpy as np

from energy.clock import local
from energy.model.plan import GaveWay, Plan
from energy.planning.price_setups import setups_without_time
from optimizer.flow import kept_use
from optimizer.given_states import ends_well
from optimizer.plant import BROKEN_RULE_PRICE, Plant
from optimizer.starts import Chosen


def not_ready(plant: Plant, chosen: Chosen, plan: Plan) -> list[GaveWay]:
    """Machines that are not up where production has placed a job, or that no time is left to bring down."""
    rows = {row.machine: row.states for row in plan.states}
    found = []
    for row, start in plant.chosen_starts(chosen) if rows else ():
        machine, job = plant.problem.machines[start.way.machine], plant.problem.jobs[row]
        if machine.states is None:
            continue
        may = {state.name for state in machine.states.states if state.runs_jobs}
        run = (start.slot + np.flatnonzero(start.way.busy)).tolist()
        if any(rows[machine.id][slot] not in may for slot in run if 0 <= slot < plant.slots):
            rule = f"{machine.name or machine.id} is up before it runs {job.name or job.id}"
            by = f"the job stays at {_clock(plant, start.slot)}"
            found.append(GaveWay(rule=rule, by=by, price=BROKEN_RULE_PRICE))
    for machine in plant.problem.machines:
        if machine.states is not None and not ends_well(machine.states, rows[machine.id]):
            rule = f"{machine.name or machine.id} is {machine.states.at_end} at the end"
            found.append(GaveWay(rule=rule, by=f"it is still {rows[machine.id][-1]}", price=BROKEN_RULE_PRICE))
    return found


def short_of_resources(plant: Plant, chosen: Chosen) -> list[GaveWay]:
    """Resources of which production itself has jobs hold more than there is."""
    if not plant.resources.keys:
        return []
    use = plant.resource_use(chosen)
    beyond, short = plant.resources.beyond(use), use - plant.resources.amount
    return [
        GaveWay(
            rule=name,
            by=f"short of {short[row].max():g} for {int(beyond[row].sum()) * plant.problem.step_minutes} min "
            f"from {_clock(plant, int(np.argmax(beyond[row])))} as given by production",
            price=0.0,
        )
        for row, (_, name) in enumerate(plant.resources.keys)
        if beyond[row].any()
    ]


def short_setups(plant: Plant, plan: Plan) -> list[GaveWay]:
    """Setups for which production itself leaves too little time."""
    found = []
    kept = kept_use(plant, plan.placements)
    for row in plant.given_setups:
        machine = plant.problem.machines[row]
        held = np.flatnonzero(kept[row]).tolist()
        lacking = setups_without_time(plant.problem, plan.placements, machine, kept=held)
        for id, missing in ((id, len(slots)) for id, slots in lacking.items()):
            job = plant.problem.job(id)
            rule = f"{machine.name or machine.id} is set up for {job.family} before {job.name or id}"
            by = f"{missing * plant.problem.step_minutes} min are missing as given by production"
            found.append(GaveWay(rule=rule, by=by, price=0.0))
    return found


def _clock(plant: Plant, slot: int) -> str:
    return f"{local(plant.problem.horizon.time_of(slot), plant.problem.zone):%a %H:%M}"
