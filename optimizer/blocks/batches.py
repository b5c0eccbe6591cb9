"""Batches: a furnace or oven that treats several jobs at once, by a recipe, full enough and one batch at a time."""

from dataclasses import dataclass

import numpy as np

from energy.planning.price_flow import BatchRun, batch_runs
from optimizer.flow import given_placements
from optimizer.model import Model
from optimizer.starts import Rows, Whole


@dataclass(frozen=True, slots=True)
class _Members:
    """The starts of jobs on a batch machine: column, recipe (its number), slot, and what each fills."""

    column: Whole
    recipe: Whole
    slot: Whole
    quantity: Rows


def add(model: Model) -> None:
    """y[recipe, s] says that a batch of the recipe starts in slot s; x are the starts of jobs that would be in it:

    x ≤ y ≤ Σ x        least fill · y ≤ Σ quantity · x ≤ capacity · y        load[k] += recipe power[k − s] · y
    Σ (y[recipe, s] whose batch is on in slot k) ≤ 1

    Batches are the exception to the capacity of machines. A batch that production has made too full, too empty or beside
    another may stay as it is; nothing comes to be so.
    """
    given: dict[str, list[BatchRun]] = {}
    for run in batch_runs(model.problem, given_placements(model.plant)):
        given.setdefault(run.machine, []).append(run)
    for row, machine in enumerate(model.problem.machines):
        members = _members(model, row) if machine.batch is not None else None
        if members is not None and len(members.column):
            _machine(model, row, members, given.get(machine.id, []))


def _members(model: Model, machine: int) -> _Members:
    batch = model.problem.machines[machine].batch
    assert batch is not None
    number = {recipe.name: i for i, recipe in enumerate(batch.recipes)}
    parts = []
    for column, starts in zip(model.start, model.plant.starts, strict=True):
        here = starts.machine == machine
        if here.any():
            way = starts.way[here]
            recipe = np.array([number.get(w.option.mode, -1) for w in starts.ways])[way]
            quantity = np.array([w.option.quantity for w in starts.ways])[way]
            parts.append((column[here], recipe, starts.slot[here], quantity))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return _Members(none, none, none, np.zeros(0))
    return _Members(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _machine(model: Model, row: int, members: _Members, given: list[BatchRun]) -> None:
    machine = model.problem.machines[row]
    assert machine.batch is not None
    pairs, which = np.unique(np.stack([members.recipe, members.slot]), axis=1, return_inverse=True)
    which = which.ravel()
    recipe, slot = pairs
    on = model.columns(len(recipe), 0.0, 1.0, whole=True)
    fill = {(run.recipe.name, run.start): run.quantity for run in given}
    has = np.array([fill.get((machine.batch.recipes[r].name, s), np.nan) for r, s in zip(*pairs.tolist(), strict=True)])
    most = np.fmax(machine.batch.capacity, has)
    least = np.fmin(machine.batch.least_fill, has)
    _filled(model, members, which, on, least, most, machine.name or machine.id)
    _one_at_a_time(model, row, recipe, slot, on, given)


def _filled(model: Model, members: _Members, which: Whole, on: Whole, least: Rows, most: Rows, name: str) -> None:
    """How many and how much are in a batch that is on."""
    batch, each = np.arange(len(on)), np.arange(len(which))
    one, row = np.ones(len(which)), np.concatenate([which, batch])
    column = np.concatenate([members.column, on])
    both = np.concatenate([members.column, on[which]])
    model.rows(
        np.concatenate([each, each]),
        both,
        np.concatenate([one, -one]),
        upper=np.zeros(len(which)),
        name=f"{name}: a job is in a batch",
    )
    model.rows(
        row, column, np.concatenate([one, -np.ones(len(on))]), lower=np.zeros(len(on)), name=f"{name}: no empty batch"
    )
    for bound, sign, what in ((most, 1.0, "not too full"), (least, -1.0, "full enough")):
        factor = sign * np.concatenate([members.quantity, -bound])
        model.rows(row, column, factor, upper=np.zeros(len(on)), name=f"{name}: {what}")


def _one_at_a_time(model: Model, row: int, recipe: Whole, slot: Whole, on: Whole, given: list[BatchRun]) -> None:
    machine, slots = model.problem.machines[row], model.plant.slots
    assert machine.batch is not None
    taken = np.zeros(slots)
    for run in given:
        taken[max(0, run.start) : max(0, run.end)] += 1.0
    rows, columns = [], []
    for number, each in enumerate(machine.batch.recipes):
        power_kw = np.asarray(each.power_kw)
        first = slot[recipe == number]
        at = first[:, None] + np.arange(len(power_kw))
        inside = (at >= 0) & (at < slots)
        column = np.broadcast_to(on[recipe == number][:, None], at.shape)[inside]
        rows.append(at[inside])
        columns.append(column)
        model.load(row, at[inside], column, np.broadcast_to(power_kw, at.shape)[inside])
    model.rows(
        np.concatenate(rows),
        np.concatenate(columns),
        1.0,
        upper=np.maximum(1.0, taken),
        name=lambda k: f"{machine.name or machine.id} has one batch in slot {k}",
    )
