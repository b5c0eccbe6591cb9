"""What lacks of the site's promises under given rows: levels of stores, reserves and the end of the battery, carbon.

All in kWh for an hour (or kWh, or kg): what one unit of the loud price stands on. Shared by the program's blocks, the
yardstick of the search and the list of rules that had to give.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from energy.model.problem import Problem, Store
from energy.model.site import BatteryRule
from energy.planning.price import stored_kwh
from energy.planning.price_site import store_levels
from optimizer.starts import Rows

SEEN = 1e-4  # kW, kWh or units of a level: less is rounding of a solver, which no meter sees, and no lack
ROUNDED = 1e-6  # of a level: the same where levels are large


@dataclass(frozen=True, slots=True)
class StoreLack:
    """By how much the levels of a store are below and above its limits, and below what is asked for at the end."""

    short: Rows
    excess: Rows
    missing: float


def asked_of_battery(problem: Problem) -> tuple[Rows, Rows]:
    """(kWh above the least that must be there after each slot, kW that each slot must leave): all reserves together."""
    battery = problem.battery
    kwh, kw = np.zeros(problem.slots), np.zeros(problem.slots)
    for reserve in battery.reserves if battery is not None else ():
        inside = slice(max(0, reserve.start), max(0, min(problem.slots, reserve.end)))
        kwh[inside] += reserve.kwh
        kw[inside] += reserve.kw
    return np.maximum(kwh, np.append(kwh[1:], 0.0)), kw


def store_lack(problem: Problem, store: Store, power_kw: ArrayLike) -> StoreLack:
    """What the levels of a store lack."""
    levels = store_levels(store, power_kw, problem.step_hours)
    fine = max(SEEN, ROUNDED * max(abs(store.least), abs(store.most)))
    short, excess = _beyond(store.least - levels, fine), _beyond(levels - store.most, fine)
    return StoreLack(short, excess, float(_beyond(store.end - levels[-1:], fine).sum()))


def reserve_lack(problem: Problem, charge_kw: Rows, discharge_kw: Rows) -> tuple[Rows, Rows]:
    """(kWh that lack after each slot, kW that lack in it)."""
    battery = problem.battery
    if battery is None or not battery.reserves:
        return np.zeros(problem.slots), np.zeros(problem.slots)
    after_kwh, beside_kw = asked_of_battery(problem)
    stored = stored_kwh(battery, charge_kw, discharge_kw, problem.step_hours)
    lacks_kwh = _beyond(np.where(after_kwh > 0.0, battery.min_kwh + after_kwh - stored, 0.0), SEEN)
    lacks_kw = _beyond(np.where(beside_kw > 0.0, discharge_kw + beside_kw - battery.discharge_kw, 0.0), SEEN)
    return lacks_kwh, lacks_kw


def end_lack_kwh(problem: Problem, charge_kw: Rows, discharge_kw: Rows) -> float:
    """What a planned battery ends with less than agreed."""
    battery = problem.battery
    if battery is None or battery.rule is not BatteryRule.PLANNED or not problem.slots:
        return 0.0
    stored = stored_kwh(battery, charge_kw, discharge_kw, problem.step_hours)
    return float(_beyond(battery.end_kwh - stored[-1:], SEEN).sum())


def lack(problem: Problem, stores: Mapping[str, Rows], charge_kw: Rows, discharge_kw: Rows) -> float:
    """All of it under these rows, in units of the loud price. A store that is not named follows its own controller."""
    lacking = end_lack_kwh(problem, charge_kw, discharge_kw)
    lacking += problem.step_hours * float(sum(row.sum() for row in reserve_lack(problem, charge_kw, discharge_kw)))
    for store in problem.stores:
        of = store_lack(problem, store, stores.get(store.id, store.as_is_kw))
        outside = problem.step_hours * float(of.short.sum() + of.excess.sum()) + of.missing
        lacking += outside / store.level_per_kwh
    return lacking


def _beyond(by: Rows, fine: float) -> Rows:
    """What is more than rounding."""
    return np.where(by > fine, by, 0.0)
