"""What many plans at once cost, exactly as the bill counts them: the yardstick of the search.

A row of job load in, a cost out: energy, export, carbon, demand charges, limits, wear and stored energy. A battery that
follows its own rule is simulated slot by slot for each row; a planned one stands still at the schedule that was last
worked out for it. Mandatory limits and the grid connection are counted at a loud price.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy.model.problem import Limit, ProblemBattery
from energy.model.site import BatteryRule
from optimizer.plant import Plant
from optimizer.starts import Chosen, Rows

LOUD_PER_KWH = 1000.0  # for a kWh above a mandatory limit or the grid connection


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What is open once the jobs stand: what battery and curtailment do, kW a slot; and by name what stores draw, in
    which state each machine is, and what jobs of adjustable power draw."""

    charge_kw: Rows
    discharge_kw: Rows
    curtailed_kw: Rows
    stores: dict[str, Rows] = field(default_factory=dict)
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    powers: dict[str, Rows] = field(default_factory=dict)


def at_rest(plant: Plant) -> Dispatch:
    """A battery that stands still, and nothing curtailed."""
    nothing = np.zeros(plant.slots)
    return Dispatch(nothing, nothing, nothing)


def steered(plant: Plant) -> bool:
    """Whether anything is open once the jobs stand."""
    return plant.opens or site_steered(plant)


def site_steered(plant: Plant) -> bool:
    """Whether the site's dispatch is ours to choose: a planned battery, or generation that may be curtailed beside
    none."""
    battery = plant.problem.battery
    if battery is not None and battery.rule is BatteryRule.SELF_CONSUMPTION:
        return False
    return plant.problem.curtailable or battery is not None


class Reckoning:
    """The cost of rows of job load."""

    def __init__(self, plant: Plant, dispatch: Dispatch | None = None) -> None:
        problem = plant.problem
        self.plant = plant
        self.before_kw = np.asarray(problem.base_load_kw) - np.asarray(problem.pv_kw)
        self.pv_kw = np.asarray(problem.pv_kw)
        self.import_cost = self.plant.hours * (
            np.asarray(problem.import_price) + problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh)
        )
        self.export_gain = self.plant.hours * np.asarray(problem.export_price)
        self.dispatch = dispatch
        self._limits = [_limit_row(plant, limit) for limit in problem.limits]
        self.windows = [
            (np.asarray(w.slots, dtype=np.int64).reshape(-1, w.interval_slots), w.per_kw, w.floor_kw)
            for w in problem.demand
            if w.slots
        ]
        self._inside = [np.isin(np.arange(plant.slots), intervals) for intervals, _, _ in self.windows]
        self._battery_cost = 0.0
        if dispatch is not None and problem.battery is not None:
            rows = dispatch.charge_kw[None, :], dispatch.discharge_kw[None, :]
            self._battery_cost = float(battery_costs(problem.battery, *rows, plant.hours)[0])

    def costs(self, load_kw: Rows) -> Rows:
        """The cost of each row of `load_kw` (plans × slots)."""
        cost, _ = self._reckon(load_kw)
        return cost

    @property
    def is_local(self) -> bool:
        """Whether a job changes the cost only in the slots of its run (and the peak): no battery that answers it, and
        meters that average no more than a slot."""
        answers = self.dispatch is None and self.plant.problem.battery is not None
        return not answers and all(intervals.shape[1] == 1 for intervals, _, _ in self.windows)

    def beside(self, load_kw: Rows, slot: NDArray[np.int64], power_kw: Rows) -> Rows:
        """The cost of a load with one more run that draws `power_kw` from each of the slots on; only where `is_local`."""
        net = load_kw + self.before_kw + self._steered_kw()
        every = np.arange(len(net))
        before, imported = self._slot_costs(net, every)
        summed = np.concatenate([[0.0], np.cumsum(before)])
        run = slot[:, None] + np.arange(len(power_kw))
        after, imported_there = self._slot_costs(net[run] + power_kw, run)
        cost = summed[-1] + self._battery_cost + after.sum(axis=1) - (summed[slot + len(power_kw)] - summed[slot])
        for (intervals, per_kw, floor_kw), inside in zip(self.windows, self._inside, strict=True):
            there = np.where(inside[run], imported_there, 0.0).max(axis=1)
            cost = cost + per_kw * np.maximum(np.maximum(there, np.max(imported[intervals[:, 0]])) - floor_kw, 0.0)
        result: Rows = cost
        return result

    def _slot_costs(self, net: Rows, slots: NDArray[np.int64]) -> tuple[Rows, Rows]:
        """What each slot costs by itself at a net load, and its import."""
        problem, hours = self.plant.problem, self.plant.hours
        if self.dispatch is None and problem.curtailable:
            net = net + self._curtail(net, slots)
        imported, exported = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        cost = imported * self.import_cost[slots] - exported * self.export_gain[slots]
        over = np.maximum(imported - problem.import_limit_kw, 0.0) + np.maximum(exported - problem.export_limit_kw, 0.0)
        cost = cost + LOUD_PER_KWH * hours * over
        for most_kw, price in self._limits:
            cost = cost + price * hours * np.maximum(imported - most_kw[slots], 0.0)
        return cost, imported

    def total(self, chosen: Chosen) -> float:
        """The cost of a whole plan, with what hangs on the places of its jobs."""
        load = self.plant.load_kw(chosen)[None, :]
        return float(self.costs(load)[0]) + self.plant.price(chosen)

    def dispatch_of(self, chosen: Chosen) -> Dispatch:
        """What battery and curtailment do under these jobs."""
        _, dispatch = self._reckon(self.plant.load_kw(chosen)[None, :])
        return dispatch

    def _reckon(self, load_kw: Rows) -> tuple[Rows, Dispatch]:
        problem = self.plant.problem
        net = load_kw + self.before_kw
        cost = np.zeros(len(load_kw))
        if self.dispatch is not None:
            charge, discharge = self.dispatch.charge_kw[None, :], self.dispatch.discharge_kw[None, :]
            curtailed = self.dispatch.curtailed_kw[None, :]
            net = net + charge - discharge + curtailed
        else:
            charge = discharge = np.zeros((1, self.plant.slots))
            if problem.battery is not None and problem.battery.rule is BatteryRule.SELF_CONSUMPTION:
                charge, discharge = own_rule(problem.battery, net, self.plant.hours)
                net = net + charge - discharge
            curtailed = np.zeros_like(net)
            if problem.curtailable:
                curtailed = self._curtail(net, np.arange(self.plant.slots))
        if problem.battery is not None:
            cost = cost + battery_costs(problem.battery, charge, discharge, self.plant.hours)
        cost = np.asarray(cost + self._site_costs(net))
        return cost, Dispatch(charge[0], discharge[0], curtailed[0])

    def _steered_kw(self) -> Rows:
        if self.dispatch is None:
            return np.zeros(self.plant.slots)
        return self.dispatch.charge_kw - self.dispatch.discharge_kw + self.dispatch.curtailed_kw

    def _curtail(self, net: Rows, slots: NDArray[np.int64]) -> Rows:
        """Curtailed is what the export limit cannot carry, and what would be paid for being taken."""
        export = np.maximum(-net, 0.0)
        beyond = np.maximum(export - self.plant.problem.export_limit_kw, 0.0)
        curtailed: Rows = np.minimum(np.where(self.export_gain[slots] < 0.0, export, beyond), self.pv_kw[slots])
        return curtailed

    def _site_costs(self, net: Rows) -> Rows:
        by_slot, imported = self._slot_costs(net, np.arange(self.plant.slots))
        cost = by_slot.sum(axis=1)
        for intervals, per_kw, floor_kw in self.windows:
            metered = imported[:, intervals].mean(axis=2)
            cost = cost + per_kw * np.maximum(metered.max(axis=1) - floor_kw, 0.0)
        result: Rows = cost
        return result


def _limit_row(plant: Plant, limit: Limit) -> tuple[Rows, float]:
    """A limit as one value a slot (infinite where it does not hold), and its price per kWh."""
    most_kw = np.full(plant.slots, np.inf)
    most_kw[max(0, limit.start) : max(0, limit.end)] = limit.limit_kw
    return most_kw, LOUD_PER_KWH if limit.penalty_per_kwh is None else limit.penalty_per_kwh


def own_rule(battery: ProblemBattery, before_kw: Rows, hours: float) -> tuple[Rows, Rows]:
    """Self-consumption under many net loads at once: charge from what would be exported, discharge whenever the site
    would import (the same rule as `energy.planning.price.self_consumption`, a row for each plan)."""
    charge, discharge = np.zeros_like(before_kw), np.zeros_like(before_kw)
    stored = np.full(len(before_kw), battery.start_kwh)
    surplus = np.minimum(np.maximum(-before_kw, 0.0), battery.charge_kw)
    lack = np.minimum(np.maximum(before_kw, 0.0), battery.discharge_kw)
    into, out = battery.charge_efficiency * hours, battery.discharge_efficiency / hours
    may_charge, may_discharge = surplus.max(axis=0) > 0.0, lack.max(axis=0) > 0.0
    for k in range(before_kw.shape[1]):
        if may_charge[k]:
            charge[:, k] = np.minimum(surplus[:, k], np.maximum(battery.capacity_kwh - stored, 0.0) / into)
        if may_discharge[k]:
            discharge[:, k] = np.minimum(lack[:, k], np.maximum(stored - battery.min_kwh, 0.0) * out)
        stored = stored + charge[:, k] * into - discharge[:, k] / out
    return charge, discharge


def battery_costs(battery: ProblemBattery, charge_kw: Rows, discharge_kw: Rows, hours: float) -> Rows:
    """Wear, and what less (or more) is stored at the end than agreed."""
    out_kwh = discharge_kw.sum(axis=1) * hours
    end_kwh = (
        battery.start_kwh
        + charge_kw.sum(axis=1) * hours * battery.charge_efficiency
        - out_kwh / battery.discharge_efficiency
    )
    return np.asarray(
        out_kwh * battery.wear_per_kwh + (battery.end_kwh - end_kwh) * battery.end_value_per_kwh, dtype=np.float64
    )
