"""Feeders, buffers, holding and batches: what a problem may say of them, what they draw, and what the auditor hears."""

import time
from dataclasses import replace
from typing import Any

import pytest

from energy.model.problem import (
    Batch,
    Buffer,
    Feeder,
    Flow,
    Interruptible,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    Recipe,
)
from energy.planning.check import check
from energy.planning.obstacles import why_not
from energy.planning.price import price_plan
from energy.planning.price_flow import batch_runs, buffer_levels
from energy.planning.sound import mistakes_in
from tests.planning.tables import GIVEN, at, job, problem

OVEN = ProblemMachine(
    id="oven",
    name="Oven",
    batch=Batch(
        recipes=(Recipe(name="T6", power_kw=(60.0, 20.0)), Recipe(name="T5", power_kw=(30.0,))),
        capacity=4.0,
        least_fill=2.0,
    ),
)
MACHINES = (
    ProblemMachine(id="furnace", name="Furnace"),
    ProblemMachine(id="press", name="Press"),
    OVEN,
)


def treated(id: str, start: int, quantity: float = 1.0, mode: str = "T6") -> ProblemJob:
    length = {"T6": 2, "T5": 1}.get(mode, 1)
    option = Option(machine="oven", mode=mode, power_kw=(1.0,) * length, quantity=quantity)
    place = at(id, start, "oven", mode)
    return ProblemJob(id=id, options=(option,), as_is=place, in_force=place)


def said(posed: Problem) -> list[str]:
    return [f"{mistake.where}: {mistake.what}" for mistake in mistakes_in(posed)]


def broken(posed: Problem, *places: Placement) -> list[tuple[str, str, int | None, tuple[float, ...]]]:
    plan = price_plan(posed, places or [j.as_is for j in posed.jobs], how=GIVEN)
    return [(v.rule, v.subject, v.slot, v.by_slot or (v.size,)) for v in check(posed, plan)]


def above_base(posed: Problem, *places: Placement) -> list[float]:
    """What the plant draws above its 100 kW of base load."""
    plan = price_plan(posed, places or [j.as_is for j in posed.jobs], how=GIVEN)
    return [kw - 100.0 for kw in plan.import_kw]


# --- what a problem may say


def test_every_mistake_is_said_at_once_with_its_place():
    nan = float("nan")
    posed = problem(
        replace(job("a", 10), flows=(Flow(buffer="ladel", quantity=nan),)),
        replace(job("b", 10), after=(Precedence(job="t", keeps_machine=True, holding_kw=-3.0),)),
        treated("t", 0),
        machines=MACHINES,
        feeders=(
            Feeder(id="one", machines=("furnace", "pres", "furnace"), limit_kw=-1.0, base_load_kw=(1.0, nan)),
            Feeder(id="one", machines=(), limit_kw=5.0),
        ),
        buffers=(
            Buffer(id="ladle", least=3.0, most=1.0, draw=(1.0,)),
            Buffer(id="ladle", start=nan, most=1.0),
        ),
    )
    assert said(posed) == [
        "feeders[1]: same id 'one' as feeders[0]",
        "feeders[0].machines[1]: no machine 'pres'; did you mean 'press'?",
        "feeders[0].machines[2]: same machine 'furnace' as feeders[0].machines[0]",
        "feeders[0].limit_kw: -1 is negative",
        "feeders[0].base_load_kw: has 2 values; the horizon has 6 slots",
        "feeders[0].base_load_kw[1]: nan is not a number that can be planned with; fill the gap first",
        "feeders[1].machines: a feeder feeds at least one machine",
        "buffers[1]: same id 'ladle' as buffers[0]",
        "buffers[0].most: 1 is less than least (3)",
        "buffers[0].draw: has 1 values; the horizon has 6 slots",
        "buffers[1].start: nan is not a number that can be planned with; fill the gap first",
        "jobs[0].flows[0].buffer: no buffer 'ladel'; did you mean 'ladle'?",
        "jobs[0].flows[0].quantity: nan is not a number that can be planned with; fill the gap first",
        "jobs[1].after[0].holding_kw: -3 is negative",
        "jobs[1].after[0].keeps_machine: t is treated on oven in batches, and a batch machine is kept by no single job",
    ]


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ({"recipes": ()}, ["machines[2].batch.recipes: a batch machine needs at least one recipe"]),
        (
            {"recipes": (Recipe(name="T6", power_kw=(1.0, -1.0)), Recipe(name="T6", power_kw=()))},
            [
                "machines[2].batch.recipes[1]: same name 'T6' as machines[2].batch.recipes[0]",
                "machines[2].batch.recipes[0].power_kw[1]: -1 is negative",
                "machines[2].batch.recipes[1].power_kw: a recipe needs at least one slot",
            ],
        ),
        ({"capacity": 0.0, "least_fill": 0.0}, ["machines[2].batch.capacity: 0 holds nothing; it must be above 0"]),
        ({"least_fill": 5.0}, ["machines[2].batch.least_fill: 5 is more than capacity (4)"]),
    ],
)
def test_mistakes_of_a_batch_machine(batch: dict[str, Any], expected: list[str]):
    assert OVEN.batch is not None
    machine = replace(OVEN, batch=replace(OVEN.batch, **batch))
    assert said(problem(machines=(*MACHINES[:2], machine))) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"mode": "T7"}, "jobs[0].options[0].mode: no recipe of oven 'T7'; known: T6, T5"),
        ({"power_kw": (1.0,)}, "jobs[0].options[0].power_kw: has 1 values; recipe T6 of oven takes 2 slots"),
        ({"quantity": 0.0}, "jobs[0].options[0].quantity: 0 fills nothing; it must be above 0"),
        ({"quantity": 9.0}, "jobs[0].options[0].quantity: 9 of a is more than oven holds (4)"),
        ({"interruptible": Interruptible()}, "jobs[0].options[0].interruptible: a batch on oven is not interrupted"),
    ],
)
def test_mistakes_of_a_job_in_a_batch(option: dict[str, Any], expected: str):
    asked = treated("a", 0)
    wrong = replace(asked.options[0], **option)
    place = at("a", 0, "oven", wrong.mode)
    posed = problem(replace(asked, options=(wrong,), as_is=place, in_force=place), machines=MACHINES)
    assert expected in said(posed)


# --- what it draws


def pour(start: int, **rule: Any) -> ProblemJob:
    return job("pour", 7, start=start, machine="press", after=(Precedence(job="melt", **rule),))


@pytest.mark.parametrize(
    ("start", "kw"),
    [
        (2, [40, 40, 7, 0, 0, 0]),  # poured at once
        (4, [40, 40, 12, 12, 7, 0]),  # held for two hours
        (1, [40, 47, 0, 0, 0, 0]),  # poured before the melt has ended: nothing is held (and the order is wrong)
    ],
)
def test_the_furnace_holds_until_the_pour(start: int, kw: list[float]):
    assert above_base(problem(job("melt", 40, 40), pour(start, holding_kw=12.0))) == pytest.approx(kw)


def test_what_is_held_is_held_within_the_horizon_only():
    posed = problem(job("melt", 40, start=-2), replace(pour(3, holding_kw=12.0), fixed=at("pour", 8, "press")), slots=4)
    assert above_base(posed, at("melt", -2), at("pour", 8, "press")) == pytest.approx([12.0] * 4)


def test_a_batch_draws_once_and_each_job_on_top():
    posed = problem(treated("a", 1), treated("b", 1), treated("c", 3, 2.0, "T5"), machines=MACHINES)
    assert above_base(posed) == pytest.approx([0, 62, 22, 31, 0, 0])
    assert [
        (run.start, run.recipe.name, run.jobs, run.quantity) for run in batch_runs(posed, [j.as_is for j in posed.jobs])
    ] == [
        (1, "T6", ("a", "b"), 2.0),
        (3, "T5", ("c",), 2.0),
    ]


def test_levels_count_a_flow_in_the_slot_that_begins_with_it():
    buffer = Buffer(id="rack", start=2.0, most=9.0, draw=(0.0, 0.0, 0.0, 0.0, 0.5, -1.0))
    first = replace(job("a", 1, 1, start=1), flows=(Flow(buffer="rack", quantity=3.0),))  # ends as slot 3 begins
    second = replace(job("b", 1, start=2), flows=(Flow(buffer="rack", quantity=-1.0, at_end=False),))
    last = replace(job("c", 1, start=5), flows=(Flow(buffer="rack", quantity=5.0),))  # there after the horizon
    posed = problem(first, second, last, buffers=(buffer,))
    levels = buffer_levels(posed, [j.as_is for j in posed.jobs])
    assert levels["rack"].tolist() == pytest.approx([2.0, 2.0, 1.0, 4.0, 3.5, 4.5])
    assert buffer_levels(posed, [first.as_is])["rack"].tolist() == pytest.approx([2.0, 2.0, 2.0, 5.0, 4.5, 5.5])


# --- what the auditor hears


@pytest.mark.parametrize(
    ("base", "limit", "expected"),
    [
        ((), 90.0, []),
        ((), 89.0, [("feeder limit", "converter", 1, (1.0,))]),
        ((30.0,) * 6, 119.0, [("feeder limit", "converter", 1, (1.0,))]),
        ((0.0, 0.0, 0.0, 0.0, 99.0, 98.0), 95.0, [("feeder limit", "converter", 4, (4.0, 3.0))]),
    ],
)
def test_a_feeder_is_not_overloaded(base, limit, expected):
    feeder = Feeder(id="converter", machines=("furnace", "press"), limit_kw=limit, base_load_kw=base)
    posed = problem(job("a", 50, 50), job("b", 40, start=1, machine="press"), feeders=(feeder,))
    assert broken(posed) == expected


def test_holding_and_batches_load_the_feeder_of_their_machine():
    feeders = (
        Feeder(id="melting", machines=("furnace",), limit_kw=11.0),
        Feeder(id="ovens", machines=("oven",), limit_kw=61.0),
    )
    jobs = [job("melt", 5), pour(3, holding_kw=12.0), treated("a", 1), treated("b", 1)]
    assert broken(problem(*jobs, machines=MACHINES, feeders=feeders)) == [
        ("feeder limit", "melting", 1, (1.0, 1.0)),
        ("feeder limit", "ovens", 1, (1.0,)),
    ]


@pytest.mark.parametrize(
    ("start", "least", "most", "expected"),
    [
        (0.0, 0.0, 2.0, []),
        (0.0, 0.0, 1.5, [("buffer full", "rack", 2, (0.5, 0.5))]),
        (0.0, 0.5, 9.0, [("buffer empty", "rack", 0, (0.5, 0.5)), ("buffer empty", "rack", 4, (0.5, 0.5))]),
        (-1.0, 0.0, 9.0, [("buffer empty", "rack", 0, (1.0, 1.0)), ("buffer empty", "rack", 4, (1.0, 1.0))]),
    ],
)
def test_a_buffer_is_neither_too_full_nor_too_empty(start, least, most, expected):
    rack = Buffer(id="rack", start=start, least=least, most=most)
    made = replace(job("a", 1, 1), flows=(Flow(buffer="rack", quantity=2.0),))
    used = replace(job("b", 1, start=4), flows=(Flow(buffer="rack", quantity=-2.0, at_end=False),))
    assert broken(problem(made, used, buffers=(rack,))) == expected


@pytest.mark.parametrize(
    ("capacity", "keeps", "other", "expected"),
    [
        (1, True, 4, []),  # it begins as the pour does
        (1, True, 3, [("kept machine", "furnace", 3, (1.0,))]),
        (1, True, 2, [("kept machine", "furnace", 2, (1.0,))]),
        (1, False, 3, []),
        (2, True, 3, []),
        (None, True, 3, []),
    ],
)
def test_a_machine_that_holds_runs_nothing_else(capacity, keeps, other, expected):
    machines = (replace(MACHINES[0], capacity=capacity), MACHINES[1])
    jobs = [job("melt", 5, 5), pour(4, keeps_machine=keeps), job("n", 5, start=other)]
    assert broken(problem(*jobs, machines=machines)) == expected


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([treated("a", 0), treated("b", 0), treated("c", 2), treated("d", 2, 3.0)], []),
        ([treated("a", 0)], [("batch too empty", "T6 on oven in slot 0", 0, (1.0,))]),
        ([treated("a", 0, 3.0), treated("b", 0, 2.0)], [("batch too full", "T6 on oven in slot 0", 0, (1.0,))]),
        ([treated("a", 0, 2.0), treated("b", 1, 2.0)], [("batch at a time", "oven", 1, (1.0,))]),
        ([treated("a", 0, 2.0), treated("b", 0, 2.0, "T5")], [("batch at a time", "oven", 0, (1.0,))]),
    ],
)
def test_a_batch_machine_treats_one_full_enough_batch_at_a_time(jobs, expected):
    assert broken(problem(*jobs, machines=MACHINES)) == expected


# --- why not there


def test_why_not_in_the_plants_words():
    rack = Buffer(id="rack", name="Rack", most=2.0)
    feeder = Feeder(id="converter", name="Converter", machines=("furnace", "press"), limit_kw=95.0)
    posed = problem(
        job("melt", 50, 50),
        pour(4, keeps_machine=True, holding_kw=1.0),
        job("n", 10, start=5),
        replace(job("made", 60, start=5, machine="press"), flows=(Flow(buffer="rack", quantity=2.0),)),
        replace(job("used", 1, start=5, machine="hall"), flows=(Flow(buffer="rack", quantity=-2.0, at_end=False),)),
        treated("a", 0),
        treated("b", 0),
        treated("c", 2, 3.0),
        machines=(*MACHINES, ProblemMachine(id="hall")),
        buffers=(rack,),
        feeders=(feeder,),
    )

    def why(id: str, machine: str, start: int, mode: str = "") -> str:
        return why_not(posed, id, machine, start, mode=mode)

    assert why("n", "furnace", 3) == "Furnace holds the work of melt until 10:00"
    assert why("pour", "press", 3) == ""
    assert why("melt", "furnace", 2) == ""
    assert why("made", "press", 1) == "Converter would carry 110 kW at 07:00, and bears 95 kW"
    assert why("used", "hall", 4) == "Rack has too few pieces left at 10:00"
    assert why("c", "oven", 1, "T6") == "Oven treats a batch by T6 until 08:00"
    assert why("c", "oven", 0, "T6") == "the batch would be 5, and Oven holds 4"
    assert why("a", "oven", 4, "T6") == "the batch would be 1, and Oven starts with at least 2"
    later = replace(
        posed, jobs=(*posed.jobs[:1], replace(posed.jobs[1], in_force=at("pour", 5, "press")), *posed.jobs[3:])
    )
    busy = replace(later, jobs=(*later.jobs, job("m", 1, start=3)))
    assert why_not(busy, "pour", "press", 4) == "Furnace holds the work of melt until 10:00 then, and runs m meanwhile"


def test_the_auditor_is_quick_with_a_week_of_five_thousand_jobs():
    slots, jobs = 672, []
    for i in range(2500):
        made = replace(job(f"m{i}", 5.0, start=i % 600), flows=(Flow(buffer="rack", quantity=1.0),))
        rule = Precedence(job=made.id, holding_kw=1.0, keeps_machine=True)
        jobs += [made, replace(job(f"p{i}", 5.0, start=i % 600 + 4, machine="press"), after=(rule,))]
    machines = tuple(replace(machine, capacity=None) for machine in MACHINES[:2])
    feeder = Feeder(id="converter", machines=("furnace", "press"), limit_kw=1e6)
    rack = Buffer(id="rack", most=1e6)
    posed = problem(*jobs, slots=slots, machines=machines, feeders=(feeder,), buffers=(rack,), import_limit_kw=1e6)
    plan = price_plan(posed, [j.as_is for j in posed.jobs], how=GIVEN)
    began = time.process_time()
    assert check(posed, plan) == []
    assert time.process_time() - began < 5.0
