"""A choice of starts made into an answer: priced line by line, with how it was found and the rules that had to give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from energy.model.plan import Answer, How, HowFound, Plan
from energy.model.problem import Placement, Problem
from energy.planning.price import Choice, choice_of, price_plan
from energy.planning.risk import risk_of
from optimizer.cures import cures
from optimizer.flow import feeders_over_kw
from optimizer.gave_way import gave_way, loud_price
from optimizer.plant import Plant
from optimizer.reckoning import Dispatch, Reckoning, site_steered, steered
from optimizer.starts import Chosen

TIE = 1e-6  # plans whose costs differ by less cost the same
SAME_KW = 1e-6  # powers that differ by less are the same
QUIETED = 50  # runs whose change of power is looked at one by one


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A choice of starts with its dispatch, and what both cost in all (loud prices included)."""

    chosen: Chosen
    dispatch: Dispatch
    cost: float


def candidate(plant: Plant, chosen: Chosen, dispatch: Dispatch | None = None) -> Candidate:
    """Starts with their real cost. Without a dispatch the best one is worked out; a battery that follows its own rule
    is simulated in any case."""
    if not steered(plant):
        dispatch = Reckoning(plant).dispatch_of(chosen)
        return Candidate(chosen, dispatch, cost_of(plant, chosen, None if plant.search_knows else dispatch))
    if dispatch is None:
        from optimizer.dispatch import best_dispatch  # loads HiGHS, needed only where there is something to steer

        dispatch = best_dispatch(plant, chosen)
        if plant.problem.battery is not None and not site_steered(plant):  # worked out as if the battery were ours
            return best_of(_by_itself(plant, chosen), candidate(plant, chosen, dispatch))
    if not site_steered(plant) and plant.search_knows:  # battery and curtailment answer what the stores do
        answers = Reckoning(plant, dispatch).dispatch_of(chosen)
        dispatch = replace(
            dispatch,
            charge_kw=answers.charge_kw,
            discharge_kw=answers.discharge_kw,
            curtailed_kw=answers.curtailed_kw,
        )
    return Candidate(chosen, dispatch, cost_of(plant, chosen, dispatch))


def _by_itself(plant: Plant, chosen: Chosen) -> Candidate:
    """Starts with what the plant does by itself: nothing is switched, shifted or curtailed that need not be."""
    plan = price_plan(plant.problem, plant.placements(chosen), how=How(found=HowFound.AS_GIVEN))
    dispatch = Dispatch(np.array(plan.charge_kw), np.array(plan.discharge_kw), np.array(plan.curtailed_kw))
    made = Candidate(chosen, dispatch, cost_of(plant, chosen, dispatch))
    return made if _feeds(plant, made) else replace(made, cost=inf)


def cost_of(plant: Plant, chosen: Chosen, dispatch: Dispatch | None) -> float:
    """What a plan costs in all: its bill, and the loud prices that are on no bill. The yardstick of the search says the
    same sooner, where it knows every rule."""
    if plant.search_knows:
        return Reckoning(plant, dispatch).total(chosen)
    plan = _priced(plant, chosen, dispatch, How(found=HowFound.AS_GIVEN))
    return plan.bill.total + loud_price(plant, chosen, plan)


def best_of(first: Candidate, *others: Candidate | None) -> Candidate:
    """The cheapest; on a tie the earlier one."""
    best = first
    for other in others:
        if other is not None and other.cost < best.cost - TIE:
            best = other
    return best


def plan_of(plant: Plant, made: Candidate, how: How) -> Plan:
    """The plan of a candidate, as the bill sees it."""
    plan = _priced(plant, made.chosen, made.dispatch, how)
    return replace(plan, gave_way=gave_way(plant, made.chosen, plan))


def _priced(plant: Plant, chosen: Chosen, dispatch: Dispatch | None, how: How) -> Plan:
    placements = plant.placements(chosen)
    if dispatch is None:
        return price_plan(plant.problem, placements, how=how)
    ours = site_steered(plant)
    return price_plan(
        plant.problem,
        _with_powers(plant.problem, placements, dispatch),
        charge_kw=tuple(dispatch.charge_kw.tolist()) if ours else None,
        discharge_kw=tuple(dispatch.discharge_kw.tolist()) if ours else None,
        curtailed_kw=tuple(dispatch.curtailed_kw.tolist()) if plant.problem.curtailable else None,
        states=dispatch.states,
        stores={store: tuple(rows.tolist()) for store, rows in dispatch.stores.items()},
        how=how,
    )


def _with_powers(problem: Problem, placements: Sequence[Placement], dispatch: Dispatch) -> tuple[Placement, ...]:
    """Placements with the powers that a dispatch chose, where they are others than the runs have by themselves."""
    if not dispatch.powers:
        return tuple(placements)
    jobs = {job.id: job for job in problem.jobs}
    made = []
    for place in placements:
        chosen = dispatch.powers.get(place.job)
        own = jobs[place.job].powers_kw(place)
        same = chosen is None or float(np.max(np.abs(chosen - np.asarray(own)), initial=0.0)) <= SAME_KW
        made.append(place if chosen is None or same else replace(place, power_kw=tuple(chosen.tolist())))
    return tuple(made)


def _quiet(plant: Plant, made: Candidate) -> Candidate:
    """The same without changes of power, of jobs or of stores, that gain nothing."""
    powers, stores = made.dispatch.powers, made.dispatch.stores
    if not powers and not stores:
        return made
    limit = cost_of(plant, made.chosen, made.dispatch) + TIE
    for jobs in (list(powers), *([job] for job in list(powers)[:QUIETED])):
        fewer = {job: rows for job, rows in made.dispatch.powers.items() if job not in jobs}
        tried = replace(made, dispatch=replace(made.dispatch, powers=fewer))
        if cost_of(plant, tried.chosen, tried.dispatch) <= limit and _feeds(plant, tried):
            made = tried
    for store in list(stores):
        others = {name: row for name, row in made.dispatch.stores.items() if name != store}
        tried = candidate(plant, made.chosen, replace(made.dispatch, stores=others))
        if tried.cost <= limit:
            made = tried
    return made


def _own_states(plant: Plant, made: Candidate) -> Candidate:
    """The same with the plant's own rule for the machines where switching otherwise gains nothing."""
    if not made.dispatch.states:
        return made
    limit = cost_of(plant, made.chosen, made.dispatch) + TIE
    for machines in (list(made.dispatch.states), *([machine] for machine in made.dispatch.states)):
        others = {id: row for id, row in made.dispatch.states.items() if id not in machines}
        tried = replace(made, dispatch=replace(made.dispatch, states=others))
        if len(others) == len(made.dispatch.states) or not _feeds(plant, tried):
            continue
        if cost_of(plant, made.chosen, tried.dispatch) <= limit:
            made = tried
    return made


def _feeds(plant: Plant, made: Candidate) -> bool:
    """Whether no feeder carries more above its limit than in production's own plan: a promise that nothing else pays."""
    before = feeders_over_kw(plant.problem, Choice(placements=plant.given_placements))
    plan = _priced(plant, made.chosen, made.dispatch, How(found=HowFound.AS_GIVEN)) if before else None
    after = [] if plan is None else feeders_over_kw(plant.problem, choice_of(plan))
    return all((now <= was + TIE).all() for (_, was), (_, now) in zip(before, after, strict=True))


def answer_of(plant: Plant, made: Candidate, how: How) -> Answer:
    """The answer; a plan that moves nothing although it was searched for has nothing to gain."""
    made = _own_states(plant, _quiet(plant, made))
    plan = plan_of(plant, made, how)
    elsewhere = (made.chosen != plant.as_given).any() or plan.placements != plant.placements(plant.as_given)
    moved = bool(elsewhere) or bool(made.dispatch.states) or bool(made.dispatch.stores)
    if not moved and how.found is HowFound.OPTIMAL:
        plan = replace(plan, how=replace(how, found=HowFound.NOTHING_TO_GAIN))
    plan = replace(plan, risk=risk_of(plant.problem, plan))
    return Answer(plan=plan, relaxations=cures(plant, made.chosen, plan))


def gap_of(cost: float, bound: float | None) -> float | None:
    """(cost − bound) / |cost|; None where nothing is proven. Less than a tie is no gap."""
    if bound is None:
        return None
    return (cost - bound) / max(abs(cost), 1e-9) if cost - bound > TIE else 0.0
