"""What a problem must not say of the states of machines: states that nobody knows, ways that lead nowhere."""

from energy.model.problem import MachineStates, Problem
from energy.planning.sound_words import Say, at_least_zero, known, unique

NEVER = float("inf")


def mistakes(problem: Problem, say: Say) -> None:
    """Every mistake in states and transitions, and what cannot be without solving."""
    used = {machine for job in problem.jobs for option in job.options for machine in option.machines}
    for i, machine in enumerate(problem.machines):
        if machine.states is None:
            continue
        at = f"machines[{i}].states"
        if _states(machine.states, at, say) and _transitions(machine.states, at, say):
            _ways(machine.states, problem.slots, machine.id in used, at, say)
            _running(problem, machine.id, machine.states, say)


def _states(states: MachineStates, at: str, say: Say) -> bool:
    """Mistakes in the states themselves; whether their names mean something."""
    names = [state.name for state in states.states]
    unique(names, f"{at}.states", "name", say)
    for s, state in enumerate(states.states):
        if not state.name or ">" in state.name:
            say(f"{at}.states[{s}].name", f"{state.name!r} is no name for a state: some text without '>'")
        at_least_zero(state.power_kw, f"{at}.states[{s}].power_kw", say)
    known(states.at_start, names, "state", f"{at}.at_start", say)
    if states.at_end is not None:
        known(states.at_end, names, "state", f"{at}.at_end", say)
    return states.at_start in names and states.at_end in {None, *names}


def _transitions(states: MachineStates, at: str, say: Say) -> bool:
    """Mistakes in the transitions; whether they lead from a state to a state."""
    names = [state.name for state in states.states]
    for t, transition in enumerate(states.transitions):
        where = f"{at}.transitions[{t}]"
        known(transition.from_state, names, "state", f"{where}.from_state", say)
        known(transition.to_state, names, "state", f"{where}.to_state", say)
        if transition.from_state == transition.to_state:
            say(where, f"leads from {transition.from_state!r} to itself")
        at_least_zero(transition.slots, f"{where}.slots", say)
        at_least_zero(transition.power_kw, f"{where}.power_kw", say)
        at_least_zero(transition.cost, f"{where}.cost", say)
    unique([f"{t.from_state}>{t.to_state}" for t in states.transitions], f"{at}.transitions", "transition", say)
    ends = {name for t in states.transitions for name in (t.from_state, t.to_state)}
    return ends <= set(names) and all(t.slots >= 0 for t in states.transitions)


def _ways(states: MachineStates, slots: int, used: bool, at: str, say: Say) -> None:
    """It can be up within the horizon where jobs may run on it, and be in time where it must end."""
    ups = [state.name for state in states.states if state.runs_jobs]
    reach = _slots_from(states, states.at_start)
    if used and not ups:
        say(f"{at}.states", "none of them runs jobs, and jobs have options on this machine")
    elif used and min(reach.get(name, NEVER) for name in ups) == NEVER:
        say(f"{at}.transitions", f"no way leads from {states.at_start!r} to a state that runs jobs ({', '.join(ups)})")
    if states.at_end is not None:
        needs = reach.get(states.at_end, NEVER)
        if needs == NEVER:
            say(f"{at}.at_end", f"no way leads from {states.at_start!r} to {states.at_end!r}")
        elif needs > slots:
            what = f"the way from {states.at_start!r} to {states.at_end!r} takes {needs:g} slots; there are {slots}"
            say(f"{at}.at_end", what)


def _running(problem: Problem, machine: str, states: MachineStates, say: Say) -> None:
    """What already runs has its machine up."""
    reach = _slots_from(states, states.at_start)
    up = min((reach.get(state.name, NEVER) for state in states.states if state.runs_jobs), default=NEVER)
    if up == NEVER:
        return
    for j, job in enumerate(problem.jobs):
        place = job.fixed
        if place is not None and place.machine == machine and max(0, place.start) < min(up, problem.slots):
            runs = any(
                machine in o.machines and o.mode == place.mode and place.start + o.slots > 0 for o in job.options
            )
            if runs:
                what = f"{job.id} is fixed there from slot {place.start}, but {machine} stands in {states.at_start!r} "
                say(f"jobs[{j}].fixed", what + f"at the start, and is up after {up:g} slots at the earliest")


def _slots_from(states: MachineStates, start: str) -> dict[str, float]:
    """The fewest slots that it takes from one state to each other that can be reached."""
    reach = {start: 0.0}
    for _ in states.states:
        for t in states.transitions:
            if t.from_state in reach and reach[t.from_state] + t.slots < reach.get(t.to_state, NEVER):
                reach[t.to_state] = reach[t.from_state] + t.slots
    return reach
