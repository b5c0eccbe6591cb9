"""What no plan can mean is told without solving; what a plan can answer is no contradiction."""

from dataclasses import replace
from typing import Any

import pytest

from energy.model.problem import (
    Batch,
    Buffer,
    Closed,
    CrewNeed,
    DemandWindow,
    Feeder,
    Flow,
    Limit,
    MachineState,
    MachineStates,
    Option,
    Peg,
    Precedence,
    Problem,
    ProblemMachine,
    ProblemOrder,
    Recipe,
    Recurring,
    Reserve,
    Resource,
    SameOrder,
    Setup,
    Store,
    Use,
)
from energy.model.site import BatteryRule
from optimizer.contradictions import contradictions
from optimizer.greedy import Greedy
from tests.optimizer.plants import battery, job, plant

CRANE = Resource(name="crane", amount=(1.0,))
PRESS = ProblemMachine(id="press")
OVEN = ProblemMachine(id="furnace", batch=Batch(recipes=(Recipe(name="soft", power_kw=(9.0,)),), capacity=2.0))
STATES = MachineStates(states=(MachineState(name="off"), MachineState(name="on", runs_jobs=True)), at_start="of")


def option(machine: str = "furnace", **said: Any) -> tuple[Option, ...]:
    return (Option(**{"machine": machine, "power_kw": (10.0,), **said}),)


def one(machine: ProblemMachine | None = None, site: dict[str, Any] | None = None, **said: Any) -> Problem:
    machines = {} if machine is None else {"machines": (machine, PRESS)}
    return plant([0.1, 0.2, 0.3], job("a", 10.0, **said), **machines, **(site or {}))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (one(options=option("lathe"), in_force=job("a", machine="lathe").in_force), "machine lathe, which the plant does"),
        (one(after=(Precedence(job="b"),)), "job a follows job b, which is not in the problem"),
        (one(after=(Precedence(job="a"),)), "the jobs a wait for each other"),
        (one(ProblemMachine(id="furnace", capacity=0)), "machines[0].capacity: 0 runs nothing"),
        (one(options=option(uses=(Use(resource="crane"),))), "jobs[0].options[0].uses[0].resource: "),
        (one(flows=(Flow(buffer="rack", quantity=1.0),)), "jobs[0].flows[0].buffer: "),
        (one(OVEN), "jobs[0].options[0].mode: "),
        (one(ProblemMachine(id="furnace", states=STATES)), "machines[0].states.at_start: "),
        (one(ProblemMachine(id="furnace", capacity=2, setups=(Setup(from_family="", to_family="f"),))), "runs one job at"),
        (one(site={"feeders": (Feeder(id="f", machines=("lathe",), limit_kw=9.0),)}), "feeders[0].machines[0]: "),
        (one(site={"orders": (ProblemOrder(id="o", pegs=(Peg(job="b"),), quantity=0.0),)}), "orders[0].pegs[0].job: "),
        (one(site={"recurring": (Recurring(name="clean", jobs=("b",)),)}), "recurring[0].jobs[0]: "),
        (one(site={"same_order": (SameOrder(name="line", pieces=(("b",),)),)}), "same_order[0].pieces[0][0]: "),
        (
            one(site={"battery": battery(rule=BatteryRule.SELF_CONSUMPTION, reserves=(Reserve(name="r", start=0, end=1),))}),
            "battery.reserves: ",
        ),
        (one(site={"battery": battery(min_kwh=11.0)}), "the battery must keep 11 kWh but holds only 10 kWh"),
        (one(site={"demand": (DemandWindow(name="m", per_kw=1.0, slots=(0, 7)),)}), "demand[0].slots[1]: "),
        (one(site={"demand": (DemandWindow(name="m", per_kw=1.0, slots=(0,), guard=0.9),)}), "demand[0].guard: "),
        (one(site={"buffers": (Buffer(id="b", most=1.0, least=2.0),)}), "buffers[0].most: "),
        (
            one(site={"stores": (
                Store(id="s", start=0.0, least=0.0, most=1.0, end=2.0, level_per_kwh=1.0, most_kw=1.0, draw=(0.0,) * 3,
                      as_is_kw=(0.0,) * 3),
            )}),
            "stores[0].end: ",
        ),
        (one(site={"pv_kw": (0.0,)}), "pv_kw: "),
    ],
)  # fmt: skip
def test_what_no_plan_can_mean_is_named_and_there_is_no_plan(problem: Problem, words: str) -> None:
    found = contradictions(problem)
    assert any(words in each for each in found), found
    assert Greedy().solve(problem, seconds=1).plan is None


def test_a_sound_problem_contradicts_nothing() -> None:
    assert contradictions(one()) == ()


@pytest.mark.parametrize(
    "said",
    [
        {"earliest": 2, "must_end": 2},  # a window shorter than the job
        {"earliest": 2, "latest_start": 1},
    ],
)
def test_a_window_that_leaves_no_place_is_a_conflict_with_cures_and_there_is_a_plan(said: dict[str, int]) -> None:
    problem = one(**said)
    assert contradictions(problem) == ()
    answer = Greedy().solve(problem, seconds=5)
    assert answer.plan is not None
    assert answer.relaxations


@pytest.mark.parametrize(
    "problem",
    [
        one(needs=(CrewNeed(skill="loader"),)),  # nobody has ever been rostered
        one(options=option(uses=(Use(resource="crane", amount=2.0),)), site={"resources": (CRANE,)}),
        one(site={"limits": (Limit(name="agreed", start=2, end=2, limit_kw=9.0),)}),
        one(site={"pv_kw": (0.0, -0.1, 0.0)}),
        one(site={"battery": battery(start_kwh=10.5)}),
    ],
)
def test_what_a_plan_can_answer_is_planned(problem: Problem) -> None:
    assert contradictions(problem) == ()
    assert Greedy().solve(problem, seconds=5).plan is not None


def test_a_machine_that_is_shut_all_the_time_leaves_a_plan_too() -> None:
    shut = replace(PRESS, id="furnace", closed=(Closed(start=0, end=3),))
    assert contradictions(one(shut)) == ()
