"""What holds for every way to run a job: small random plants, against all plans tried one by one."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy.model.problem import Problem, SameOrder
from energy.planning.check import check
from energy.planning.sound import mistakes_in
from optimizer.greedy import Greedy
from tests.optimizer.job_plants import cheapest, clean, in_force, plants
from tests.optimizer.plants import at, best, job, plant
from tests.planning.mutations import slips_through, spoken

SOME = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.generate),
)


@SOME
@given(plants().filter(clean))
def test_the_plan_is_the_best_of_all_plans(problem: Problem) -> None:
    assert mistakes_in(problem) == ()
    plan = best(problem)
    assert check(problem, plan) == []
    assert plan.bill.total == pytest.approx(cheapest(problem), abs=1e-5)


@SOME
@given(plants().filter(clean), st.data())
def test_whatever_is_changed_in_a_plan_is_found_or_is_still_a_plan(problem: Problem, data: st.DataObject) -> None:
    plan = best(problem)
    path = data.draw(st.sampled_from(spoken(plan)))
    assert not slips_through(problem, plan, path), path


@settings(SOME, max_examples=15)
@given(plants().filter(clean))
def test_the_search_alone_keeps_every_rule_and_is_never_worse_than_the_plan_in_force(problem: Problem) -> None:
    plan = Greedy(groups=10).solve(problem, seconds=5).plan
    assert plan is not None
    assert check(problem, plan) == []
    assert plan.bill.total <= in_force(problem).bill.total + 1e-6


@st.composite
def lines(draw: st.DrawFn) -> Problem:
    """Two or three pieces that pass furnace and press, at times with a stage that may be left out."""
    slots, count = 5, draw(st.integers(2, 3))
    made, pieces = [], []
    for i in range(count):
        pieces.append((f"{i}f", f"{i}p"))
        for stage, machine in enumerate(("furnace", "press")):
            value = draw(st.sampled_from([None, None, 4.0])) if stage else None
            place = at(f"{i}{machine[0]}", i + stage, machine)
            kw = float(draw(st.integers(1, 4)))
            made.append(job(place.job, kw, start=place.start, machine=machine, value=value))
    prices = draw(st.lists(st.integers(0, 9).map(float), min_size=slots, max_size=slots))
    return plant(prices, *made, same_order=(SameOrder(name="line", pieces=tuple(pieces)),))


@settings(SOME, max_examples=12)
@given(lines())
def test_pieces_in_one_order_pass_at_the_least_cost(problem: Problem) -> None:
    if len(problem.jobs) > 4:
        problem = replace(problem, jobs=tuple(replace(j, latest_start=j.in_force.start + 1) for j in problem.jobs))
    plan = best(problem)
    assert check(problem, plan) == []
    assert plan.bill.total == pytest.approx(cheapest(problem), abs=1e-5)
