"""Feeders, buffers, holding and batches: tables that a planner could check by hand, and small random plants against
trying everything."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Adjustable,
    Batch,
    Buffer,
    Feeder,
    Flow,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    Recipe,
)
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from tests.optimizer.plants import at, best, job, plant, starts
from tests.planning.mutations import unheard
from tests.planning.tables import GIVEN


def checked(problem: Problem) -> Plan:
    """The proven best plan; it breaks no rule that was not broken before."""
    plan = best(problem)
    given_ = [j.fixed or j.in_force for j in problem.jobs]
    before = check(problem, price_plan(problem, given_, how=How(found=HowFound.AS_GIVEN)))
    assert new_violations(before, check(problem, plan)) == []
    return plan


def gave_way(plan: Plan) -> list[str]:
    return [given.rule for given in plan.gave_way]


# --- feeders

CONVERTER = Feeder(id="converter", name="Converter", machines=("furnace", "press"), limit_kw=15.0)


def test_two_furnaces_share_one_converter() -> None:
    jobs = [job("a", 10, start=0), job("b", 9, start=1, machine="press")]
    prices = [5.0, 5.0, 1.0]
    assert starts(checked(plant(prices, *jobs))) == {"a": 2, "b": 2}
    assert starts(checked(plant(prices, *jobs, feeders=(CONVERTER,)))) == {"a": 2, "b": 1}  # the larger one goes


def test_what_else_hangs_on_the_feeder_counts() -> None:
    feeder = replace(CONVERTER, base_load_kw=(0.0, 0.0, 6.0))
    plan = checked(plant([5.0, 4.0, 1.0], job("a", 10), job("b", 9, start=1, machine="press"), feeders=(feeder,)))
    assert starts(plan) == {"a": 1, "b": 2}  # beside 6 kW there is room for 9, not for 10


def test_machines_of_other_feeders_do_not_count() -> None:
    feeder = replace(CONVERTER, machines=("furnace",))
    jobs = [job("a", 10), job("b", 9, machine="press")]
    assert starts(checked(plant([5.0, 1.0], *jobs, feeders=(feeder,)))) == {"a": 1, "b": 1}


def test_of_two_that_each_draw_more_than_half_only_one_runs() -> None:
    """An adjustable run draws less where that makes room, so it may meet the other."""
    feeders = (Feeder(id="converter", machines=("furnace", "press"), limit_kw=10.0),)

    def planned(**other: Any) -> dict[str, int]:
        jobs = [job("a", 6.0, 6.0, start=0, must_end=2), job("b", 6.0, 6.0, start=2, machine="press")]
        jobs[1] = replace(jobs[1], options=(replace(jobs[1].options[0], **other),))
        return starts(checked(plant([1.0, 1.0, 5.0, 5.0, 9.0], *jobs, feeders=feeders)))

    assert planned() == {"a": 0, "b": 2}
    assert planned(adjustable=Adjustable(least_kw=2.0, most_kw=8.0))["b"] < 2


def test_production_that_overloads_a_feeder_may_stay_and_is_named() -> None:
    jobs = [
        job("a", 10, fixed=at("a", 0)),
        job("b", 9, fixed=at("b", 0, "press"), machine="press"),
        job("c", 2, start=1),
    ]
    plan = checked(plant([1.0, 5.0, 9.0], *jobs, feeders=(CONVERTER,)))
    assert starts(plan)["c"] == 1  # not into the overloaded slot, though it is cheap
    assert gave_way(plan) == ["Converter"]
    assert plan.gave_way[0].by.startswith("4.0 kWh above 15 kW, most at Wed 06:00 with 4 kW")
    assert plan.gave_way[0].price == pytest.approx(4000.0)


def test_an_overload_that_can_be_mended_is_mended_at_any_price() -> None:
    jobs = [job("a", 10, fixed=at("a", 0)), job("b", 9, machine="press")]
    plan = checked(plant([1.0, 50.0], *jobs, feeders=(CONVERTER,)))
    assert starts(plan)["b"] == 1
    assert gave_way(plan) == []


# --- buffers

LADLE = Buffer(id="ladle", name="Ladle", unit="heats", most=1.0)


def takes(quantity: float, buffer: str = "ladle") -> tuple[Flow, ...]:
    return (Flow(buffer=buffer, quantity=-quantity, at_end=False),)


def brings(quantity: float, buffer: str = "ladle") -> tuple[Flow, ...]:
    return (Flow(buffer=buffer, quantity=quantity),)


@pytest.mark.parametrize(
    ("melt", "pour"),
    [
        (0, 2),  # melting ends with slot 1; the metal is there from slot 2 on, where pouring is dear
        (None, 4),  # free to move, but the later hours are free of charge
    ],
)
def test_metal_is_there_from_the_slot_after_the_melt(melt: int | None, pour: int) -> None:
    first = job("melt", 1, 1, flows=brings(1.0), fixed=None if melt is None else at("melt", melt))
    second = job("pour", 10, start=3, machine="press", flows=takes(1.0), must_end=None if melt is None else 3)
    plan = checked(plant([1.0, 0.5, 3.0, 4.0, 0.0], first, second, buffers=(LADLE,)))
    assert starts(plan)["pour"] == pour


def test_a_ladle_holds_one_heat_and_passes_it_on_in_the_same_moment() -> None:
    """The second melt may end just as the first heat is poured, no sooner: both melts early would be cheapest."""
    melts = [job("m1", 5, start=0, flows=brings(1.0)), job("m2", 5, start=3, flows=brings(1.0))]
    pours = [
        job("p1", 1, fixed=at("p1", 3, "press"), machine="press", flows=takes(1.0)),
        job("p2", 1, fixed=at("p2", 4, "press"), machine="press", flows=takes(1.0)),
    ]
    prices = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert starts(checked(plant(prices, *melts, *pours, buffers=(replace(LADLE, most=2.0),))))["m2"] == 1
    plan = checked(plant(prices, *melts, *pours, buffers=(LADLE,)))
    assert starts(plan)["m2"] == 2  # ends with slot 2, and counts in slot 3, when m1 is poured


def test_scrap_comes_back_and_is_melted_again() -> None:
    """A melt takes 2 t of returns; 1 t is there, fettling brings 2 t as it ends, and 0.5 t an hour go elsewhere."""
    returns = Buffer(id="returns", unit="t", start=1.0, most=5.0, draw=(0.0, 0.5, 0.0, 0.0))
    fettling = job("fettling", 1, fixed=at("fettling", 1, "press"), machine="press", flows=brings(2.0, "returns"))
    melt = job("melt", 10, start=3, flows=takes(2.0, "returns"))
    plan = checked(plant([1.0, 2.0, 3.0, 4.0], fettling, melt, buffers=(returns,)))
    assert starts(plan)["melt"] == 2  # 1 − 0.5 + 2 − 2 = 0.5 t


def test_levels_that_production_breaks_may_stay_and_are_named() -> None:
    buffers = (LADLE,)
    jobs = [job("p", 4, fixed=at("p", 0), flows=takes(1.0)), job("m", 5, start=2, machine="press", flows=brings(1.0))]
    plan = checked(plant([9.0, 9.0, 1.0, 1.0], *jobs, buffers=buffers))
    assert starts(plan)["m"] == 0  # the sooner the metal is there that has been poured, the better
    assert gave_way(plan) == ["Ladle keeps 0 heats"]


# --- holding


@pytest.mark.parametrize(
    ("holding_kw", "melt", "pour"),
    [
        (0.0, 0, 4),  # melt at 1, pour at 1
        (3.0, 0, 1),  # an hour of holding costs 3 · price: pour at once, in the hour at 2
        (1.0, 0, 4),  # holding in the hours 1 to 3 costs 2 + 2 + 2 = 6, pouring at once 10 more
    ],
)
def test_holding_is_a_consequence_of_the_timing(holding_kw: float, melt: int, pour: int) -> None:
    jobs = [
        job("melt", 10, fixed=at("melt", 0)),
        job("pour", 10, start=4, machine="press", after=(Precedence(job="melt", holding_kw=holding_kw),)),
    ]
    plan = checked(plant([1.0, 2.0, 2.0, 2.0, 1.0, 9.0], *jobs))
    assert starts(plan) == {"melt": melt, "pour": pour}
    held = sum(plan.import_kw) - 20.0
    assert held == pytest.approx(holding_kw * (pour - melt - 1))


def test_a_furnace_that_holds_melts_nothing_else() -> None:
    def planned(keeps: bool) -> dict[str, int]:
        pour = job(
            "pour",
            1,
            fixed=at("pour", 3, "press"),
            machine="press",
            after=(Precedence(job="melt", max_slots=2, keeps_machine=keeps),),
        )
        return starts(
            checked(plant([1.0, 1.0, 8.0, 9.0, 2.0], job("melt", 10, start=2), job("next", 9, start=4), pour))
        )

    assert planned(False) == {"melt": 0, "next": 1, "pour": 3}
    assert planned(True) == {"melt": 1, "next": 0, "pour": 3}  # from the melt to the pour the furnace is taken


def test_the_machine_is_kept_once_for_all_that_wait() -> None:
    def pour(id: str, slot: int) -> ProblemJob:
        rule = Precedence(job="melt", keeps_machine=True, holding_kw=2.0)
        return job(id, 1, fixed=at(id, slot, "press"), machine="press", after=(rule,))

    melt = job("melt", 10, fixed=at("melt", 0))
    plan = checked(plant([5.0, 4.0, 4.0, 6.0, 9.0], melt, pour("p1", 2), pour("p2", 3), job("n", 3, start=4)))
    assert starts(plan)["n"] == 3  # until the second pour the furnace is taken, by one job and not by two
    assert plan.import_kw == pytest.approx((10.0, 2.0 + 2.0, 1.0 + 2.0, 1.0 + 3.0, 0.0))  # each part is held
    assert gave_way(plan) == []


def test_a_furnace_that_is_double_booked_holds_nothing_new() -> None:
    """y may leave the furnace for the press; then m may not run at once and be held beside x."""
    either = Option(machine="furnace", power_kw=(1.0, 1.0), also=("press",))
    problem = plant(
        [1.0, 9.0, 9.0, 9.0],
        job("m", 1.0, start=3),
        job("x", 1.0, 1.0, start=1, fixed=at("x", 1)),
        job("y", start=1, options=(either,)),
        job(
            "z",
            1.0,
            start=3,
            machine="press",
            fixed=at("z", 3, "press"),
            after=(Precedence(job="m", keeps_machine=True),),
        ),
    )
    plan = best(problem)
    assert starts(plan) == {"m": 3, "x": 1, "y": 0, "z": 3}
    assert {v.rule for v in check(problem, plan)} == {"too soon after"}


def test_what_production_runs_in_a_furnace_that_holds_may_stay_and_is_named() -> None:
    rule = Precedence(job="melt", keeps_machine=True)
    jobs = [
        job("melt", 5, fixed=at("melt", 0)),
        job("pour", 1, fixed=at("pour", 3, "press"), machine="press", after=(rule,)),
        job("n", 1, fixed=at("n", 1)),
        job("m", 3, start=4),
    ]
    plan = checked(plant([9.0, 1.0, 1.0, 8.0, 9.0], *jobs))
    assert starts(plan)["m"] == 3  # not into the cheap slots in which the furnace holds
    assert gave_way(plan) == ["Furnace holds what it made"]


# --- batches


def oven(**other: Any) -> ProblemMachine:
    said: dict[str, Any] = {
        "recipes": (Recipe(name="T6", power_kw=(10.0, 5.0)), Recipe(name="anneal", power_kw=(8.0,))),
        "capacity": 3.0,
    }
    return ProblemMachine(id="oven", name="Oven", batch=Batch(**{**said, **other}))


def treated(id: str, start: int, quantity: float = 1.0, mode: str = "T6", **other: Any) -> ProblemJob:
    length = 2 if mode == "T6" else 1
    place = Placement(job=id, machine="oven", start=start, mode=mode)
    option = Option(machine="oven", mode=mode, power_kw=(0.0,) * length, quantity=quantity)
    said = {"id": id, "options": (option,), "as_is": place, "in_force": place, "move_price": 0.01}
    return ProblemJob(**{**said, **other})


def test_jobs_of_one_batch_share_its_energy() -> None:
    plan = checked(plant([1.0] * 4, treated("a", 0), treated("b", 2), machines=(oven(),)))
    assert len(set(starts(plan).values())) == 1
    assert sum(plan.import_kw) == pytest.approx(15.0)  # once, not twice


def test_a_batch_is_no_fuller_than_the_oven() -> None:
    jobs = [treated(name, 2 * i, 2.0) for i, name in enumerate("ab")]
    plan = checked(plant([1.0] * 4, *jobs, machines=(oven(),)))
    assert starts(plan) == {"a": 0, "b": 2}


def test_a_batch_waits_until_it_is_full_enough() -> None:
    jobs = [treated("a", 4, must_end=6), treated("b", 4, earliest=3)]
    alone = checked(plant([1.0, 1.0, 1.0, 1.0, 9.0, 9.0], *jobs, machines=(oven(least_fill=2.0),)))
    assert starts(alone) == {"a": 3, "b": 3}  # b comes at 3; a alone at 0 would be too little


def test_recipes_do_not_mix_nor_overlap() -> None:
    jobs = [treated("a", 0), treated("c", 3, mode="anneal")]
    plan = checked(plant([1.0, 1.0, 5.0, 9.0], *jobs, machines=(oven(),)))
    assert starts(plan) == {"a": 1, "c": 0}  # 8 · 1, then 10 · 1 + 5 · 5; the other way round 10 + 5 + 8 · 5


def test_a_batch_that_production_has_planned_too_small_may_stay_and_is_named() -> None:
    jobs = [treated("a", 0, fixed=Placement(job="a", machine="oven", start=0, mode="T6")), treated("b", 2)]
    plan = checked(plant([1.0, 1.0, 1.0, 1.0], *jobs, machines=(oven(least_fill=2.0),)))
    assert starts(plan) == {"a": 0, "b": 0}
    jobs = [jobs[0], treated("b", 2, earliest=1)]
    plan = checked(plant([1.0, 1.0, 1.0, 1.0], *jobs, machines=(oven(least_fill=2.0),)))
    assert starts(plan) == {"a": 0, "b": 2}
    assert gave_way(plan) == ["Oven starts with at least 2"] * 2


# --- every choice tried

NO_SHRINK = (Phase.explicit, Phase.generate)
FEW = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=NO_SHRINK
)
SLOTS = 5
money = st.integers(-2, 9).map(float)
power = st.integers(1, 9).map(float)


def cheapest(problem: Problem) -> float:
    """Every combination of places, by the auditor's rules and the price of a plan: no solver."""
    given_ = price_plan(problem, [j.in_force for j in problem.jobs], how=How(found=HowFound.AS_GIVEN))
    before = check(problem, given_)
    every = [
        [
            Placement(job=j.id, machine=o.machine, start=start, mode=o.mode)
            for o in j.options
            for start in range(problem.slots - o.slots + 1)
        ]
        for j in problem.jobs
    ]
    costs = []
    for places in product(*every):
        plan = price_plan(problem, places, how=How(found=HowFound.AS_GIVEN))
        if plan.bill.total < min(costs, default=float("inf")) and not new_violations(before, check(problem, plan)):
            costs.append(plan.bill.total)
    return min(costs)


def clean(problem: Problem) -> bool:
    return not check(problem, price_plan(problem, [j.in_force for j in problem.jobs], how=How(found=HowFound.AS_GIVEN)))


def row(draw: st.DrawFn, values: st.SearchStrategy[float]) -> list[float]:
    return draw(st.lists(values, min_size=SLOTS, max_size=SLOTS))


@st.composite
def simple(draw: st.DrawFn, id: str, **other: Any) -> ProblemJob:
    length = draw(st.integers(1, 2))
    machine = draw(st.sampled_from(["furnace", "press"]))
    powers = draw(st.lists(power, min_size=length, max_size=length))
    both = draw(st.booleans())
    option = Option(machine=machine, power_kw=tuple(powers))
    also = Option(machine="press" if machine == "furnace" else "furnace", power_kw=tuple(powers))
    made = job(id, *powers, start=draw(st.integers(0, SLOTS - length)), machine=machine, **other)
    return replace(made, options=(option, also) if both else (option,), move_price=0.25)


@st.composite
def fed(draw: st.DrawFn) -> Problem:
    base = tuple(abs(kw) for kw in row(draw, money))
    feeders = (
        Feeder(id="one", machines=("furnace", "press"), limit_kw=draw(st.sampled_from([9.0, 14.0])), base_load_kw=base),
        Feeder(id="two", machines=("press",), limit_kw=6.0),
    )
    return plant(row(draw, money), *[draw(simple(id)) for id in "abc"], feeders=feeders, base_load_kw=base)


@st.composite
def buffered(draw: st.DrawFn) -> Problem:
    flows = st.lists(
        st.builds(Flow, buffer=st.just("ladle"), quantity=st.sampled_from([-1.0, 1.0, 2.0]), at_end=st.booleans()),
        max_size=2,
    ).map(tuple)
    jobs = [draw(simple(id, flows=draw(flows))) for id in "abc"]
    ladle = Buffer(id="ladle", start=draw(st.sampled_from([0.0, 1.0])), most=2.0, draw=(0.0, 0.0, 0.5, -0.5, 0.0))
    return plant(row(draw, money), *jobs, buffers=(ladle,))


@st.composite
def holding(draw: st.DrawFn) -> Problem:
    rule = st.builds(
        Precedence,
        job=st.just("a"),
        holding_kw=st.sampled_from([0.0, 2.0, 5.0]),
        keeps_machine=st.booleans(),
        max_slots=st.sampled_from([None, 2]),
    )
    jobs = [draw(simple("a")), draw(simple("b", after=(draw(rule),))), draw(simple("c"))]
    if draw(st.booleans()):
        jobs[2] = replace(jobs[2], after=(draw(rule),))
    return plant(row(draw, money), *jobs)


@st.composite
def batching(draw: st.DrawFn) -> Problem:
    def one(id: str) -> ProblemJob:
        modes = draw(st.sampled_from([("T6",), ("anneal",), ("T6", "anneal")]))
        made = treated(id, draw(st.integers(0, 3)), draw(st.sampled_from([1.0, 1.5])), mode=modes[0])
        options = tuple(treated(id, 0, made.options[0].quantity, mode=mode).options[0] for mode in modes)
        return replace(made, options=options)

    machine = oven(least_fill=draw(st.sampled_from([0.0, 2.0])))
    return plant(row(draw, money), *[one(id) for id in "abc"], machines=(machine,))


@FEW
@given(st.one_of(fed().filter(clean)))
def test_feeders_against_trying_everything(problem: Problem) -> None:
    assert checked(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-5)


@FEW
@given(buffered().filter(clean))
def test_buffers_against_trying_everything(problem: Problem) -> None:
    assert checked(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-5)


@FEW
@given(holding().filter(clean))
def test_holding_against_trying_everything(problem: Problem) -> None:
    assert checked(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-5)


@FEW
@given(batching().filter(clean))
def test_batches_against_trying_everything(problem: Problem) -> None:
    assert checked(problem).bill.total == pytest.approx(cheapest(problem), abs=1e-5)


@FEW
@given(st.one_of(fed(), buffered(), holding(), batching()))
def test_what_production_breaks_may_stay_and_nothing_else_breaks(problem: Problem) -> None:
    checked(problem)


@FEW
@given(st.one_of(fed(), buffered(), holding(), batching()).filter(clean))
def test_what_is_changed_a_little_is_found_or_still_a_plan(problem: Problem) -> None:
    assert not unheard(problem, price_plan(problem, [j.in_force for j in problem.jobs], how=GIVEN))
