"""The site's rules on small random plants: the program's best plan is the best of all that can be tried."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Band,
    DemandWindow,
    Limit,
    Placement,
    Problem,
    Ratchet,
    Reduction,
    Reserve,
    Store,
    Tier,
)
from energy.planning.check import check
from energy.planning.price import price_plan
from optimizer.answer import candidate
from optimizer.plant import Plant
from optimizer.reckoning import Reckoning
from tests.optimizer.plants import battery, best, job, plant
from tests.planning.mutations import unheard

FEW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=(Phase.explicit, Phase.generate),
)
GIVEN = How(found=HowFound.AS_GIVEN)
SLOTS = 4
every = tuple(range(SLOTS))


def row(values: st.SearchStrategy[float], slots: int = SLOTS) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*[values] * slots)


def whole(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(float)


@st.composite
def windows(draw: st.DrawFn) -> tuple[DemandWindow, ...]:
    ratchet = st.none() | st.builds(Ratchet, highest_kw=whole(0, 8), per_kw=whole(1, 3))
    guard = st.sampled_from([None, 0.5, 0.9])
    year = DemandWindow(
        name="year", per_kw=draw(whole(0, 5)), slots=every, so_far_kw=draw(whole(0, 6)), ratchet=draw(ratchet)
    )
    high = DemandWindow(
        name="high load",
        per_kw=draw(whole(0, 5)),
        slots=every,
        interval_slots=2,
        guard=draw(guard),
        ratchet=draw(ratchet),
    )
    return (replace(year, least_billed_kw=draw(whole(0, 6)), guard=draw(guard)), high)


@st.composite
def sites(draw: st.DrawFn) -> Problem:
    """Two jobs, a store that is on or off, and most of what a bill may say."""
    switched = Store(
        id="tank", start=4.0, least=0.0, most=9.0, end=2.0, level_per_kwh=1.0, most_kw=4.0, least_kw=4.0,
        draw=draw(row(whole(0, 3))), as_is_kw=draw(row(st.sampled_from([0.0, 4.0]))),
    )  # fmt: skip
    tiers = st.builds(
        Tier, name=st.just("tier"), above_kwh=whole(0, 20), so_far_kwh=whole(0, 5), extra_per_kwh=whole(-4, 4)
    )
    call = st.builds(
        Reduction, name=st.just("call"), start=st.just(1), end=st.just(3), baseline_kw=row(whole(0, 12), 2),
        pay_per_kwh=whole(1, 6), most_kw=whole(1, 8),
    )  # fmt: skip
    low = draw(row(whole(-3, 0)))
    return plant(
        list(draw(row(whole(-2, 9)))),
        job("a", draw(whole(1, 9)), draw(whole(1, 9)), start=draw(st.integers(0, 2))),
        job("b", draw(whole(1, 9)), start=draw(st.integers(0, 3)), machine="press"),
        stores=draw(st.sampled_from([(), (switched,), (switched,)])),
        base_load_kw=draw(row(whole(-2, 5))),
        pv_kw=draw(row(whole(0, 5))),
        export_price=draw(row(whole(-2, 4))),
        tiers=draw(st.lists(tiers, max_size=1).map(tuple)),
        demand=draw(windows()),
        reductions=draw(st.lists(call, max_size=1).map(tuple)),
        limits=draw(st.sampled_from([(), (Limit(name="call", start=1, end=3, limit_kw=9.0),)])),
        base_load_band=Band(p10=low, p90=tuple(-kw for kw in low)),
        carbon_limit_kg=draw(st.none() | st.just(10.0)),
        carbon_kg_per_kwh=draw(row(st.sampled_from([0.1, 0.5]))),
    )


def choices(problem: Problem) -> Iterator[Plan]:
    """Every plan of jobs that start somewhere and a store that is on or off."""
    starts = [
        [Placement(job=j.id, machine=j.options[0].machine, start=k) for k in range(SLOTS - j.options[0].slots + 1)]
        for j in problem.jobs
    ]
    rows = list(product((0.0, 4.0), repeat=SLOTS)) if problem.stores else [()]
    for places in product(*starts):
        for power in rows:
            yield price_plan(problem, places, stores={"tank": power} if power else None, how=GIVEN)


def as_given(problem: Problem) -> Plan:
    return price_plan(problem, [j.in_force for j in problem.jobs], how=GIVEN)


def clean(problem: Problem) -> bool:
    return not check(problem, as_given(problem))


@FEW
@given(sites().filter(clean))
def test_the_plan_is_the_best_of_all_that_keep_the_rules(problem: Problem) -> None:
    plan = best(problem)
    cheapest = min(made.bill.total for made in choices(problem) if not check(problem, made))
    assert check(problem, plan) == []
    assert plan.gave_way == ()
    assert plan.bill.total == pytest.approx(cheapest, abs=1e-5)
    assert unheard(problem, plan) == []


@FEW
@given(sites())
def test_the_yardstick_of_the_search_says_what_the_bill_says(problem: Problem) -> None:
    laid_out = Plant(problem)
    made = candidate(laid_out, laid_out.as_given)
    plan = price_plan(
        problem,
        laid_out.placements(laid_out.as_given),
        stores={store: tuple(power.tolist()) for store, power in made.dispatch.stores.items()},
        how=GIVEN,
    )
    loud = Reckoning(laid_out, made.dispatch).total(laid_out.as_given) - plan.bill.total
    assert loud == pytest.approx(0.0, abs=1e-6) if not check(problem, plan) else loud > 1e-6


@st.composite
def batteries(draw: st.DrawFn) -> Problem:
    """A lossless battery of whole numbers: without a peak its best schedule is one of whole numbers too."""
    reserve = Reserve(name="call", start=1, end=3, kwh=draw(whole(0, 3)), kw=draw(whole(0, 2)))
    start = draw(whole(0, 4))
    return plant(
        list(draw(row(whole(1, 9)))),
        base_load_kw=draw(row(whole(0, 5))),
        export_price=draw(row(whole(0, 1))),
        battery=battery(
            capacity_kwh=4.0, charge_kw=2.0, discharge_kw=2.0, start_kwh=start, end_kwh=draw(whole(0, 4)),
            end_value_per_kwh=0.5, reserves=(reserve,),
        ),
    )  # fmt: skip


@FEW
@given(batteries())
def test_a_reserve_leaves_the_best_of_the_schedules_that_hold_it(problem: Problem) -> None:
    costs = []
    for power in product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=SLOTS):
        into, out = tuple(max(0.0, kw) for kw in power), tuple(max(0.0, -kw) for kw in power)
        made = price_plan(problem, (), charge_kw=into, discharge_kw=out, how=GIVEN)
        if not check(problem, made):
            costs.append(made.bill.total)
    plan = best(problem)
    if costs:
        assert check(problem, plan) == []
        assert plan.bill.total == pytest.approx(min(costs), abs=1e-5)
    else:
        assert plan.gave_way
        assert check(problem, plan)
