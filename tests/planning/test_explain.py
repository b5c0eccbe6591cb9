"""What a planner reads: why a job moves, and why it cannot stand somewhere else."""

from dataclasses import replace

import pytest

from energy.model.calendar import Attended
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Placement,
    Precedence,
    Problem,
    ProblemMachine,
    Roster,
    ShiftHours,
)
from energy.planning.explain import Split, reasons, why_not
from energy.planning.price import price_plan
from tests.planning.tables import GIVEN, at, job, problem

FURNACE = ProblemMachine(id="furnace", name="Furnace 2", closed=(Closed(start=3, end=5, why="maintenance"),))


def asked(**other: object) -> Problem:
    """Six hours from 06:00: coil rings on the furnace from 06:00, another job there from 08:00 to 09:00."""
    rings = job("rings", 50.0, start=0, name="coil rings", **other)
    return problem(rings, job("bolts", 20.0, start=2), machines=(FURNACE, ProblemMachine(id="press", name="Press 1")))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (1, ""),
        (2, "Furnace 2 runs bolts until 09:00"),
        (4, "Furnace 2 is in maintenance until 11:00"),
        (6, "coil rings would end after the planned time (12:00)"),
        (-1, "05:00 has passed"),
    ],
)
def test_a_place_is_taken_closed_or_outside(start: int, words: str) -> None:
    assert why_not(asked(), "rings", "furnace", start) == words


def test_a_place_before_the_material_or_after_the_last_moment_is_none() -> None:
    bound = asked(earliest=1, must_end=3)
    assert why_not(bound, "rings", "furnace", 0) == ""  # where it is in force
    early = replace(bound, jobs=(replace(bound.jobs[0], in_force=at("rings", 1)), bound.jobs[1]))
    assert why_not(early, "rings", "furnace", 0) == "coil rings can start at 07:00 at the earliest"
    assert why_not(bound, "rings", "furnace", 5) == "coil rings would end at 12:00, and must end by 09:00"


def test_a_late_end_is_allowed_and_says_what_it_costs() -> None:
    late = asked(due=5, late_per_hour=500.0)
    assert why_not(late, "rings", "furnace", 5) == "ends 1 h after its due time (allowed, costs 500 EUR)"


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ((1, 1, 0, 0, 1, 1), "no galvanic crew before 10:00"),
        ((1, 1, 0, 0, 0, 0), "no galvanic crew at 09:00"),
    ],
)
def test_a_place_without_a_crew_says_when_there_is_one(people: tuple[int, ...], words: str) -> None:
    needs = (CrewNeed(skill="galvanic", attended=Attended.START),)
    open_ = replace(asked(needs=needs), machines=(replace(FURNACE, closed=()),))
    crewed = replace(open_, rosters=(Roster(skill="galvanic", people=people),))
    assert why_not(crewed, "rings", "furnace", 3) == words


def test_a_busy_crew_says_with_whom() -> None:
    needs = (CrewNeed(skill="loader"),)
    jobs = (job("rings", 5.0, needs=needs), job("bolts", 5.0, start=1, machine="press", needs=needs))
    crewed = problem(*jobs, rosters=(Roster(skill="loader", people=(1,) * 6),))
    assert why_not(crewed, "rings", "furnace", 1) == "the loader crew is busy at 07:00 with bolts"
    assert why_not(crewed, "rings", "furnace", 2) == ""


def test_the_order_of_jobs_is_kept_both_ways() -> None:
    first = job("melt", 5.0, start=1)
    second = job("pour", 5.0, start=2, machine="press", after=(Precedence(job="melt", max_slots=1),))
    line = problem(first, second)
    assert why_not(line, "pour", "press", 1) == "it follows melt, and may start from 08:00"
    assert why_not(line, "pour", "press", 4) == "it follows melt, and must start by 09:00"
    assert why_not(line, "melt", "furnace", 2) == "pour follows it, and starts at 08:00"


def test_a_shift_that_has_borne_its_moves_says_so() -> None:
    limited = replace(asked(), shifts=(ShiftHours(name="early", start=0, end=6, max_moves=1),))
    moved = {"bolts": Placement(job="bolts", machine="furnace", start=5)}
    assert why_not(limited, "rings", "furnace", 1) == ""
    assert why_not(limited, "rings", "furnace", 1, places=moved) == "shift early bears at most 1 moved jobs"


def test_a_machine_that_the_job_does_not_know() -> None:
    assert why_not(asked(), "rings", "press", 1) == "coil rings cannot run on Press 1"


def test_a_reason_tells_move_gain_obstacle_and_slack() -> None:
    """50 kWh go from 0.30 to 0.20; 0.10 is to be had at 09:00, but the furnace is in maintenance."""
    priced = replace(asked(due=4), import_price=(0.30, 0.20, 0.9, 0.10, 0.9, 0.9), base_load_kw=(0.0,) * 6)
    plan = price_plan(priced, [at("rings", 1), at("bolts", 2)], how=GIVEN)
    told = reasons(priced, plan)
    assert list(told) == ["rings"]
    reason = told["rings"]
    assert reason.gain == Split(energy=pytest.approx(5.0), peak=0.0, carbon=0.0, labour=0.0)
    assert reason.slack_minutes == 120
    assert reason.better == at("rings", 3)
    assert (reason.next_best, reason.next_best_costs) == (at("rings", 0), pytest.approx(5.0))
    assert reason.sentence == (
        "coil rings starts 1 h later (07:00 instead of 06:00); its 50 kWh cost 0.200 EUR/kWh there and 0.300 before; "
        "09:00 would gain 5.00 EUR more, but Furnace 2 is in maintenance until 11:00; "
        "the next best is 06:00, which costs 5.00 EUR more; 2 h of slack is left."
    )


def test_a_reason_tells_of_own_generation_and_of_the_peak() -> None:
    window = DemandWindow(name="peak", per_kw=10.0, slots=(0, 1, 2, 3, 4, 5), so_far_kw=100.0)
    sunny = replace(asked(), pv_kw=(0.0, 140.0, 0.0, 0.0, 0.0, 0.0), demand=(window,))
    plan = price_plan(sunny, [at("rings", 1), at("bolts", 2)], how=GIVEN)
    reason = reasons(sunny, plan)["rings"]
    assert "40 kWh more of it run on the plant's own generation" in reason.sentence
    assert reason.peak_kw == pytest.approx(30.0)  # 150 kW at 06:00; 120 kW stay at 08:00
    assert "the peak gets 30 kW lower" in reason.sentence
