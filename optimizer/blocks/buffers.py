"""Buffers: what runs take and bring between two stages finds its room and is there when it is needed."""

import numpy as np

from energy.model.problem import Buffer
from optimizer.flow import buffers_off, given_placements, loud_per_unit
from optimizer.model import Model
from optimizer.starts import Rows, Whole


def add(model: Model) -> None:
    """level[k] = level[k−1] − draw[k] + Σ quantity · x[job, s] of the flows whose moment is slot k, level[−1] = start

    least − short[k] ≤ level[k] ≤ most + over[k]

    The moment of a flow is the slot that begins as the run starts or ends. Where the given plan is out of bounds it may
    stay so, and no further, at a loud price.
    """
    for buffer, over, short in buffers_off(model.problem, given_placements(model.plant)):
        level = model.columns(len(over), buffer.least - short, buffer.most + over)
        _balance(model, buffer, level)
        price = loud_per_unit(model.problem, buffer) * model.hours
        _beyond(model, level, over, price, buffer.most, 1.0, f"{buffer.name or buffer.id} is full in slot {{}}")
        _beyond(model, level, short, price, buffer.least, -1.0, f"{buffer.name or buffer.id} is empty in slot {{}}")


def _balance(model: Model, buffer: Buffer, level: Whole) -> None:
    slots = np.arange(len(level))
    rows, columns, factors = [slots, slots[1:]], [level, level[:-1]], [np.ones(len(level)), -np.ones(len(level) - 1)]
    for job, column, starts in zip(model.problem.jobs, model.start, model.plant.starts, strict=True):
        for flow in job.flows:
            if flow.buffer == buffer.id:
                moment = starts.end if flow.at_end else starts.slot
                inside = (moment >= 0) & (moment < len(level))
                rows.append(moment[inside])
                columns.append(column[inside])
                factors.append(np.full(int(inside.sum()), -flow.quantity))
    right = -np.asarray(buffer.draw or (0.0,) * len(level), dtype=np.float64)
    right[0] += buffer.start
    model.rows(
        np.concatenate(rows),
        np.concatenate(columns),
        np.concatenate(factors),
        lower=right,
        upper=right,
        name=lambda k: f"level of {buffer.name or buffer.id} after slot {k}",
    )


def _beyond(model: Model, level: Whole, most: Rows, price: float, bound: float, sign: float, name: str) -> None:
    """What is beyond a bound where the given plan is: sign · level − beyond ≤ sign · bound."""
    there = np.flatnonzero(most > 0.0)
    if not len(there):
        return
    beyond = model.columns(len(there), 0.0, most[there])
    row = np.arange(len(there))
    model.rows(
        np.concatenate([row, row]),
        np.concatenate([level[there], beyond]),
        np.concatenate([np.full(len(there), sign), np.full(len(there), -1.0)]),
        upper=np.full(len(there), sign * bound),
        name=lambda row: name.format(int(there[row])),
    )
    model.price("levels that are off", beyond, price)
