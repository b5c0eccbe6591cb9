"""Ways to run a job, optional jobs and orders, one rule at a time, in tables that a planner could check by hand."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from energy.model.plan import HowFound, LineKind, Plan
from energy.model.problem import (
    Adjustable,
    Closed,
    CrewNeed,
    DemandWindow,
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
)
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from optimizer.milp import Milp
from optimizer.plant import Plant
from optimizer.ways import MOST_PATTERNS, patterns_of, ways_of
from tests.optimizer.plants import at, best, job, paid, plant, starts
from tests.planning.tables import GIVEN


def checked(problem: Problem) -> Plan:
    """The proven best plan, which passes the auditor."""
    plan = best(problem)
    assert check(problem, plan) == []
    return plan


# --- machines alike, latest starts, priority


def test_two_alike_machines_run_side_by_side_in_the_one_cheap_hour() -> None:
    both = (Option(machine="furnace", power_kw=(4.0,), also=("press",)),)
    jobs = (job("a", start=0, options=both), job("b", start=1, options=both))
    plan = checked(plant([9.0, 9.0, 1.0, 9.0], *jobs))
    assert starts(plan) == {"a": 2, "b": 2}
    assert {place.machine for place in plan.placements} == {"furnace", "press"}


@pytest.mark.parametrize(("latest", "start"), [(None, 3), (3, 3), (2, 2), (1, 0)])
def test_a_job_starts_by_its_latest_start(latest: int | None, start: int) -> None:
    assert starts(checked(plant([3.0, 4.0, 2.0, 1.0], job("a", 1, latest_start=latest)))) == {"a": start}


@pytest.mark.parametrize(("priority", "start"), [(1.0, 2), (3.0, 0)])  # 6 saved, 1 hour late costs 4 · priority
def test_a_job_of_priority_is_not_made_late(priority: float, start: int) -> None:
    asked = job("a", 1, due=2, late_per_hour=4, priority=priority)
    plan = checked(plant([9.0, 9.0, 3.0], asked))
    assert starts(plan) == {"a": start}
    assert paid(plan, LineKind.LATE) == (4 if start else 0)


def test_a_job_given_too_late_stays_if_nothing_else_is_free() -> None:
    shut = (ProblemMachine(id="furnace", name="Furnace", closed=(Closed(start=0, end=2),)),)
    plan = best(plant([1.0, 1.0, 9.0], job("a", 1, start=2, latest_start=1), machines=shut))
    why = "Furnace cannot run a: it must start by 07:00 and it is closed until 08:00 and needs 1 h"
    assert [(given.rule, given.price) for given in plan.gave_way] == [(why, 5000.0)]


# --- adjustable power


def adjustable(id: str, start: int, machine: str, least: float = 0.0, most: float = 8.0, **other: Any) -> ProblemJob:
    """Two hours of 4 kW, whose power alone may change."""
    bounds = Adjustable(least_kw=least, most_kw=most)
    option = Option(machine=machine, power_kw=(4.0, 4.0), adjustable=bounds)
    return job(id, start=start, machine=machine, options=(option,), earliest=start, latest_start=start, **other)


PEAK = DemandWindow(name="peak", per_kw=10.0, slots=(0, 1, 2, 3))


def test_three_jobs_that_only_change_their_power_level_a_peak() -> None:
    """8 kWh each in the hours 0–1, 1–2 and 2–3: hour 1 and 2 would draw 8 kW, four hours of 6 kW are as much."""
    jobs = adjustable("a", 0, "furnace"), adjustable("b", 1, "press"), adjustable("c", 2, "furnace")
    plan = checked(plant([1.0] * 4, *jobs, demand=(PEAK,)))
    assert plan.import_kw == pytest.approx((6, 6, 6, 6))
    assert plan.placement("a").power_kw == pytest.approx((6, 2))
    assert plan.placement("c").power_kw == pytest.approx((2, 6))
    assert paid(plan, LineKind.MOVE) == 0.0  # nobody has been moved
    assert plan.bill.total == pytest.approx(24 + 60)


@pytest.mark.parametrize(
    ("least", "most", "powers"),
    [(0, 8, (8, 0)), (1, 8, (7, 1)), (1, 5, (5, 3)), (4, 4, ())],  # the first hour is the cheap one
)
def test_power_goes_where_the_price_is_low_within_its_bounds(least: float, most: float, powers: tuple[float]) -> None:
    plan = checked(plant([1.0, 5.0], adjustable("a", 0, "furnace", least, most)))
    assert plan.placement("a").power_kw == pytest.approx(powers)


def test_powers_change_only_where_that_gains() -> None:
    jobs = adjustable("a", 0, "furnace"), adjustable("b", 2, "furnace")
    flat = checked(plant([2.0] * 4, *jobs))
    assert flat.placements == (at("a", 0), at("b", 2))
    assert flat.how.found is HowFound.NOTHING_TO_GAIN
    steep = checked(plant([2.0, 2.0, 2.0, 1.0], *jobs))
    assert steep.placement("a") == at("a", 0)  # its own powers: nothing to gain there
    assert steep.placement("b").power_kw == pytest.approx((0, 8))
    assert steep.how.found is HowFound.OPTIMAL


def test_powers_are_worked_out_under_jobs_that_stay() -> None:
    plan = Milp(process=False).dispatch(plant([9.0, 1.0, 0.0], adjustable("a", 0, "furnace"))).plan
    assert plan is not None
    assert (plan.placement("a").start, plan.placement("a").power_kw) == (0, pytest.approx((0, 8)))


def test_a_run_across_the_edge_changes_only_what_is_inside() -> None:
    option = Option(machine="furnace", power_kw=(4.0,) * 4, adjustable=Adjustable(least_kw=0, most_kw=8))
    running = Placement(job="a", machine="furnace", start=-1)
    asked = job("a", options=(option,), as_is=running, in_force=running, fixed=running)
    plan = checked(plant([5.0, 1.0, 5.0], asked))
    assert plan.placement("a").power_kw == pytest.approx((4, 0, 8, 4))  # slot −1 is over


def test_a_given_power_out_of_bounds_may_stay() -> None:
    given = Placement(job="a", machine="furnace", start=0, power_kw=(9.0, 0.0))
    option = Option(machine="furnace", power_kw=(4.0, 5.0), adjustable=Adjustable(least_kw=4, most_kw=5))
    asked = job("a", options=(option,), as_is=given, in_force=given, fixed=given)
    assert best(plant([1.0, 2.0], asked)).placement("a").power_kw[0] == pytest.approx(9.0)


# --- optional jobs


@pytest.mark.parametrize(
    ("price", "value", "start"),
    [(6.0, 5.0, None), (6.0, 5.995, 0), (4.0, 5.0, 0)],  # leaving it out is a change, which costs 0.01
)
def test_an_optional_job_is_done_if_it_is_worth_its_cost(price: float, value: float, start: int | None) -> None:
    plan = checked(plant([price, 9.0], job("a", 1, value=value)))
    assert starts(plan) == ({} if start is None else {"a": start})
    assert paid(plan, LineKind.LEFT_OUT) == (value if start is None else 0.0)


def test_an_accepted_optional_job_is_not_lightly_left_out() -> None:
    asked = job("a", 1, value=1.0, accepted=True, break_accepted_price=3.0)
    assert starts(checked(plant([3.9, 9.0], asked))) == {"a": 0}
    plan = checked(plant([4.5, 9.0], asked))
    assert starts(plan) == {}
    assert [(given.rule, given.by) for given in plan.gave_way] == [("accepted shift of a", "is left out")]


def test_a_fixed_or_running_optional_job_is_done() -> None:
    running = at("b", -1)
    dear = (job("a", 1, value=0.0, fixed=at("a", 1)), job("b", 1, 1, value=0.0, as_is=running, in_force=running))
    assert starts(best(plant([99.0, 99.0], *dear))) == {"a": 1, "b": -1}


# --- runs that may pause


def pausing(least: int = 1, longest: int = 2, most: int = 2, cost: float = 0.5, **other: Any) -> ProblemJob:
    """Three hours of 1 kW."""
    rule = Interruptible(least_run_slots=least, longest_pause_slots=longest, most_pauses=most, restart_cost=cost)
    option = Option(machine="furnace", power_kw=(1.0, 1.0, 1.0), interruptible=rule)
    return job("a", options=(option,), **other)


@pytest.mark.parametrize(
    ("rule", "powers", "cost"),
    [
        ({}, (1, 0, 0, 1, 0, 1), 3 + 2 * 0.5),
        ({"cost": 4.5}, (1, 0, 0, 1, 1), 1 + 1 + 5 + 4.5),  # one restart is worth it, a second is not
        ({"cost": 20.0}, (), 1 + 8 + 9),
        ({"longest": 1}, (1, 1, 0, 1), 1 + 8 + 1 + 0.5),
        ({"most": 1}, (1, 0, 0, 1, 1), 1 + 1 + 5 + 0.5),
        ({"least": 2}, (), 1 + 8 + 9),  # three hours make no two runs of two
    ],
)
def test_a_run_pauses_where_that_pays(rule: dict[str, Any], powers: tuple[float, ...], cost: float) -> None:
    plan = checked(plant([1.0, 8.0, 9.0, 1.0, 5.0, 1.0], pausing(**rule, latest_start=0)))
    assert plan.placement("a").power_kw == powers
    restarts = sum(1 for before, kw in pairwise(powers) if kw > before)
    assert paid(plan, LineKind.START) == pytest.approx(restarts * rule.get("cost", 0.5))
    assert plan.bill.money == pytest.approx(cost)


def test_a_pause_leaves_the_machine_and_the_crew_to_another() -> None:
    """The short job is due after 2 h, and runs in the pause of the long one, with the same founder."""
    crew = {"needs": (CrewNeed(skill="founder"),)}
    jobs = pausing(cost=0.0, most=1, latest_start=0, **crew), job("b", 1, start=3, earliest=1, due=2, **crew)
    founder = Roster(skill="founder", people=(1,) * 5)
    plan = checked(plant([1.0, 1.0, 1.0, 1.0, 9.0], *jobs, rosters=(founder,)))
    assert plan.placement("a").power_kw == (1, 0, 1, 1)
    assert plan.placement("b").start == 1


def test_a_run_pauses_over_a_closed_machine() -> None:
    shut = (ProblemMachine(id="furnace", closed=(Closed(start=2, end=4),)),)
    plan = checked(plant([1.0, 1.0, 0.0, 0.0, 1.0, 9.0, 9.0, 9.0], pausing(start=5), machines=shut))
    assert (plan.placement("a").start, plan.placement("a").power_kw) == (0, (1, 1, 0, 0, 1))


def test_very_many_patterns_are_cut_and_that_is_said() -> None:
    rule = Interruptible(least_run_slots=1, longest_pause_slots=4, most_pauses=4)
    option = Option(machine="furnace", power_kw=(1.0,) * 8, interruptible=rule)
    every = patterns_of(8, rule)
    assert every == 1 + 7 * 4 + 21 * 16 + 35 * 64 + 35 * 256
    problem = plant([1.0] * 30, job("a", options=(option,)))
    assert len(Plant(problem).ways[0]) == MOST_PATTERNS
    assert best(problem).how.note == (
        f"of {every} patterns of pauses of a on furnace the {MOST_PATTERNS} simplest are tried; the bound holds for those"
    )


@pytest.mark.parametrize("slots", [1, 2, 4, 5])
@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize(("longest", "most"), [(1, 1), (2, 2), (3, 1)])
def test_every_pattern_is_there_once(slots: int, least: int, longest: int, most: int) -> None:
    rule = Interruptible(least_run_slots=least, longest_pause_slots=longest, most_pauses=most)
    option = Option(machine="furnace", power_kw=(1.0,) * slots, interruptible=rule)
    ways = ways_of(option, {"furnace": 0}, 99)
    assert len({way.busy.tobytes() for way in ways}) == len(ways) == max(1, patterns_of(slots, rule))


def test_a_given_run_keeps_its_pauses_where_moving_gains_nothing() -> None:
    given = Placement(job="a", machine="furnace", start=0, power_kw=(1.0, 0.0, 1.0, 1.0))
    plan = checked(plant([1.0] * 5, pausing(cost=0.0, as_is=given, in_force=given)))
    assert plan.placements == (given,)
    assert plan.how.found is HowFound.NOTHING_TO_GAIN


# --- orders


def part(id: str, machine: str, start: int, *, tonnes: float = 4.0, value: float | None = 0.0) -> ProblemJob:
    option = Option(machine=machine, power_kw=(4.0,), quantity=tonnes)
    return job(id, start=start, machine=machine, value=value, options=(option,))


def order(*jobs: str, **other: Any) -> ProblemOrder:
    said: dict[str, Any] = {"id": "4711", "quantity": 10.0, "pegs": tuple(Peg(job=job) for job in jobs)}
    return ProblemOrder(**{**said, **other})


def test_an_order_is_split_over_part_jobs_on_two_machines() -> None:
    """10 t of parts of 4 t: three of the four are made, the dearest hour is left alone."""
    parts = part("a", "furnace", 0), part("b", "furnace", 3), part("c", "press", 0), part("d", "press", 3)
    plan = checked(plant([1.0, 2.0, 8.0, 9.0], *parts, orders=(order("a", "b", "c", "d"),)))
    assert len(plan.placements) == 3
    assert plan.bill.money == pytest.approx(4 * (1 + 1 + 2))
    assert sorted(starts(plan).values()) == [0, 0, 1]


def test_an_order_makes_no_more_than_it_needs_by_the_mode_it_chooses() -> None:
    modes = (
        Option(machine="furnace", mode="half", power_kw=(2.0,), quantity=5.0),
        Option(machine="furnace", mode="full", power_kw=(5.0,), quantity=10.0),
    )
    place = Placement(job="a", machine="furnace", mode="full", start=0)
    asked = job("a", options=modes, as_is=place, in_force=place)
    assert checked(plant([1.0], asked, orders=(order("a", quantity=6.0),))).placements == (place,)
    assert checked(plant([1.0], asked, orders=(order("a", quantity=4.0),))).placement("a").mode == "half"


def test_several_lines_are_in_one_run() -> None:
    """Each line has half of a heat of 4 t; with the heat left out neither would be filled."""
    lines = (order("a", id="l1", quantity=2.0), order("a", id="l2", quantity=2.0))
    pegged = tuple(ProblemOrder(id=line.id, quantity=line.quantity, pegs=(Peg(job="a", share=0.5),)) for line in lines)
    assert starts(checked(plant([50.0, 9.0], part("a", "furnace", 0), orders=pegged))) == {"a": 1}


@pytest.mark.parametrize(("late_per_hour", "last"), [(1.0, 3), (9.0, 1)])
def test_an_order_is_late_by_its_last_run(late_per_hour: float, last: int) -> None:
    """Due after 3 h, an hour of which it cools: the second run may start in hour 1, or saves 8 for 2 hours late."""
    runs = job("a", 1, start=0), job("b", 1, start=1)
    line = order("a", "b", quantity=2.0, due=3, rest_slots=1, late_per_hour=late_per_hour)
    plan = checked(plant([1.0, 9.0, 9.0, 1.0], *runs, orders=(line,)))
    assert max(starts(plan).values()) == last
    assert paid(plan, LineKind.LATE) == pytest.approx((last - 1) * late_per_hour)


def test_an_order_that_must_be_ready_is() -> None:
    line = order("a", quantity=1.0, must_end=3, rest_slots=1)
    assert starts(checked(plant([9.0, 5.0, 1.0, 1.0], job("a", 1), orders=(line,)))) == {"a": 1}


def test_an_order_that_production_leaves_short_may_stay_short_and_that_is_said() -> None:
    few = part("a", "furnace", 0, value=None)
    plan = best(plant([1.0, 2.0], few, orders=(order("a", quantity=5.0),)))
    assert [(v.rule, v.size) for v in check(plant([1.0, 2.0], few, orders=(order("a", quantity=5.0),)), plan)] == [
        ("order quantity", 1.0)
    ]
    assert [(given.rule, given.by, given.price) for given in plan.gave_way] == [
        ("quantity of order 4711", "1 of 5 short, as in the production plan", 1000.0)
    ]


# --- recurring jobs, and pieces in one order


def test_a_cleaning_recurs_every_four_hours() -> None:
    cleanings = (job(f"c{i}", 1, start=4 * i) for i in range(3))
    every = Recurring(name="cleaning", jobs=("c0", "c1", "c2"), least_slots=3, most_slots=4)
    plan = checked(plant([9.0, 1.0, 9.0, 9.0, 9.0, 1.0, 9.0, 9.0, 1.0], *cleanings, recurring=(every,)))
    assert starts(plan) == {"c0": 1, "c1": 5, "c2": 8}


@pytest.mark.parametrize(("value", "expected"), [(9.0, {"a": 0, "b": 2, "c": 4}), (0.0, {"a": 0, "c": 3})])
def test_one_that_may_be_left_out_leaves_the_rule_to_its_neighbours(value: float, expected: dict[str, int]) -> None:
    """Hour 4 is cheap, but too long after hour 0 without the one between."""
    jobs = job("a", 1, start=0, latest_start=0), job("b", 1, start=2, value=value), job("c", 1, start=3, earliest=3)
    every = Recurring(name="check", jobs=("a", "b", "c"), least_slots=1, most_slots=3)
    plan = checked(plant([5.0, 9.0, 5.0, 5.0, 2.0], *jobs, recurring=(every,)))
    assert starts(plan) == expected


def test_recurring_jobs_given_too_far_apart_may_stay_so() -> None:
    jobs = job("a", 1, start=0, fixed=at("a", 0)), job("b", 1, start=4, fixed=at("b", 4))
    every = Recurring(name="cleaning", jobs=("a", "b"), most_slots=3)
    plan = best(plant([1.0] * 5, *jobs, recurring=(every,)))
    assert [(given.rule, given.by) for given in plan.gave_way] == [
        ("cleaning", "b 60 min too late after a as given by production")
    ]


def pieces(*starts: tuple[int, int]) -> tuple[ProblemJob, ...]:
    """Pieces of 1, 2, 3 … kW on the furnace and then the press."""
    return tuple(
        job(f"{i}{stage[0]}", kw, start=k, machine=stage)
        for i, (both, kw) in enumerate(zip(starts, (1.0, 2.0, 3.0), strict=False))
        for k, stage in zip(both, ("furnace", "press"), strict=True)
    )


def test_one_that_stood_between_two_in_the_wrong_order_is_not_left_out() -> None:
    jobs = [job("a", 1.0, start=3), job("b", 9.0, start=2, machine="press", value=0.0), job("c", 1.0, start=0)]
    stuck = [replace(j, fixed=j.in_force) for j in jobs]
    problem = plant([5.0] * 4, stuck[0], jobs[1], stuck[2], recurring=(Recurring(name="row", jobs=("a", "b", "c")),))
    given = price_plan(problem, [j.in_force for j in problem.jobs], how=GIVEN)
    assert new_violations(check(problem, given), check(problem, best(problem))) == []


def test_pieces_keep_one_order_on_all_machines() -> None:
    """Each stage alone would put the heavy piece into its cheap hour: first on the furnace, last on the press."""
    line = SameOrder(name="line", pieces=(("0f", "0p"), ("1f", "1p")))
    prices = [1.0, 3.0, 4.0, 3.5]
    windows = [
        replace(made, earliest=0 if made.id.endswith("f") else 2, latest_start=1 if made.id.endswith("f") else 3)
        for made in pieces((0, 2), (1, 3))
    ]
    free = checked(plant(prices, *windows))
    assert starts(free) == {"0f": 1, "1f": 0, "0p": 2, "1p": 3}
    kept = checked(plant(prices, *windows, same_order=(line,)))
    assert starts(kept) == {"0f": 1, "1f": 0, "0p": 3, "1p": 2}  # 1 more on the press is less than 2 on the furnace


def test_pieces_given_out_of_order_may_stay_so_but_no_others_come_to_it() -> None:
    line = SameOrder(name="line", pieces=(("0f", "0p"), ("1f", "1p")))
    crossed = pieces((0, 3), (1, 2))
    plan = best(plant([1.0] * 4, *crossed, same_order=(line,)))
    assert starts(plan) == {"0f": 0, "0p": 3, "1f": 1, "1p": 2}
    assert [given.rule for given in plan.gave_way] == ["line"]


def test_a_plan_is_the_best_one_and_not_what_the_solver_started_from() -> None:
    """HiGHS 1.16 answers this with the cost of the best plan and the values of the given one."""
    alike = Option(machine="furnace", power_kw=(3.0,), also=("press",))
    a = job("a", start=5, due=2, late_per_hour=6, accepted=True, break_accepted_price=1, move_price=0, options=(alike,))
    b = job("b", 2, 2, 2, start=2, machine="press", latest_start=2, value=5.0, move_price=0.0)
    rows = {"base_load_kw": (4.0, 4.0, 5.0, -2.0, 9.0, -1.0), "pv_kw": (4.0, 4.0, 5.0, 0.0, 6.0, 9.0)}
    plan = checked(plant([0.0, 0.0, 0.0, 0.0, 9.0, -1.0], a, b, **rows))
    assert plan.bill.total == pytest.approx(3 * 9 + 1)  # the base load of hour 4, and one accepted shift
