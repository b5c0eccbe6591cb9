"""A choice of starts made into an answer: priced line by line, with how it was found and the rules that had to give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from energy.model.plan import Answer, How, HowFound, Plan
from energy.planning.price import price_plan
from optimizer.gave_way import gave_way
from optimizer.plant import Plant, Start
from optimizer.reckoning import Dispatch, Reckoning, steered

TIE = 1e-6  # plans whose costs differ by less cost the same


@dataclass(frozen=True, slots=True)
class Candidate:
    """A choice of starts with its dispatch, and what both cost in all (loud prices included)."""

    chosen: tuple[Start, ...]
    dispatch: Dispatch
    cost: float


def candidate(plant: Plant, chosen: Sequence[Start], dispatch: Dispatch | None = None) -> Candidate:
    """Starts with their real cost. Without a dispatch the best one is worked out; a battery that follows its own rule
    is simulated in any case."""
    if not steered(plant):
        reckoning = Reckoning(plant)
        return Candidate(tuple(chosen), reckoning.dispatch_of(chosen), reckoning.total(chosen))
    if dispatch is None:
        from optimizer.dispatch import best_dispatch  # loads HiGHS, needed only where there is something to steer

        dispatch = best_dispatch(plant, chosen)
    return Candidate(tuple(chosen), dispatch, Reckoning(plant, dispatch).total(chosen))


def best_of(first: Candidate, *others: Candidate | None) -> Candidate:
    """The cheapest; on a tie the earlier one."""
    best = first
    for other in others:
        if other is not None and other.cost < best.cost - TIE:
            best = other
    return best


def plan_of(plant: Plant, made: Candidate, how: How) -> Plan:
    """The plan of a candidate, as the bill sees it."""
    ours = steered(plant)
    dispatch = made.dispatch
    plan = price_plan(
        plant.problem,
        plant.placements(made.chosen),
        charge_kw=tuple(dispatch.charge_kw.tolist()) if ours else None,
        discharge_kw=tuple(dispatch.discharge_kw.tolist()) if ours else None,
        curtailed_kw=tuple(dispatch.curtailed_kw.tolist()) if plant.problem.curtailable else None,
        how=how,
    )
    return replace(plan, gave_way=gave_way(plant, made.chosen, plan))


def answer_of(plant: Plant, made: Candidate, how: How) -> Answer:
    """The answer; a plan that moves nothing although it was searched for has nothing to gain."""
    moved = any(not start.given for start in made.chosen)
    if not moved and how.found is HowFound.OPTIMAL:
        how = replace(how, found=HowFound.NOTHING_TO_GAIN)
    plan = plan_of(plant, made, how)
    return Answer(plan=plan, relaxations=plan.gave_way)


def gap_of(cost: float, bound: float | None) -> float | None:
    """(cost − bound) / |cost|; None where nothing is proven."""
    if bound is None:
        return None
    return max(0.0, cost - bound) / max(abs(cost), 1e-9)
