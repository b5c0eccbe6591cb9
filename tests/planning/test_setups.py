"""Machines that are set up for families, and what people cost at a premium: small tables."""

from dataclasses import replace

import pytest

from energy.model.calendar import Attended
from energy.model.plan import LineKind
from energy.model.problem import (
    Closed,
    CrewNeed,
    Interruptible,
    Option,
    Precedence,
    ProblemMachine,
    Roster,
    Setup,
)
from energy.planning.check import check
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from tests.planning.tables import GIVEN, at, job, problem

A_TO_B = Setup(from_family="A", to_family="B", slots=1, power_kw=7, cost=3)
TO_A = Setup(from_family="", to_family="A", slots=1, power_kw=5, cost=2)


def of(id, family, start, *powers, **other):
    return job(id, *(powers or (40,)), start=start, family=family, **other)


def plant(*jobs, setups=(A_TO_B, TO_A), slots=8, **other):
    machines = (ProblemMachine(id="furnace", name="Furnace 1", setups=setups, **other), ProblemMachine(id="press"))
    return problem(*jobs, slots=slots, machines=machines, base_load_kw=(0.0,) * slots)


def priced(posed):
    return price_plan(posed, [j.as_is for j in posed.jobs], how=GIVEN)


def setups(plan):
    return {line.name: (line.quantity, line.amount) for line in plan.bill.lines if line.kind is LineKind.SETUP}


def broken(posed, plan=None):
    return [(v.rule, v.subject, v.slot, v.size) for v in check(posed, plan or priced(posed))]


@pytest.mark.parametrize(
    ("jobs", "machine", "load", "lines"),
    [
        ([of("a", "A", 1), of("b", "A", 2)], {}, (5, 40, 40), {"furnace to A": (1, 2)}),  # none within a family
        ([of("a", "A", 1), of("b", "A", 2)], {"family_at_start": "A"}, (0, 40, 40), {}),
        ([of("a", "A", 1), of("b", "A", 2)], {"family_at_start": "B"}, (5, 40, 40), {"furnace from B to A": (1, 2)}),
        (  # the setup is done just before the run, however long the machine has been free
            [of("a", "A", 0), of("b", "B", 5)],
            {"family_at_start": "A"},
            (40, 0, 0, 0, 7, 40),
            {"furnace from A to B": (1, 3)},
        ),
        (  # A-B-A-B: back to A by "any other"
            [of("a", "A", 1), of("b", "B", 3), of("c", "A", 5), of("d", "B", 7)],
            {},
            (5, 40, 7, 40, 5, 40, 7, 40),
            {"furnace to A": (1, 2), "furnace from A to B": (2, 6), "furnace from B to A": (1, 2)},
        ),
        ([of("b", "B", 0)], {}, (40,), {}),  # nothing is declared for B but from A
        ([of("a", "A", 1), of("x", "", 2), of("b", "A", 3)], {}, (5, 40, 40, 40), {"furnace to A": (1, 2)}),
        (  # what is declared within a family is needed
            [of("a", "A", 1), of("b", "A", 3)],
            {"setups": (TO_A, Setup(from_family="A", to_family="A", slots=1, power_kw=1, cost=1))},
            (5, 40, 1, 40),
            {"furnace to A": (1, 2), "furnace from A to A": (1, 1)},
        ),
        (
            [of("a", "A", -1, 40, 40, fixed=at("a", -1)), of("b", "B", 2)],
            {},
            (40, 7, 40),
            {"furnace from A to B": (1, 3)},
        ),
    ],
)
def test_setups_between_families(jobs, machine, load, lines):
    posed = plant(*jobs, **machine)
    plan = priced(posed)
    assert plan.import_kw == (*load, *(0,) * (8 - len(load)))
    assert setups(plan) == lines
    assert broken(posed) == []


@pytest.mark.parametrize(
    ("jobs", "machine", "expected"),
    [
        ([of("a", "A", 0, 40, 40), of("b", "B", 3)], {}, []),
        ([of("a", "A", 0, 40, 40), of("b", "B", 2)], {}, [("setup", "b", 1, 1)]),  # no slot between them
        ([of("a", "A", 0), of("b", "B", 3)], {"closed": (Closed(start=2, end=3),)}, [("setup", "b", 2, 1)]),
        ([of("a", "A", 0), of("b", "B", 3)], {"closed": (Closed(start=1, end=2),)}, []),
        ([of("b", "B", 0)], {}, [("setup", "b", -1, 1)]),  # it should have begun before the planned time
        ([of("a", "A", 0), of("x", "", 2), of("b", "B", 3)], {}, [("setup", "b", 2, 1)]),
    ],
)
def test_a_setup_needs_its_slots(jobs, machine, expected):
    assert broken(plant(*jobs, **{"family_at_start": "A", **machine})) == expected


def test_a_missing_setup_is_said_in_words():
    posed = plant(of("a", "A", 0, 40, 40), of("b", "B", 2), family_at_start="A")
    (said,) = check(posed, priced(posed))
    assert said.what == ("b needs Furnace 1 set up for B before it; 1 h of that are missing: Wed 20 May 07:00 is taken")


def test_a_machine_that_keeps_a_melt_cannot_be_set_up():
    pour = job("p", 1, start=3, machine="press", after=(Precedence(job="a", keeps_machine=True),))
    posed = plant(of("a", "A", 0), pour, of("b", "B", 3), family_at_start="A")
    assert ("setup", "b", 2, 1) in broken(posed)


def test_a_run_that_goes_on_is_set_up_again_where_another_family_came_between():
    option = Option(machine="furnace", power_kw=(40, 40), interruptible=Interruptible(longest_pause_slots=9))
    paused = of("a", "A", 0, options=(option,), as_is=replace(at("a", 0), power_kw=(40, 0, 0, 0, 40)))
    alone = plant(paused, family_at_start="A")
    assert setups(priced(alone)) == {}
    posed = plant(paused, of("b", "B", 2), family_at_start="A")
    assert priced(posed).import_kw == (40, 7, 40, 5, 40, 0, 0, 0)
    assert setups(priced(posed)) == {"furnace from A to B": (1, 3), "furnace from B to A": (1, 2)}
    assert [v for v in broken(posed) if v[0] in {"setup", "bill", "balance"}] == []


def test_a_bill_without_the_setups_is_found():
    posed = plant(of("a", "A", 0), of("b", "B", 3), family_at_start="A")
    plan = priced(posed)
    lines = tuple(line for line in plan.bill.lines if line.kind is not LineKind.SETUP)
    assert broken(posed, replace(plan, bill=replace(plan.bill, lines=lines))) == [
        ("bill", "setup furnace from A to B", None, 3)
    ]


def test_what_a_problem_must_not_say_of_setups():
    posed = problem(
        of("a", "A", 0),
        machines=(
            ProblemMachine(
                id="furnace",
                capacity=2,
                family_at_start="Ab",
                setups=(TO_A, TO_A, Setup(from_family="A", to_family="", slots=6, power_kw=-1, cost=float("nan"))),
            ),
        ),
    )
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == [
        "machines[0].family_at_start: no family 'Ab'; did you mean 'A'?",
        "machines[0].setups: only a machine that runs one job at a time can be set up for a family",
        "machines[0].setups[2].to_family: is empty; it names the family that the machine is set up for",
        "machines[0].setups[2].slots: 6 is no setup within a horizon of 6 slots",
        "machines[0].setups[2].power_kw: -1 is negative",
        "machines[0].setups[2].cost: nan is not a number that can be planned with; fill the gap first",
        "machines[0].setups[1]: same setup 'from any other to A' as machines[0].setups[0]",
    ]


@pytest.mark.parametrize(
    ("attended", "hours", "money"),
    [
        (Attended.RUN, 4, 2 * (10 + 30)),  # two people in slots 2 and 3; slot 4 has no premium
        (Attended.START, 2, 2 * 10),
        (Attended.ENDS, 2, 2 * 10),
    ],
)
def test_people_at_a_premium_stand_on_the_bill(attended, hours, money):
    needs = (CrewNeed(skill="caster", people=2, attended=attended), CrewNeed(skill="crane"))
    rosters = (
        Roster(skill="caster", people=(2,) * 6, premium_per_hour=(0, 0, 10, 30, 0, 0)),
        Roster(skill="crane", people=(2,) * 6),
    )
    posed = problem(job("a", 50, 50, 50, start=2, needs=needs), rosters=rosters)
    plan = priced(posed)
    (line,) = [line for line in plan.bill.lines if line.kind is LineKind.LABOUR]
    assert (line.name, line.quantity, line.unit, line.amount) == ("caster at a premium", hours, "h", money)
    assert broken(posed) == []
    assert plan.bill.money == pytest.approx(75 + money)
    lines = tuple(line for line in plan.bill.lines if line.kind is not LineKind.LABOUR)
    assert broken(posed, replace(plan, bill=replace(plan.bill, lines=lines))) == [
        ("bill", "labour caster at a premium", None, money)
    ]


def test_premiums_are_as_long_as_the_horizon_and_no_discount():
    posed = problem(rosters=(Roster(skill="caster", people=(1,) * 6, premium_per_hour=(0, -1)),))
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == [
        "rosters[0].premium_per_hour: has 2 values; the horizon has 6 slots",
        "rosters[0].premium_per_hour[1]: -1 is negative",
    ]


def test_a_run_beyond_the_horizon_is_set_up_by_another_plan():
    posed = plant(of("a", "A", 8, fixed=at("a", 8)), slots=8)
    assert setups(priced(posed)) == {}
    assert priced(posed).import_kw == (0.0,) * 8
    assert broken(posed) == []
