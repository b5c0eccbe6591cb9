"""Where production's own plan finds a machine with states not up, or leaves no time to bring it down."""

from collections.abc import Sequence

import numpy as np

from energy.model.problem import MachineStates, Placement, Problem
from energy.planning.price_states import whole_states
from optimizer.starts import Mask


def given_states(problem: Problem, placements: Sequence[Placement]) -> tuple[Mask, frozenset[int]]:
    """(machine × slot: not up although a job works there, rows of machines that do not end as they must), the machines
    following the plant's own rule."""
    not_up = np.zeros((len(problem.machines), problem.slots), dtype=np.bool_)
    rows = whole_states(problem, placements, {})
    row_of = {machine.id: row for row, machine in enumerate(problem.machines)}
    up = {
        machine.id: {state.name for state in machine.states.states if state.runs_jobs}
        for machine in problem.machines
        if machine.states is not None
    }
    jobs = {job.id: job for job in problem.jobs} if up else {}
    for place in placements if up else ():
        if place.machine in up:
            for k in jobs[place.job].busy(place):
                if 0 <= k < problem.slots and rows[place.machine][k] not in up[place.machine]:
                    not_up[row_of[place.machine], k] = True
    late = [row_of[id] for id, row in rows.items() if not ends_well(problem.machines[row_of[id]].states, row)]
    return not_up, frozenset(late)


def ends_well(states: MachineStates | None, row: Sequence[str]) -> bool:
    """Whether the last slot leads to the state in which the machine must end, at once if need be."""
    if states is None or states.at_end is None:
        return True
    reached = {row[-1].rpartition(">")[2] if row else states.at_start}
    for _ in states.states:
        reached |= {t.to_state for t in states.transitions if not t.slots and t.from_state in reached}
    return states.at_end in reached
