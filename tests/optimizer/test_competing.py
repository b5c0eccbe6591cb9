"""Jobs that get in each other's way: the smallest set of jobs and rules, in words, and what the least cure costs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.plan import Answer, How, HowFound, Plan
from energy.model.problem import (
    Buffer,
    Closed,
    CrewNeed,
    Flow,
    Option,
    Precedence,
    Problem,
    ProblemMachine,
    Roster,
    ShiftHours,
)
from energy.planning.price import price_plan
from optimizer.competing import Competing, Question, competing
from optimizer.competing_cures import competing_cures
from optimizer.cures import price_of
from optimizer.milp import Milp
from tests.optimizer.plants import job, plant

MAINTENANCE = Closed(start=0, end=2, why="maintenance")


def machines(*closed: Closed) -> tuple[ProblemMachine, ...]:
    return (
        ProblemMachine(id="furnace", name="Furnace 2", closed=closed),
        ProblemMachine(id="press", name="Press"),
    )


def order(id: str, slots: int, *, start: int, **other: Any) -> Any:
    return job(id, *(10.0,) * slots, start=start, name=f"order {id}", **other)


def three_orders(**other: Any) -> Problem:
    """Ten hours from 06:00. Furnace 2 is in maintenance until 08:00; three orders of 2 h, 2 h and 1 h must be done by
    12:00. Two further jobs are in nobody's way. A kWh costs 0.10, and 0.30 after 12:00."""
    return plant(
        [0.1] * 6 + [0.3] * 4,
        order("4711", 2, start=0, must_end=6, due=6, late_per_hour=80.0),
        order("4702", 2, start=2, must_end=6),
        order("4703", 1, start=4, must_end=6, due=6, late_per_hour=20.0),
        order("later", 1, start=8, earliest=8),
        order("pressed", 1, start=3, machine="press"),
        machines=machines(MAINTENANCE),
        **other,
    )


def as_given(problem: Problem) -> Plan:
    return price_plan(problem, [job.in_force for job in problem.jobs], how=How(found=HowFound.AS_GIVEN))


def sets(problem: Problem, seconds: float = 20.0) -> list[Competing]:
    return competing(problem, as_given(problem), seconds=seconds)


def answer(problem: Problem) -> Answer:
    return Milp(gap=0.0, process=False).solve(problem, seconds=20)


def test_three_orders_need_more_of_the_furnace_than_there_is() -> None:
    (one,) = sets(three_orders())
    assert one.sentence == (
        "order 4711, order 4702 and order 4703 need Furnace 2 for 5 h between Wed 06:00 and Wed 12:00, "
        "when it is free for 4 h"
    )
    assert one.jobs == ("4711", "4702", "4703")
    assert [rule.words for rule in one.rules] == [
        "order 4711 must end by Wed 12:00",
        "order 4702 must end by Wed 12:00",
        "order 4703 must end by Wed 12:00",
        "Furnace 2 is in maintenance from Wed 06:00 to Wed 08:00",
        "Furnace 2 runs one job at a time",
    ]
    assert one.smallest


def test_each_rule_in_turn_gives_the_least_and_the_plan_is_made_again_for_its_price() -> None:
    """As planned, one order stays in the maintenance, all at 0.10. An order that ends an hour after 12:00 has one hour
    at 0.30 (2.00 more) and the price of being late; an hour of maintenance less, or another furnace, costs nothing."""
    problem = three_orders()
    plan = answer(problem).plan
    assert plan is not None
    (one,) = competing(problem, plan, seconds=20)
    found = competing_cures(problem, plan, one, seconds=30, process=False)
    assert {(cure.rule, cure.by, round(cure.price, 6)) for cure in found} == {
        ("order 4711 must end by Wed 12:00", "1 h later, at Wed 13:00", 82.0),
        ("order 4702 must end by Wed 12:00", "1 h later, at Wed 13:00", 2.0),
        ("order 4703 must end by Wed 12:00", "1 h later, at Wed 13:00", 22.0),
        ("Furnace 2 is in maintenance from Wed 06:00 to Wed 08:00", "1 h shorter, until Wed 07:00", 0.0),
        ("Furnace 2 runs one job at a time", "order 4711 on another machine like Furnace 2", 0.0),
        ("Furnace 2 runs one job at a time", "order 4702 on another machine like Furnace 2", 0.0),
        ("Furnace 2 runs one job at a time", "order 4703 on another machine like Furnace 2", 0.0),
    }
    assert [cure.price for cure in found] == sorted(cure.price for cure in found)


def test_where_there_is_room_nobody_competes() -> None:
    roomy = three_orders()
    jobs = tuple(replace(job, must_end=7) if job.must_end else job for job in roomy.jobs)
    assert sets(replace(roomy, jobs=jobs)) == []


def test_free_times_that_are_too_short_are_told_one_by_one() -> None:
    problem = plant(
        [0.1] * 8,
        order("long", 3, start=3),
        order("short", 3, start=0),
        machines=machines(Closed(start=4, end=6)),
    )
    (one,) = sets(problem)
    assert one.sentence == (
        "order long and order short need Furnace 2 for 6 h between Wed 06:00 and Wed 14:00, when it is free only "
        "from Wed 06:00 to Wed 10:00 and from Wed 12:00 to Wed 14:00 (order long 3 h and order short 3 h)"
    )


def test_a_crew_that_both_need() -> None:
    """Each needs the only loader for two hours, on machines of their own; from 07:00 to 10:00 there are three."""
    loads = (CrewNeed(skill="loader"),)
    problem = plant(
        [0.1] * 4,
        order("a", 2, start=0, earliest=1, needs=loads),
        order("b", 2, start=1, earliest=1, machine="press", needs=loads),
        machines=machines(),
        rosters=(Roster(skill="loader", people=(1, 1, 1, 1)),),
    )
    (one,) = sets(problem)
    assert one.sentence == (
        "order a (2 h) and order b (2 h) cannot all be placed: at most 1 of the loader crew is there; "
        "order a can start at Wed 07:00 at the earliest; order b can start at Wed 07:00 at the earliest; "
        "the planned time ends at Wed 10:00"
    )
    cures = {c.rule: c.by for c in competing_cures(problem, as_given(problem), one, seconds=20, process=False)}
    assert cures == {
        "at most 1 of the loader crew is there": "one more for 2 h between Wed 08:00 and Wed 10:00",
        "order a can start at Wed 07:00 at the earliest": "1 h sooner, at Wed 06:00",
        "order b can start at Wed 07:00 at the earliest": "1 h sooner, at Wed 06:00",
    }


def test_an_order_of_two_jobs() -> None:
    """B follows A within an hour; A cannot start before 09:00, B must be done by 10:00."""
    problem = plant(
        [0.1] * 6,
        order("a", 1, start=0, earliest=3),
        order("b", 1, start=4, machine="press", must_end=4, after=(Precedence(job="a", max_slots=1),)),
    )
    (one,) = sets(problem)
    assert one.sentence == (
        "order a (1 h) and order b (1 h) cannot all be placed: order b follows order a by at most 1 h; "
        "order a can start at Wed 09:00 at the earliest; order b must end by Wed 10:00"
    )


def test_a_fixed_job_and_a_shift_that_bears_no_moves() -> None:
    fixed = order("fixed", 2, start=3)
    problem = plant(
        [0.1] * 6,
        order("late", 2, start=0),
        replace(fixed, fixed=fixed.in_force),
        machines=machines(MAINTENANCE),
    )
    (one,) = sets(problem)
    assert [rule.kind for rule in one.rules] == ["fixed", "closed", "machine"]
    unmoved = plant(
        [0.1] * 6,
        order("late", 2, start=0),
        order("other", 1, start=4, machine="press"),
        machines=machines(MAINTENANCE),
        shifts=(ShiftHours(name="early", start=0, end=6, max_moves=0),),
    )
    assert [one.sentence for one in sets(unmoved)] == [
        "order late (2 h) cannot be placed: shift early bears at most 0 moved jobs; "
        "Furnace 2 is in maintenance from Wed 06:00 to Wed 08:00"
    ]


def test_without_time_it_says_nothing_and_with_too_little_that_it_may_not_be_the_smallest() -> None:
    assert sets(three_orders(), seconds=0.0) == []
    question = Question(three_orders(), frozenset(), until=0.0)
    assert question.possible(["4711", "4702", "4703"])
    assert question.cut_short


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    lengths=st.lists(st.integers(1, 3), min_size=2, max_size=5),
    ends=st.lists(st.integers(3, 8), min_size=5, max_size=5),
    shut=st.integers(1, 3),
    two=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_nothing_of_a_set_can_be_missed(lengths: list[int], ends: list[int], shut: int, two: list[bool]) -> None:
    """Whatever jobs compete: the set contradicts itself, and no job and no rule of it can be taken away."""
    jobs = [
        replace(
            order(str(n), slots, start=0, must_end=max(end, slots + shut)),
            options=tuple(
                Option(machine=machine, power_kw=(10.0,) * slots)
                for machine in (("furnace", "press") if both else ("furnace",))
            ),
        )
        for n, (slots, end, both) in enumerate(zip(lengths, ends, two, strict=False))
    ]
    problem = plant([0.1] * 8, *jobs, machines=machines(Closed(start=0, end=shut)))
    for one in sets(problem):
        question = Question(problem, one.excused, until=1e12)
        every = rules_left(problem, one)
        assert not question.possible(one.jobs, every)
        for job_left_out in one.jobs:
            if job_left_out != one.job:
                assert question.possible([id for id in one.jobs if id != job_left_out])
        for rule in one.rules:
            assert question.possible(one.jobs, [*every, rule])


def rules_left(problem: Problem, one: Competing) -> list[Any]:
    """The rules that were taken away to come to a set."""
    from optimizer.competing import only
    from optimizer.competing_rules import rules_of

    kept = {(rule.kind, rule.about, rule.words) for rule in one.rules}
    return [r for r in rules_of(only(problem, set(one.jobs))) if (r.kind, r.about, r.words) not in kept]


def test_relaxations_of_an_answer_are_the_cures_of_a_job_alone_with_their_price() -> None:
    """The furnace is shut until 09:00 and order 4711 of 2 h must end by 10:00; at 11:00 it is an hour late (80.00) and
    runs one hour at 0.30 instead of 0.10 (2.00 more)."""
    problem = plant(
        [0.1] * 4 + [0.3] * 2,
        order("4711", 2, start=0, must_end=4, due=4, late_per_hour=80.0),
        machines=machines(Closed(start=0, end=3, why="maintenance")),
    )
    made = answer(problem)
    assert made.plan is not None
    sentence = "Furnace 2 cannot finish order 4711 by 10:00: it is in maintenance until 09:00 and needs 2 h"
    assert [given.rule for given in made.plan.gave_way] == [sentence]
    assert [(r.rule, r.by, pytest.approx(r.price)) for r in made.relaxations] == [
        ("order 4711 must end by 10:00", "1 h later, at 11:00", 82.0),
        ("Furnace 2 is closed", "open for 1 h of it, for a run from 08:00 to 10:00", 0.0),
    ]
    assert price_of(made.plan) == pytest.approx(2.0)


def test_a_relaxation_goes_where_no_other_job_is_in_the_way() -> None:
    """At 09:00 another job is fixed, so that the least delay that can be had ends at 12:00."""
    fixed = order("fixed", 1, start=4)
    problem = plant(
        [0.1] * 8,
        order("4711", 2, start=0, must_end=4),
        replace(fixed, fixed=fixed.in_force),
        machines=machines(Closed(start=0, end=3, why="maintenance")),
    )
    assert next(r.by for r in answer(problem).relaxations) == "3 h later, at 13:00"


def test_jobs_in_each_others_way_may_flow_through_buffers() -> None:
    """Money and buffers are left out of the question, so the flows of its jobs are too."""
    through = replace(
        three_orders(),
        buffers=(Buffer(id="rack", start=2.0, most=9.0),),
        jobs=tuple(replace(j, flows=(Flow(buffer="rack", quantity=1.0),)) for j in three_orders().jobs),
    )
    assert [one.sentence for one in sets(through)] == [one.sentence for one in sets(three_orders())]
