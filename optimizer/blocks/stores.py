"""Stores: heat, cold, air or product that a load fills, and that leaves again."""

import numpy as np

from energy.model.problem import Store
from optimizer.model import Model
from optimizer.starts import Rows, Whole


def add(model: Model) -> None:
    """The level of each store follows what it draws; it draws nothing, or between its least and most power.

    level[k] = level[k−1] · (1 − loss · h) + level per kWh · h · power[k] − draw[k]
    least − short[k] ≤ level[k] ≤ most + excess[k]          end − missing ≤ level at the end
    least_kw · on[k] ≤ power[k] ≤ most_kw · on[k]           on[k] is 0 or 1, and only there where least_kw > 0

    cost: loud price · (Σ h · (short + excess) + missing) / level per kWh

    A level outside its limits is priced like a kWh beyond the grid connection (for each hour), so that there is a plan
    also where the plant takes more than a store can give.
    """
    for store in model.problem.stores:
        _store(model, store)


def _store(model: Model, store: Store) -> None:
    slots = np.arange(model.plant.slots)
    power = model.columns(len(slots), 0.0, store.most_kw)
    level = _levels(model, store, power)
    _within(model, store, level)
    on = _least_power(model, store, power)
    model.load(-1, slots, power, 1.0)

    def read(values: Rows) -> Rows:
        drawn = np.clip(values[power], store.least_kw if on is not None else 0.0, store.most_kw)
        return drawn if on is None else np.where(values[on] > 0.5, drawn, 0.0)

    model.reads("stores", store.id, read)


def _levels(model: Model, store: Store, power: Whole) -> Whole:
    """The level after each slot, as it follows from what is drawn."""
    slots = np.arange(len(power))
    level = model.columns(len(slots), -np.inf, np.inf)
    kept = 1.0 - store.loss_per_hour * model.hours
    right = -np.asarray(store.draw, dtype=np.float64)
    right[0] += kept * store.start
    model.rows(
        np.concatenate([slots, slots[1:], slots]),
        np.concatenate([level, level[:-1], power]),
        np.concatenate(
            [
                np.ones(len(slots)),
                np.full(len(slots) - 1, -kept),
                np.full(len(slots), -store.level_per_kwh * model.hours),
            ]
        ),
        lower=right,
        upper=right,
        name=lambda k: f"level of {store.id} after slot {k}",
    )
    return level


def _within(model: Model, store: Store, level: Whole) -> None:
    """Between its limits in each slot, and filled at the end; what is outside has a loud price."""
    slots, loud = np.arange(len(level)), model.loud_per_kwh / store.level_per_kwh
    short, excess, missing = model.columns(len(level)), model.columns(len(level)), model.columns(1)
    ones, twice = np.ones(len(level)), np.concatenate([slots, slots])
    model.rows(
        twice,
        np.concatenate([level, short]),
        np.concatenate([ones, ones]),
        lower=np.full(len(level), store.least),
        name=lambda k: f"{store.id} is not empty after slot {k}",
    )
    model.rows(
        twice,
        np.concatenate([level, excess]),
        np.concatenate([ones, -ones]),
        upper=np.full(len(level), store.most),
        name=lambda k: f"{store.id} is not too full after slot {k}",
    )
    model.rows([0, 0], [level[-1], missing[0]], 1.0, lower=[store.end], name=f"{store.id} at the end")
    model.price("outside the limits of a store", short, loud * model.hours)
    model.price("outside the limits of a store", excess, loud * model.hours)
    model.price("missing in a store at the end", missing, loud)


def _least_power(model: Model, store: Store, power: Whole) -> Whole | None:
    """Nothing, or at least its least power."""
    if store.least_kw <= 0.0:
        return None
    slots, ones = np.arange(len(power)), np.ones(len(power))
    on = model.columns(len(power), 0.0, 1.0, whole=True)
    both, rows = np.concatenate([power, on]), np.concatenate([slots, slots])
    for factor, lower, upper in ((-store.most_kw, -np.inf, 0.0), (-store.least_kw, 0.0, np.inf)):
        model.rows(
            rows,
            both,
            np.concatenate([ones, factor * ones]),
            lower=np.full(len(power), lower),
            upper=np.full(len(power), upper),
            name=lambda k: f"{store.id} runs in slot {k}",
        )
    return on
