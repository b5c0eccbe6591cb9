"""Rules of four sorts (jobs, machines, flows, the site) together on tiny random plants: what holds whatever is mixed."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from random import Random

import pytest

from energy.exchange.problems import plan_from_json, problem_from_json, to_json
from energy.model.plan import HowFound, Plan, Violation
from energy.model.problem import Option, Placement, Problem, ProblemJob
from energy.model.site import BatteryRule
from energy.planning.check import check, check_placements, new_violations
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from optimizer import child, dispatch, milp
from optimizer.answer import candidate, plan_of
from optimizer.gave_way import loud_price
from optimizer.greedy import Greedy
from optimizer.milp import Milp
from optimizer.plant import Plant
from optimizer.reckoning import steered
from tests.optimizer.mixed import GIVEN, in_force, mixed, of_one_machine
from tests.planning.mutations import slips_through, spoken

NEAR = 2e-5  # relative
TRIED = 60  # places of all jobs, at most, that are tried one by one with a dispatch each
PRICED = 600  # and where nothing but the places is open
PRICE_RULES = {"bill", "rows", "state rows", "balance", "both ways", "battery rule", "risk", "problem"}
# Promises with a loud price: where production's own plan is broken already, one of these may be broken instead of
# another that is louder. Nothing else may be broken that was not.
LOUD = {"import limit", "export limit", "limit", "carbon limit", "store full", "store empty", "store end"} | {
    *("reserve energy", "reserve power", "battery end", "machine not up", "state at the end")
}
GROUPS = 8
FOUND = (1066, 1134, 3231)  # once planned wrongly: a setup beyond the horizon, a feeder, a battery beside states
SEEDS = tuple(seed for seed in (*range(140), *FOUND) if not mistakes_in(mixed(seed)))
ALONE = tuple(seed for seed in range(50) if not mistakes_in(of_one_machine(seed)))


def parts(seeds: Sequence[int], size: int) -> list[Sequence[int]]:
    return [seeds[i : i + size] for i in range(0, len(seeds), size)]


def solved(problem: Problem) -> Plan:
    answer = Milp(gap=0.0, process=False, groups=10).solve(problem, seconds=20)
    assert answer.plan is not None, answer.contradictions
    return answer.plan


def in_all(problem: Problem, plan: Plan) -> float:
    """What a plan costs with the loud prices that are on no bill."""
    plant = Plant(problem)
    return plan.bill.total + loud_price(plant, plant.chosen_of(plan.placements), plan)


def follows_its_own_rule(problem: Problem) -> bool:
    """Whether the battery does what it does by itself: then the program's plans are the best only nearly."""
    return problem.battery is not None and problem.battery.rule is BatteryRule.SELF_CONSUMPTION


@pytest.mark.parametrize("seeds", parts(SEEDS, 20), ids=lambda seeds: f"seeds from {seeds[0]}")
def test_whatever_is_mixed_is_planned_soundly(seeds: Sequence[int]) -> None:
    found = {seed: list(wrong_with(mixed(seed), seed)) for seed in seeds}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}


def wrong_with(problem: Problem, seed: int) -> Iterator[str]:
    """Everything that does not hold of a problem and its plans, in words."""
    given, plan = in_force(problem), solved(problem)
    searched = Greedy(groups=GROUPS).solve(problem, seconds=5).plan
    assert searched is not None
    before, after = check(problem, given), check(problem, plan)
    for name, made in (("the plan in force", before), ("the plan", after), ("the search", check(problem, searched))):
        yield from (f"{name} is not what the auditor reckons: {v.what}" for v in made if v.rule in PRICE_RULES)
        yield from (f"{name} breaks a rule anew: {v.rule}: {v.what}" for v in broken_anew(before, made))
    asked, cost, quick = in_all(problem, given), in_all(problem, plan), in_all(problem, searched)
    slack = NEAR * max(1.0, abs(cost))
    if cost > asked + slack or quick > asked + slack:
        yield f"plan {cost} or search {quick} dearer than in force {asked}"
    if plan.how.bound is not None and plan.how.bound > min(cost, quick) + slack:
        yield f"bound {plan.how.bound} above {min(cost, quick)}"
    if plan.how.found not in {HowFound.OPTIMAL, HowFound.NOTHING_TO_GAIN} and not follows_its_own_rule(problem):
        yield f"not proven: {plan.how}, {cost}, {plan.how.bound}"
    if not before and not after:
        yield from not_the_best(problem, plan, slack)
    yield from heard_through_files(problem, plan, after)
    paths = spoken(plan)
    for path in Random(seed).sample(paths, min(4, len(paths))):
        if slips_through(problem, plan, path):
            yield f"the auditor does not see a change of {path}"


def broken_anew(before: Sequence[Violation], after: Sequence[Violation]) -> list[Violation]:
    return [v for v in new_violations(before, after) if v.rule not in PRICE_RULES and not (before and v.rule in LOUD)]


def heard_through_files(problem: Problem, plan: Plan, after: Sequence[Violation]) -> Iterator[str]:
    again = problem_from_json(to_json(problem))
    if again.digest != problem.digest:
        yield "the problem has another digest after a file"
    back = plan_from_json(to_json(plan))
    if back != plan or check(again, back) != list(after):
        yield "the plan is another one after a file"


def not_the_best(problem: Problem, plan: Plan, slack: float) -> Iterator[str]:
    """Against every legal place of every job, by the auditor's rules, with the best dispatch of each."""
    costs = list(costs_of_all(problem))
    if not costs:
        return
    best, bound = min(costs), plan.how.bound
    if bound is not None and bound > best + slack:
        yield f"bound {bound} above the best of all plans {best}"
    if not follows_its_own_rule(problem) and abs(plan.bill.total - best) > slack:
        yield f"the plan costs {plan.bill.total}, the best of all {best}"


def costs_of_all(problem: Problem) -> Iterator[float]:
    """What each choice of places costs that keeps every rule; nothing where there are too many."""
    ways = [list(places(problem, job)) for job in problem.jobs]
    if prod(len(each) for each in ways) > 2500:
        return
    chosen = [[place for place in places if place is not None] for places in product(*ways)]
    legal = [each for each in chosen if not check_placements(problem, each)]
    plant = Plant(problem)
    if len(legal) > (TRIED if steered(plant) else PRICED):
        return
    for each in legal:
        if steered(plant):
            made = candidate(plant, plant.chosen_of(each))
            plan = plan_of(plant, made, GIVEN)
        else:
            plan = price_plan(problem, each, how=GIVEN)
        if not check(problem, plan):
            yield plan.bill.total


def places(problem: Problem, job: ProblemJob) -> Iterator[Placement | None]:
    """Every place of a job, good or bad; None where it may be left out."""
    given = job.fixed or job.in_force
    yield given
    if job.fixed is not None:
        return
    if job.value is not None:
        yield None
    for option in job.options:
        for machine, powers in product(option.machines, patterns(option)):
            for start in range(problem.slots - (len(powers) or option.slots) + 1):
                place = Placement(job=job.id, machine=machine, mode=option.mode, start=start, power_kw=powers)
                if job.is_moved(place, given):
                    yield place


def patterns(option: Option) -> Iterator[tuple[float, ...]]:
    """How a run may be cut by at most one pause."""
    yield ()
    may, kw = option.interruptible, option.power_kw[0]
    if may is not None:
        for before, pause in product(range(1, option.slots), range(1, may.longest_pause_slots + 1)):
            yield (kw,) * before + (0.0,) * pause + (kw,) * (option.slots - before)


@pytest.mark.parametrize("seeds", parts(ALONE, 20), ids=lambda seeds: f"seeds from {seeds[0]}")
def test_an_engine_of_one_machine_and_the_general_program_agree(
    seeds: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where something is said that the engine does not know: then it must not take the problem."""
    problems = {seed: of_one_machine(seed) for seed in seeds}
    problems = {seed: problem for seed, problem in problems.items() if not follows_its_own_rule(problem)}
    by_engine = {seed: in_all(problem, solved(problem)) for seed, problem in problems.items()}
    for module, name in ((milp, "engine_of"), (child, "engine_of"), (dispatch, "one_machine")):
        monkeypatch.setattr(module, name, lambda _: None)
    assert by_engine == {
        seed: pytest.approx(in_all(problem, solved(problem)), abs=1e-5) for seed, problem in problems.items()
    }
