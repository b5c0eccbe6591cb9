"""Rules of one job that leave it no place: told in the plant's words, with the least that would cure it."""

import pytest

from energy.model.calendar import Attended
from energy.model.problem import Closed, CrewNeed, ProblemMachine, Roster
from energy.planning.conflict import Conflict, conflicts
from tests.planning.tables import job, problem

MAINTENANCE = Closed(start=0, end=3, why="maintenance")


def told(*, closed: tuple[Closed, ...] = (), people: tuple[int, ...] = (1,) * 6, **rules: object) -> list[Conflict]:
    """Six hours from 06:00; order 4711 needs two hours on furnace 2, and a loader as it starts."""
    needs = (CrewNeed(skill="loader", attended=Attended.START),)
    return conflicts(
        problem(
            job("4711", 50.0, 50.0, start=0, name="order 4711", needs=needs, **rules),
            machines=(ProblemMachine(id="furnace", name="Furnace 2", closed=closed), ProblemMachine(id="press")),
            rosters=(Roster(skill="loader", people=people),),
        )
    )


def test_a_job_with_a_place_is_in_no_conflict() -> None:
    assert told(must_end=6, closed=(MAINTENANCE,)) == []


def test_maintenance_and_a_hard_end_contradict_each_other() -> None:
    (conflict,) = told(must_end=4, closed=(MAINTENANCE,))
    assert conflict.sentence == (
        "Furnace 2 cannot finish order 4711 by 10:00: it is in maintenance until 09:00 and needs 2 h"
    )
    assert [(r.rule, r.by, r.placement.start) for r in conflict.relaxations] == [
        ("order 4711 must end by 10:00", "1 h later, at 11:00", 3),
        ("Furnace 2 is closed", "open for 1 h of it, for a run from 08:00 to 10:00", 2),
    ]


def test_late_material_and_a_hard_end() -> None:
    (conflict,) = told(earliest=3, must_end=4, due=4, late_per_hour=80.0, closed=(MAINTENANCE,))
    assert conflict.sentence == (
        "Furnace 2 cannot finish order 4711 by 10:00: it can start at 09:00 at the earliest and needs 2 h"
    )
    later, sooner = conflict.relaxations[0], [r for r in conflict.relaxations if "earliest" in r.rule]
    assert (later.by, later.late, later.gave_way(bill_change=2.5).price) == ("1 h later, at 11:00", 80.0, 82.5)
    assert sooner == []  # before 09:00 the furnace is in maintenance, so that material in time alone cures nothing


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ((0, 0, 0, 1, 1, 1), "a loader crew is there only from 09:00 to 10:00"),
        ((0, 0, 0, 0, 1, 1), "no loader crew is there before 10:00"),
    ],
)
def test_a_crew_that_comes_too_late(people: tuple[int, ...], words: str) -> None:
    (conflict,) = told(must_end=4, people=people)
    assert conflict.sentence == f"Furnace 2 cannot finish order 4711 by 10:00: {words} and it needs 2 h"
    assert conflict.relaxations[-1].by == "one person more for 1 h, for a start at 06:00"
