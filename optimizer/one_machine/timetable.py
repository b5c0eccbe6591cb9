"""Runs in their places, and the cheapest states between them."""

import math
from collections.abc import Sequence

from optimizer.one_machine.states import JobKind, Schedule, StateNetwork

Step = tuple[int, int, int]  # the slot edge and the state it comes from, and what the slots between show


def timetable(network: StateNetwork, kinds: Sequence[JobKind], runs: Sequence[tuple[int, int]]) -> Schedule | None:
    """The schedule of runs (kind, start); None where runs overlap or the machine cannot get ready for one in time."""
    costs = [kind.cost for kind in kinds]
    run_at = {start: kind for kind, start in runs}
    if len(run_at) < len(runs):
        return None
    slots, states = network.slots, range(network.states)
    changes = [(c.before, c.after, c.slots, c.cost.tolist()) for c in network.slow_changes]
    quick = [(a, b, network.jumps[a, b].tolist()) for a, b in network.quick]
    holding = network.holding.tolist()
    best = [[math.inf] * network.states for _ in range(slots + 1)]
    came: list[list[Step | None]] = [[None] * network.states for _ in range(slots + 1)]
    best[0][network.first] = 0.0
    next_run = _next_run(slots, run_at)

    def reach(t: int, state: int, cost: float, step: Step) -> None:
        if cost < best[t][state]:
            best[t][state], came[t][state] = cost, step

    for t in range(slots + 1):
        here = best[t]
        for a, b, cost in quick:
            reach(t, b, here[a] + cost[t], (t, a, b))
        if t == slots:
            break
        if t in run_at:
            kind = run_at[t]
            end = t + kinds[kind].slots
            if end > slots or next_run[t + 1] < end:
                return None
            reach(end, network.runs, here[network.runs] + float(costs[kind][t]), (t, network.runs, network.runs))
            continue
        for state in states:
            reach(t + 1, state, here[state] + holding[state][t], (t, state, state))
        for number, (a, b, took, cost) in enumerate(changes):
            if t + took <= next_run[t]:
                reach(t + took, b, here[a] + cost[t], (t, a, network.states + number))
    if best[slots][network.last] == math.inf:
        return None
    starts = tuple(tuple(sorted(start for k, start in runs if k == kind)) for kind in range(len(kinds)))
    return Schedule(starts=starts, shown=_shown(network, came), cost=best[slots][network.last])


def _next_run(slots: int, run_at: dict[int, int]) -> list[int]:
    """The first start at or after each slot edge; the end of the horizon where there is none."""
    row = [slots] * (slots + 2)
    for t in range(slots - 1, -1, -1):
        row[t] = t if t in run_at else row[t + 1]
    return row


def _shown(network: StateNetwork, came: list[list[Step | None]]) -> tuple[int, ...]:
    """What each slot of the cheapest way shows."""
    row = [network.last] * network.slots
    t, state = network.slots, network.last
    while (step := came[t][state]) is not None:
        before, was, shown = step
        row[before:t] = [shown] * (t - before)
        t, state = before, was
    return tuple(row)
