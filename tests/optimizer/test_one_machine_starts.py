"""One machine whose jobs cost what their starts say: small tables, every order tried, and the plant around it."""

from itertools import product
from math import inf, isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optimizer.structure
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Limit,
    Option,
    Problem,
    ProblemMachine,
    Reduction,
    Roster,
)
from energy.planning.check import check
from optimizer.milp import Milp
from optimizer.one_machine.runs import Run
from optimizer.one_machine.starts import Found, best_starts
from optimizer.plant import Plant
from optimizer.structure import engine_of
from tests.optimizer.plants import at, battery, best, job, plant, starts


def run(job: int, slots: int, *cost: float) -> Run:
    return Run(job=job, slots=slots, cost=np.array(cost))


@pytest.mark.parametrize(
    ("runs", "cost", "begin"),
    [
        ([run(0, 1, 3, 1, 2)], 1, (1,)),
        ([run(0, 1, 3, 1, 2), run(1, 1, 9, 1, 9)], 3, (2, 1)),  # the second needs slot 1 more
        ([run(0, 2, 5, 1, inf), run(1, 1, 4, 0, 7)], 5, (1, 0)),  # 1 + 4, rather than 5 + 7
        ([run(0, 2, 0, 0), run(1, 1, inf, 2, inf)], inf, None),  # the pair leaves slot 1 free nowhere
        ([run(0, 3, 4), run(0, 1, 9, 5, 9), run(1, 1, inf, inf, 0)], 5, (1, 2)),  # the long way leaves no room
        ([run(0, 1, -2, -2, -2), run(1, 1, -2, -2, -2)], -4, None),  # paid for taking power; any two slots
    ],
)
def test_a_table_by_hand(runs: list[Run], cost: float, begin: tuple[int, ...] | None) -> None:
    found = best_starts(runs, 3, seconds=10)
    assert found.cost == cost
    assert found.bound == cost
    if begin is not None:
        assert found.places is not None
        assert found.places[1] == begin


def every_plan(runs: list[Run], slots: int) -> float:
    """The least cost over all ways and starts of all jobs."""
    jobs = sorted({r.job for r in runs})
    ways = [
        [(start, r.slots, cost) for r in runs if r.job == job for start, cost in enumerate(r.cost) if cost < inf]
        for job in jobs
    ]
    best_cost = inf
    for plan in product(*ways):
        held = [slot for start, length, _ in plan for slot in range(start, start + length)]
        if len(held) == len(set(held)) and all(slot < slots for slot in held):
            best_cost = min(best_cost, sum(cost for *_, cost in plan))
    return best_cost


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Run], int]:
    slots = draw(st.integers(1, 12))
    costs = st.one_of(st.integers(-5, 20), st.just(inf))
    runs = []
    for number in range(draw(st.integers(1, 5))):
        for length in draw(st.lists(st.integers(1, min(4, slots)), min_size=1, max_size=2, unique=True)):
            row = draw(st.lists(costs, min_size=slots - length + 1, max_size=slots - length + 1))
            runs.append(Run(job=number, slots=length, cost=np.array(row, dtype=float)))
    return draw(st.permutations(runs)), slots


@given(tables())
@settings(max_examples=120, deadline=None, derandomize=True)
def test_no_other_plan_is_cheaper(table: tuple[list[Run], int]) -> None:
    runs, slots = table
    seen: list[Found] = []
    found = best_starts(runs, slots, seconds=20, progress=seen.append)
    least = every_plan(runs, slots)
    assert found.cost == least or isclose(found.cost, least, abs_tol=1e-7)
    assert found.bound == found.cost
    costs, bounds = [f.cost for f in seen], [f.bound for f in seen]
    assert costs == sorted(costs, reverse=True)
    assert bounds == sorted(bounds)
    assert all(bound <= least + 1e-7 for bound in bounds)
    if found.places is not None:
        numbers, begin = found.places
        held = [slot for n, start in zip(numbers, begin, strict=True) for slot in range(start, start + runs[n].slots)]
        assert len(held) == len(set(held))
        assert isclose(sum(runs[n].cost[start] for n, start in zip(numbers, begin, strict=True)), least, abs_tol=1e-7)


def test_more_jobs_than_one_word_of_bits() -> None:
    runs = [Run(job=j, slots=1, cost=np.abs(np.arange(80.0) - (7 * j) % 75)) for j in range(75)]
    found = best_starts(runs, 80, seconds=20)
    assert found.optimal
    assert found.cost == pytest.approx(0.0, abs=1e-6)


def test_jobs_just_alike() -> None:
    """Twelve equal jobs in a row of forty slots take the twelve cheapest pairs that do not overlap."""
    price = np.arange(40.0) % 10
    runs = [Run(job=j, slots=2, cost=price[:-1] + price[1:]) for j in range(12)]
    found = best_starts(runs, 40, seconds=20)
    assert found.optimal
    assert found.cost == 4 * (1 + 5 + 9)  # in each decade slots 0-1, 2-3, 4-5


def test_a_first_plan_is_never_made_worse_and_may_be_the_answer() -> None:
    runs = [run(0, 1, 3, 1, 2), run(1, 1, 9, 1, 9)]
    late = best_starts(runs, 3, seconds=0.0, first=((0, 1), (0, 1)))
    assert late.places is not None
    assert late.cost <= 4
    assert late.bound <= 3


def test_the_same_table_gives_the_same_plan() -> None:
    rng = np.random.default_rng(3)
    runs = [Run(job=j, slots=3, cost=rng.integers(0, 50, 46).astype(float)) for j in range(12)]
    assert best_starts(runs, 48, seconds=20) == best_starts(runs, 48, seconds=20)


# --- in the plant ---------------------------------------------------------------------------------------------------

WORDS = "orders of one machine"


def known(problem: Problem) -> bool:
    engine = engine_of(Plant(problem))
    return engine is not None and engine.name == WORDS


HEAT = job("heat", 10.0, 20.0)
POUR = job("pour", 5.0, start=2)
PRICES = [0.3, 0.1, 0.2, 0.4, 0.1, 0.2]


@pytest.mark.parametrize(
    ("problem", "is_known"),
    [
        (plant(PRICES, HEAT, POUR), True),
        (plant(PRICES, HEAT, POUR, pv_kw=(0.0, 8.0, 8.0, 0.0, 0.0, 0.0)), True),
        (plant(PRICES, HEAT, POUR, limits=(Limit(name="call", start=1, end=3, limit_kw=9.0),)), True),
        (plant(PRICES, HEAT, job("press", 5.0, machine="press")), False),  # two machines with jobs to move
        (plant(PRICES, HEAT, job("press", 5.0, machine="press", fixed=at("press", 0, "press"))), True),
        (plant(PRICES, HEAT, POUR, battery=battery()), False),
        (plant(PRICES, HEAT, POUR, demand=(DemandWindow(name="peak", per_kw=9.0, slots=(1,)),)), False),
        (plant(PRICES, HEAT, job("pour", 5.0)), False),  # both in force in slot 0
    ],
)
def test_which_plants_are_one_machine_with_separable_costs(problem: Problem, is_known: bool) -> None:
    assert known(problem) is is_known


def test_crews_on_the_machine_itself_are_no_tie_but_those_shared_with_another_are() -> None:
    crew = (CrewNeed(skill="smelter"),)
    roster = (Roster(skill="smelter", people=(1,) * 6),)
    elsewhere = job("press", 5.0, machine="press", fixed=at("press", 0, "press"), needs=crew)
    assert known(plant(PRICES, job("heat", 10.0, needs=crew), job("pour", 5.0, start=1, needs=crew), rosters=roster))
    assert not known(plant(PRICES, job("heat", 10.0, needs=crew), elsewhere, rosters=roster))


def test_the_plant_around_it() -> None:
    """Slot 1 is closed, the press stands in slot 0. PV covers 8 kW in slots 2 and 3: pour takes slot 2 for nothing, the
    8 kW of heat slot 3, and its 20 kW follow at 0.2: 4.0 in all (heat at 4 would be 5.6)."""
    problem = plant(
        [0.1, 0.1, 0.3, 0.3, 0.2, 0.2],
        job("heat", 8.0, 20.0),
        job("pour", 8.0, start=3),
        job("press", 1.0, machine="press", fixed=at("press", 0, "press")),
        pv_kw=(0.0, 0.0, 8.0, 8.0, 0.0, 0.0),
        machines=(ProblemMachine(id="furnace", closed=(Closed(start=1, end=2),)), ProblemMachine(id="press")),
    )
    assert known(problem)
    plan = best(problem)
    assert not check(problem, plan)
    assert starts(plan) == {"heat": 3, "pour": 2, "press": 0}


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    slots = 8
    prices = draw(st.lists(st.integers(-2, 9).map(lambda cent: cent / 10), min_size=slots, max_size=slots))
    pv = draw(st.lists(st.integers(0, 20).map(float), min_size=slots, max_size=slots))
    jobs, begin = [], 0
    for number in range(draw(st.integers(1, 3))):
        power = draw(st.lists(st.integers(1, 20).map(float), min_size=1, max_size=2))
        fast = Option(machine="furnace", power_kw=(sum(power),), mode="fast")
        options = (Option(machine="furnace", power_kw=tuple(power)), *((fast,) if draw(st.booleans()) else ()))
        said = {
            "due": draw(st.one_of(st.none(), st.integers(2, slots))),
            "latest_start": draw(st.one_of(st.none(), st.integers(begin, slots))),
            "needs": (CrewNeed(skill="smelter"),) if draw(st.booleans()) else (),
            "late_per_hour": 3.0,
            "priority": draw(st.sampled_from([1.0, 2.0])),
        }
        jobs.append(job(f"j{number}", *power, start=begin, options=options, **said))
        begin += len(power)
    curtailable = draw(st.booleans())
    return plant(
        prices,
        *jobs,
        pv_kw=tuple(pv),
        export_price=(0.05,) * slots,
        export_limit_kw=12.0 if curtailable else 20.0,
        curtailable=curtailable,
        carbon_price_per_kg=0.1,
        limits=(Limit(name="call", start=2, end=5, limit_kw=15.0, penalty_per_kwh=2.0),),
        reductions=(Reduction(name="event", start=5, end=7, baseline_kw=(10.0, 10.0), pay_per_kwh=0.5, most_kw=8.0),),
        rosters=(Roster(skill="smelter", people=(1,) * slots, premium_per_hour=(0.0,) * 4 + (2.0,) * 4),),
    )


@given(problems())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_general_program_finds_nothing_cheaper(problem: Problem) -> None:
    plan = best(problem)
    assert not check(problem, plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizer.structure, "CASES", ())
        other = best(problem)
    assert plan.bill.total == pytest.approx(other.bill.total, abs=1e-5)
    assert plan.how.gap == pytest.approx(0.0, abs=1e-9)


def test_it_says_how_and_hears_of_each_better_plan() -> None:
    heard: list[tuple[float, float | None]] = []
    problem = plant(PRICES, HEAT, POUR)
    answer = Milp(process=False).solve(problem, seconds=20, progress=lambda cost, bound: heard.append((cost, bound)))
    assert answer.plan is not None
    assert answer.plan.how.solver.startswith(WORDS)
    assert answer.plan.how.found.value == "optimal"
    assert heard
    assert heard[-1][0] == pytest.approx(answer.plan.bill.total)
