"""Why a plan is as it is, in the plant's words: one sentence for each job that moves.

What it gains at its new place against its old one, with all else as in the plan; what stands in the way of better; how
much slack is left. Only the problem and the plan are needed, no solver. Why a place is not possible is for `why_not`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from energy.model.plan import Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.model.proposal import Gain
from energy.planning.around import Around, Split
from energy.planning.obstacles import Places, why_not
from energy.planning.plant_words import clock, first_clock, machine_name, money, name_of, span

__all__ = ["Reason", "Split", "how_sure", "reasons", "why_not"]

LEAST_WORTH_SAYING = 0.5  # currency: a better place that gains less is no news
NOTHING = 0.005  # currency
LOOKED_AT = 40  # places, the cheapest first, that are asked what stands in their way
ALLOWED = "(allowed"  # what `why_not` says of a place that only costs something


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
    around = Around(problem, plan, job, new)
    gain = around.gain(old, new)
    peak_kw = around.peak_gain_kw(old, new)
    slack = None if job.due is None else (job.due - job.end(new)) * problem.step_minutes
    ranked = _Ranked(problem, job, places, around)
    next_best, costs = ranked.next_best()
    better, by, blocked = ranked.better()
    parts = [_what_moves(problem, job, old, new), *_what_it_gains(problem, job, around, old, new, peak_kw)]
    if gain.money < NOTHING and abs(peak_kw) < LEAST_WORTH_SAYING:
        parts.append("by itself it gains nothing: it makes room for others, or lets less give way")
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


def how_sure(gain: Gain, currency: str) -> list[str]:
    """How much of a gain rests on forecast prices, and between what it lies; nothing where all are published."""
    if gain.forecast_share <= 0 or gain.low is None or gain.high is None:
        return []
    return [
        f"It gains {gain.money:,.0f} {currency} (P10 {gain.low:,.0f}, P90 {gain.high:,.0f}); "
        f"{100 * gain.forecast_share:.0f} % rests on forecast prices."
    ]


def _tight(slack_minutes: int) -> str:
    return "no slack is left" if slack_minutes == 0 else f"it ends {span(-slack_minutes)} after its due time"


class _Ranked:
    """Every other place of a job, the cheapest first, and what stands in its way."""

    def __init__(self, problem: Problem, job: ProblemJob, places: Places, around: Around) -> None:
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
        parts[-1] += f" ({first_clock(problem, new.start)} instead of {clock(problem, old.start, new.start)})"
    if new.machine != old.machine:
        parts.append(f"runs on {machine_name(problem, new.machine)} instead of {machine_name(problem, old.machine)}")
    elif new.mode != old.mode:
        parts.append(f"runs in mode {new.mode or 'normal'}")
    return f"{name_of(job)} " + " and ".join(parts)


def _what_it_gains(
    problem: Problem, job: ProblemJob, around: Around, old: Placement, new: Placement, peak_kw: float
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
