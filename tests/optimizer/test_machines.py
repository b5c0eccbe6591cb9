"""Machines that run several jobs, are switched, and are set up: tables that a planner could check by hand."""

from dataclasses import replace

import pytest

from energy.model.calendar import Attended
from energy.model.plan import HowFound, LineKind, Plan
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    MachineState,
    MachineStates,
    Option,
    ProblemMachine,
    Resource,
    Roster,
    Setup,
    Transition,
    Use,
)
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from optimizer.greedy import Greedy
from tests.optimizer.plants import at, best, job, paid, plant, starts
from tests.planning.tables import GIVEN

LETTERS = {"off": "-", "off>on": "/", "on": "o", "on>off": "\\", "warm": "w", "warm>on": "u"}


def furnace(**said):
    return (ProblemMachine(id="furnace", name="Furnace", **said), ProblemMachine(id="press"))


def planned(problem) -> Plan:
    """The proven best plan, which breaks no rule that production's own does not."""
    assert mistakes_in(problem) == ()
    plan = best(problem)
    given = price_plan(problem, [j.fixed or j.in_force for j in problem.jobs], how=GIVEN)
    assert new_violations(check(problem, given), check(problem, plan)) == []
    return plan


def row(plan: Plan) -> str:
    return "".join(LETTERS[name] for name in plan.states[0].states)


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (1, {"a": 2, "b": 3, "c": 1}),
        (2, {"a": 2, "b": 2, "c": 3}),
        (None, {"a": 2, "b": 2, "c": 2}),
    ],
)
def test_a_machine_runs_as_many_jobs_as_it_bears(capacity: int | None, expected: dict[str, int]) -> None:
    jobs = [job("a", 10, start=0), job("b", 9, start=4), job("c", 8, start=1)]
    assert starts(planned(plant([9, 3, 1, 2, 9], *jobs, machines=furnace(capacity=capacity)))) == expected


def test_the_search_knows_capacity_and_resources() -> None:
    uses = (Use(resource="moulds", after_slots=1),)
    jobs = [job(id, 10, start=s, options=(Option(machine="furnace", power_kw=(10,), uses=uses),)) for id, s in ABC]
    machines = furnace(capacity=None, resources=(Resource(name="moulds", amount=(2,)),))
    posed = plant([9, 9, 1, 2, 3, 9], *jobs, machines=machines)
    found = Greedy(groups=20).solve(posed, seconds=10).plan
    assert found is not None
    assert sorted(starts(found).values()) == [2, 2, 4]  # slot 3: the two moulds cool
    assert check(posed, found) == []


ABC = (("a", 0), ("b", 1), ("c", 5))


@pytest.mark.parametrize(
    ("cooling", "expected"),
    [(0, [1, 1, 2]), (1, [1, 1, 3]), (2, [1, 1, 4]), (3, [1, 1, 5])],  # two moulds
)
def test_moulds_cool_after_the_run(cooling: int, expected: list[int]) -> None:
    uses = (Use(resource="moulds", after_slots=cooling),)
    jobs = [job(id, 10, start=s, options=(Option(machine="furnace", power_kw=(10,), uses=uses),)) for id, s in ABC]
    machines = furnace(capacity=None, resources=(Resource(name="moulds", amount=(2,)),))
    assert sorted(starts(planned(plant([4, 1, 2, 3, 4, 4.5], *jobs, machines=machines))).values()) == expected


@pytest.mark.parametrize(
    ("attended", "start"),
    [(Attended.RUN, 0), (Attended.START, 1), (Attended.ENDS, 2)],
)
def test_a_crane_must_be_there_when_it_is_used(attended: Attended, start: int) -> None:
    uses = (Use(resource="crane", attended=attended),)
    asked = job("a", 1, 1, 1, start=0, options=(Option(machine="furnace", power_kw=(1, 1, 1), uses=uses),))
    crane = (Resource(name="crane", amount=(1, 1, 1, 0, 1, 0)),)
    assert starts(planned(plant([9, 5, 1, 2, 6, 9], asked, resources=crane))) == {"a": start}


def test_what_production_overfills_takes_nobody_new_and_may_stay() -> None:
    uses = (Use(resource="crane"),)
    jobs = [
        job(id, 10, start=0, machine=m, options=(Option(machine=m, power_kw=(10,), uses=uses),), fixed=at(id, 0, m))
        for id, m in (("a", "furnace"), ("b", "press"))
    ]
    third = job("c", 10, start=3, machine="saw", options=(Option(machine="saw", power_kw=(10,), uses=uses),))
    machines = (*furnace(), ProblemMachine(id="saw"))
    posed = plant([1, 2, 9, 9], *jobs, third, resources=(Resource(name="crane", amount=(1,)),), machines=machines)
    plan = planned(posed)
    assert starts(plan)["c"] == 1
    assert [(g.rule, g.by) for g in plan.gave_way] == [
        ("crane", "short of 1 for 60 min from Wed 06:00 as given by production")
    ]


OFF, WARM, ON = (
    MachineState(name="off"),
    MachineState(name="warm", power_kw=2),
    MachineState(name="on", power_kw=6, runs_jobs=True),
)
UP = Transition(from_state="off", to_state="on", slots=2, power_kw=10)
DOWN = Transition(from_state="on", to_state="off", slots=1, power_kw=1)
REST = Transition(from_state="on", to_state="warm")
REHEAT = Transition(from_state="warm", to_state="on", slots=1, power_kw=8)


def states(**said) -> MachineStates:
    usual = {"states": (OFF, WARM, ON), "transitions": (UP, DOWN, REST, REHEAT), "at_start": "off", "at_end": "off"}
    return MachineStates(**{**usual, **said})


def switched(prices, *jobs, **said):
    return plant(prices, *jobs, machines=furnace(states=states(**said)))


@pytest.mark.parametrize(
    ("gap", "cost", "expected"),
    [
        # between two fixed jobs: stay on 6 a slot; warm 2 a slot and 8 to come back; off 1, then 20 to come up
        (1, 0, "//ooo\\--------"),  # 6 < 8
        (2, 0, "//owuo\\-------"),  # 2 + 8 < 12
        (5, 0, "//owwwwuo\\----"),  # 8 + 8 = 16 < 21
        (8, 0, "//o\\-----//o\\-"),  # 21 < 7 * 2 + 8 = 22
        (8, 2, "//owwwwwwwuo\\-"),  # a start costs 2 more: 23
    ],
)
def test_two_jobs_with_a_gap(gap: int, cost: float, expected: str) -> None:
    jobs = [job("a", 1, start=2, fixed=at("a", 2)), job("b", 1, start=3 + gap, fixed=at("b", 3 + gap))]
    moves = (replace(UP, cost=cost), DOWN, REST, REHEAT)
    plan = planned(switched([1.0] * 14, *jobs, transitions=moves))
    assert row(plan) == expected
    assert paid(plan, LineKind.START) == cost * (1 + ("\\-" in expected and expected.count("/") > 2))


def test_heating_up_from_warm_takes_less_than_from_cold() -> None:
    cold = planned(switched([1.0] * 6, job("a", 1, start=3, earliest=3, must_end=4)))
    warm = planned(switched([1.0] * 6, job("a", 1, start=3, earliest=3, must_end=4), at_start="warm", at_end="off"))
    assert (row(cold), sum(cold.import_kw)) == ("-//o\\-", 20 + 7 + 1)
    assert (row(warm), sum(warm.import_kw)) == ("wwuo\\-", 4 + 8 + 7 + 1)


def test_a_job_waits_for_a_cheap_heat_up() -> None:
    plan = planned(switched([9, 9, 1, 1, 2, 2, 2, 2], job("a", 1, start=2)))
    assert starts(plan) == {"a": 4}
    assert row(plan) == "--//o\\--"


def test_where_switching_gains_nothing_the_plant_does_as_it_does() -> None:
    idle = (MachineState(name="off"), MachineState(name="on", runs_jobs=True))
    moves = (Transition(from_state="off", to_state="on"), Transition(from_state="on", to_state="off"))
    jobs = [job("a", 1, start=1), job("b", 1, start=4)]
    plan = planned(switched([1.0] * 6, *jobs, states=idle, transitions=moves))
    assert row(plan) == "-oooo-"
    assert plan.how.found is HowFound.NOTHING_TO_GAIN


def test_a_heat_up_makes_a_peak_like_any_load() -> None:
    """Coming up while the press runs would make a peak of 20 kW."""
    press = job("p", 10, start=1, fixed=at("p", 1, "press"), machine="press")
    window = DemandWindow(name="peak", per_kw=10, slots=tuple(range(6)))
    posed = replace(switched([1, 1, 1, 1, 1, 1], press, job("a", 1, start=3)), demand=(window,))
    assert starts(planned(posed)) == {"p": 1, "a": 4}


def test_a_machine_that_cannot_be_up_in_time_is_named_and_the_job_moves() -> None:
    early = switched([1, 1, 1, 2, 3, 4, 5, 6], job("a", 1, start=1))
    assert starts(planned(early)) == {"a": 2}
    stuck = planned(switched([1.0] * 8, job("a", 1, start=1, must_end=2)))
    assert starts(stuck) == {"a": 1}
    assert [(g.rule, g.by) for g in stuck.gave_way] == [
        ("Furnace is up before it runs a", "the job stays at Wed 07:00")
    ]
    late = planned(switched([1.0] * 4, job("a", 1, start=3, earliest=3)))
    assert row(late) == "-//o"
    assert [g.rule for g in late.gave_way] == ["Furnace is off at the end"]


def test_several_jobs_at_once_need_the_machine_up_together() -> None:
    jobs = [job("a", 1, start=2, move_price=0.02), job("b", 1, start=4)]  # b is the cheaper one to move
    machines = furnace(states=states(), capacity=None)
    plan = planned(plant([1.0] * 8, *jobs, machines=machines))
    assert starts(plan) == {"a": 2, "b": 2}
    assert row(plan) == "//o\\----"


A_TO_B = Setup(from_family="A", to_family="B", slots=1, power_kw=2, cost=3)
B_TO_A = Setup(from_family="B", to_family="A", slots=1, power_kw=2, cost=3)


def of(id: str, family: str, start: int, *powers: float, **other):
    return job(id, *(powers or (10,)), start=start, family=family, **other)


def test_families_are_grouped_where_that_saves_setups() -> None:
    """A-B-A-B by family: two setups less are worth 6, moving costs cents."""
    jobs = [of("a", "A", 0), of("b", "B", 2), of("c", "A", 4), of("d", "B", 6)]
    posed = plant([1.0] * 8, *jobs, machines=furnace(setups=(A_TO_B, B_TO_A), family_at_start="A"))
    plan = planned(posed)
    order = sorted(starts(plan), key=starts(plan).__getitem__)
    assert (order[:2], paid(plan, LineKind.SETUP)) == (["a", "c"], 3)
    assert sum(plan.import_kw) == 42


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"a": 0, "b": 2}),  # an hour between them for the setup
        ({"setups": ()}, {"a": 0, "b": 1}),
        ({"closed": (Closed(start=1, end=2),)}, {"a": 0, "b": 3}),  # nobody sets up a closed machine
        ({"family_at_start": "B"}, {"b": 0, "a": 2}),  # to begin with A would be a setup more
    ],
)
def test_a_setup_takes_the_slots_before_the_next_run(said: dict, expected: dict[str, int]) -> None:
    jobs = [of("a", "A", 5), of("b", "B", 6)]
    machines = furnace(**{"setups": (A_TO_B, B_TO_A), "family_at_start": "A", **said})
    assert starts(planned(plant([1, 2, 3, 4, 9, 9, 9, 9], *jobs, machines=machines))) == expected


def test_a_setup_within_a_family_is_done_where_it_is_declared() -> None:
    within = Setup(from_family="A", to_family="A", slots=1, power_kw=1)
    jobs = [of("a", "A", 5), of("b", "A", 7)]
    machines = furnace(setups=(within,), family_at_start="A")
    assert sorted(starts(planned(plant([1, 2, 3, 4, 9, 9, 9, 9], *jobs, machines=machines))).values()) == [1, 3]


def test_what_production_leaves_no_time_to_set_up_may_stay() -> None:
    jobs = [of("a", "A", 0, 10, fixed=at("a", 0)), of("b", "B", 1, must_end=2)]
    plan = planned(plant([1.0] * 4, *jobs, machines=furnace(setups=(A_TO_B,), family_at_start="A")))
    assert starts(plan) == {"a": 0, "b": 1}
    assert [(g.rule, g.by) for g in plan.gave_way] == [
        ("Furnace is set up for B before b", "60 min are missing as given by production")
    ]


def test_a_cheap_night_without_a_crew_is_not_used_and_a_premium_only_where_it_pays() -> None:
    prices = [5, 5, 1, 1, 4, 5]
    need = (CrewNeed(skill="caster"),)

    def start(people, premium=()) -> int:
        rosters = (Roster(skill="caster", people=people, premium_per_hour=premium),)
        return starts(planned(plant(prices, job("a", 10, start=0, needs=need), rosters=rosters)))["a"]

    assert start((1, 1, 0, 0, 1, 1)) == 4  # nobody works at 3 a.m., however cheap it is
    assert start((1,) * 6) == 2
    assert start((1,) * 6, (0, 0, 25, 25, 0, 0)) == 2  # 10 + 25 < 40
    assert start((1,) * 6, (0, 0, 35, 31, 0, 0)) == 4  # 10 + 31 > 40


def test_the_search_pays_premiums_too() -> None:
    rosters = (Roster(skill="caster", people=(1,) * 4, premium_per_hour=(0, 20, 0, 0)),)
    posed = plant([5, 1, 4, 5], job("a", 5, start=0, needs=(CrewNeed(skill="caster"),)), rosters=rosters)
    found = Greedy(groups=20).solve(posed, seconds=10).plan
    assert found is not None
    assert starts(found) == {"a": 2}


def test_maintenance_to_be_placed_is_a_job_without_power() -> None:
    """Two hours of inspection before slot 6, beside a job that wants the cheap slots."""
    inspection = job("inspection", 0, 0, start=0, must_end=6)
    plan = planned(plant([9, 8, 1, 1, 7, 6], inspection, job("a", 10, 10, start=4)))
    assert starts(plan) == {"inspection": 0, "a": 2}
    assert plan.bill.money == 20
