"""What holds for every plant: small random ones, solved to zero gap, against a reckoning that knows no solver."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy.model.calendar import Attended
from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Limit,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    Roster,
    ShiftHours,
)
from energy.model.site import BatteryRule
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from optimizer.greedy import Greedy
from optimizer.milp import Milp
from optimizer.plant import Plant
from optimizer.solve import solve
from tests.optimizer.plants import at, battery, best, plant

NO_SHRINK = (Phase.explicit, Phase.generate)  # shrinking plants takes longer than reading one
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], phases=NO_SHRINK
)
MACHINES = ("furnace", "press")
money = st.integers(-2, 12).map(float)
power = st.integers(1, 9).map(float)


@st.composite
def jobs(draw: st.DrawFn, id: str, slots: int, earlier: list[str]) -> ProblemJob:
    machines = draw(st.sampled_from([("furnace",), ("press",), MACHINES]))
    length = draw(st.integers(1, 3))
    options = tuple(
        Option(machine=machine, power_kw=tuple(draw(st.lists(power, min_size=length, max_size=length))))
        for machine in machines
    )
    place = at(id, draw(st.integers(0, slots - length)), machines[0])
    return ProblemJob(
        id=id,
        options=options,
        as_is=place,
        in_force=place,
        due=draw(st.none() | st.integers(1, slots)),
        late_per_hour=draw(st.sampled_from([1.0, 20.0])),
        must_end=draw(st.none() | st.integers(place.start + length, slots)),
        move_price=draw(st.sampled_from([0.0, 0.5, 3.0])),
        needs=draw(st.sampled_from([(), (CrewNeed(skill="loader", attended=Attended.START),)])),
        after=tuple(Precedence(job=other) for other in draw(st.sampled_from([[], earlier[:1]]))),
    )


@st.composite
def plants(draw: st.DrawFn, most_jobs: int = 3, most_slots: int = 7, own_rule: bool = True) -> Problem:
    slots = draw(st.integers(4, most_slots))
    names = ["a", "b", "c", "d"][: draw(st.integers(1, most_jobs))]
    made = [draw(jobs(name, slots, names[:number])) for number, name in enumerate(names)]
    row = st.lists(money, min_size=slots, max_size=slots)
    rule = BatteryRule.SELF_CONSUMPTION if own_rule else BatteryRule.PLANNED
    return plant(
        draw(row),
        *made,
        base_load_kw=tuple(draw(row)),
        pv_kw=tuple(max(0.0, kw) for kw in draw(row)),
        export_price=tuple(draw(row)),
        machines=(
            ProblemMachine(id="furnace", closed=draw(st.sampled_from([(), (Closed(start=1, end=2),)]))),
            ProblemMachine(id="press"),
        ),
        rosters=(
            Roster(skill="loader", people=tuple(draw(st.lists(st.integers(0, 2), min_size=slots, max_size=slots)))),
        ),
        shifts=draw(st.sampled_from([(), (ShiftHours(name="early", start=0, end=3, max_moves=1),)])),
        battery=draw(st.sampled_from([None, battery(rule=rule, start_kwh=4.0, charge_efficiency=0.9)])),
        demand=draw(
            st.sampled_from([(), (DemandWindow(name="peak", per_kw=3.0, slots=tuple(range(slots)), so_far_kw=4.0),)])
        ),
        limits=draw(st.sampled_from([(), (Limit(name="call", start=1, end=3, limit_kw=6.0, penalty_per_kwh=2.0),)])),
    )


def in_force(problem: Problem) -> Plan:
    return price_plan(problem, [job.in_force for job in problem.jobs], how=How(found=HowFound.AS_GIVEN))


def cheapest(problem: Problem) -> float:
    """Every combination of places tried, by the checker's rules and the price of a plan: no solver, no search."""
    before = check(problem, in_force(problem))
    every = [
        [
            Placement(job=job.id, machine=option.machine, start=start)
            for option in job.options
            for start in range(problem.slots - option.slots + 1)
        ]
        for job in problem.jobs
    ]
    costs = []
    for places in product(*every):
        plan = price_plan(problem, places, how=How(found=HowFound.AS_GIVEN))
        if not new_violations(before, check(problem, plan)):
            costs.append(plan.bill.total)
    return min(costs)


def clean(problem: Problem) -> bool:
    """Whether production's own plan keeps every rule."""
    return not check(problem, in_force(problem))


@FEW
@given(plants().filter(clean))
def test_the_plan_is_the_best_of_all_plans(problem: Problem) -> None:
    assert best(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-6)


@FEW
@given(plants(most_jobs=4))
def test_milp_is_never_worse_than_greedy_nor_greedy_than_in_force(problem: Problem) -> None:
    given_, planned = in_force(problem), best(problem)
    found = Greedy(groups=20).solve(problem, seconds=10).plan
    assert found is not None
    if clean(problem):
        assert found.bill.total <= given_.bill.total + 1e-6
        assert planned.bill.total <= found.bill.total + 1e-6
    before = check(problem, given_)
    for plan in (found, planned):
        assert new_violations(before, check(problem, plan)) == []


@FEW
@given(plants(own_rule=False), st.booleans())
def test_a_steered_plan_passes_check_and_is_never_worse(problem: Problem, curtailable: bool) -> None:
    problem = replace(problem, curtailable=curtailable)
    planned, dispatched = best(problem), Milp(process=False).dispatch(problem).plan
    assert dispatched is not None
    before = check(problem, dispatched)
    assert new_violations(before, check(problem, planned)) == []
    if not before:
        assert planned.bill.total <= dispatched.bill.total + 1e-5
        assert dispatched.bill.total <= in_force(problem).bill.total + 1e-5 or problem.battery is not None


@FEW
@given(plants().filter(clean), st.integers(0, 3))
def test_a_wider_window_never_costs_more(problem: Problem, wider: int) -> None:
    narrow = replace(problem, jobs=tuple(_window(job, problem.slots, 1) for job in problem.jobs))
    wide = replace(problem, jobs=tuple(_window(job, problem.slots, 1 + wider) for job in problem.jobs))
    assert best(wide).bill.total <= best(narrow).bill.total + 1e-6


def _window(job: ProblemJob, slots: int, reach: int) -> ProblemJob:
    start = job.in_force.start
    end = start + job.options[0].slots
    return replace(job, earliest=max(0, start - reach), must_end=min(slots, end + reach))


@FEW
@given(plants())
def test_the_same_problem_gives_the_same_plan(problem: Problem) -> None:
    first, second = best(problem), best(problem)
    assert first.placements == second.placements
    assert first.charge_kw == second.charge_kw


@FEW
@given(plants())
def test_a_flat_tariff_moves_nothing(problem: Problem) -> None:
    flat = replace(
        problem,
        import_price=(5.0,) * problem.slots,
        export_price=(5.0,) * problem.slots,
        pv_kw=(0.0,) * problem.slots,
        base_load_kw=(3.0,) * problem.slots,
        battery=None,
        demand=(),
        limits=(),
        machines=(ProblemMachine(id="furnace"), ProblemMachine(id="press")),
        jobs=tuple(
            replace(job, due=None, options=tuple(replace(o, power_kw=(4.0,) * o.slots) for o in job.options))
            for job in problem.jobs
        ),
    )
    assert best(flat).placements == tuple(job.in_force for job in flat.jobs)


@FEW
@given(plants().filter(clean))
def test_the_program_alone_agrees_with_trying_everything(problem: Problem) -> None:
    """Without the search before it: its optimum is the best plan, or (where a battery answers) a bound for it."""
    solved = solve(Plant(problem), seconds=20, gap=0.0)
    assert solved.bound is not None
    assert solved.bound <= cheapest(problem) + 1e-5
    if problem.battery is None:
        assert solved.cost == pytest.approx(cheapest(problem), abs=1e-5)
