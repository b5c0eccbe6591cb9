"""Why a plan is as it is, in the plant's words: one sentence for each job that moves.

What it gains at its new place against its old one, with all else as in the plan; what stands in the way of better; how
much slack is left. Only the problem and the plan are needed, no solver. Why a place is not possible is for `why_not`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.planning.obstacles import Places, why_not
from energy.planning.plant_words import clock, machine_name, money, name_of, span

__all__ = ["Reason", "reasons", "why_not"]

LEAST_WORTH_SAYING = 0.5  # currency: a better place that gains less is no news
LOOKED_AT = 40  # better places that are asked what stands in their way


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one job moves: the sentence, and its parts. Money is positive when better; `better` is the best place that
    would gain more, with what blocks it."""

    job: str
    sentence: str
    energy: float
    peak_kw: float
    slack_minutes: int | None
    better: Placement | None = None
    better_by: float = 0.0
    blocked_by: str = ""


def reasons(problem: Problem, plan: Plan) -> dict[str, Reason]:
    """A reason for each job that the plan moves from its place in force."""
    places = {placement.job: placement for placement in plan.placements}
    return {
        job.id: _reason(problem, plan, job, places)
        for job in problem.jobs
        if job.id in places and places[job.id] != job.in_force
    }


def _reason(problem: Problem, plan: Plan, job: ProblemJob, places: Places) -> Reason:
    new, old = places[job.id], job.in_force
    around = _Around(problem, plan, job, new)
    energy = around.energy(old) - around.energy(new)
    peak_kw = around.peak_gain_kw(old, new)
    option = job.option(new.machine, new.mode)
    slack = None if job.due is None else (job.due - new.start - option.slots) * problem.step_minutes
    better, by, blocked = _better(problem, job, places, around)
    parts = [_what_moves(problem, job, old, new), *_what_it_gains(problem, job, around, old, new, peak_kw)]
    if better is not None:
        where = _where(problem, new, better)
        parts.append(f"{where} would gain {money(problem, by)} more, but {blocked}")
    if slack is not None:
        parts.append(f"{span(slack)} of slack is left" if slack > 0 else _tight(slack))
    return Reason(
        job=job.id,
        sentence="; ".join(parts) + ".",
        energy=energy,
        peak_kw=peak_kw,
        slack_minutes=slack,
        better=better,
        better_by=by,
        blocked_by=blocked,
    )


def _tight(slack_minutes: int) -> str:
    return "no slack is left" if slack_minutes == 0 else f"it ends {span(-slack_minutes)} after its due time"


class _Around:
    """The site around one job: what it costs to put the job's load anywhere, all else as in the plan."""

    def __init__(self, problem: Problem, plan: Plan, job: ProblemJob, new: Placement) -> None:
        self.problem, self.job = problem, job
        self.hours = problem.step_hours
        net = np.asarray(plan.import_kw) - np.asarray(plan.export_kw)
        self.rest_kw = net - self.load_kw(new)
        carbon = problem.carbon_price_per_kg * np.asarray(problem.carbon_kg_per_kwh)
        self.taking = np.asarray(problem.import_price) + carbon
        self.giving = np.asarray(problem.export_price)
        self.without = self._money(self.rest_kw)

    def load_kw(self, place: Placement) -> NDArray[np.float64]:
        load = np.zeros(self.problem.slots)
        power = self.job.option(place.machine, place.mode).power_kw
        first, end = max(0, place.start), min(self.problem.slots, place.start + len(power))
        if first < end:
            load[first:end] = power[first - place.start : end - place.start]
        return load

    def _money(self, net_kw: NDArray[np.float64]) -> float:
        taken, given = np.maximum(net_kw, 0.0) @ self.taking, np.maximum(-net_kw, 0.0) @ self.giving
        return float(taken - given) * self.hours

    def energy(self, place: Placement) -> float:
        """What the job's energy costs there, the export that it takes away included."""
        return self._money(self.rest_kw + self.load_kw(place)) - self.without

    def kwh(self, place: Placement) -> float:
        return float(self.load_kw(place).sum()) * self.hours

    def own_kwh(self, place: Placement) -> float:
        """How much of the job there runs on generation that would else be exported."""
        return float(np.minimum(self.load_kw(place), np.maximum(-self.rest_kw, 0.0)).sum()) * self.hours

    def demand(self, place: Placement) -> float:
        """The demand charges with the job there."""
        peaks = self._peaks(place)
        return sum(
            window.per_kw * max(0.0, peak - window.floor_kw)
            for window, peak in zip(self.problem.demand, peaks, strict=True)
        )

    def peak_gain_kw(self, old: Placement, new: Placement) -> float:
        """How many paid kW of peak the move takes away, in the window where that is most."""
        gains = [
            max(before, window.floor_kw) - max(after, window.floor_kw)
            for window, before, after in zip(self.problem.demand, self._peaks(old), self._peaks(new), strict=True)
        ]
        return max(gains, default=0.0)

    def _peaks(self, place: Placement) -> list[float]:
        imported = np.maximum(self.rest_kw + self.load_kw(place), 0.0)
        return [
            float(imported[list(w.slots)].reshape(-1, w.interval_slots).mean(axis=1).max()) if w.slots else 0.0
            for w in self.problem.demand
        ]

    def cost(self, place: Placement) -> float:
        """Energy, peak and lateness there."""
        end = place.start + self.job.option(place.machine, place.mode).slots
        late = 0.0 if self.job.due is None else max(0, end - self.job.due) * self.hours * self.job.late_per_hour
        return self.energy(place) + self.demand(place) + late


def _better(problem: Problem, job: ProblemJob, places: Places, around: _Around) -> tuple[Placement | None, float, str]:
    """The best place that would gain more than the planned one, if anything stands in its way."""
    planned = around.cost(places[job.id])
    every = [
        Placement(job=job.id, machine=option.machine, start=start, mode=option.mode)
        for option in job.options
        for start in range(max(0, job.earliest), problem.slots - option.slots + 1)
    ]
    gains = [(planned - around.cost(place), number) for number, place in enumerate(every)]
    best = sorted((gain for gain in gains if gain[0] >= LEAST_WORTH_SAYING), key=lambda gain: (-gain[0], gain[1]))
    for gain, number in best[:LOOKED_AT]:
        place = every[number]
        blocked = why_not(problem, job, place.machine, place.start, mode=place.mode, places=places)
        if blocked and "(allowed" not in blocked:
            return place, gain, blocked
    return None, 0.0, ""


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
    before, after = around.energy(old), around.energy(new)
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
