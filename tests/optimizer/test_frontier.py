"""Money against carbon: points by hand, points that no price of carbon finds, points that are no better than others."""

import csv
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.exchange.problems import plan_from_json, write_problem
from energy.model.plan import How, HowFound, Plan
from energy.model.problem import Band, Placement, Problem, Store
from energy.planning.check import check
from energy.planning.price import price_plan
from optimizer.commands import optimize
from optimizer.frontier import Frontier, Point, frontier, undominated
from optimizer.milp import Milp
from tests.optimizer.plants import battery, job, plant

FEW = settings(max_examples=8, deadline=None, derandomize=True)
GIVEN = How(found=HowFound.AS_GIVEN)


def curve(problem: Problem, points: int) -> Frontier:
    return frontier(problem, Milp(gap=0.0, process=False), points=points, seconds=10)


def said(made: Frontier) -> list[tuple[float, float]]:
    return [(pytest.approx(point.money), pytest.approx(point.carbon_kg)) for point in made.points]


def ten(prices: list[float], carbon: tuple[float, ...], **other: object) -> Problem:
    """A job of 10 kWh that stands in the last slot and may be moved for nothing."""
    only = job("a", 10, start=len(prices) - 1, move_price=0.0)
    return plant(prices, only, carbon_kg_per_kwh=carbon, **other)


def test_what_a_tonne_costs_between_neighbours() -> None:
    made = curve(ten([1.0, 2.0, 4.0], (0.9, 0.5, 0.1)), 3)
    assert said(made) == [(10.0, 9.0), (20.0, 5.0), (40.0, 1.0)]
    assert made.next_tonne == (pytest.approx(2500.0), pytest.approx(5000.0), None)
    assert made.dropped == ()
    assert [point.plan.how.gap for point in made.points] == [pytest.approx(0.0, abs=1e-6)] * 3


def test_a_plan_that_no_price_of_carbon_finds_is_on_the_curve() -> None:
    """29 for 5 kg lies above the straight line from 10 for 9 kg to 30 for 1 kg: at any price one of the ends is better."""
    dented = ten([1.0, 2.9, 3.0], (0.9, 0.5, 0.1))
    assert said(curve(dented, 3)) == [(10.0, 9.0), (29.0, 5.0), (30.0, 1.0)]


def test_limits_that_lead_to_the_same_plan_are_named() -> None:
    made = curve(ten([1.0, 2.0, 4.0], (0.9, 0.5, 0.1)), 5)  # limits of 7 and 3 kg lead to 5 and 1
    assert said(made) == [(10.0, 9.0), (20.0, 5.0), (40.0, 1.0)]
    assert [dropped.why for dropped in made.dropped] == ["another limit led to the same plan"] * 2


def test_the_cheapest_plan_may_be_the_cleanest_too() -> None:
    made = curve(ten([3.0, 2.0, 1.0], (0.9, 0.5, 0.1)), 4)
    assert said(made) == [(10.0, 1.0)]
    assert made.next_tonne == (None,)


def test_every_point_answers_the_problem_as_it_was_asked() -> None:
    tank = Store(id="tank", start=2.0, least=0.0, most=6.0, end=2.0, level_per_kwh=1.0, most_kw=4.0,
                 draw=(2.0,) * 3, as_is_kw=(2.0,) * 3)  # fmt: skip
    problem = ten(
        [1.0, 2.0, 4.0],
        (0.9, 0.5, 0.1),
        stores=(tank,),
        battery=battery(wear_per_kwh=0.1),
        carbon_price_per_kg=0.3,
        base_load_kw=(3.0,) * 3,
        base_load_band=Band(p10=(2.0,) * 3, p90=(5.0,) * 3),
    )
    made = curve(problem, 4)
    assert len(made.points) >= 3
    for point in made.points:
        assert check(problem, point.plan) == []
        assert point.plan.risk is not None
        assert point.plan.gave_way == ()
    money, carbon = [p.money for p in made.points], [p.carbon_kg for p in made.points]
    assert money == sorted(money)
    assert carbon == sorted(carbon, reverse=True)


def test_a_limit_of_the_plant_itself_holds_for_every_point() -> None:
    made = curve(ten([1.0, 2.0, 4.0], (0.9, 0.5, 0.1), carbon_limit_kg=5.0), 3)
    assert said(made) == [(20.0, 5.0), (40.0, 1.0)]


def point(money: float, carbon_kg: float) -> Point:
    """A point of a plan that imports nothing: only its figures count."""
    empty = price_plan(plant([1.0]), (), how=GIVEN)
    line = replace(empty.bill.lines[0], amount=money)
    return Point(plan=replace(empty, bill=replace(empty.bill, lines=(line,), carbon_kg=carbon_kg)), limit_kg=None)


def test_what_another_beats_in_both_is_dropped() -> None:
    kept, dropped = undominated([point(3, 5), point(1, 9), point(3, 4), point(4, 4), point(2, 10), point(1, 9)])
    assert [(p.money, p.carbon_kg) for p in kept] == [(1, 9), (3, 4)]
    assert [(d.point.money, d.point.carbon_kg, d.why) for d in dropped] == [
        (1, 9, "another limit led to the same plan"),
        (2, 10, "another plan costs no more and emits no more"),
        (3, 5, "another plan costs no more and emits no more"),
        (4, 4, "another plan costs no more and emits no more"),
    ]


@st.composite
def plants(draw: st.DrawFn) -> Problem:
    row = st.lists(st.integers(1, 9), min_size=4, max_size=4)
    tenths = tuple(kg / 10 for kg in draw(row))
    jobs = [job("a", 5, 3, start=0, move_price=0.5), job("b", 4, start=1, machine="press", move_price=0.5)]
    return plant([float(p) for p in draw(row)], *jobs, carbon_kg_per_kwh=tenths)


@FEW
@given(plants())
def test_each_point_is_the_cheapest_of_all_plans_that_emit_no_more(problem: Problem) -> None:
    every: list[Plan] = []
    for a, b in product(range(3), range(4)):
        places = [Placement(job="a", machine="furnace", start=a), Placement(job="b", machine="press", start=b)]
        every.append(price_plan(problem, places, how=GIVEN))
    made = curve(problem, 3)
    for each in made.points:
        within = [plan.bill.total for plan in every if plan.bill.carbon_kg <= each.carbon_kg + 1e-6]
        assert each.money == pytest.approx(min(within), abs=2e-3)  # of equal plans the cleaner: 0.0001 a kg
    assert made.points[0].money == pytest.approx(min(plan.bill.total for plan in every), abs=2e-3)
    assert made.points[-1].carbon_kg == pytest.approx(min(plan.bill.carbon_kg for plan in every))


def test_the_command_prints_the_curve_and_writes_it(tmp_path: Path) -> None:
    file, out, table = tmp_path / "problem.json", tmp_path / "curve.json", tmp_path / "curve.csv"
    problem = ten([1.0, 2.0, 4.0], (0.9, 0.5, 0.1))
    write_problem(problem, file)

    def run(*words: str) -> str:
        done = CliRunner().invoke(optimize, [str(file), "--frontier", "3", "--seconds", "5", *words])
        assert done.exit_code == 0, done.output
        return done.output

    shown = run("--out", str(out))
    assert "1 t less costs" in shown
    assert "2,500.00" in shown
    read = json.loads(out.read_text())
    assert (read["format"], read["problem"]) == ("loadstone-frontier/1", problem.digest)
    assert [row["carbon_kg"] for row in read["points"]] == pytest.approx([9.0, 5.0, 1.0])
    plan = plan_from_json(json.dumps(read["points"][1]["plan"]))
    assert check(problem, plan) == []
    run("--out", str(table))
    with table.open() as opened:
        assert [float(row["money"]) for row in csv.DictReader(opened)] == pytest.approx([10.0, 20.0, 40.0])
    refused = CliRunner().invoke(optimize, [str(file), "--frontier", "3", "--out", "curve.txt"])
    assert "a curve is written as .json or .csv" in str(refused.exception)
