"""Runs and orders: what a problem may say of them, what they cost, what breaks their rules, and what stands in the way."""

from dataclasses import replace
from typing import Any

import pytest

from energy.model.plan import LineKind
from energy.model.problem import (
    Adjustable,
    Closed,
    CrewNeed,
    Interruptible,
    Option,
    Peg,
    Placement,
    Problem,
    ProblemJob,
    ProblemMachine,
    ProblemOrder,
    Recurring,
    Roster,
    SameOrder,
    ShiftHours,
)
from energy.planning.bundles import moved, trade_back
from energy.planning.check import check, check_placements
from energy.planning.conflict import conflicts
from energy.planning.explain import why_not
from energy.planning.gain_risk import gain_between
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from tests.planning.tables import GIVEN, at, job, problem

BOUNDS = Adjustable(least_kw=10, most_kw=90)
PAUSES = Interruptible(least_run_slots=1, longest_pause_slots=2, most_pauses=1, restart_cost=7)


def powers(*kw: float, id: str = "a", start: int = 0, machine: str = "furnace") -> Placement:
    return Placement(job=id, machine=machine, start=start, power_kw=kw)


def run(*kw: float, id: str = "a", start: int = 0, machine: str = "furnace", **other: Any) -> ProblemJob:
    """A job with one option, of which some fields are told."""
    said = {k: other.pop(k) for k in ("also", "quantity", "adjustable", "interruptible") if k in other}
    option = Option(machine=machine, power_kw=kw, **said)
    return job(id, start=start, machine=machine, options=(option,), **other)


def order(*jobs: str, **other: Any) -> ProblemOrder:
    pegs = tuple(Peg(job=id) for id in jobs)
    return ProblemOrder(**{"id": "o", "pegs": pegs, "quantity": 1.0, **other})


def cleaning(*jobs: str, least: int = 1, most: int | None = 3) -> Recurring:
    return Recurring(name="cleaning", jobs=jobs, least_slots=least, most_slots=most)


# --- sound


@pytest.mark.parametrize(
    ("posed", "expected"),
    [
        (problem(run(50, also=("press",))), []),
        (
            problem(run(50, also=("pres",))),
            ["jobs[0].options[0].also[0]: no machine 'pres'; did you mean 'press'?"],
        ),
        (
            problem(run(50, also=("furnace",))),
            ["jobs[0].options[0]: same machine and mode 'furnace' as jobs[0].options[0]"],
        ),
        (problem(run(50, earliest=3, latest_start=2)), ["jobs[0].latest_start: 2 is before earliest (3)"]),
        (problem(run(50, priority=-1.0)), ["jobs[0].priority: -1 is negative"]),
        (
            problem(run(50, value=float("nan"))),
            ["jobs[0].value: nan is not a number that can be planned with; fill the gap first"],
        ),
        (problem(run(50, quantity=-2.0)), ["jobs[0].options[0].quantity: -2 is negative"]),
        (
            problem(run(50, adjustable=Adjustable(least_kw=60, most_kw=20))),
            ["jobs[0].options[0].adjustable.most_kw: 20 is less than least_kw (60)"],
        ),
        (
            problem(run(50, 99, adjustable=BOUNDS)),
            [
                "jobs[0].options[0].adjustable: power_kw[1] is 99, outside 10 to 90; "
                "without a plan the run draws its own powers"
            ],
        ),
        (
            problem(run(50, 50, adjustable=BOUNDS, interruptible=PAUSES)),
            ["jobs[0].options[0]: is adjustable and interruptible; a run can be one of the two"],
        ),
        (
            problem(run(50, 40, interruptible=PAUSES)),
            ["jobs[0].options[0].power_kw: a run that may pause draws one and the same power above 0 in all its slots"],
        ),
        (
            problem(run(50, interruptible=replace(PAUSES, least_run_slots=2, most_pauses=0, restart_cost=-1.0))),
            [
                "jobs[0].options[0].interruptible.restart_cost: -1 is negative",
                "jobs[0].options[0].interruptible.most_pauses: 0 is too little; there must be at least 1",
                "jobs[0].options[0].interruptible.least_run_slots: 2 is longer than the whole run (1)",
            ],
        ),
        (
            problem(run(50, in_force=powers(60))),
            ["jobs[0].in_force.power_kw: differs from its option, which is neither adjustable nor interruptible"],
        ),
        (
            problem(run(50, 50, adjustable=BOUNDS, in_force=powers(100))),
            ["jobs[0].in_force.power_kw: has 1 values; the run has 2 slots"],
        ),
        (
            problem(run(50, interruptible=PAUSES, as_is=powers(0.0))),
            ["jobs[0].as_is.power_kw: never runs"],
        ),
        (problem(run(50), orders=(order("a"),)), []),
        (
            problem(run(50), orders=(order("b", id="a", quantity=0.0),)),
            [
                "orders[0].id: 'a' is the id of a job too; the bill could not tell them apart",
                "orders[0].pegs[0].job: no job 'b'; known: a",
            ],
        ),
        (
            problem(run(50), orders=(replace(order(), pegs=(Peg(job="a", share=1.5),), rest_slots=-1),)),
            [
                "orders[0].pegs[0].share: 1.5 is no share; it lies above 0 and at most at 1",
                "orders[0].rest_slots: -1 is negative",
            ],
        ),
        (
            problem(run(50, quantity=2.0), orders=(order("a", quantity=3.0, must_end=1, rest_slots=1),)),
            [
                "orders[0].quantity: 3 is more than its jobs can make, which is 2",
                "orders[0].must_end: 1 cannot be kept: a is ready in slot 2 at the soonest",
            ],
        ),
        (
            problem(orders=(order(quantity=0.0),)),
            ["orders[0].pegs: an order needs at least one job that makes something for it"],
        ),
        (
            problem(run(50), recurring=(cleaning("a", "a", "z", least=-1, most=-2),)),
            [
                "recurring[0].jobs[2]: no job 'z'; known: a",
                "recurring[0].jobs[1]: same job 'a' as recurring[0].jobs[0]",
                "recurring[0].least_slots: -1 is negative; the jobs come in the order given",
                "recurring[0].most_slots: -2 is less than least_slots (-1)",
            ],
        ),
        (
            problem(run(50, earliest=4), run(50, id="b", latest_start=4), recurring=(cleaning("a", "b"),)),
            ["recurring[0]: b cannot start 1 slots after a: its window ends before"],
        ),
        (
            problem(run(50, latest_start=1), run(50, id="b", earliest=5), recurring=(cleaning("a", "b"),)),
            ["recurring[0]: b cannot start within 3 slots after a: its window begins later"],
        ),
        (
            problem(run(50), run(50, id="b"), same_order=(SameOrder(name="s", pieces=(("a", "a"), ("b",))),)),
            [
                "same_order[0].pieces[0][1]: same job 'a' as same_order[0].pieces[0][0]",
                "same_order[0].pieces[1]: has 1 stages; pieces[0] has 2",
            ],
        ),
    ],
)
def test_mistakes_are_named_with_their_place(posed: Problem, expected: list[str]) -> None:
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == expected


# --- price


def test_a_run_on_a_machine_alike_draws_the_same() -> None:
    plan = price_plan(problem(run(50, 30, also=("press",))), [at("a", 1, "press")], how=GIVEN)
    assert plan.import_kw == (100, 150, 130, 100, 100, 100)


def test_the_powers_of_a_plan_go_before_those_of_the_option() -> None:
    plan = price_plan(problem(run(50, 30, adjustable=BOUNDS)), [powers(20, 60)], how=GIVEN)
    assert plan.import_kw == (120, 160, 100, 100, 100, 100)
    assert plan.bill.amount(LineKind.MOVE) == 0


def amounts(posed: Problem, *places: Placement) -> dict[tuple[str, str], float]:
    bill = price_plan(posed, places, how=GIVEN).bill
    kinds = {LineKind.LATE, LineKind.LEFT_OUT, LineKind.START, LineKind.MOVE}
    return {(str(line.kind), line.name): line.amount for line in bill.lines if line.kind in kinds}


@pytest.mark.parametrize(
    ("posed", "places", "expected"),
    [
        (problem(run(50, due=1, late_per_hour=5, priority=2.0)), [at("a", 0)], {}),
        (  # one hour late, twice as loud, and moved
            problem(run(50, due=1, late_per_hour=5, priority=2.0)),
            [at("a", 1)],
            {("late", "a"): 10, ("move", "jobs moved from the plan in force"): 2},
        ),
        (problem(run(50, value=9.0)), [at("a", 0)], {}),
        (
            problem(run(50, value=9.0, offered=at("a", 2))),
            [],
            {
                ("left out", "a"): 9,
                ("move", "jobs moved from the plan in force"): 2,
                ("move", "jobs that leave an open offer"): 2,
            },
        ),
        (  # paused twice: restarts, and other pauses are a move
            problem(run(50, 50, 50, interruptible=replace(PAUSES, most_pauses=2))),
            [powers(50, 0, 50, 0, 0, 50)],
            {("start", "restarts"): 14, ("move", "jobs moved from the plan in force"): 2},
        ),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(10, 90)], {}),  # another power moves nobody
        (
            problem(run(50), run(50, id="b"), orders=(order("a", "b", due=4, rest_slots=1),)),
            [at("a", 0), at("b", 0)],
            {},
        ),
        (  # the last run ends after hour 4, and rests one hour; due after 3: two hours at 500, of priority 0.1
            problem(run(50), run(50, id="b", start=3), orders=(order("a", "b", due=3, rest_slots=1, priority=0.1),)),
            [at("a", 0), at("b", 3)],
            {("late", "o"): 100},
        ),
        (problem(run(50, value=0.0), orders=(order("a", due=0),)), [at("a", 0)], {("late", "o"): 500}),
        (
            problem(run(50, value=0.0), orders=(order("a", due=0),)),
            [],
            {("left out", "a"): 0, ("move", "jobs moved from the plan in force"): 2},
        ),
    ],
)
def test_what_runs_and_orders_cost(
    posed: Problem, places: list[Placement], expected: dict[tuple[str, str], float]
) -> None:
    assert amounts(posed, *places) == expected
    assert [v for v in check(posed, price_plan(posed, places, how=GIVEN)) if v.rule == "bill"] == []


# --- check


@pytest.mark.parametrize(
    ("posed", "places", "expected"),
    [
        (problem(run(50, also=("press",))), [at("a", 0, "press")], []),
        (problem(run(50, latest_start=2)), [at("a", 2)], []),
        (problem(run(50, latest_start=2)), [at("a", 4)], [("latest start", "a", 2)]),
        (problem(run(50, value=1.0)), [], []),
        (problem(run(50)), [], [("missing job", "a", 1)]),
        (problem(run(50, value=1.0, fixed=at("a", 0))), [], [("missing job", "a", 1)]),
        # powers
        (problem(run(50)), [powers(50)], []),
        (problem(run(50)), [powers(51)], [("powers", "a", 1)]),
        (problem(run(50)), [powers(50, 50)], [("length of run", "a", 1)]),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(10, 90)], []),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(8, 92)], [("power bounds", "a", 2)]),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(40, 50)], [("energy of run", "a", 10)]),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(100)], [("length of run", "a", 1)]),
        (problem(run(50, 50, adjustable=BOUNDS)), [powers(float("nan"), 50)], [("powers", "a", 1)]),
        (problem(run(50, 50, adjustable=BOUNDS, fixed=at("a", 0))), [powers(40, 60)], []),  # its power is open
        (
            problem(run(50, 50, 50, adjustable=BOUNDS, start=-1, fixed=at("a", -1))),
            [powers(20, 50, 80, start=-1)],  # the first hour is over
            [("power outside the horizon", "a", 30)],
        ),
        # pauses
        (problem(run(50, 50, interruptible=PAUSES)), [powers(50, 0, 0, 50)], []),
        (problem(run(50, 50, interruptible=PAUSES)), [powers(50, 0, 0, 0, 50)], [("longest pause", "a", 1)]),
        (problem(run(50, 50, 50, interruptible=PAUSES)), [powers(50, 0, 50, 0, 50)], [("pauses", "a", 1)]),
        (problem(run(50, 50, interruptible=PAUSES)), [powers(50, 0, 50, 50)], [("length of run", "a", 1)]),
        (problem(run(50, 50, interruptible=PAUSES)), [powers(0, 50, 50)], [("pauses", "a", 1)]),
        (
            problem(run(50, 50, interruptible=PAUSES)),
            [powers(50, 20, 50)],
            [("powers", "a", 20), ("length of run", "a", 1)],
        ),
        (
            problem(run(50, 50, 50, interruptible=replace(PAUSES, least_run_slots=2))),
            [powers(50, 50, 0, 50)],
            [("least run", "a", 1)],
        ),
        # orders
        (problem(run(50, quantity=2.0), orders=(order("a", quantity=2.0),)), [at("a", 0)], []),
        (
            problem(run(50, value=0.0), run(50, id="b", value=0.0, start=1), orders=(order("a", "b", quantity=2.0),)),
            [at("b", 1)],
            [("order quantity", "o", 1)],
        ),
        (
            problem(run(50), orders=(order("a", must_end=3, rest_slots=1),)),
            [at("a", 4)],
            [("order must end", "o", 3)],
        ),
        # rows and pieces
        (
            problem(run(50), run(50, id="b"), recurring=(cleaning("a", "b"),)),
            [at("a", 0), at("b", 5)],
            [("recurs too late", "cleaning: b after a", 2)],
        ),
        (
            problem(
                run(50), run(50, id="b"), run(50, id="c", value=0.0), recurring=(cleaning("a", "c", "b", least=3),)
            ),
            [at("a", 0), at("b", 2)],  # the one between is left out
            [("recurs too soon", "cleaning: b after a", 1)],
        ),
    ],
)
def test_what_breaks_a_rule_of_runs_and_orders(
    posed: Problem, places: list[Placement], expected: list[tuple[str, str, float]]
) -> None:
    found = [(v.rule, v.subject, pytest.approx(v.size)) for v in check_placements(posed, places)]
    assert found == expected


def test_a_pause_holds_neither_machine_nor_crew() -> None:
    posed = problem(
        run(50, 50, interruptible=PAUSES, needs=(CrewNeed(skill="founder"),)),
        run(50, id="b", start=1, needs=(CrewNeed(skill="founder"),)),
        machines=(ProblemMachine(id="furnace", closed=(Closed(start=2, end=3),)),),
        rosters=(Roster(skill="founder", people=(1, 1, 0, 1, 1, 1)),),
    )
    assert check_placements(posed, [powers(50, 0, 0, 50), at("b", 1)]) == []
    clash = [v.rule for v in check_placements(posed, [powers(50, 0, 0, 50), at("b", 3)])]
    assert clash == ["machine overlap", "crew"]


def test_other_pauses_are_a_move_and_another_power_is_none() -> None:
    early = (ShiftHours(name="early", start=0, end=3, max_moves=0),)
    paused = problem(run(50, 50, interruptible=PAUSES), shifts=early)
    assert [v.rule for v in check_placements(paused, [powers(50, 0, 50)])] == ["moves per shift"]
    adjusted = problem(run(50, 50, adjustable=BOUNDS), shifts=early)
    assert check_placements(adjusted, [powers(40, 60)]) == []


PIECES = SameOrder(name="line", pieces=(("a1", "a2"), ("b1", "b2"), ("c1", "c2")))


@pytest.mark.parametrize(
    ("first", "then", "wrong"),
    [
        ((0, 1, 2), (1, 2, 3), []),
        ((0, 1, 2), (3, 3, 3), []),  # together is in order
        ((0, 0, 2), (3, 2, 4), []),
        ((0, 1, 2), (3, 2, 4), ["line: a1 and b1"]),
        ((0, 1, 2), (4, 3, 2), ["line: a1 and b1", "line: a1 and c1", "line: b1 and c1"]),
        ((0, 1, 2), (3, None, 2), ["line: a1 and c1"]),
        ((0, None, 2), (1, 0, 2), []),
    ],
)
def test_no_piece_overtakes_another(
    first: tuple[int | None, ...], then: tuple[int | None, ...], wrong: list[str]
) -> None:
    stages = {"1": ("furnace", first), "2": ("press", then)}
    places = [
        at(f"{piece}{stage}", start, machine)
        for stage, (machine, starts) in stages.items()
        for piece, start in zip("abc", starts, strict=True)
        if start is not None
    ]
    jobs = [run(9, id=f"{p}{s}", machine=m, value=0.0) for p in "abc" for s, (m, _) in stages.items()]
    many = tuple(ProblemMachine(id=id, capacity=None) for id in ("furnace", "press"))
    posed = problem(*jobs, same_order=(PIECES,), machines=many)
    found = [v.subject for v in check_placements(posed, places) if v.rule == "same order"]
    assert found == wrong


# --- why not


@pytest.mark.parametrize(
    ("posed", "start", "expected"),
    [
        (problem(run(50, latest_start=2)), 3, "a must start by 08:00"),
        (
            problem(run(50), orders=(order("a", must_end=3, rest_slots=1),)),
            2,
            "order o would be ready at 10:00, and must by 09:00",
        ),
        (
            problem(run(50), orders=(order("a", due=2, late_per_hour=30.0),)),
            2,
            "order o is ready 1 h after its due time (allowed, costs 30 EUR)",
        ),
        (problem(run(50, due=2, late_per_hour=30.0, priority=2.0)), 2, "ends 1 h after its due time (allowed, costs 60 EUR)"),
        (
            problem(run(50), run(50, id="b", machine="press", start=2), recurring=(cleaning("a", "b"),)),
            2,
            "cleaning: b starts at 08:00, and at least 1 h must lie between",
        ),
        (
            problem(run(50, start=4), run(50, id="b", machine="press", start=1), recurring=(cleaning("b", "a"),)),
            5,
            "cleaning: b starts at 07:00, and at most 3 h may lie between",
        ),
        (
            problem(
                run(50), run(50, id="a2", machine="press", start=1),
                run(50, id="b", start=2), run(50, id="b2", machine="press", start=4),
                same_order=(SameOrder(name="line", pieces=(("a", "a2"), ("b", "b2"))),),
            ),
            3,
            "line: b starts at 08:00, and no piece may overtake another",
        ),
        (
            problem(run(50), replace(run(50, 50, id="b", interruptible=PAUSES), in_force=powers(50, 0, 50, id="b", start=2))),
            3,
            "",  # in the pause of the other
        ),
    ],
)  # fmt: skip
def test_why_not_there(posed: Problem, start: int, expected: str) -> None:
    assert why_not(posed, "a", "furnace", start) == expected


def test_a_job_that_a_plan_leaves_out_is_in_nobodys_way() -> None:
    posed = problem(run(50), run(50, id="b", start=3, value=1.0))
    assert why_not(posed, "a", "furnace", 3) == "Furnace runs b until 10:00"
    assert why_not(posed, "a", "furnace", 3, places={"a": at("a", 0)}) == ""


def test_an_order_that_cannot_be_ready_is_named_with_the_least_that_would_cure_it() -> None:
    shut = (ProblemMachine(id="furnace", name="Furnace 2", closed=(Closed(start=0, end=3, why="maintenance"),)),)
    posed = problem(run(50, 50, start=3), orders=(order("a", id="4711", must_end=5, rest_slots=1),), machines=shut)
    (found,) = conflicts(posed)
    assert found.sentence == (
        "Furnace 2 cannot run a: order 4711 must be ready by 11:00 and rests 1 h and it is in maintenance until 09:00 "
        "and needs 2 h"
    )
    assert [(r.rule, r.by) for r in found.relaxations] == [
        ("order 4711 must be ready by 11:00", "1 h later, with the end at 11:00"),
        ("Furnace 2 is closed", "open for 1 h of it, for a run from 08:00 to 10:00"),
    ]


def test_a_run_that_may_pause_needs_no_crew_all_the_time() -> None:
    needs = (CrewNeed(skill="founder"),)
    rows = {"rosters": (Roster(skill="founder", people=(1, 0, 1, 0, 1, 0)),)}
    assert conflicts(problem(run(50, 50, interruptible=PAUSES, needs=needs), **rows)) == []
    assert len(conflicts(problem(run(50, 50, needs=needs), **rows))) == 1


# --- bundles


def test_another_power_is_no_load_shift_and_other_pauses_are() -> None:
    adjusted = problem(run(50, 50, adjustable=BOUNDS))
    assert moved(adjusted, price_plan(adjusted, [powers(40, 60)], how=GIVEN)) == {}
    paused = problem(run(50, 50, interruptible=PAUSES))
    assert set(moved(paused, price_plan(paused, [powers(50, 0, 50)], how=GIVEN))) == {"a"}


def test_a_restart_is_part_of_what_a_shift_gains() -> None:
    posed = problem(run(50, 50, interruptible=PAUSES), import_price=(0.1, 0.9, 0.1, 0.1, 0.1, 0.1))
    straight, paused = (price_plan(posed, [place], how=GIVEN) for place in (at("a", 0), powers(50, 0, 50)))
    gain = gain_between(posed, straight, paused)
    assert (gain.energy, gain.other) == (pytest.approx(50 * 0.8), pytest.approx(-7))
    assert gain.money == pytest.approx(straight.bill.money - paused.bill.money)


def test_equal_jobs_that_trade_places_trade_their_powers_too() -> None:
    posed = problem(run(50, 50, adjustable=BOUNDS), run(50, 50, adjustable=BOUNDS, id="b", start=2))
    swapped = {"a": powers(40, 60, start=2), "b": powers(10, 90, id="b")}
    assert trade_back(posed, swapped) == {"a": powers(10, 90), "b": powers(40, 60, id="b", start=2)}
    pegged = replace(posed, orders=(order("a", quantity=1.0),))
    assert trade_back(pegged, swapped) == swapped  # one of them is for an order
