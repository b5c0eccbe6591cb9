"""Machines that are switched: what the plant does by itself, what it draws and costs, and what cannot be."""

from dataclasses import replace

import pytest

from energy.model.plan import LineKind, StateRow
from energy.model.problem import MachineState, MachineStates, ProblemMachine, Transition
from energy.planning.check import check
from energy.planning.price import Choice, plant_load_kw, price_plan, whole
from energy.planning.sound import mistakes_in
from tests.planning.tables import GIVEN, at, job, problem

OFF, STANDBY, ON = (
    MachineState(name="off"),
    MachineState(name="standby", power_kw=10),
    MachineState(name="on", power_kw=20, runs_jobs=True),
)
UP = Transition(from_state="off", to_state="on", slots=2, power_kw=50, cost=8)
DOWN = Transition(from_state="on", to_state="off", slots=1, power_kw=5)
REST = Transition(from_state="on", to_state="standby", cost=0.5)
WAKE = Transition(from_state="standby", to_state="on", slots=1, power_kw=30, cost=1)


def states(**said) -> MachineStates:
    whole_ = {"states": (OFF, STANDBY, ON), "transitions": (UP, DOWN, REST, WAKE), "at_start": "off", "at_end": "off"}
    return MachineStates(**{**whole_, **said})


def plant(*jobs, slots=8, **said):
    machines = (ProblemMachine(id="furnace", name="Furnace 1", states=states(**said)),)
    return problem(*jobs, slots=slots, machines=machines, base_load_kw=(0.0,) * slots)


def given(posed, row=None, *places):
    """A plan with this row of states, written as one letter a slot: - off, / off>on, o on, \\ on>off, s standby, w wake."""
    names = {"-": "off", "/": "off>on", "o": "on", "\\": "on>off", "s": "standby", "w": "standby>on"}
    named = {} if row is None else {"furnace": tuple(names[letter] for letter in row)}
    return price_plan(posed, places or [j.as_is for j in posed.jobs], states=named, how=GIVEN)


def row_of(plan) -> str:
    letters = {"off": "-", "off>on": "/", "on": "o", "on>off": "\\", "standby": "s", "standby>on": "w"}
    return "".join(letters[name] for name in plan.states[0].states)


def broken(posed, plan) -> list[tuple[str, str, int | None, float]]:
    return [(v.rule, v.subject, v.slot, v.size) for v in check(posed, plan)]


@pytest.mark.parametrize(
    ("jobs", "said", "row"),
    [
        ([job("a", 40, 40, start=3)], {}, "-//oo\\--"),  # just in time up, after the last run down
        ([job("a", 40, start=2), job("b", 40, start=5)], {}, "//oooo\\-"),  # it stays up in between
        ([job("a", 40, start=3)], {"at_start": "on"}, "oooo\\---"),  # it is up already, and stays
        ([job("a", 40, start=3)], {"at_end": None}, "-//o\\---"),  # it goes back to how it was
        ([job("a", 40, start=3)], {"at_start": "on", "at_end": None}, "oooo\\---"),  # or where it draws least
        ([job("a", 40, start=3)], {"at_end": "on"}, "-//ooooo"),
        ([], {"at_end": "on"}, "------//"),  # to end up, no sooner than it must
        ([], {}, "--------"),
        ([], {"at_start": "on"}, "\\-------"),  # nothing to do: down at once
        ([job("a", 40, start=2)], {"at_start": "standby"}, "swo\\----"),
        ([job("a", 40, start=1)], {}, "//\\-----"),  # too early for it: it does what it can, and `check` says so
        ([job("a", 40, start=7)], {}, "-----//o"),  # it cannot be down in time
    ],
)
def test_the_plants_own_rule(jobs, said, row):
    assert row_of(given(plant(*jobs, **said))) == row


def test_what_the_states_draw_and_cost():
    posed = plant(job("a", 40, 40, start=3))
    plan = given(posed)
    assert plan.import_kw == (0, 50, 50, 60, 60, 5, 0, 0)
    assert [
        (line.name, line.quantity, line.unit, line.amount) for line in plan.bill.lines if line.kind is LineKind.START
    ] == [("furnace off>on", 1, "times", 8)]
    assert plan.bill.money == pytest.approx(225 * 0.10 + 8)
    assert broken(posed, plan) == []


@pytest.mark.parametrize(
    ("row", "kwh", "starts"),
    [
        ("//oooooo\\-", 100 + 6 * 20 + 5, {"furnace off>on": (1, 8)}),  # stays up through the gap
        (
            "//osssso\\-"[:6] + "wo\\-",
            100 + 2 * 20 + 3 * 10 + 30 + 5,
            {  # standby in slots 3 to 5, then wakes
                "furnace off>on": (1, 8),
                "furnace on>standby": (1, 0.5),
                "furnace standby>on": (1, 1),
            },
        ),
        ("//o\\-//o\\-", 2 * (100 + 20 + 5), {"furnace off>on": (2, 16)}),  # off and on again
    ],
)
def test_two_jobs_with_a_gap(row, kwh, starts):
    posed = plant(job("a", 40, start=2), job("b", 40, start=7), slots=10)
    plan = given(posed, row)
    assert sum(plan.import_kw) == kwh + 80
    assert {x.name: (x.quantity, x.amount) for x in plan.bill.lines if x.kind is LineKind.START} == starts
    assert broken(posed, plan) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("-//oo\\--", []),
        ("//ooo\\--", []),  # sooner up is allowed, and paid
        ("-//ooss-", [("state change", "furnace", 7, 1)]),  # no way from standby to off
        ("--ooo\\--", [("state change", "furnace", 2, 1)]),  # off does not come on at once
        ("--/oo\\--", [("state change", "furnace", 2, 1)]),  # half a heat-up is none
        ("///oo\\--", [("state change", "furnace", 0, 2)]),  # nor are three halves; and it was on after the first two
        ("-//oo\\\\-", [("state change", "furnace", 6, 1)]),
        ("-//ooooo", [("state at the end", "furnace", 8, 1)]),
        ("-//o\\---", [("machine not up", "a", 4, 1)]),
        ("--------", [("machine not up", "a", 3, 2)]),
        ("-//sw\\--", [("machine not up", "a", 3, 2)]),
    ],
)
def test_what_a_machine_cannot_do(row, expected):
    posed = plant(job("a", 40, 40, start=3))
    found = broken(posed, given(posed, row))
    assert found == expected


def test_rows_that_are_none_are_named_before_anything_is_reckoned():
    posed = plant(job("a", 40, 40, start=3))
    plan = given(posed)

    def said(*rows):
        return [v.what for v in check(posed, replace(plan, states=rows))]

    row = plan.states[0]
    assert said() == ["furnace has states, and no row says in which it is"]
    assert said(row, row) == ["furnace has two rows of states"]
    assert said(row, StateRow(machine="press", states=("off",) * 8)) == ["press has no states, and has a row of them"]
    assert said(replace(row, states=row.states[:7])) == ["furnace has 7 states; the horizon has 8 slots"]
    assert said(replace(row, states=("of", *row.states[1:]))) == [
        "furnace is 'of' Wed 20 May 06:00, which is no state of it"
    ]


def test_a_bill_without_the_starts_is_found():
    posed = plant(job("a", 40, 40, start=3))
    plan = given(posed)
    lines = tuple(line for line in plan.bill.lines if line.kind is not LineKind.START)
    assert broken(posed, replace(plan, bill=replace(plan.bill, lines=lines))) == [
        ("bill", "start furnace off>on", None, 8)
    ]


def test_between_two_slots_the_cheapest_chain_counts():
    chain = (
        Transition(from_state="off", to_state="standby", cost=2),
        Transition(from_state="standby", to_state="on", cost=3),
        Transition(from_state="off", to_state="on", cost=9),
        DOWN,
    )
    posed = plant(job("a", 40, start=1), transitions=chain)
    plan = given(posed)
    assert row_of(plan) == "-o\\-----"
    assert plan.bill.amount(LineKind.START) == 5
    assert broken(posed, plan) == []


def test_a_job_that_runs_already_needs_its_machine_up_from_slot_0():
    posed = plant(job("a", 40, 40, start=-1, fixed=at("a", -1)), at_start="on")
    plan = given(posed)
    assert row_of(plan) == "o\\------"
    assert broken(posed, plan) == []
    assert mistakes_in(posed) == ()
    cold = plant(job("a", 40, 40, start=-1, fixed=at("a", -1)))
    assert [f"{m.where}: {m.what}" for m in mistakes_in(cold)] == [
        "jobs[0].fixed: a is fixed there from slot -1, but furnace stands in 'off' at the start, and is up after "
        "2 slots at the earliest"
    ]


def test_a_choice_names_what_it_wants_and_the_rest_is_the_plants():
    posed = plant(job("a", 40, 40, start=3))
    named = Choice(placements=(at("a", 3),), states={"furnace": ("on",) * 8})
    assert whole(posed, named) == named
    assert list(plant_load_kw(posed, named)) == [20, 20, 20, 60, 60, 20, 20, 20]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"at_start": "of"}, ["machines[0].states.at_start: no state 'of'; did you mean 'off'?"]),
        ({"at_end": "cold"}, ["machines[0].states.at_end: no state 'cold'; known: off, standby, on"]),
        (
            {"states": (OFF, replace(OFF, name="a>b", power_kw=-1), ON, ON)},
            [
                "machines[0].states.states[3]: same name 'on' as machines[0].states.states[2]",
                "machines[0].states.states[1].name: 'a>b' is no name for a state: some text without '>'",
                "machines[0].states.states[1].power_kw: -1 is negative",
                "machines[0].states.transitions[2].to_state: no state 'standby'; known: off, a>b, on, on",
                "machines[0].states.transitions[3].from_state: no state 'standby'; known: off, a>b, on, on",
            ],
        ),
        (
            {"transitions": (UP, DOWN, UP, Transition(from_state="on", to_state="on", slots=-1, cost=float("nan")))},
            [
                "machines[0].states.transitions[3]: leads from 'on' to itself",
                "machines[0].states.transitions[3].slots: -1 is negative",
                "machines[0].states.transitions[3].cost: nan is not a number that can be planned with; "
                "fill the gap first",
                "machines[0].states.transitions[2]: same transition 'off>on' as machines[0].states.transitions[0]",
            ],
        ),
        (
            {"transitions": (DOWN,)},
            ["machines[0].states.transitions: no way leads from 'off' to a state that runs jobs (on)"],
        ),
        (
            {"states": (OFF, STANDBY, replace(ON, runs_jobs=False))},
            ["machines[0].states.states: none of them runs jobs, and jobs have options on this machine"],
        ),
        (
            {"at_end": "standby", "transitions": (UP, DOWN)},
            ["machines[0].states.at_end: no way leads from 'off' to 'standby'"],
        ),
        (
            {"at_end": "on", "transitions": (replace(UP, slots=9),)},
            ["machines[0].states.at_end: the way from 'off' to 'on' takes 9 slots; there are 8"],
        ),
    ],
)
def test_what_a_problem_must_not_say_of_states(said, expected):
    posed = plant(job("a", 40, start=3), **said)
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == expected
