"""What stands in the way of better, as money: one tight rule at a time has a little more room."""

from dataclasses import replace
from typing import Any

import pytest

from energy.model.plan import Plan
from energy.model.problem import (
    Closed,
    CrewNeed,
    Feeder,
    Limit,
    Option,
    Problem,
    ProblemMachine,
    Resource,
    Roster,
    ShiftHours,
    Use,
)
from optimizer.bottlenecks import Bottlenecks, bottlenecks
from optimizer.levers import levers
from optimizer.milp import Milp
from tests.optimizer.plants import job, plant

LOADS = (CrewNeed(skill="loader"),)


def planned(problem: Problem) -> Plan:
    made = Milp(gap=0.0, process=False).solve(problem, seconds=20).plan
    assert made is not None
    return made


def found(problem: Problem) -> Bottlenecks:
    return bottlenecks(problem, planned(problem), seconds=20, process=False)


def gains(problem: Problem) -> dict[str, float]:
    return {one.words: round(one.gains, 4) for one in found(problem).found}


def free(*power_kw: float, id: str, **other: Any) -> Any:
    return job(id, *power_kw, move_price=0.0, **other)


def test_two_jobs_that_want_the_one_cheap_hour_of_a_furnace() -> None:
    """10 kWh cost 1.00 in the cheap hour and 3.00 in any other: a second furnace gains 2.00, proven."""
    problem = plant([0.3, 0.1, 0.3], free(10.0, id="a", start=0), free(10.0, id="b", start=2))
    (one,) = found(problem).found
    assert (one.kind, one.words) == ("machine", "a second machine like Furnace")
    assert (one.gains, one.at_most) == (pytest.approx(2.0), pytest.approx(2.0, abs=0.01))


def test_an_hour_of_a_closed_span_open() -> None:
    """The furnace opens at 08:00 and the only job starts then, at 0.30; an hour earlier it is 0.10."""
    machines = (ProblemMachine(id="furnace", name="Furnace", closed=(Closed(start=0, end=2, why="night"),)),)
    problem = plant([0.1, 0.1, 0.3, 0.5], free(10.0, id="a", start=2), machines=machines)
    assert gains(problem) == {"Furnace open one hour earlier (Wed 07:00 to 08:00)": 2.0}


def test_one_loader_more_in_the_shift_in_which_the_cheap_hour_is() -> None:
    problem = plant(
        [0.1, 0.3, 0.3],
        free(10.0, id="a", start=0, needs=LOADS),
        free(10.0, id="b", start=1, machine="press", needs=LOADS),
        rosters=(Roster(skill="loader", people=(1, 1, 1)),),
        shifts=(ShiftHours(name="early", start=0, end=2), ShiftHours(name="late", start=2, end=3)),
    )
    assert gains(problem) == {"one more loader in the shift early (2 h)": 2.0}


def test_one_move_more() -> None:
    """Two jobs would go to the cheap hours for 2.00 each; the shift bears one."""
    problem = plant(
        [0.3, 0.3, 0.1, 0.1],
        free(10.0, id="a", start=0),
        free(10.0, id="b", start=1, machine="press"),
        shifts=(ShiftHours(name="early", start=0, end=4, max_moves=1),),
    )
    assert gains(problem) == {"one more moved job in the shift early": 2.0}


@pytest.mark.parametrize(
    ("words", "room"),
    [
        ("10 % more import limit (22 kW)", {"import_limit_kw": 20.0}),
        ("10 % more under agreed (22 kW)", {"limits": (Limit(name="agreed", start=0, end=3, limit_kw=20.0),)}),
        (
            "10 % more on Feeder 1 (22 kW)",
            {"feeders": (Feeder(id="f1", name="Feeder 1", machines=("furnace", "press"), limit_kw=20.0),)},
        ),
    ],
)
def test_a_tenth_more_of_a_limit(words: str, room: dict[str, Any]) -> None:
    """11 kW on each machine do not fit under 20 kW in the cheap hour, and do under 22 kW: 11 kWh for 1.10 not 3.30."""
    problem = plant([0.1, 0.3, 0.3], free(11.0, id="a", start=0), free(11.0, id="b", start=1, machine="press"), **room)
    assert gains(problem) == {words: 2.2}


def test_where_nothing_is_tight_nothing_gains() -> None:
    told = found(plant([0.3, 0.1], free(10.0, id="a", start=0)))
    assert (told.found, told.not_looked_at, told.again_gains) == ((), (), 0.0)


def test_a_plan_that_is_not_the_best_gains_by_planning_again_alone() -> None:
    """What planning again finds with nothing changed is no bottleneck's gain."""
    problem = plant([0.3, 0.1, 0.3], free(10.0, id="a", start=0), free(10.0, id="b", start=2))
    as_it_stands = planned(replace(problem, jobs=tuple(replace(j, fixed=j.in_force) for j in problem.jobs)))
    told = bottlenecks(problem, as_it_stands, seconds=20, process=False)
    assert told.again_gains == pytest.approx(2.0)
    assert [round(one.gains, 4) for one in told.found] == [2.0]


def test_a_job_that_need_no_longer_stand_against_a_fact_goes_first() -> None:
    """The furnace is down until 08:00 and then full; with a second one nobody stays in the breakdown."""
    down = Closed(start=0, end=2, why="breakdown")
    problem = plant(
        [0.1] * 4,
        free(10.0, 10.0, id="a", start=0),
        free(10.0, 10.0, id="b", start=2),
        machines=(ProblemMachine(id="furnace", name="Furnace", closed=(down,)),),
    )
    told = found(problem).found
    assert (told[0].words, told[0].fewer_broken, told[0].at_most) == ("a second machine like Furnace", 1, None)


def test_for_want_of_time_it_names_what_it_has_not_looked_at() -> None:
    problem = plant([0.3, 0.1, 0.3], free(10.0, id="a", start=0), free(10.0, id="b", start=2))
    told = bottlenecks(problem, planned(problem), seconds=0.01, process=False)
    assert told.not_looked_at == ("a second machine like Furnace",)


def test_a_scarce_resource_has_a_lever_where_a_run_could_not_find_it() -> None:
    def moulds(amount: float) -> list[str]:
        uses = (Use(resource="moulds", amount=2.0),)
        jobs = [
            replace(free(10.0, id=id, start=0, machine=m), options=(Option(machine=m, power_kw=(10.0,), uses=uses),))
            for id, m in (("a", "furnace"), ("b", "press"))
        ]
        problem = plant([0.1, 0.3], *jobs, resources=(Resource(name="moulds", amount=(amount,)),))
        return [lever.words for lever in levers(problem, planned(problem))]

    assert moulds(4.0) == ["one more moulds"]
    assert moulds(6.0) == []
