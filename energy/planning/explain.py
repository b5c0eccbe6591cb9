"""Why a plan is as it is, in the plant's words: one sentence for each job that moves.

What it gains at its new place against its old one, with all else as in the plan; what stands in the way of better; how
much slack is left. Only the problem and the plan are needed, no solver. Why a place is not possible is for `why_not`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Attended
from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.obstacles import Places, why_not
from energy.planning.plant_words import clock, machine_name, money, name_of, span
from energy.planning.price_site import by_amount_of, demand_of, margin_kw, window_peak_kw

__all__ = ["Reason", "reasons", "why_not"]

LEAST_WORTH_SAYING = 0.5  # currency: a better place that gains less is no news
LOOKED_AT = 40  # places, the cheapest first, that are asked what stands in their way
ALLOWED = "(allowed"  # what `why_not` says of a place that only costs something


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one job moves: the sentence, and its parts. Money is positive when better. `next_best` is the place that comes
    after the planned one among those that are free, and what it would cost more; `better` the best place that would gain
    more, with what blocks it."""

    job: str
    sentence: str
    gain: Split
    carbon_kg: float
    peak_kw: float
    slack_minutes: int | None
    next_best: Placement | None = None
    next_best_costs: float = 0.0
    better: Placement | None = None
    better_by: float = 0.0
    blocked_by: str = ""


def reasons(problem: Problem, plan: Plan) -> dict[str, Reason]:
    """A reason for each job that the plan moves from its place in force."""
    places = {placement.job: placement for placement in plan.placements}
    return {
        job.id: _reason(problem, plan, job, places)
        for job in problem.jobs
        if job.id in places and job.is_moved(places[job.id], job.in_force)
    }


def _reason(problem: Problem, plan: Plan, job: ProblemJob, places: Places) -> Reason:
    new, old = places[job.id], job.in_force
    around = _Around(problem, plan, job, new)
    gain = around.gain(old, new)
    peak_kw = around.peak_gain_kw(old, new)
    slack = None if job.due is None else (job.due - job.end(new)) * problem.step_minutes
    ranked = _Ranked(problem, job, places, around)
    next_best, costs = ranked.next_best()
    better, by, blocked = ranked.better()
    parts = [_what_moves(problem, job, old, new), *_what_it_gains(problem, job, around, old, new, peak_kw)]
    if better is not None:
        where = _where(problem, new, better)
        parts.append(f"{where} would gain {money(problem, by)} more, but {blocked}")
    if next_best is not None and costs >= LEAST_WORTH_SAYING:
        parts.append(f"the next best is {_where(problem, new, next_best)}, which costs {money(problem, costs)} more")
    if slack is not None:
        parts.append(f"{span(slack)} of slack is left" if slack > 0 else _tight(slack))
    return Reason(
        job=job.id,
        sentence="; ".join(parts) + ".",
        gain=gain,
        carbon_kg=around.carbon_kg(old) - around.carbon_kg(new),
        peak_kw=peak_kw,
        slack_minutes=slack,
        next_best=next_best,
        next_best_costs=costs,
        better=better,
        better_by=by,
        blocked_by=blocked,
    )


def _tight(slack_minutes: int) -> str:
    return "no slack is left" if slack_minutes == 0 else f"it ends {span(-slack_minutes)} after its due time"


class _Around:
    """The site around one job: what it costs to put the job's load anywhere, all else as in the plan."""

    def __init__(self, problem: Problem, plan: Plan, job: ProblemJob, new: Placement) -> None:
        self.problem, self.plan, self.job = problem, plan, job
        self.hours = problem.step_hours
        net = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
        self.rest_kw = net - self.load_kw(new)
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
        return sum(
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
        peaks = self._peaks(place)
        return sum(demand_of(window, peak) for window, peak in zip(self.problem.demand, peaks, strict=True))

    def peak_gain_kw(self, old: Placement, new: Placement) -> float:
        """How many paid kW of peak the move takes away, in the window where that is most."""
        gains = [
            max(before, window.floor_kw) - max(after, window.floor_kw)
            for window, before, after in zip(self.problem.demand, self._peaks(old), self._peaks(new), strict=True)
        ]
        return max(gains, default=0.0)

    def _peaks(self, place: Placement) -> list[float]:
        net = self.rest_kw + self.load_kw(place)
        return [
            window_peak_kw(window, np.maximum(net + margin, 0.0))
            for window, margin in zip(self.problem.demand, self.margins_kw, strict=True)
        ]

    def cost(self, place: Placement) -> float:
        """Energy, peak, carbon, labour and lateness there."""
        late = max(0, self.job.end(place) - self.job.due) * self.hours if self.job.due is not None else 0.0
        carbon = self.problem.carbon_price_per_kg * self.carbon_kg(place)
        money = self.energy(place) + self.demand(place) + carbon + self.labour(place)
        return money + late * self.job.late_per_hour * self.job.priority


class _Ranked:
    """Every other place of a job, the cheapest first, and what stands in its way."""

    def __init__(self, problem: Problem, job: ProblemJob, places: Places, around: _Around) -> None:
        self.problem, self.job, self.places, self.plan = problem, job, places, around.plan
        planned = around.cost(places[job.id])
        every = [
            Placement(job=job.id, machine=machine, start=start, mode=option.mode)
            for option in job.options
            for machine in option.machines
            for start in range(max(0, job.earliest), problem.slots - option.slots + 1)
        ]
        others = [place for place in every if job.is_moved(place, places[job.id])]
        self.dearer = sorted(((around.cost(place) - planned, n) for n, place in enumerate(others)))[:LOOKED_AT]
        self.others = others

    def next_best(self) -> tuple[Placement | None, float]:
        """The cheapest place that is free, and what it costs more than the planned one (less, where moving there would
        not pay for itself)."""
        for costs, number in self.dearer:
            blocked = self._why_not(self.others[number])
            if not blocked or ALLOWED in blocked:
                return self.others[number], costs
        return None, 0.0

    def better(self) -> tuple[Placement | None, float, str]:
        """The best place that would gain more than the planned one, if anything stands in its way."""
        for costs, number in self.dearer:
            if costs > -LEAST_WORTH_SAYING:
                break
            blocked = self._why_not(self.others[number])
            if blocked and ALLOWED not in blocked:
                return self.others[number], -costs, blocked
        return None, 0.0, ""

    def _why_not(self, place: Placement) -> str:
        return why_not(
            self.problem, self.job, place.machine, place.start, mode=place.mode, places=self.places, plan=self.plan
        )


def _what_moves(problem: Problem, job: ProblemJob, old: Placement, new: Placement) -> str:
    parts = []
    minutes = (new.start - old.start) * problem.step_minutes
    if minutes:
        parts.append(f"starts {span(abs(minutes))} {'later' if minutes > 0 else 'earlier'}")
        parts[-1] += f" ({clock(problem, new.start, old.start)} instead of {clock(problem, old.start, old.start)})"
    if new.machine != old.machine:
        parts.append(f"runs on {machine_name(problem, new.machine)} instead of {machine_name(problem, old.machine)}")
    elif new.mode != old.mode:
        parts.append(f"runs in mode {new.mode or 'normal'}")
    return f"{name_of(job)} " + " and ".join(parts)


def _what_it_gains(
    problem: Problem, job: ProblemJob, around: _Around, old: Placement, new: Placement, peak_kw: float
) -> Iterator[str]:
    carbon = problem.carbon_price_per_kg
    before, after = (around.energy(p) + carbon * (around.carbon_kg(p) - around.carbon_without) for p in (old, new))
    kwh_before, kwh_after = around.kwh(old), around.kwh(new)
    if kwh_before and kwh_after:
        was, is_ = before / kwh_before, after / kwh_after
        yield f"its {kwh_after:.0f} kWh cost {is_:.3f} {problem.currency}/kWh there and {was:.3f} before"
    own = around.own_kwh(new) - around.own_kwh(old)
    if own >= 1.0:
        yield f"{own:.0f} kWh more of it run on the plant's own generation"
    if peak_kw >= 0.5:
        yield f"the peak gets {peak_kw:.0f} kW lower"
    elif peak_kw <= -0.5:
        yield f"the peak gets {-peak_kw:.0f} kW higher, which is paid for in this"
    if job.offered is not None and new == job.offered:
        yield "as it is offered already"


def _where(problem: Problem, new: Placement, better: Placement) -> str:
    where = clock(problem, better.start, new.start)
    return where if better.machine == new.machine else f"{where} on {machine_name(problem, better.machine)}"
