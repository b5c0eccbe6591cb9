"""The first problem of a newcomer: its plan is the best of all that there are, and the command says so."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.commands.check import check as check_command
from energy.exchange.problems import read_plan, read_problem, write_plan
from energy.model.plan import Plan
from energy.model.problem import Placement, Problem
from energy.planning.as_is import conflicts
from energy.planning.check import check
from energy.planning.price import price_plan
from tests.planning.tables import GIVEN

FOLDER = Path(__file__).parents[2] / "examples" / "first-problem"
PROBLEM, PLAN, AS_IS = FOLDER / "problem.json", FOLDER / "plan.json", FOLDER / "as-is.json"


def every_plan(problem: Problem) -> list[Plan]:
    choices = [
        [
            Placement(job=job.id, machine=o.machine, mode=o.mode, start=k)
            for o in job.options
            for k in range(problem.slots)
        ]
        for job in problem.jobs
    ]
    plans = [price_plan(problem, places, how=GIVEN) for places in product(*choices)]
    return [plan for plan in plans if not check(problem, plan)]


def test_no_other_plan_is_cheaper():
    problem, plan = read_problem(PROBLEM), read_plan(PLAN)
    plans = every_plan(problem)
    assert len(plans) == 105
    assert plan.bill.total == pytest.approx(min(other.bill.total for other in plans)) == 252.0


def test_the_bills_are_those_of_the_readme():
    problem, plan, as_is = read_problem(PROBLEM), read_plan(PLAN), read_plan(AS_IS)
    assert (as_is.bill.money, as_is.bill.carbon_kg, as_is.bill.peak_kw) == pytest.approx((310, 770, 500))
    assert (plan.bill.money, plan.bill.carbon_kg, plan.bill.peak_kw) == pytest.approx((246, 630, 500))
    assert as_is.placements == tuple(job.as_is for job in problem.jobs)
    assert conflicts(problem) == []


def test_the_tempting_hour_costs_a_peak():
    problem, plan = read_problem(PROBLEM), read_plan(PLAN)
    tempted = [replace(p, start=5) if p.job == "blasting" else p for p in plan.placements]
    priced = price_plan(problem, tempted, how=GIVEN)
    assert priced.bill.money - plan.bill.money == pytest.approx(500 - 150 * (0.08 - 0.06))


def run(*args: str):
    return CliRunner().invoke(check_command, list(args))


def test_the_command_confirms_it():
    said = run(str(PROBLEM), str(PLAN))
    assert said.exit_code == 0
    assert "confirmed: every rule is kept" in said.output
    assert "246.00 EUR" in said.output
    assert run(str(PROBLEM), str(AS_IS), "--as-is").exit_code == 0


def test_the_command_names_what_is_wrong(tmp_path):
    plan = read_plan(PLAN)
    moved = tuple(replace(p, start=3) if p.job == "blasting" else p for p in plan.placements)
    write_plan(replace(plan, placements=moved), tmp_path / "plan.json")
    said = run(str(PROBLEM), str(tmp_path / "plan.json"))
    assert said.exit_code == 1
    assert (
        "machine closed: Blasting of shafts (blasting) runs on Shot blasting Wed 20 May 09:00, "
        "when it is closed (filter change)" in said.output
    )
    assert "balance: Wed 20 May 12:00 to Wed 20 May 13:00" in said.output


def test_a_wrong_file_is_said_in_words(tmp_path):
    (tmp_path / "plan.json").write_text("{}")
    said = run(str(PROBLEM), str(tmp_path / "plan.json"))
    assert "problem: is missing" in str(said.exception)
