"""`loadstone why`: tables that a planner reads, and the same as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings

from energy.errors import LoadstoneError
from energy.exchange.problems import write_plan, write_problem
from energy.model.plan import How, HowFound
from energy.model.problem import Closed, Problem, ProblemMachine
from energy.planning.price import price_plan
from optimizer.cures import costs_more_at
from optimizer.why_command import why
from optimizer.why_table import each_table, job_table, said
from tests.optimizer import job_plants
from tests.optimizer.plants import at, job, plant

MACHINES = (
    ProblemMachine(id="furnace", name="Furnace 2", closed=(Closed(start=3, end=4, why="maintenance"),)),
    ProblemMachine(id="press", name="Press 1"),
)


def posed() -> Problem:
    """Six hours from 06:00. 100 kWh of rings cost 30.00 at 06:00 and 10.00 at 11:00; bolts stand at 08:00."""
    return plant(
        [0.30, 0.30, 0.304, 0.30, 0.30, 0.10],
        job("rings", 100.0, start=0, name="coil rings", move_price=2.0),
        job("bolts", 100.0, start=2, name="bolts", move_price=2.0),
        machines=MACHINES,
    )


def asked(folder: Path, *said: str, problem: Problem | None = None, rings: int = 5) -> Result:
    problem = problem or posed()
    places = [at("rings", rings), *(j.in_force for j in problem.jobs if j.id != "rings")]
    write_problem(problem, folder / "problem.json")
    write_plan(price_plan(problem, places, how=How(found=HowFound.OPTIMAL)), folder / "plan.json")
    return CliRunner().invoke(why, [str(folder / "problem.json"), str(folder / "plan.json"), *said])


def test_each_move_with_its_gain_and_each_other_job_with_why_it_stays(tmp_path: Path) -> None:
    told = asked(tmp_path).output
    assert told.splitlines()[:4] == [
        "1 of 2 jobs move; gains in EUR:",
        "",
        "  job         from       to         energy  peak  carbon  labour    sum  next best  costs more",
        "  coil rings  Wed 06:00  Wed 11:00   20.00  0.00    0.00    0.00  20.00  Wed 06:00      +20.00",
    ]
    assert (
        "  bolts stays at Wed 08:00: the best free place (Wed 06:00 on Furnace 2) would gain 0.40 EUR, "
        "and moving costs 2.00 EUR" in told.splitlines()
    )


def test_every_place_of_a_job_in_spans(tmp_path: Path) -> None:
    lines = asked(tmp_path, "coil rings").output.splitlines()
    assert lines[0].startswith("coil rings starts 5 h later (11:00 instead of 06:00)")
    assert lines[1:] == [
        "",
        "Starts on Furnace 2:",
        "     Wed 06:00 to Wed 07:00  free     costs 18 EUR more, best at Wed 06:00",
        "     Wed 08:00               no       Furnace 2 runs bolts until 09:00",
        "     Wed 09:00               no       Furnace 2 is in maintenance until 10:00",
        "     Wed 10:00               free     costs 20 EUR more",
        "  >  Wed 11:00               planned",
    ]


@pytest.mark.parametrize("time", ["Wed 09:00", "09:00", "2026-05-20 09:00"])
def test_one_place(tmp_path: Path, time: str) -> None:
    lines = asked(tmp_path, "rings", "--at", time, "--machine", "Furnace 2").output.splitlines()
    assert lines[-1] == "     Wed 09:00  no  Furnace 2 is in maintenance until 10:00"


def test_as_json_with_times_beside_the_slots(tmp_path: Path) -> None:
    told = json.loads(asked(tmp_path, "rings", "--json").output)
    assert (told["job"], told["why"]["gain"]["energy"]) == ("rings", pytest.approx(20.0))
    assert [(p["first"], p["last"], p["planned"]) for p in told["places"]][-1] == (5, 5, True)
    assert told["places"][1]["first_time"] == "2026-05-20T06:00:00+00:00"
    every = json.loads(asked(tmp_path, "--json").output)
    assert ([one["job"] for one in every["moved"]], [one["job"] for one in every["stay"]]) == (["rings"], ["bolts"])
    assert every["against"] == []


def test_a_job_that_is_alone_at_its_best_place_stays_there(tmp_path: Path) -> None:
    problem = plant([0.1, 0.3], job("rings", 100.0, start=0, name="coil rings"))
    assert "coil rings stays at Wed 06:00: no free place is cheaper" in asked(tmp_path, problem=problem, rings=0).output


def test_a_plan_that_leaves_money_says_so(tmp_path: Path) -> None:
    told = asked(tmp_path, rings=0).output
    assert "though the best free place (Wed 11:00 on Furnace 2) would gain 20 EUR, and moving costs 2.00 EUR" in told


def test_what_more_room_would_gain(tmp_path: Path) -> None:
    told = asked(tmp_path, "--bottlenecks", "--seconds", "60").output
    line = next(line for line in told.splitlines() if "a second machine like Furnace 2" in line)
    assert line.split("Furnace 2")[1].split()[:2] == ["18", "EUR"]


def test_a_job_against_a_fact_and_what_would_cure_it(tmp_path: Path) -> None:
    down = (ProblemMachine(id="furnace", name="Furnace 2", closed=(Closed(start=0, end=2, why="maintenance"),)),)
    problem = plant(
        [0.1] * 6, job("rings", 10.0, 10.0, start=0, name="coil rings", must_end=3, late_per_hour=80.0), machines=down
    )
    told = asked(tmp_path, problem=problem, rings=0).output.splitlines()
    assert told[-4:] == [
        "What cannot be: Furnace 2 cannot finish coil rings by 09:00: it is in maintenance until 08:00 and needs 2 h",
        "What would cure it:",
        "  coil rings must end by 09:00: 1 h later, at 10:00 (+0.00 EUR)",
        "  Furnace 2 is closed: open for 1 h of it, for a run from 07:00 to 09:00 (+0.00 EUR)",
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("nuts",), "no job 'nuts' in the problem; its jobs are rings, bolts"),
        (("rings", "--machine", "press"), "rings cannot run on 'press'; it runs on furnace"),
        (("rings", "--at", "Thu 06:00"), "--at 'Thu 06:00' is no slot of the horizon"),
        (("--at", "06:00"), "--at and --machine ask about one job"),
    ],
)
def test_what_cannot_be_asked_says_why(tmp_path: Path, said: tuple[str, ...], words: str) -> None:
    result = asked(tmp_path, *said)
    assert result.exit_code != 0
    assert words in result.output + str(result.exception)


def test_a_plan_of_another_problem_is_refused(tmp_path: Path) -> None:
    asked(tmp_path)
    write_problem(plant([0.1, 0.3], job("rings", 100.0)), tmp_path / "problem.json")
    result = CliRunner().invoke(why, [str(tmp_path / "problem.json"), str(tmp_path / "plan.json")])
    assert "answers another problem" in str(result.exception)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(problem=job_plants.plants())
def test_every_way_to_run_a_job_can_be_asked_about(problem: Problem) -> None:
    """Adjustable power, pauses, optional jobs, orders, recurring jobs: each job has its tables, and as JSON."""
    plan = job_plants.in_force(problem)
    told, lines = each_table(problem, plan, seconds=2)
    assert json.dumps(said(problem, told))
    assert len(told["moved"]) + len(told["stay"]) == len(problem.jobs)
    assert lines
    for each in problem.jobs:
        found, _ = job_table(problem, plan, each, machine=None, slot=None)
        assert json.dumps(said(problem, found))
        for span in found["places"]:
            if span.planned:
                assert span.costs_more == 0.0
            assert span.free == (span.cheapest is not None)


def test_a_free_place_is_priced_by_the_whole_bill(tmp_path: Path) -> None:
    problem = posed()
    places = [at("rings", 5), at("bolts", 2)]
    plan = price_plan(problem, places, how=How(found=HowFound.OPTIMAL))
    moved = price_plan(problem, [at("rings", 1), at("bolts", 2)], how=How(found=HowFound.OPTIMAL))
    more = moved.bill.total - plan.bill.total
    assert costs_more_at(problem, plan, at("rings", 1)) == pytest.approx(more)
    told = json.loads(asked(tmp_path, "rings", "--at", "Wed 07:00", "--json").output)
    assert told["places"][0]["costs_more"] == pytest.approx(more)


def test_a_plan_that_places_what_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    asked(tmp_path)
    file = tmp_path / "plan.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"machine": "furnace"', '"machine": "furnce"'), encoding="utf-8"
    )
    done = CliRunner().invoke(why, [str(tmp_path / "problem.json"), str(file)])
    assert isinstance(done.exception, LoadstoneError)
    assert "coil rings (rings) cannot run on furnce" in str(done.exception)
