"""What machines with states draw and cost, and what the plant does with them by itself where a plan says nothing.

    load[k]  += power_kw of the state in which the machine stands in slot k, or of the transition that it is in
    START     = number of times · cost, one line for each machine and change of state that costs something

A row of states is read from the left. "off>on" stands in each of the slots of that transition. Where the state of a slot
is another one than the machine has come to, it changes between the two slots, by the cheapest chain of transitions that
take no slot (also before slot 0, from `at_start`, and after the last slot, to `at_end`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from energy.model.plan import BillLine, LineKind
from energy.model.problem import MachineStates, Placement, Problem, Transition

ARROW = ">"

Effort = tuple[float, float, int]  # what is made small, most important first
States = Mapping[str, tuple[str, ...]]


def whole_states(problem: Problem, placements: Sequence[Placement], named: States) -> dict[str, tuple[str, ...]]:
    """A row for each machine that has states: as named, else what the plant does by itself: up just in time for the
    first run, up until the end of the last, down after it."""
    ours = {m.id: m.states for m in problem.machines if m.states is not None and m.id not in named}
    return {**_own_rows(problem, placements, ours), **named}


def _own_rows(
    problem: Problem, placements: Sequence[Placement], machines: Mapping[str, MachineStates]
) -> dict[str, tuple[str, ...]]:
    run_of: dict[str, tuple[int, int]] = {}
    jobs = {job.id: job for job in problem.jobs}
    for place in placements if machines else ():
        if place.machine not in machines:
            continue
        busy = [k for k in jobs[place.job].busy(place) if 0 <= k < problem.slots]
        if busy:
            first, end = run_of.get(place.machine, (busy[0], busy[-1] + 1))
            run_of[place.machine] = min(first, busy[0]), max(end, busy[-1] + 1)
    return {id: _own_row(states, problem.slots, run_of.get(id)) for id, states in machines.items()}


def _own_row(states: MachineStates, slots: int, run: tuple[int, int] | None) -> tuple[str, ...]:
    state, row = states.at_start, list[str]()
    if run is not None:
        way = _way_up(states)
        if way is not None and _length(way) <= slots:
            row = [state] * max(0, run[0] - _length(way)) + _names(way)
            state = way[-1].to_state if way else state
            row += [state] * (run[1] - len(row))
    down = _down(states)
    way = route(states, state, down, soonest)
    if way is not None and len(row) + _length(way) <= slots:
        if _runs_jobs(states, down):  # it is to end up: no sooner than it must
            row += [state] * (slots - len(row) - _length(way))
        row, state = row + _names(way), down
    return tuple(row + [state] * (slots - len(row)))


def _way_up(states: MachineStates) -> tuple[Transition, ...] | None:
    """The shortest way from how it stands at the start into a state that runs jobs."""
    ways = [route(states, states.at_start, s.name, soonest) for s in states.states if s.runs_jobs]
    return min((way for way in ways if way is not None), key=lambda way: _effort(way, soonest), default=None)


def _down(states: MachineStates) -> str:
    """Where it goes after its last run: as it must end, else as it stood at the start, else where it draws least."""
    if states.at_end is not None:
        return states.at_end
    if not _runs_jobs(states, states.at_start):
        return states.at_start
    return min(states.states, key=lambda state: state.power_kw).name


def _runs_jobs(states: MachineStates, name: str) -> bool:
    return any(state.runs_jobs for state in states.states if state.name == name)


def soonest(transition: Transition) -> Effort:
    """Slots before money."""
    return float(transition.slots), transition.cost, 1


def _cheapest(transition: Transition) -> Effort:
    """Money alone."""
    return transition.cost, 0.0, 1


def route(
    states: MachineStates, start: str, end: str, effort: Callable[[Transition], Effort], *, at_once: bool = False
) -> tuple[Transition, ...] | None:
    """The chain of transitions of least effort from one state to another; empty where they are the same, None where
    there is none. `at_once`: only transitions that take no slot."""
    best: dict[str, tuple[Transition, ...]] = {start: ()}
    usable = [t for t in states.transitions if not (at_once and t.slots)]
    for _ in states.states:
        for transition in usable:
            before = best.get(transition.from_state)
            if before is not None:
                way, known = (*before, transition), best.get(transition.to_state)
                if known is None or _effort(way, effort) < _effort(known, effort):
                    best[transition.to_state] = way
    return best.get(end)


def _effort(way: Sequence[Transition], effort: Callable[[Transition], Effort]) -> Effort:
    parts = [effort(transition) for transition in way]
    return sum(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts)


def _length(way: Sequence[Transition]) -> int:
    return sum(transition.slots for transition in way)


def _names(way: Sequence[Transition]) -> list[str]:
    return [_name(t.from_state, t.to_state) for t in way for _ in range(t.slots)]


def _name(before: str, after: str) -> str:
    return f"{before}{ARROW}{after}"


def states_powers_kw(problem: Problem, states: States) -> Iterator[tuple[str, int, Sequence[float]]]:
    """What each machine with states draws by itself, jobs apart: (machine, first slot, kW from there on)."""
    for machine in problem.machines:
        if machine.states is not None and machine.id in states:
            power = {state.name: state.power_kw for state in machine.states.states}
            power |= {_name(t.from_state, t.to_state): t.power_kw for t in machine.states.transitions}
            yield machine.id, 0, [power[name] for name in states[machine.id]]


def start_lines(problem: Problem, states: States) -> list[BillLine]:
    """What starts, stops and other changes of state cost."""
    lines = []
    for machine in problem.machines:
        if machine.states is None or machine.id not in states:
            continue
        costs: dict[str, list[float]] = {}
        for change, cost in changes(machine.states, states[machine.id]):
            if cost:
                costs.setdefault(f"{machine.id} {change}", []).append(cost)
        lines += [
            BillLine(kind=LineKind.START, name=name, quantity=float(len(each)), unit="times", amount=sum(each))
            for name, each in costs.items()
        ]
    return lines


def changes(states: MachineStates, row: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Each change of state in a row, in its order ("off>on"), and its cost."""
    took = {_name(t.from_state, t.to_state): t for t in states.transitions if t.slots}
    state = states.at_start

    def at_once(to: str) -> Iterator[tuple[str, float]]:
        if to != state:
            way = route(states, state, to, _cheapest, at_once=True)
            yield _name(state, to), sum(t.cost for t in way or ())

    for name, run in groupby(row):
        slots, transition = len(list(run)), took.get(name)
        if transition is None:
            yield from at_once(name)
            state = name
            continue
        for _ in range(-(-slots // transition.slots)):
            yield from at_once(transition.from_state)
            yield name, transition.cost
            state = transition.to_state
    if states.at_end is not None:
        yield from at_once(states.at_end)
