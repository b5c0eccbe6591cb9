"""The site around one job: what it costs to have it anywhere, all else as in the plan."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.price_site import by_amount_of, demand_of, margin_kw, window_peak_kw


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What a move gains, by what it is made of, in the site's currency (positive is better): energy bought and sold, the
    demand charges, the price of carbon, and premiums for the people."""

    energy: float
    peak: float
    carbon: float
    labour: float

    @property
    def money(self) -> float:
        return self.energy + self.peak + self.carbon + self.labour


class Around:
    """The site around one job: what it costs to put the job's load anywhere, all else as in the plan."""

    def __init__(self, problem: Problem, plan: Plan, job: ProblemJob, new: Placement | None) -> None:
        """`new`: where the plan has the job; None where it is left out."""
        self.problem, self.plan, self.job, self.new = problem, plan, job, new
        self.hours = problem.step_hours
        net = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
        self.rest_kw = net if new is None else net - self.load_kw(new)
        self.kg = np.asarray(problem.carbon_kg_per_kwh)
        self.taking = np.asarray(problem.import_price)
        self.giving = np.asarray(problem.export_price)
        self.counts_amounts = bool(problem.tiers or problem.reductions)
        self.margins_kw = [margin_kw(problem, window) for window in problem.demand]
        self.without = self._money(self.rest_kw)
        self.carbon_without = float(np.maximum(self.rest_kw, 0.0) @ self.kg) * self.hours

    def load_kw(self, place: Placement) -> NDArray[np.float64]:
        load = np.zeros(self.problem.slots)
        power = self.job.powers_kw(place)
        first, end = max(0, place.start), min(self.problem.slots, place.start + len(power))
        if first < end:
            load[first:end] = power[first - place.start : end - place.start]
        return load

    def _money(self, net_kw: NDArray[np.float64]) -> float:
        taken, given = np.maximum(net_kw, 0.0) @ self.taking, np.maximum(-net_kw, 0.0) @ self.giving
        by_amount = by_amount_of(self.problem, np.maximum(net_kw, 0.0)) if self.counts_amounts else 0.0
        return float(taken - given) * self.hours + by_amount

    def energy(self, place: Placement) -> float:
        """What the job's energy costs there, with tiers and paid reductions, and the export that it takes away."""
        return self._money(self.rest_kw + self.load_kw(place)) - self.without

    def carbon_kg(self, place: Placement) -> float:
        """What the site's import emits with the job there."""
        return float(np.maximum(self.rest_kw + self.load_kw(place), 0.0) @ self.kg) * self.hours

    def labour(self, place: Placement) -> float:
        """The premiums of the people whom the job needs there."""
        busy = self.job.busy(place)
        premiums = {r.skill: r.premium_per_hour for r in self.problem.rosters if r.premium_per_hour}
        return math.fsum(
            need.people * premiums[need.skill][k] * self.hours
            for need in self.job.needs
            if need.skill in premiums
            for k in {Attended.RUN: busy, Attended.START: busy[:1]}.get(need.attended, {busy[0], busy[-1]})
            if 0 <= k < self.problem.slots
        )

    def gain(self, old: Placement, new: Placement) -> Split:
        """What the job gains at its new place against its old one, all else as in the plan."""
        return Split(
            energy=self.energy(old) - self.energy(new),
            peak=self.demand(old) - self.demand(new),
            carbon=self.problem.carbon_price_per_kg * (self.carbon_kg(old) - self.carbon_kg(new)),
            labour=self.labour(old) - self.labour(new),
        )

    def kwh(self, place: Placement) -> float:
        return float(self.load_kw(place).sum()) * self.hours

    def own_kwh(self, place: Placement) -> float:
        """How much of the job there runs on generation that would else be exported."""
        return float(np.minimum(self.load_kw(place), np.maximum(-self.rest_kw, 0.0)).sum()) * self.hours

    def demand(self, place: Placement) -> float:
        """The demand charges with the job there, and what a ratchet carries on."""
        return self._demand(self.rest_kw + self.load_kw(place))

    def _demand(self, net_kw: NDArray[np.float64]) -> float:
        peaks = self._peaks(net_kw)
        return sum(demand_of(window, peak) for window, peak in zip(self.problem.demand, peaks, strict=True))

    def peak_gain_kw(self, old: Placement, new: Placement) -> float:
        """How many paid kW of peak the move takes away, in the window where that is most."""
        gains = [
            max(before, window.floor_kw) - max(after, window.floor_kw)
            for window, before, after in zip(
                self.problem.demand,
                self._peaks(self.rest_kw + self.load_kw(old)),
                self._peaks(self.rest_kw + self.load_kw(new)),
                strict=True,
            )
        ]
        return max(gains, default=0.0)

    def _peaks(self, net_kw: NDArray[np.float64]) -> list[float]:
        return [
            window_peak_kw(window, np.maximum(net_kw + margin, 0.0))
            for window, margin in zip(self.problem.demand, self.margins_kw, strict=True)
        ]

    def cost(self, place: Placement) -> float:
        """Energy, peak, carbon, labour and lateness there."""
        late = max(0, self.job.end(place) - self.job.due) * self.hours if self.job.due is not None else 0.0
        carbon = self.problem.carbon_price_per_kg * self.carbon_kg(place)
        money = self.energy(place) + self.demand(place) + carbon + self.labour(place)
        return money + late * self.job.late_per_hour * self.job.priority

    def moving(self, place: Placement) -> float:
        """The price of having the job there instead of where it is in force, accepted or offered."""
        job = self.job
        leaves = job.move_price + (job.break_accepted_price if job.accepted else 0.0)
        price = leaves if job.is_moved(place, job.in_force) else 0.0
        if job.offered is not None and job.is_moved(place, job.offered):
            price += job.change_offer_price
        return price

    def dearer(self, place: Placement) -> float:
        """What the plan would cost more (less: negative) with the job there, moving included."""
        there = self.cost(place) + self.moving(place)
        if self.new is not None:
            return there - self.cost(self.new) - self.moving(self.new)
        left_out = self.job.move_price + (self.job.break_accepted_price if self.job.accepted else 0.0)
        left_out += self.job.change_offer_price if self.job.offered is not None else 0.0
        return there - self.cost_without - (self.job.value or 0.0) - left_out

    @property
    def cost_without(self) -> float:
        """What `cost` says of the site without the job."""
        return self._demand(self.rest_kw) + self.problem.carbon_price_per_kg * self.carbon_without
