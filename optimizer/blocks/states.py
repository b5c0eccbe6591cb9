"""Machine states: off, standby, idle, on; what each draws, and what it takes to come from one into another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.model.problem import MachineStates
from optimizer.model import Model
from optimizer.plant import BROKEN_RULE_PRICE
from optimizer.starts import Mask, Rows, Whole


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps that a machine can take through time and states, aligned: from node to node, over which slots. A node is
    an edge between two slots and a state: edge · states + state. `name` is what a row of states shows meanwhile."""

    column: Whole
    tail: Whole
    head: Whole
    first: Whole  # slot
    slots: Whole
    power_kw: Rows
    cost: Rows
    name: tuple[str, ...]
    up: Mask  # a slot in a state that runs jobs


@dataclass(frozen=True, slots=True)
class _Kind:
    """All steps of one kind: the edges from which they go, and what they are."""

    edge: Whole
    from_state: str
    to_state: str
    slots: int
    power_kw: float
    cost: float
    name: str
    up: bool = False


def add(model: Model) -> None:
    """One unit flows from `at_start` before slot 0 to `at_end` after the last slot (or to any state), over stays of one
    slot in a state and over transitions of their slots:

    Σ into a node = Σ out of it        load[k] += power · (stays and transitions over slot k)        cost · transitions

    Σ x[job, s] whose run works in slot k  ≤  most at a time · Σ stays in slot k in states that run jobs

    A job that production gave a start at which the machine cannot be up may stay there, and a machine that it keeps too
    long may end in another state than it must, both at a loud price; nobody new may.
    """
    for row, machine in enumerate(model.problem.machines):
        if machine.states is not None:
            steps = _steps(model, machine.states, late=row in model.plant.not_down)
            _flow(model, machine.id, machine.states, steps)
            _draws(model, row, machine.states, steps)
            _runs(model, row, steps)
            model.reads("states", machine.id, _reader(model, machine.states, steps))


def _steps(model: Model, states: MachineStates, *, late: bool) -> _Steps:
    """`late`: production keeps it so long that it cannot end as it must."""
    slots, names = model.plant.slots, [state.name for state in states.states]
    kinds = [_Kind(np.arange(slots), s.name, s.name, 1, s.power_kw, 0.0, s.name, s.runs_jobs) for s in states.states]
    for t in states.transitions:
        edge = np.arange(slots - t.slots + 1)
        kinds.append(_Kind(edge, t.from_state, t.to_state, t.slots, t.power_kw, t.cost, f"{t.from_state}>{t.to_state}"))
    if late and states.at_end is not None:
        end, last = np.array([slots]), states.at_end
        kinds += [_Kind(end, name, last, 0, 0.0, BROKEN_RULE_PRICE, "") for name in names if name != last]
    many = [len(kind.edge) for kind in kinds]
    stays = len(names)
    columns = [model.columns(n, 0.0, 1.0, whole=number >= stays) for number, n in enumerate(many)]
    first = np.concatenate([kind.edge for kind in kinds])

    def each(values: list[float] | list[int] | list[bool]) -> NDArray[Any]:
        return np.repeat(np.array(values), many)

    lasts = each([kind.slots for kind in kinds])
    return _Steps(
        column=np.concatenate(columns),
        tail=first * stays + each([names.index(kind.from_state) for kind in kinds]),
        head=(first + lasts) * stays + each([names.index(kind.to_state) for kind in kinds]),
        first=first,
        slots=lasts,
        power_kw=each([kind.power_kw for kind in kinds]),
        cost=each([kind.cost for kind in kinds]),
        name=tuple(kind.name for kind, n in zip(kinds, many, strict=True) for _ in range(n)),
        up=each([kind.up for kind in kinds]),
    )


def _flow(model: Model, machine: str, states: MachineStates, steps: _Steps) -> None:
    """The network, and what its steps cost."""
    slots, names = model.plant.slots, [state.name for state in states.states]
    lower, upper = (np.zeros((slots + 1, len(names))) for _ in range(2))  # into a node less out of it
    lower[0, names.index(states.at_start)] = upper[0, names.index(states.at_start)] = -1.0
    if states.at_end is None:
        upper[slots] += 1.0
    else:
        lower[slots, names.index(states.at_end)] += 1.0
        upper[slots, names.index(states.at_end)] += 1.0
    count = len(steps.column)
    model.rows(
        np.concatenate([steps.head, steps.tail]),
        np.concatenate([steps.column, steps.column]),
        np.concatenate([np.ones(count), -np.ones(count)]),
        lower=lower.ravel(),
        upper=upper.ravel(),
        name=lambda node: f"{machine} is {names[node % len(names)]} as slot {node // len(names)} begins",
    )
    paid = steps.cost != 0.0
    model.price("starts", steps.column[paid], steps.cost[paid])


def _draws(model: Model, row: int, states: MachineStates, steps: _Steps) -> None:
    step = np.arange(int(steps.slots.max(initial=1)))
    over = (step < steps.slots[:, None]) & (steps.power_kw != 0.0)[:, None]
    slot = (steps.first[:, None] + step)[over]
    column, power_kw = (np.broadcast_to(part[:, None], over.shape)[over] for part in (steps.column, steps.power_kw))
    most = max([*(s.power_kw for s in states.states), *(t.power_kw for t in states.transitions if t.slots)])
    model.load(row, slot, column, power_kw, most_kw=np.full(model.plant.slots, most))


def _runs(model: Model, row: int, steps: _Steps) -> None:
    """Jobs run only in states that run jobs; those that production gave too soon a start stay loudly."""
    plant = model.plant
    not_up, parts = plant.not_up[row], []
    for job, (columns, starts) in enumerate(zip(model.start, plant.starts, strict=True)):
        start, slot = starts.busy_slots(plant.slots)
        mine = starts.machine[start] == row
        cold = mine & starts.given[start] & not_up[slot]
        if cold.any():
            model.price("not up", np.unique(columns[start[cold]]), BROKEN_RULE_PRICE)
        kept = mine & ~cold
        parts.append((slot[kept], columns[start[kept]], np.full(int(kept.sum()), job)))
    if not any(len(part[0]) for part in parts):
        return
    slot, column, who = (np.concatenate(part) for part in zip(*parts, strict=True))
    pairs = np.unique(slot * len(plant.starts) + who) // len(plant.starts)
    jobs_there = np.bincount(pairs, minlength=plant.slots)
    most = np.minimum(jobs_there, np.maximum(plant.capacity[row], plant.given_use[row])).astype(np.float64)
    used = np.flatnonzero(jobs_there)
    up = steps.up & (jobs_there[np.minimum(steps.first, plant.slots - 1)] > 0)
    at = steps.first[up]
    model.rows(
        np.searchsorted(used, np.concatenate([slot, at])),
        np.concatenate([column, steps.column[up]]),
        np.concatenate([np.ones(len(slot)), -most[at]]),
        upper=np.zeros(len(used)),
        name=lambda k: f"{model.problem.machines[row].id} is up in slot {used[k]}",
    )


def _reader(model: Model, states: MachineStates, steps: _Steps) -> Callable[[Rows], tuple[str, ...]]:
    """How a row of states is read from a solution: the way of the one unit, slot by slot."""
    slots, names = model.plant.slots, [state.name for state in states.states]
    timeless = np.argsort(steps.slots == 0, kind="stable")  # what takes time is looked at first

    def read(values: Rows) -> tuple[str, ...]:
        taken = timeless[values[steps.column[timeless]] > 0.5]
        out: dict[int, list[int]] = {}
        for step in taken.tolist():
            out.setdefault(int(steps.tail[step]), []).append(step)
        node, row = names.index(states.at_start), list[str]()
        while len(row) < slots and out.get(node):
            step = out[node].pop(0)
            row += [steps.name[step]] * int(steps.slots[step])
            node = int(steps.head[step])
        return tuple(row)

    return read
