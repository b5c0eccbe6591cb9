"""Holding: what a job made waits on its machine for the next one, costs power, and may keep the machine."""

from dataclasses import dataclass

import numpy as np

from energy.model.problem import Precedence
from optimizer.flow import given_placements, kept_use
from optimizer.model import Model
from optimizer.starts import Whole


@dataclass(frozen=True, slots=True)
class _Wait:
    """The columns that say whether a wait is on, of some machines (rows) in slots from `first` on."""

    before: int
    machines: Whole
    first: int
    held: Whole  # a row a machine

    @property
    def slots(self) -> Whole:
        return self.first + np.arange(self.held.shape[1])


def add(model: Model) -> None:
    """B waits for A. In slot k it is held, where A has ended and B starts later:

    held[k] = 1  if  Σ (x[A, s]: end of A ≤ k) = 1  and  Σ (x[B, s]: s > k) = 1,  else 0

    The machine of A draws `holding_kw` · held[k]. With `keeps_machine` the wait counts among the jobs on it, once for
    all that wait for the same A:   Σ (x whose run holds slot k) + Σ kept[k] ≤ capacity   (or what the given plan has).
    Where production has double-booked the machine itself, nothing is kept that was not.
    """
    kept = []
    for row, job in enumerate(model.problem.jobs):
        for rule in job.after:
            if rule.holding_kw or rule.keeps_machine:
                wait = _wait(model, model.plant.job_row[rule.job], row, rule)
                if wait is not None and rule.keeps_machine:
                    kept.append(wait)
    _keep(model, kept)


def _wait(model: Model, before: int, after: int, rule: Precedence) -> _Wait | None:
    a, b = model.plant.starts[before], model.plant.starts[after]
    if not len(a) or not len(b):
        return None
    first, end = max(0, int(a.end.min())), min(model.plant.slots, int(b.slot.max()))
    if first >= end:
        return None
    machines = np.unique(a.machine)
    wait = _Wait(
        before, machines, first, model.columns(len(machines) * (end - first), 0.0, 1.0).reshape(-1, end - first)
    )
    name = f"{model.problem.jobs[before].id} waits for {model.problem.jobs[after].id}"
    if len(machines) == 1 and _always_waits(model, before, after, rule):
        _as_flow(model, wait, before, after, name)
    else:
        _as_both(model, wait, before, after, name)
    if rule.holding_kw:
        for machine, held in zip(machines.tolist(), wait.held, strict=True):
            model.load(machine, wait.slots, held, rule.holding_kw)
    return wait


def _always_waits(model: Model, before: int, after: int, rule: Precedence) -> bool:
    """Whether both jobs run in any plan, B never before A has ended."""
    plant, jobs = model.plant, model.problem.jobs
    in_order = plant.given[before].end + rule.min_slots <= plant.given[after].slot
    return in_order and jobs[before].value is None and jobs[after].value is None


def _as_flow(model: Model, wait: _Wait, before: int, after: int, name: str) -> None:
    """held[k] = held[k−1] + (A ends as k begins) − (B starts in k)."""
    held, span = wait.held[0], np.arange(wait.held.shape[1])
    a, b = model.plant.starts[before], model.plant.starts[after]
    ends, begins = np.maximum(a.end - wait.first, 0), np.maximum(b.slot - wait.first, 0)
    ended, begun = ends < len(span), begins < len(span)
    model.rows(
        np.concatenate([span, span[1:], ends[ended], begins[begun]]),
        np.concatenate([held, held[:-1], model.start[before][ended], model.start[after][begun]]),
        np.concatenate([np.ones(len(span)), -np.ones(len(span) - 1), -np.ones(ended.sum()), np.ones(begun.sum())]),
        lower=np.zeros(len(span)),
        upper=np.zeros(len(span)),
        name=lambda k: f"{name} in slot {wait.first + k}",
    )


def _as_both(model: Model, wait: _Wait, before: int, after: int, name: str) -> None:
    """held = ended and later, for jobs that may be left out, run on several machines, or stand in the wrong order."""
    a, b = model.plant.starts[before], model.plant.starts[after]
    count = wait.held.shape[1]
    span = np.arange(count)
    ended = np.array(
        [
            _running(model, np.maximum(a.end[on] - wait.first, 0), model.start[before][on], count, name)
            for on in (a.machine == machine for machine in wait.machines)
        ]
    )
    later = _running(model, (wait.first + count - 1) - b.slot + 1, model.start[after], count, name)[::-1]
    number = len(wait.machines)
    row = np.arange(number * count)
    model.rows(
        np.concatenate([row, row]),
        np.concatenate([wait.held.ravel(), ended.ravel()]),
        np.concatenate([np.ones(len(row)), -np.ones(len(row))]),
        upper=np.zeros(len(row)),
        name=f"{name}: only after the first has ended",
    )
    total = np.tile(span, number), wait.held.ravel()
    model.rows(
        np.concatenate([total[0], span]),
        np.concatenate([total[1], later]),
        np.concatenate([np.ones(len(row)), -np.ones(count)]),
        upper=np.zeros(count),
        name=f"{name}: only until the next starts",
    )
    model.rows(
        np.concatenate([total[0], total[0], span]),
        np.concatenate([total[1], ended.ravel(), later]),
        np.concatenate([np.ones(len(row)), -np.ones(len(row)), -np.ones(count)]),
        lower=np.full(count, -1.0),
        name=f"{name}: in between",
    )


def _running(model: Model, place: Whole, column: Whole, count: int, name: str) -> Whole:
    """Columns that are the running sum of others, each counted from its place on."""
    total, span = model.columns(count, 0.0, 1.0), np.arange(count)
    place = np.maximum(place, 0)
    inside = place < count
    model.rows(
        np.concatenate([span, span[1:], place[inside]]),
        np.concatenate([total, total[:-1], column[inside]]),
        np.concatenate([np.ones(count), -np.ones(count - 1), -np.ones(int(inside.sum()))]),
        lower=np.zeros(count),
        upper=np.zeros(count),
        name=f"{name}: so far",
    )
    return total


def _keep(model: Model, waits: list[_Wait]) -> None:
    """The capacity of machines, with what they keep."""
    if not waits:
        return
    plant = model.plant
    kept = [part for group in _by_job(waits) for part in _once(model, group)]
    kept_place = np.concatenate([place for place, _ in kept])
    places, columns = [kept_place], [column for _, column in kept]
    for column, starts in zip(model.start, plant.starts, strict=True):
        start, slot = starts.busy_slots(plant.slots)
        place = starts.machine[start] * plant.slots + slot
        there = np.isin(place, kept_place) & ~plant.machine_overfull.ravel()[place]
        places.append(place[there])
        columns.append(column[start][there])
    where, row = np.unique(np.concatenate(places), return_inverse=True)
    given_kept = kept_use(plant, given_placements(plant))
    use = (_given_use(model) + given_kept).ravel()
    capacity = np.array([np.inf if m.capacity is None else m.capacity for m in model.problem.machines])
    most = np.maximum(capacity[where // plant.slots], use[where])
    most = np.where(plant.machine_overfull.ravel()[where], given_kept.ravel()[where], most)
    names = [machine.name or machine.id for machine in model.problem.machines]

    def name(row: int) -> str:
        machine, slot = divmod(int(where[row]), plant.slots)
        return f"{names[machine]} holds or works in slot {slot}"

    model.rows(row, np.concatenate(columns), 1.0, upper=most, name=name)


def _by_job(waits: list[_Wait]) -> list[list[_Wait]]:
    groups: dict[int, list[_Wait]] = {}
    for wait in waits:
        groups.setdefault(wait.before, []).append(wait)
    return list(groups.values())


def _once(model: Model, group: list[_Wait]) -> list[tuple[Whole, Whole]]:
    """(machine · slots + slot, column) of what one job made, kept while any of those that follow still waits."""
    slots = model.plant.slots
    places = [(wait.machines[:, None] * slots + wait.slots).ravel() for wait in group]
    if len(group) == 1:
        return [(places[0], group[0].held.ravel())]
    held = np.concatenate([wait.held.ravel() for wait in group])
    where, which = np.unique(np.concatenate(places), return_inverse=True)
    kept = model.columns(len(where), 0.0, 1.0)
    row = np.arange(len(held))
    model.rows(
        np.concatenate([row, row]),
        np.concatenate([held, kept[which]]),
        np.concatenate([np.ones(len(row)), -np.ones(len(row))]),
        upper=np.zeros(len(row)),
        name="kept while one waits",
    )
    return [(where, kept)]


def _given_use(model: Model) -> Whole:
    """How many jobs production has on each machine in each slot."""
    plant = model.plant
    use = np.zeros((len(plant.machine_row), plant.slots), dtype=np.int64)
    for start in plant.given:
        slot = start.slot + np.flatnonzero(start.way.busy)
        use[start.way.machine, slot[(slot >= 0) & (slot < plant.slots)]] += 1
    return use
