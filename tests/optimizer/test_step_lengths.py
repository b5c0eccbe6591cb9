"""A plant costs the same in steps of 5, 10, 15, 20, 30 or 60 minutes: nothing in price, check or program counts slots
where it means hours."""

from dataclasses import replace
from typing import Any

import pytest

from energy.model.plan import LineKind
from energy.model.problem import (
    Band,
    DemandWindow,
    Limit,
    Option,
    Placement,
    Problem,
    ProblemJob,
    Ratchet,
    Reduction,
    Reserve,
    Store,
    Tier,
)
from energy.planning.check import check
from energy.planning.price import price_plan
from energy.planning.sound import mistakes_in
from optimizer.milp import Milp
from tests.optimizer.plants import at, battery, best, job, plant
from tests.planning.tables import GIVEN

STEPS = (5, 10, 15, 20, 30)


def hourly() -> Problem:
    """Five hours with all that the site can say, but for losses, which are reckoned once a slot."""
    return plant(
        [1.0, 3.0, 2.0, 4.0, 1.0],
        job("a", 8, 6, start=1, due=2, late_per_hour=5.0),
        job("b", 3, start=3, machine="press", fixed=at("b", 3, "press")),
        base_load_kw=(5.0, 6.0, 7.0, 6.0, 5.0),
        pv_kw=(0.0, 2.0, 9.0, 2.0, 0.0),
        export_price=(0.1,) * 5,
        carbon_price_per_kg=0.2,
        carbon_limit_kg=20.0,
        battery=battery(start_kwh=3.0, end_kwh=2.0, wear_per_kwh=0.1, charge_efficiency=0.9, end_value_per_kwh=0.5,
                        reserves=(Reserve(name="call", start=2, end=4, kwh=1.0, kw=4.0),)),
        stores=(Store(id="tank", start=4.0, least=1.0, most=9.0, end=4.0, level_per_kwh=2.0, most_kw=5.0,
                      draw=(2.0,) * 5, as_is_kw=(1.0,) * 5),),
        demand=(DemandWindow(name="year", per_kw=2.0, slots=(0, 1, 2, 3, 4), so_far_kw=9.0,
                             ratchet=Ratchet(highest_kw=10.0, per_kw=1.0)),
                DemandWindow(name="high load", per_kw=1.0, slots=(1, 2, 3, 4), interval_slots=2, guard=0.9)),
        tiers=(Tier(name="tier", above_kwh=25.0, extra_per_kwh=0.5),),
        limits=(Limit(name="priced", start=1, end=3, limit_kw=8.0, penalty_per_kwh=0.3),),
        reductions=(Reduction(name="less", start=3, end=5, baseline_kw=(8.0, 9.0), pay_per_kwh=1.5, most_kw=4.0),),
        base_load_band=Band(p10=(4.0, 5.0, 6.0, 5.0, 4.0), p90=(6.0, 7.0, 9.0, 7.0, 6.0)),
    )  # fmt: skip


def finer(problem: Problem, minutes: int) -> Problem:
    """The same plant in shorter steps."""
    n = problem.step_minutes // minutes

    def row(values: Any) -> tuple[Any, ...]:
        return tuple(value for value in values for _ in range(n))

    def place(at: Placement | None) -> Any:
        return None if at is None else replace(at, start=at.start * n)

    def jobs(job: ProblemJob) -> ProblemJob:
        options: tuple[Option, ...] = tuple(replace(o, power_kw=row(o.power_kw)) for o in job.options)
        due = None if job.due is None else job.due * n
        places = {"as_is": place(job.as_is), "in_force": place(job.in_force), "fixed": place(job.fixed)}
        return replace(job, options=options, due=due, **places)

    def span(noun: Any, **other: Any) -> Any:
        return replace(noun, start=noun.start * n, end=noun.end * n, **other)

    rows = ("base_load_kw", "pv_kw", "import_price", "export_price", "price_published", "carbon_kg_per_kwh")
    band, stored = problem.base_load_band, problem.battery
    assert band is not None and stored is not None
    return replace(
        problem,
        step_minutes=minutes,
        slots=problem.slots * n,
        jobs=tuple(jobs(each) for each in problem.jobs),
        battery=replace(stored, reserves=tuple(span(each) for each in stored.reserves)),
        stores=tuple(
            replace(each, draw=tuple(units / n for units in row(each.draw)), as_is_kw=row(each.as_is_kw))
            for each in problem.stores
        ),
        demand=tuple(
            replace(w, slots=tuple(k * n + i for k in w.slots for i in range(n)), interval_slots=w.interval_slots * n)
            for w in problem.demand
        ),
        limits=tuple(span(each) for each in problem.limits),
        reductions=tuple(span(each, baseline_kw=row(each.baseline_kw)) for each in problem.reductions),
        base_load_band=Band(p10=row(band.p10), p90=row(band.p90)),
        **{name: row(getattr(problem, name)) for name in rows},
    )


@pytest.mark.parametrize("minutes", STEPS)
def test_the_plan_in_force_costs_the_same_line_by_line(minutes: int) -> None:
    hours, steps = hourly(), finer(hourly(), minutes)
    assert mistakes_in(hours) == mistakes_in(steps) == ()
    n = hours.step_minutes // minutes
    into, out = (0.0, 2.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 2.5, 0.0)

    def priced(problem: Problem, times: int) -> Any:
        def row(values: tuple[float, ...]) -> tuple[float, ...]:
            return tuple(value for value in values for _ in range(times))

        return price_plan(
            problem, [j.in_force for j in problem.jobs], charge_kw=row(into), discharge_kw=row(out), how=GIVEN
        )

    by_hour, by_step = priced(hours, 1), priced(steps, n)
    assert [v.rule for v in check(steps, by_step)] == [v.rule for v in check(hours, by_hour)]
    for kind in LineKind:
        assert by_step.bill.amount(kind) == pytest.approx(by_hour.bill.amount(kind)), kind
    assert by_step.bill.carbon_kg == pytest.approx(by_hour.bill.carbon_kg)


@pytest.mark.parametrize("minutes", STEPS)
def test_the_best_dispatch_costs_the_same(minutes: int) -> None:
    """Jobs stand: shorter steps would let them start in between. And nothing is paid for less import: it would pay to
    import much in some steps of an hour, where nothing is owed, and little in the others."""

    def dispatched(problem: Problem) -> float:
        problem = replace(problem, reductions=())
        plan = Milp(gap=0.0, process=False).dispatch(problem).plan
        assert plan is not None
        assert check(problem, plan) == []
        return plan.bill.total

    assert dispatched(finer(hourly(), minutes)) == pytest.approx(dispatched(hourly()), abs=1e-4)


def test_shorter_steps_never_cost_more() -> None:
    assert best(finer(hourly(), 30)).bill.total <= best(hourly()).bill.total + 1e-4
