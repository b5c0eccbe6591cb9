"""Do the machines change their states as they can, and are they up when a job needs them? Read from the plan's rows."""

from collections.abc import Iterator, Sequence

from energy.model.plan import Plan, Violation
from energy.model.problem import MachineStates, Problem, ProblemMachine, Transition
from energy.planning.check_words import busy_of, name_of, span, when

Change = tuple[int, str, str]  # before which slot, from, to
NEVER = float("inf")


def check_state_rows(problem: Problem, plan: Plan) -> list[Violation]:
    """Each machine with states has one row, of as many names as slots, all of them known; nothing else has one."""
    found = []
    with_states = {machine.id: machine.states for machine in problem.machines if machine.states is not None}
    seen: set[str] = set()
    for row in plan.states:
        states = with_states.get(row.machine)
        if states is None:
            found.append(_wrong_row(row.machine, None, f"{row.machine} has no states, and has a row of them"))
            continue
        if row.machine in seen:
            found.append(_wrong_row(row.machine, None, f"{row.machine} has two rows of states"))
        seen.add(row.machine)
        if len(row.states) != problem.slots:
            what = f"{row.machine} has {len(row.states)} states; the horizon has {problem.slots} slots"
            found.append(_wrong_row(row.machine, None, what))
        known = {state.name for state in states.states}
        known |= {f"{t.from_state}>{t.to_state}" for t in states.transitions if t.slots > 0}
        for k, name in enumerate(row.states):
            if name not in known:
                what = f"{row.machine} is {name!r} {when(problem, k)}, which is no state of it"
                found.append(_wrong_row(row.machine, k, what))
                break
    for id in with_states:
        if id not in seen:
            found.append(_wrong_row(id, None, f"{id} has states, and no row says in which it is"))
    return found


def _wrong_row(machine: str, slot: int | None, what: str) -> Violation:
    return Violation(rule="state rows", subject=machine, slot=slot, what=what, size=1.0)


def check_states(problem: Problem, plan: Plan) -> list[Violation]:
    """The rules of states, for rows that are in order."""
    rows = {row.machine: row.states for row in plan.states}
    found: list[Violation] = []
    for machine in problem.machines:
        if machine.states is not None:
            found += _wrong_changes(problem, machine, machine.states, rows[machine.id])
            found += _end(machine, machine.states, rows[machine.id])
    found += _not_up(problem, plan)
    return found


def _wrong_changes(
    problem: Problem, machine: ProblemMachine, states: MachineStates, row: Sequence[str]
) -> Iterator[Violation]:
    """Only transitions that the machine has: those with slots in all of them, those without between two."""
    wrong: list[tuple[int, str]] = []
    at_once = _at_once(states)
    for k, before, after in between(states, row):
        if at_once.get((before, after), NEVER) == NEVER:
            wrong.append((k, f"comes from {before} into {after} at once"))
    took = {f"{t.from_state}>{t.to_state}": t.slots for t in states.transitions if t.slots > 0}
    first = 0
    for k in range(1, len(row) + 1):
        if k == len(row) or row[k] != row[first]:
            slots = took.get(row[first])
            if slots is not None and (k - first) % slots:
                wrong.append((first, f"is {span(problem, k - first)} in {row[first]}, which takes {slots} slots"))
            first = k
    if wrong:
        slot, what = min(wrong)
        said = f"{machine.name or machine.id} {what} {when(problem, slot)}"
        yield Violation(
            rule="state change", subject=machine.id, slot=slot, what=said, size=float(len(wrong)), unit="changes"
        )


def _end(machine: ProblemMachine, states: MachineStates, row: Sequence[str]) -> Iterator[Violation]:
    """After the last slot it stands as it must."""
    last = _after(states, row)
    if states.at_end is None or _at_once(states).get((last, states.at_end), NEVER) < NEVER:
        return
    what = f"{machine.name or machine.id} ends in {last}, and must end in {states.at_end}"
    yield Violation(rule="state at the end", subject=machine.id, slot=len(row), what=what, size=1.0)


def _not_up(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """A job runs only while its machine is in a state that runs jobs."""
    rows = {row.machine: row.states for row in plan.states}
    runs = {
        machine.id: {state.name for state in machine.states.states if state.runs_jobs}
        for machine in problem.machines
        if machine.states is not None
    }
    if not runs:
        return
    jobs = {job.id: job for job in problem.jobs}
    for place in plan.placements:
        if place.machine not in runs:
            continue
        job, row, may = jobs[place.job], rows[place.machine], runs[place.machine]
        options = [o for o in job.options if place.machine in (o.machine, *o.also) and o.mode == place.mode]
        down = [k for k in busy_of(place, options[0]) if 0 <= k < problem.slots and row[k] not in may]
        if down:
            what = f"{name_of(job)} runs on {place.machine} {when(problem, down[0])}, which is {row[down[0]]} then"
            yield Violation(
                rule="machine not up", subject=job.id, slot=down[0], what=what, size=float(len(down)), unit="slots"
            )


def states_kw(problem: Problem, plan: Plan) -> Iterator[tuple[str, int, float]]:
    """(machine, slot, kW) of what the machines draw in their states and transitions."""
    machines = {machine.id: machine for machine in problem.machines}
    for row in plan.states:
        states = machines[row.machine].states
        if states is not None:
            power = {state.name: state.power_kw for state in states.states}
            for t in states.transitions:
                power[f"{t.from_state}>{t.to_state}"] = t.power_kw
            for k, name in enumerate(row.states):
                yield row.machine, k, power[name]


def state_costs(problem: Problem, plan: Plan) -> dict[str, tuple[int, float]]:
    """(times, money) of each change of state that costs something, by machine and change: "furnace off>on"."""
    found: dict[str, tuple[int, float]] = {}
    rows = {row.machine: row.states for row in plan.states}
    for machine in problem.machines:
        if machine.states is None:
            continue
        row, at_once = rows[machine.id], _at_once(machine.states)
        costs = [
            (f"{before}>{after}", at_once.get((before, after), 0.0))
            for _, before, after in between(machine.states, row)
        ]
        last = _after(machine.states, row)
        if machine.states.at_end is not None and last != machine.states.at_end:
            costs.append((f"{last}>{machine.states.at_end}", at_once.get((last, machine.states.at_end), 0.0)))
        costs += [(f"{t.from_state}>{t.to_state}", t.cost) for t in _begun(machine.states, row)]
        for name, cost in costs:
            if 0.0 < cost < NEVER:
                count, money = found.get(f"{machine.id} {name}", (0, 0.0))
                found[f"{machine.id} {name}"] = (count + 1, money + cost)
    return found


def between(states: MachineStates, row: Sequence[str]) -> list[Change]:
    """Where the machine changes its state between two slots (before slot 0 included)."""
    took = {f"{t.from_state}>{t.to_state}": t for t in states.transitions if t.slots > 0}
    found: list[Change] = []
    state, left = states.at_start, 0  # left: slots of the transition that are still to come
    for k, name in enumerate(row):
        transition = took.get(name)
        if left and row[k - 1] == name:
            left -= 1
            continue
        comes_as = name if transition is None else transition.from_state
        if comes_as != state:
            found.append((k, state, comes_as))
        state = name if transition is None else transition.to_state
        left = 0 if transition is None else transition.slots - 1
    return found


def _begun(states: MachineStates, row: Sequence[str]) -> Iterator[Transition]:
    """The transitions with slots, one for each time that one begins."""
    for t in states.transitions:
        left = 0
        for name in row if t.slots > 0 else ():
            left = left - 1 if left and name == f"{t.from_state}>{t.to_state}" else 0
            if not left and name == f"{t.from_state}>{t.to_state}":
                yield t
                left = t.slots


def _after(states: MachineStates, row: Sequence[str]) -> str:
    """The state to which the last slot has brought the machine."""
    if not row:
        return states.at_start
    for t in states.transitions:
        if t.slots > 0 and row[-1] == f"{t.from_state}>{t.to_state}":
            return t.to_state
    return row[-1]


def _at_once(states: MachineStates) -> dict[tuple[str, str], float]:
    """The least cost to come from one state into another without a slot (Floyd and Warshall)."""
    names = [state.name for state in states.states]
    cost = {(a, b): 0.0 if a == b else NEVER for a in names for b in names}
    for t in states.transitions:
        if t.slots == 0:
            cost[t.from_state, t.to_state] = min(t.cost, cost[t.from_state, t.to_state])
    for via in names:
        for a in names:
            for b in names:
                cost[a, b] = min(cost[a, b], cost[a, via] + cost[via, b])
    return cost
