"""Problem and plan files: what goes out comes back, and a wrong file gets all its mistakes at once."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.errors import ProblemError
from energy.exchange.problems import (
    plan_from_json,
    problem_from_json,
    read_plan,
    read_problem,
    to_json,
    write_plan,
    write_problem,
)
from energy.model.calendar import Attended
from energy.model.problem import Closed, CrewNeed, DemandWindow, Precedence, ProblemMachine, Roster
from tests.planning.tables import as_is, battery, job, problem


def whole():
    """A problem that uses every kind of part."""
    return problem(
        job("a", 50, 30, start=1, due=5, needs=(CrewNeed(skill="furnace", attended=Attended.ENDS),)),
        job("b", 20, start=4, machine="press", after=(Precedence(job="a", min_slots=0, max_slots=3),)),
        machines=(
            ProblemMachine(id="furnace", closed=(Closed(start=5, end=6, why="Wartung"),)),
            ProblemMachine(id="press"),
        ),
        rosters=(Roster(skill="furnace", people=(1,) * 6),),
        battery=battery(),
        demand=(DemandWindow(name="month", per_kw=10, slots=(0, 1, 2)),),
        notes=("base load of Tuesday taken from last week",),
    )


def mistakes(text: str) -> dict[str, str]:
    with pytest.raises(ProblemError) as error:
        problem_from_json(text)
    return {mistake.where: mistake.what for mistake in error.value.mistakes}


def changed(change) -> str:
    plain = json.loads(to_json(whole()))
    change(plain)
    return json.dumps(plain)


def test_what_is_written_is_read_back(tmp_path):
    posed = whole()
    digest = posed.digest
    write_problem(posed, tmp_path / "problem.json")
    assert read_problem(tmp_path / "problem.json") == posed
    assert read_problem(tmp_path / "problem.json").digest == digest
    plan = as_is(posed)
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=6))
def test_no_digit_is_lost(row):
    posed = problem(import_price=tuple(row))
    assert problem_from_json(to_json(posed)).digest == posed.digest


def test_the_same_instant_and_the_same_number_are_the_same_problem():
    there = problem(start=datetime(2026, 5, 20, 6, 0, tzinfo=timezone(timedelta(hours=2))), import_limit_kw=1000)
    assert there.digest == problem().digest == problem_from_json(to_json(there)).digest


def test_rows_stay_on_one_line():
    assert '"base_load_kw": [100.0, 100.0, 100.0, 100.0, 100.0, 100.0]' in to_json(whole())


def test_an_unknown_key_names_the_nearest_one():
    def change(plain):
        plain["jobs"][0]["late_per_hours"] = plain["jobs"][0].pop("late_per_hour")
        plain["colour"] = "red"

    got = mistakes(changed(change))
    assert got["jobs[0].late_per_hours"] == "unknown; did you mean 'late_per_hour'?"
    assert got["colour"].startswith("unknown; known: format, site, currency")


def test_all_mistakes_at_once_with_their_paths():
    def change(plain):
        plain["jobs"][1]["options"][0]["power_kw"] = [1, "x"]
        plain["jobs"][0]["needs"][0]["attended"] = "sometimes"
        del plain["import_limit_kw"]
        plain["slots"] = 6.5
        plain["surplus"] = 1

    got = mistakes(changed(change))
    assert got["jobs[1].options[0].power_kw[1]"] == "not a number"
    assert got["import_limit_kw"] == "is missing"
    assert got["slots"] == "not a whole number"
    assert "'run', 'start' or 'ends'" in got["jobs[0].needs[0].attended"]
    assert "surplus" in got


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (lambda p: p["pv_kw"].pop(), "pv_kw", "has 5 values; the horizon has 6 slots"),
        (lambda p: p.update(base_load_kw=[float("nan")] * 6), "base_load_kw[0]", "nan is not a number"),
        (lambda p: p["jobs"][0]["options"][0].update(power_kw=[]), "jobs[0].options[0].power_kw", "at least one slot"),
        (lambda p: p["jobs"][0]["options"][0].update(power_kw=[-1]), "jobs[0].options[0].power_kw[0]", "negative"),
        (lambda p: p["jobs"][0]["options"][0].update(machine="furnce"), "jobs[0].options[0].machine", "'furnace'"),
        (lambda p: p["jobs"][1]["after"][0].update(job="z"), "jobs[1].after[0].job", "no job 'z'"),
        (lambda p: p["jobs"][1]["after"][0].update(job="b"), "jobs[1].after", "in a circle"),
        (lambda p: p["jobs"][1]["after"][0].update(min_slots=4), "jobs[1].after[0].max_slots", "less than min_slots"),
        (lambda p: p["jobs"][0].update(earliest=4, must_end=5), "jobs[0].must_end", "the window is 1 slots long"),
        (lambda p: p["jobs"][0]["as_is"].update(machine="press"), "jobs[0].as_is", "has no option on 'press'"),
        (lambda p: p["jobs"][0]["in_force"].update(job="b"), "jobs[0].in_force.job", "here it must be 'a'"),
        (lambda p: p["jobs"][1].update(id="a"), "jobs[1]", "same id 'a' as jobs[0]"),
        (lambda p: p["jobs"][0]["needs"][0].update(skill="press"), "jobs[0].needs[0].skill", "no roster for skill"),
        (lambda p: p.update(step_minutes=25), "step_minutes", "does not divide the hour"),
        (lambda p: p.update(zone="Europe/Berlun"), "zone", "no time zone"),
        (lambda p: p.update(start="2026-05-20T06:00:00"), "start", "has no time zone"),
        (lambda p: p.update(format="loadstone-problem/9"), "format", "known is 'loadstone-problem/1'"),
        (lambda p: p["battery"].update(charge_efficiency=96), "battery.charge_efficiency", "is no efficiency"),
        (lambda p: p["battery"].update(start_kwh=500), "battery.start_kwh", "more than capacity_kwh"),
        (lambda p: p["demand"][0].update(slots=[5, 6]), "demand[0].slots[1]", "outside the horizon"),
        (lambda p: p["demand"][0].update(interval_slots=2), "demand[0].slots", "no whole intervals"),
        (lambda p: p["machines"][0]["closed"][0].update(end=5), "machines[0].closed[0]", "not after its start"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_with_its_place(change, where, what):
    got = mistakes(changed(change))
    assert what in got[where], got


def test_a_file_that_is_no_json_says_where():
    assert mistakes('{"site": "x" "currency": "EUR"}')["line 1 column 14"].startswith("not JSON")
    assert "twice" in mistakes('{"site": "x", "site": "y"}')["file"]
    with pytest.raises(ProblemError, match="cannot be read"):
        read_problem("no/such/file.json")


def test_a_plan_is_read_as_strictly():
    plain = json.loads(to_json(as_is(whole())))
    plain["import_kw"].pop()
    plain["bill"]["lines"][0]["amount"] = float("inf")
    plain["how"]["fuond"] = "optimal"
    with pytest.raises(ProblemError) as error:
        plan_from_json(json.dumps(plain))
    assert "how.fuond: unknown; did you mean 'found'?" in str(error.value)
    assert "charge_kw: has 6 values, import_kw has 5" in str(error.value)
    assert "bill.lines[0].amount: inf is not a number" in str(error.value)


def test_the_schema_key_of_editors_is_welcome():
    posed = whole()
    plain = {"$schema": "../../docs/problem.schema.json", **json.loads(to_json(posed))}
    assert problem_from_json(json.dumps(plain)) == replace(posed)


def test_a_gap_is_not_written():
    with pytest.raises(ProblemError, match=r"pv_kw\[2\]: nan is not a number"):
        to_json(problem(pv_kw=(0, 0, float("nan"), 0, 0, 0)))
    with pytest.raises(ProblemError, match=r"import_kw\[0\]: inf is not a number"):
        to_json(replace(as_is(problem()), import_kw=(float("inf"),) + (0.0,) * 5))
