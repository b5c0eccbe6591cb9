"""A problem of one machine with states, planned by its own engine: through the optimizer, and against every choice."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from energy.model.plan import HowFound
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Limit,
    MachineState,
    MachineStates,
    Option,
    Precedence,
    Problem,
    ProblemMachine,
    Roster,
    Setup,
    ShiftHours,
    Transition,
)
from energy.planning.check import check, check_placements
from optimizer.milp import Milp
from optimizer.one_machine.posed import one_machine
from optimizer.plant import Plant
from tests.optimizer.plants import battery, job, plant, starts

UP, DOWN = "off>on", "on>off"
FURNACE = MachineStates(
    states=(
        MachineState(name="off"),
        MachineState(name="on", power_kw=10.0, runs_jobs=True),
        MachineState(name="idle", power_kw=4.0),
    ),
    transitions=(
        Transition(from_state="off", to_state="on", slots=1, power_kw=20.0, cost=5.0),
        Transition(from_state="on", to_state="off", slots=1, power_kw=2.0),
        Transition(from_state="on", to_state="idle"),
        Transition(from_state="idle", to_state="on"),
    ),
    at_start="off",
    at_end="off",
)


def furnace(prices: list[float], *jobs: Any, states: MachineStates = FURNACE, **other: Any) -> Problem:
    return plant(prices, *jobs, **{"machines": (ProblemMachine(id="furnace", states=states),)} | other)


def planned(problem: Problem) -> Any:
    answer = Milp(gap=0.0, process=False).solve(problem, seconds=20)
    assert answer.plan is not None
    assert check(problem, answer.plan) == []
    return answer.plan


def test_it_waits_idle_where_that_is_cheaper_than_being_off() -> None:
    """Up 20·1 + 5, a at 1, idle two slots at 4·3, b at 1, down 2·1: the jobs of 30 kW stay out of the dear slots."""
    prices = [1, 1, 3, 3, 1, 1.0]
    plan = planned(furnace(prices, job("a", 30, start=1), job("b", 30, start=2)))
    assert starts(plan) == {"a": 1, "b": 4}
    assert plan.states[0].states == (UP, "on", "idle", "idle", "on", DOWN)
    assert plan.bill.money == pytest.approx(25 + 40 + 24 + 40 + 2)
    assert plan.bill.total == pytest.approx(25 + 40 + 24 + 40 + 2 + 0.01)  # b has moved
    assert plan.how.found is HowFound.OPTIMAL
    assert plan.how.bound == pytest.approx(plan.bill.total)


def test_it_goes_off_where_idling_is_dearer() -> None:
    """Up 25, a 310, down 2·5, off for four dear slots, up 25, b 310, down 2; idle it would be 4·(5 + 4·9) + 4."""
    prices = [1, 1, 5, 9, 9, 9, 9, 1, 1, 1.0]
    plan = planned(furnace(prices, job("a", 300, start=1), job("b", 300, start=2)))
    assert plan.states[0].states == (UP, "on", DOWN, "off", "off", "off", "off", UP, "on", DOWN)
    assert plan.bill.money == pytest.approx(25 + 310 + 10 + 25 + 310 + 2)


def test_ties_move_nothing() -> None:
    problem = furnace([1.0] * 8, job("a", 30, start=3), job("b", 30, start=2), job("c", 30, start=4))
    plan = planned(problem)
    assert starts(plan) == {"a": 3, "b": 2, "c": 4}
    assert plan.how.found is HowFound.NOTHING_TO_GAIN


def test_jobs_that_are_alike_stay_where_they_can() -> None:
    jobs = [job(name, 30, start=start, move_price=0.0) for name, start in (("a", 3), ("b", 1), ("c", 2))]
    plan = planned(furnace([1, 1, 1, 9, 1, 1.0], *jobs))
    assert starts(plan)["b"] == 1
    assert starts(plan)["c"] == 2
    assert starts(plan)["a"] == 4


def test_the_dispatch_alone_switches_the_states_around_jobs_that_stay() -> None:
    problem = furnace([1, 1, 3, 3, 1, 1.0], job("a", 30, start=1), job("b", 30, start=4))
    plan = Milp(process=False).dispatch(problem).plan
    assert plan is not None
    assert starts(plan) == {"a": 1, "b": 4}
    assert plan.states[0].states == (UP, "on", "idle", "idle", "on", DOWN)
    assert check(problem, plan) == []


def test_a_job_placed_before_the_machine_is_up_moves_to_where_it_is() -> None:
    plan = planned(furnace([1.0] * 6, job("a", 30, start=0)))
    assert starts(plan)["a"] >= 1
    answer = Milp(process=False).dispatch(furnace([1.0] * 6, job("a", 30, start=0)))
    assert answer.plan is not None
    assert [given.rule for given in answer.plan.gave_way] == ["furnace is up before it runs a"]


def test_the_child_plans_it_too() -> None:
    problem = furnace([1, 1, 3, 3, 1, 1.0], job("a", 30, start=1), job("b", 30, start=2))
    optimizer = Milp(gap=0.0)
    told: list[tuple[float, float | None]] = []
    answer = optimizer.solve(problem, seconds=20, progress=lambda cost, bound: told.append((cost, bound)))
    assert optimizer.worker is not None
    optimizer.worker.end()
    assert answer.plan is not None
    assert answer.plan.how.found is HowFound.OPTIMAL
    assert answer.plan.how.note == ""
    assert told[-1] == (pytest.approx(answer.plan.bill.total), pytest.approx(answer.plan.bill.total))


A = job("a", 30, start=1)
PLAIN = furnace([1.0] * 6, A, job("b", 30, start=2))


@pytest.mark.parametrize(
    "more",
    [
        {"battery": battery()},
        {"demand": (DemandWindow(name="month", per_kw=1.0, slots=(0, 1)),)},
        {"limits": (Limit(name="event", start=0, end=2, limit_kw=10.0),)},
        {"base_load_kw": (-1.0,) * 6},  # it would export
        {"import_limit_kw": 30.0},
        {"machines": (ProblemMachine(id="furnace", states=FURNACE), ProblemMachine(id="press"))},
        {"machines": (ProblemMachine(id="furnace"),)},
        {"machines": (ProblemMachine(id="furnace", states=FURNACE, capacity=2),)},
        {"machines": (ProblemMachine(id="furnace", states=FURNACE, setups=(Setup(from_family="", to_family="x"),)),)},
        {"jobs": (A, job("b", 30, start=2, after=(Precedence(job="a"),)))},
        {"jobs": (A, job("b", 30, start=1))},  # production has placed both at once
        {"jobs": (A, job("b", 30, start=-1))},
        {"jobs": (A, job("b", 30, start=0))},  # production has it there before the machine is up
        {"jobs": (A, job("b", 30, start=5))},  # … and here too late to go down
        {"jobs": (A, job("b", 30, start=2, value=5.0))},
        {
            "jobs": (
                A,
                job("b", 30, start=2, options=(Option(machine="furnace", power_kw=(30.0,), also=("furnace",)),)),
            )
        },
        {"shifts": (ShiftHours(name="early", start=0, end=3, max_moves=1),)},
    ],
)
def test_any_other_rule_is_for_the_general_program(more: dict[str, Any]) -> None:
    assert one_machine(Plant(PLAIN)) is not None
    assert one_machine(Plant(replace(PLAIN, **more))) is None


@pytest.mark.parametrize(
    "more",
    [
        {"base_load_kw": (5.0,) * 6, "pv_kw": (5.0,) * 6, "carbon_price_per_kg": 0.1},
        {"rosters": (Roster(skill="smelter", people=(1,) * 6),), "shifts": (ShiftHours(name="early", start=0, end=3),)},
        {"jobs": (job("a", 30, 20, start=1, due=4, must_end=5, earliest=1, latest_start=3, family="x"),)},
    ],
)
def test_what_hangs_on_a_start_or_a_slot_alone_is_not(more: dict[str, Any]) -> None:
    assert one_machine(Plant(replace(PLAIN, **more))) is not None


def rows_of(states: MachineStates, prices: list[float]) -> dict[tuple[str, ...], float]:
    """Every row that the machine can show, with the least that its power and its changes cost."""
    powers = {state.name: state.power_kw for state in states.states}
    least: dict[tuple[str, ...], float] = {}

    def on(now: str, row: tuple[str, ...], cost: float, jumped: int) -> Iterator[None]:
        if len(row) == len(prices) and states.at_end in (None, now):
            least[row] = min(cost, least.get(row, cost))
        if len(row) < len(prices):
            yield from on(now, (*row, now), cost + powers[now] * prices[len(row)], 0)
        for change in states.transitions:
            if change.from_state == now and len(row) + change.slots <= len(prices):
                shown = (*row, *[f"{change.from_state}>{change.to_state}"] * change.slots)
                spent = cost + change.cost + change.power_kw * sum(prices[len(row) : len(shown)])
                if change.slots or jumped < len(states.states):
                    yield from on(change.to_state, shown, spent, 0 if change.slots else jumped + 1)

    for _ in on(states.at_start, (), 0.0, 0):
        pass
    return least


numbers = st.integers(0, 5).map(float)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    n = draw(st.integers(4, 6))
    prices = draw(st.lists(numbers, min_size=n, max_size=n))
    states = replace(
        FURNACE,
        states=tuple(replace(state, power_kw=draw(numbers)) for state in FURNACE.states),
        transitions=tuple(
            replace(change, slots=change.slots and draw(st.integers(1, 2)), power_kw=draw(numbers), cost=draw(numbers))
            for change in FURNACE.transitions
        ),
        at_start=draw(st.sampled_from(["off", "on", "idle"])),
        at_end=draw(st.sampled_from([None, "off", "on"])),
    )
    jobs, free = [], 0
    for name in ("a", "b", "c")[: draw(st.integers(0, 3))]:
        powers = draw(st.lists(numbers, min_size=1, max_size=2))
        if free + len(powers) > n:
            break
        windows = {"earliest": draw(st.integers(0, 2)), "due": draw(st.sampled_from([None, 3])), "late_per_hour": 2.0}
        needs = draw(st.sampled_from([(), (CrewNeed(skill="smelter"),)]))
        move_price = draw(st.sampled_from([0.0, 0.5]))
        jobs.append(job(name, *powers, start=free, move_price=move_price, needs=needs, **windows))
        free += len(powers)
    closed = draw(st.sampled_from([(), (Closed(start=n - 1, end=n),)]))
    people = tuple(draw(st.lists(st.sampled_from([1, 1, 1, 0]), min_size=n, max_size=n)))
    machines = (ProblemMachine(id="furnace", states=states, closed=closed),)
    return plant(prices, *jobs, machines=machines, rosters=(Roster(skill="smelter", people=people),))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems())
def test_as_good_as_every_choice(problem: Problem) -> None:
    """All starts that the plant allows, with every row of states that has the machine on in them."""
    laid_out = Plant(problem)
    alone = one_machine(laid_out)
    assume(alone is not None)
    assert alone is not None
    rows = rows_of(problem.machines[0].states or FURNACE, list(problem.import_price))
    least = np.inf
    for chosen in product(*(range(len(made)) for made in laid_out.starts)):
        places = [made.at(number) for made, number in zip(laid_out.starts, chosen, strict=True)]
        busy = [slot for start in places for slot in range(start.slot, start.end)]
        if len(busy) != len(set(busy)):
            continue
        work = sum(
            power * problem.import_price[start.slot + i]
            for start in places
            for i, power in enumerate(start.option.power_kw)
        )
        around = min((cost for row, cost in rows.items() if all(row[slot] == "on" for slot in busy)), default=np.inf)
        least = min(least, work + around + sum(start.price for start in places))
    ended = alone.solve(first=laid_out.as_given, seconds=20, gap=0.0, tell=lambda *_: None)
    if least == np.inf:
        assert (ended.chosen, ended.bound) == (None, np.inf)
        return
    assert ended.optimal
    assert ended.bound == pytest.approx(least)
    answer = Milp(gap=0.0, process=False).solve(problem, seconds=20)
    assert answer.plan is not None
    assert answer.plan.how.bound == pytest.approx(least)
    if not check_placements(problem, [job.in_force for job in problem.jobs]):  # else they may stay as they are
        assert check(problem, answer.plan) == []
        assert answer.plan.bill.total == pytest.approx(least)
