"""What machines bear, in tables: jobs at once, and what they hold of things of which there is only so much."""

from dataclasses import replace

import pytest

from energy.model.calendar import Attended
from energy.model.problem import Interruptible, Option, ProblemMachine, Resource, Use
from energy.planning.bundles import requires, trade_back
from energy.planning.check import check
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from tests.planning.tables import GIVEN, at, job, problem


def broken(posed, *places) -> list[tuple[str, str, int | None, tuple[float, ...]]]:
    plan = price_plan(posed, places or [j.as_is for j in posed.jobs], how=GIVEN)
    return [(v.rule, v.subject, v.slot, v.by_slot) for v in check(posed, plan)]


def furnace(**said) -> tuple[ProblemMachine, ...]:
    return (ProblemMachine(id="furnace", name="Furnace 1", **said), ProblemMachine(id="press"))


def using(id, *powers, uses, start=0, machine="furnace", **other):
    return job(id, *powers, start=start, options=(Option(machine=machine, power_kw=powers, uses=uses),), **other)


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (3, []),
        (2, [("machine capacity", "furnace", 1, (1,))]),  # a runs 0-2, b 0-3, c from 1: three in slot 1
        (None, []),
    ],
)
def test_a_machine_runs_as_many_jobs_as_it_bears(capacity, expected):
    jobs = [job("a", 50, 50), job("b", 50, 50, 50), job("c", 50, start=1)]
    assert broken(problem(*jobs, machines=furnace(capacity=capacity))) == expected


def test_too_many_jobs_are_named():
    jobs = [job(id, 50, 50, start=1) for id in "abc"]
    posed = problem(*jobs, machines=furnace(capacity=2))
    (said,) = check(posed, price_plan(posed, [j.as_is for j in jobs], how=GIVEN))
    assert said.what == ("a, b, c are on Furnace 1 Wed 20 May 07:00: 3 jobs, it runs 2 at a time; too many for 2 h")
    assert (said.size, said.unit) == (1, "jobs")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (2, (1, 1, 1)),  # three moulds; the first two cool in slots 2, 3, 4 while the other two run and cool
        (4, (1,)),
        (5, ()),  # free again
    ],
)
def test_moulds_cool_after_the_run(start, expected):
    uses = (Use(resource="moulds", amount=2, after_slots=3),)
    jobs = [using("a", 50, 50, uses=uses), using("b", 50, uses=uses, start=start)]
    posed = problem(*jobs, machines=furnace(resources=(Resource(name="moulds", amount=(3,)),)))
    assert broken(posed) == ([("resource", "moulds on furnace", start, expected)] if expected else [])


@pytest.mark.parametrize(
    ("attended", "after", "amount", "expected"),
    [
        (Attended.RUN, 0, (1, 1, 1, 0, 0, 0), ()),
        (Attended.RUN, 1, (1, 1, 1, 0, 0, 0), (3, (1,))),
        (Attended.RUN, 0, (1, 0, 1, 0, 0, 0), (1, (1,))),
        (Attended.ENDS, 0, (1, 0, 1, 0, 0, 0), ()),
        (Attended.ENDS, 2, (1, 0, 1, 0, 0, 0), (3, (1, 1))),
        (Attended.START, 0, (1, 0, 0, 0, 0, 0), ()),
        (Attended.START, 2, (1, 0, 0, 0, 0, 0), (1, (1, 1))),
    ],
)
def test_a_crane_is_held_as_long_as_it_is_said(attended, after, amount, expected):
    uses = (Use(resource="crane", attended=attended, after_slots=after),)
    posed = problem(using("a", 50, 50, 50, uses=uses), resources=(Resource(name="crane", amount=amount),))
    assert broken(posed) == ([("resource", "crane", *expected)] if expected else [])


def test_a_resource_of_the_machine_goes_before_one_of_the_site():
    uses = (Use(resource="moulds", amount=2),)
    jobs = [using("a", 50, uses=uses), using("b", 50, uses=uses, machine="press", as_is=at("b", 0, "press"))]
    site = (Resource(name="moulds", amount=(1,)),)
    assert broken(problem(*jobs, resources=site)) == [("resource", "moulds", 0, (3,))]
    own = furnace(resources=(Resource(name="moulds", amount=(2,)),))
    assert broken(problem(*jobs, resources=site, machines=own)) == [("resource", "moulds", 0, (1,))]


def test_a_pause_lets_go_of_machine_and_crane():
    option = Option(
        machine="furnace",
        power_kw=(50, 50),
        interruptible=Interruptible(),
        uses=(Use(resource="crane", after_slots=1),),
    )
    paused = job("a", 50, 50, options=(option,), as_is=replace(at("a", 0), power_kw=(50, 0, 50)))
    posed = problem(paused, resources=(Resource(name="crane", amount=(1, 0, 1, 0, 0, 0)),))
    assert ("resource", "crane", 3, (1,)) in broken(posed)
    assert not [v for v in broken(posed) if v[0] == "resource" and v[2] == 1]


def test_what_a_problem_must_not_say_of_capacity_and_resources():
    uses = (Use(resource="mold"), Use(resource="crane", amount=3), Use(resource="crane", amount=0, after_slots=-1))
    posed = problem(
        using("a", 50, uses=uses),
        resources=(Resource(name="crane", amount=(2, 2)), Resource(name="crane", amount=(float("nan"),))),
        machines=furnace(capacity=0, resources=(Resource(name="moulds", amount=(-1,)),)),
    )
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == [
        "machines[0].capacity: 0 runs nothing; at least 1, or null for as many as its resources bear",
        "machines[0].resources[0].amount[0]: -1 is negative",
        "resources[1]: same name 'crane' as resources[0]",
        "resources[0].amount: has 2 values; one that always holds, or one for each of the 6 slots",
        "resources[1].amount[0]: nan is not a number that can be planned with; fill the gap first",
        "jobs[0].options[0].uses[0].resource: no resource of furnace or the site 'mold'; did you mean 'moulds'?",
        "jobs[0].options[0].uses[2].amount: 0 of a resource is no use of it",
        "jobs[0].options[0].uses[2].after_slots: -1 is negative; it is held at least until the run lets go",
    ]


def test_more_of_a_resource_than_there_ever_is_is_a_mistake():
    posed = problem(
        using("a", 50, uses=(Use(resource="crane", amount=3),)), resources=(Resource(name="crane", amount=(2,)),)
    )
    assert [f"{m.where}: {m.what}" for m in mistakes_in(posed)] == [
        "jobs[0].options[0].uses[0].amount: 3 are asked for; at the site there are never more than 2"
    ]


def test_jobs_on_a_machine_that_runs_several_do_not_require_each_other():
    jobs = [job("a", 50, 50, start=0), job("b", 50, 50, start=4)]
    new = {"a": at("a", 4), "b": at("b", 2)}
    assert requires(problem(*jobs), new) == {"a": {"b"}, "b": set()}
    assert requires(problem(*jobs, machines=furnace(capacity=2)), new) == {"a": set(), "b": set()}


def test_jobs_of_two_families_are_not_equal():
    a, b = job("a", 50, start=0, family="A"), job("b", 50, start=4, family="B")
    new = {"a": at("a", 4), "b": at("b", 0)}
    assert trade_back(problem(a, b), new) == new
    assert trade_back(problem(a, replace(b, family="A")), new) == {"a": at("a", 0), "b": at("b", 4)}
