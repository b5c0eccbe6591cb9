"""Tiers: a part of the price of import by its amount."""

import numpy as np

from energy.model.problem import Tier
from optimizer.model import Model


def add(model: Model) -> None:
    """beyond = max(0, Σ h · import[k] − room), room = above − so far (at least 0);  cost: extra per kWh · beyond

    Where more costs more (extra > 0) it is enough that beyond ≥ Σ h · import − room. Where more costs less, a program
    would choose beyond as large as it may, so that it must be told whether the edge is passed (b is 0 or 1):

    beyond ≤ (most − room) · b          beyond ≤ Σ h · import − room + (room − least) · (1 − b)

    `least` and `most` are what the site imports at least and at most over the horizon, whatever is planned: the closer
    they are, the less a program can make believe by passing the edge in part.
    """
    for tier in model.problem.tiers:
        if tier.extra_per_kwh:
            _tier(model, tier)


def _tier(model: Model, tier: Tier) -> None:
    name, hours = f"tier {tier.name}", model.hours
    room_kwh = max(0.0, tier.above_kwh - tier.so_far_kwh)
    least_kwh, most_kwh = _bounds_kwh(model)
    imported = model.total((kw, hours) for kw in model.import_kw)
    if room_kwh <= least_kwh:
        model.cost(name, tier.extra_per_kwh * imported - tier.extra_per_kwh * room_kwh)
    elif tier.extra_per_kwh > 0.0:
        beyond = model.variable()
        model.require(beyond - imported >= -room_kwh, f"{name} counts from {room_kwh:g} kWh on")
        model.cost(name, tier.extra_per_kwh * beyond)
    elif most_kwh > room_kwh:
        beyond, passed = model.variable(0.0, most_kwh - room_kwh), model.variable(0.0, 1.0, whole=True)
        model.require(beyond - (most_kwh - room_kwh) * passed <= 0.0, f"{name} is reached")
        counted = beyond - imported + (room_kwh - least_kwh) * passed
        model.require(counted <= -least_kwh, f"{name} counts from {room_kwh:g} kWh on")
        model.cost(name, tier.extra_per_kwh * beyond)


def _bounds_kwh(model: Model) -> tuple[float, float]:
    """What the site imports at least and at most in all."""
    problem, hours = model.problem, model.hours
    base_kw, pv_kw = np.asarray(problem.base_load_kw), np.asarray(problem.pv_kw)
    least_kwh, most_kwh = _loads_kwh(model)
    least_kwh += hours * float((base_kw - pv_kw).sum())
    most_kwh += hours * float(np.maximum(base_kw, 0.0).sum())
    battery = problem.battery
    if battery is not None:
        least_kwh -= battery.discharge_efficiency * max(0.0, battery.start_kwh - battery.min_kwh)
        most_kwh += hours * battery.charge_kw * problem.slots
    return max(0.0, least_kwh), min(most_kwh, hours * float(model.most_import_kw.sum()))


def _loads_kwh(model: Model) -> tuple[float, float]:
    """What all loads take at least and at most: a job by one of its starts, anything else by the bounds of its columns."""
    lower, upper, _ = model.bounds()
    _, _, column, power_kw = model.loads()
    kwh = model.hours * np.bincount(column, power_kw, minlength=len(lower))
    drawing = kwh != 0.0
    ends = np.zeros((2, len(lower)))
    ends[:, drawing] = kwh[drawing] * lower[drawing], kwh[drawing] * upper[drawing]
    least, most = ends.min(axis=0), ends.max(axis=0)
    sums = [0.0, 0.0]
    for columns, optional in zip(model.start, model.plant.optional, strict=True):
        if len(columns):
            sums[0] += 0.0 if optional else float(kwh[columns].min())
            sums[1] += float(kwh[columns].max())
            least[columns] = most[columns] = 0.0
    sums[0] += float(least.sum())
    sums[1] += float(most.sum())
    for k in model.slots:
        for x, factor in model.extra_kw[k]:
            each = [model.hours * factor * bound[model.column(x)] for bound in (lower, upper)]
            sums[0] += min(each)
            sums[1] += max(each)
    return sums[0], sums[1]
