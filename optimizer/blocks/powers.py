"""Adjustable power: the energy of a run is fixed, its power in each slot lies between bounds."""

from collections.abc import Callable

import numpy as np

from optimizer.model import Model
from optimizer.starts import Rows, Whole


def add(model: Model) -> None:
    """What a run draws more or less in slot k than by its own powers: change[k], which adds up to nothing.

    Σ x[job, s] · (least − power[k − s])  ≤  change[k]  ≤  Σ x[job, s] · (most − power[k − s])        Σ_k change[k] = 0

    Each machine of a job has changes of its own. Slots outside the horizon are not ours to change. A given run outside
    its bounds may stay as it is.
    """
    for row, job in enumerate(model.problem.jobs):
        if any(option.adjustable is not None for option in job.options):
            changes = {}
            for machine in np.unique(model.plant.starts[row].machine).tolist():
                made = _on_machine(model, row, machine)
                if made is not None:
                    changes[machine] = made
            model.reads("powers", job.id, _reader(model, row, changes))


def _on_machine(model: Model, row: int, machine: int) -> tuple[Whole, Whole] | None:
    """(slots, columns) of the changes of a job on one machine; None where it has no adjustable run there."""
    start, slot, down_kw, up_kw = _room(model, row, machine)
    if not len(start):
        return None
    slots, place = np.unique(slot, return_inverse=True)
    down, up = np.zeros(len(slots)), np.zeros(len(slots))
    np.maximum.at(down, place, down_kw)
    np.maximum.at(up, place, up_kw)
    change = model.columns(len(slots), -down, up)
    on = model.start[row][start]
    each = np.arange(len(slots))
    places, columns = np.concatenate([place, each]), np.concatenate([on, change])
    job = model.problem.jobs[row].id

    def name(row: int) -> str:
        return f"power of {job} in slot {slots[row]}"

    ones = np.ones(len(slots))
    model.rows(places, columns, np.concatenate([down_kw, ones]), lower=np.zeros(len(slots)), name=name)
    model.rows(places, columns, np.concatenate([-up_kw, ones]), upper=np.zeros(len(slots)), name=name)
    model.rows(np.zeros(len(slots)), change, 1.0, lower=0.0, upper=0.0, name=f"energy of {job}", count=1)
    model.load(machine, slots, change, 1.0)
    return slots, change


def _room(model: Model, row: int, machine: int) -> tuple[Whole, Whole, Rows, Rows]:
    """(start, slot, kW down, kW up) of each slot of the horizon in which a start can change its power."""
    starts = model.plant.starts[row]
    parts: list[tuple[Whole, Whole, Rows, Rows]] = []
    for number, way in enumerate(starts.ways):
        bounds = way.option.adjustable
        if bounds is None or way.machine != machine:
            continue
        start = np.flatnonzero(starts.way == number)[:, None]
        slot = starts.slot[start] + np.arange(way.slots)
        inside = (slot >= 0) & (slot < model.plant.slots)
        down = np.broadcast_to(np.maximum(way.power_kw - bounds.least_kw, 0.0), slot.shape)[inside]
        up = np.broadcast_to(np.maximum(bounds.most_kw - way.power_kw, 0.0), slot.shape)[inside]
        parts.append((np.broadcast_to(start, slot.shape)[inside], slot[inside], down, up))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0), np.zeros(0)
    start, slot, down, up = (np.concatenate(part) for part in zip(*parts, strict=True))
    return start, slot, down, up


def _reader(model: Model, row: int, changes: dict[int, tuple[Whole, Whole]]) -> Callable[[Rows], Rows]:
    """How the powers of a run are read from a solution: its own, and what changes; nothing where it is left out."""
    starts, columns = model.plant.starts[row], model.start[row]

    def read(values: Rows) -> Rows:
        if not len(columns) or values[columns].max() <= 0.5:
            return np.zeros(0)
        start = starts.at(int(np.argmax(values[columns])))
        power_kw = start.way.power_kw.copy()
        if start.option.adjustable is not None and start.way.machine in changes:
            slots, change = changes[start.way.machine]
            mine = (slots >= start.slot) & (slots < start.end)
            power_kw[slots[mine] - start.slot] += values[change[mine]]
        return np.asarray(np.maximum(power_kw, 0.0), dtype=np.float64)

    return read
