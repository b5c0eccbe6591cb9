"""Why not there: full machines, resources that others hold, machines that are not up, setups without time."""

import pytest

from energy.model.problem import (
    MachineState,
    MachineStates,
    Option,
    ProblemMachine,
    Resource,
    Setup,
    Transition,
    Use,
)
from energy.planning.explain import why_not
from tests.planning.tables import job, problem

CRANE = (Use(resource="crane", after_slots=1),)
OFF_ON = MachineStates(
    states=(MachineState(name="off"), MachineState(name="on", runs_jobs=True)),
    transitions=(
        Transition(from_state="off", to_state="on", slots=2),
        Transition(from_state="on", to_state="off", slots=1),
    ),
    at_start="off",
    at_end="off",
)


def furnace(**said):
    return (ProblemMachine(id="furnace", name="Furnace 1", **said), ProblemMachine(id="press"))


def craning(id, start, machine="furnace"):
    return job(id, 50, start=start, machine=machine, options=(Option(machine=machine, power_kw=(50,), uses=CRANE),))


@pytest.mark.parametrize(
    ("capacity", "start", "expected"),
    [
        (1, 1, "Furnace 1 runs b until 09:00"),
        (2, 1, "Furnace 1 runs b, c at 08:00"),  # from 07:00 on two hours; at 07:00 there is room
        (2, 0, ""),
        (3, 1, ""),
        (None, 1, ""),
    ],
)
def test_a_full_machine(capacity, start, expected):
    jobs = [job("a", 50, 50, start=4), job("b", 50, 50, start=1), job("c", 50, start=2)]
    posed = problem(*jobs, machines=furnace(capacity=capacity))
    assert why_not(posed, "a", "furnace", start) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, "crane is held by b at 07:00"),  # held an hour longer than it runs
        (2, "crane is held by b at 08:00"),
        (3, ""),
        (4, "there is too little of crane at 10:00 (0, it needs 1)"),
    ],
)
def test_a_crane_that_others_hold(start, expected):
    jobs = [craning("a", 3), craning("b", 1, machine="press")]
    posed = problem(*jobs, resources=(Resource(name="crane", amount=(1, 1, 1, 1, 0, 1)),), slots=6)
    if start == 3:
        posed = problem(*jobs, resources=(Resource(name="crane", amount=(1,)),))
    assert why_not(posed, "a", "furnace", start) == expected


def test_moulds_of_another_machine_are_not_in_the_way():
    jobs = [craning("a", 3), craning("b", 1, machine="press")]
    own = furnace(resources=(Resource(name="crane", amount=(1,)),))
    posed = problem(*jobs, machines=own, resources=(Resource(name="crane", amount=(1,)),))
    assert why_not(posed, "a", "furnace", 1) == ""


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (1, "Furnace 1 is up at 08:00 at the earliest"),
        (2, ""),
        (4, ""),
        (5, "Furnace 1 could not be off at 12:00"),
    ],
)
def test_a_machine_that_must_come_up_and_go_down(start, expected):
    posed = problem(job("a", 50, start=3), machines=furnace(states=OFF_ON))
    assert why_not(posed, "a", "furnace", start) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (1, "Furnace 1 must be set up for B in the 1 h before it, and is not free at 06:00"),
        (2, ""),
        (3, "Furnace 1 must be set up for A in the 1 h before c at 10:00, and is not free at 09:00"),
        (5, "Furnace 1 must be set up for B in the 1 h before it, and is not free at 10:00"),
    ],
)
def test_a_setup_without_time(start, expected):
    jobs = [job("a", 50, start=0, family="A"), job("b", 50, start=7, family="B"), job("c", 50, start=4, family="A")]
    setups = (
        Setup(from_family="A", to_family="B", slots=1),
        Setup(from_family="B", to_family="A", slots=1),
    )
    posed = problem(*jobs, machines=furnace(setups=setups, family_at_start="A"), slots=8)
    assert why_not(posed, "b", "furnace", start) == expected
