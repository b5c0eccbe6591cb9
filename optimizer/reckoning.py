"""What many plans at once cost, exactly as the bill counts them: the yardstick of the search.

A row of job load in, a cost out: energy with its tiers, export, carbon, demand charges, reductions, limits, wear and
stored energy. A battery that follows its own rule is simulated slot by slot for each row; a planned one stands still at
the schedule that was last worked out for it, and so do the stores. Mandatory limits and the grid connection are counted
at a loud price.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from energy.model.problem import DemandWindow, Limit, ProblemBattery, Reduction
from energy.model.site import BatteryRule
from energy.planning.price_site import margin_kw
from optimizer.plant import Plant
from optimizer.site_rules import lack
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
        stores = dispatch.stores if dispatch is not None else {}
        self.before_kw = np.asarray(problem.base_load_kw, dtype=np.float64) - np.asarray(problem.pv_kw)
        for store in problem.stores:
            self.before_kw = self.before_kw + stores.get(store.id, np.asarray(store.as_is_kw))
        self.pv_kw = np.asarray(problem.pv_kw)
        self.import_cost = self.plant.hours * (
            np.asarray(problem.import_price) + problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh)
        )
        self.export_gain = self.plant.hours * np.asarray(problem.export_price)
        self.dispatch = dispatch if site_steered(plant) else None
        self._limits = [_limit_row(plant, limit) for limit in problem.limits]
        self._reductions = [_reduction_row(plant, reduction) for reduction in problem.reductions]
        self.windows = [_Window(plant, window) for window in problem.demand if window.slots]
        rest = at_rest(plant) if self.dispatch is None else self.dispatch
        self._standing_cost = LOUD_PER_KWH * lack(problem, stores, rest.charge_kw, rest.discharge_kw)
        self._battery_cost = 0.0
        if self.dispatch is not None and problem.battery is not None:
            rows = self.dispatch.charge_kw[None, :], self.dispatch.discharge_kw[None, :]
            self._battery_cost = float(battery_costs(problem.battery, *rows, plant.hours)[0])

    def costs(self, load_kw: Rows) -> Rows:
        """The cost of each row of `load_kw` (plans × slots)."""
        cost, _ = self._reckon(load_kw)
        return cost

    @property
    def is_local(self) -> bool:
        """Whether a job changes the cost only in the slots of its run (and the peak): no battery that answers it, no
        price by the amount, and meters that average no more than a slot."""
        problem = self.plant.problem
        answers = self.dispatch is None and problem.battery is not None
        summed = bool(problem.tiers) or problem.carbon_limit_kg is not None
        return not answers and not summed and all(window.intervals.shape[1] == 1 for window in self.windows)

    def beside(self, load_kw: Rows, slot: NDArray[np.int64], power_kw: Rows) -> Rows:
        """The cost of a load with one more run that draws `power_kw` from each of the slots on; only where `is_local`."""
        net = load_kw + self.before_kw + self._steered_kw()
        every = np.arange(len(net))
        before, seen = self._slot_costs(net, every)
        summed = np.concatenate([[0.0], np.cumsum(before)])
        run = slot[:, None] + np.arange(len(power_kw))
        after, seen_there = self._slot_costs(net[run] + power_kw, run)
        run_before = summed[slot + len(power_kw)] - summed[slot]
        cost = self._standing_cost + self._battery_cost + summed[-1] - run_before + after.sum(axis=1)
        for window in self.windows:
            there = np.where(window.inside[run], window.seen(seen_there, run), 0.0).max(axis=1)
            first = window.intervals[:, 0]
            cost = cost + window.cost(np.maximum(there, np.max(window.seen(seen[first], first))))
        result: Rows = cost
        return result

    def _slot_costs(self, net: Rows, slots: NDArray[np.int64]) -> tuple[Rows, Rows]:
        """What each slot costs by itself at a net load, and the net load that the meter sees."""
        problem, hours = self.plant.problem, self.plant.hours
        if self.dispatch is None and problem.curtailable:
            net = net + self._curtail(net, slots)
        imported, exported = np.maximum(net, 0.0), np.maximum(-net, 0.0)
        cost = imported * self.import_cost[slots] - exported * self.export_gain[slots]
        over = np.maximum(imported - problem.import_limit_kw, 0.0) + np.maximum(exported - problem.export_limit_kw, 0.0)
        cost = cost + LOUD_PER_KWH * hours * over
        for most_kw, price in self._limits:
            cost = cost + price * hours * np.maximum(imported - most_kw[slots], 0.0)
        for baseline_kw, most_less_kw, pay in self._reductions:
            less_kw = np.clip(baseline_kw[slots] - imported, 0.0, most_less_kw)
            cost = cost - pay * hours * less_kw
        return cost, net

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
        cost = np.full(len(load_kw), self._standing_cost)
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
        every = np.arange(self.plant.slots)
        by_slot, seen = self._slot_costs(net, every)
        cost = by_slot.sum(axis=1) + self._costs_by_amount(np.maximum(seen, 0.0))
        for window in self.windows:
            metered = window.seen(seen, every)[:, window.intervals].mean(axis=2)
            cost = cost + window.cost(metered.max(axis=1))
        result: Rows = cost
        return result

    def _costs_by_amount(self, imported: Rows) -> Rows:
        """What hangs on the import of the whole horizon: tiers, and a limit of its carbon."""
        problem, hours = self.plant.problem, self.plant.hours
        cost = np.zeros(len(imported))
        kwh = imported.sum(axis=1) * hours
        for tier in problem.tiers:
            room_kwh = max(0.0, tier.above_kwh - tier.so_far_kwh)
            cost = cost + tier.extra_per_kwh * np.maximum(0.0, kwh - room_kwh)
        if problem.carbon_limit_kg is not None:
            kg = imported @ np.asarray(problem.carbon_kg_per_kwh) * hours
            cost = cost + LOUD_PER_KWH * np.maximum(0.0, kg - problem.carbon_limit_kg)
        return cost


class _Window:
    """One demand window, as rows: what its meter sees, and what a peak costs."""

    def __init__(self, plant: Plant, window: DemandWindow) -> None:
        self.intervals = np.asarray(window.slots, dtype=np.int64).reshape(-1, window.interval_slots)
        self.inside = np.isin(np.arange(plant.slots), self.intervals)
        self.floor_kw, self.per_kw = window.floor_kw, window.per_kw
        self.margin_kw = margin_kw(plant.problem, window)
        self.ratchet = window.ratchet

    def seen(self, net: Rows, slots: NDArray[np.int64]) -> Rows:
        """What is counted of a net load: the import, or what it may become where the peak is guarded."""
        return np.asarray(np.maximum(net + self.margin_kw[slots], 0.0), dtype=np.float64)

    def cost(self, peak_kw: Rows) -> Rows:
        cost = self.per_kw * np.maximum(peak_kw - self.floor_kw, 0.0)
        if self.ratchet is not None:
            carried = np.maximum(peak_kw - max(self.floor_kw, self.ratchet.highest_kw), 0.0)
            cost = cost + self.ratchet.per_kw * carried
        return np.asarray(cost, dtype=np.float64)


def _reduction_row(plant: Plant, reduction: Reduction) -> tuple[Rows, float, float]:
    """A paid reduction as a baseline for each slot (0 where it does not hold: nobody imports less), its most, its pay."""
    baseline_kw = np.zeros(plant.slots)
    first, end = max(0, reduction.start), max(0, min(plant.slots, reduction.end))
    if first < end:
        baseline_kw[first:end] = reduction.baseline_kw[first - reduction.start : end - reduction.start]
    return baseline_kw, reduction.most_kw, reduction.pay_per_kwh


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
