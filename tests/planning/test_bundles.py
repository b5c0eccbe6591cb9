"""Bundles: sets of load shifts that are accepted or refused together, on tables a planner could check and on random plants."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plants import Size, plant
from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Batch,
    Buffer,
    Flow,
    Option,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    Recipe,
)
from energy.planning.bundles import (
    bundles,
    closure,
    moved,
    places_of,
    priced,
    requires,
    strong_parts,
    with_places,
    worth_asking,
)
from energy.planning.check import check, new_violations
from energy.planning.price import price_plan
from optimizer.greedy import Greedy

START = datetime(2026, 5, 18, 22, tzinfo=UTC)


def at(job: str, start: int, machine: str = "m") -> Placement:
    return Placement(job=job, machine=machine, start=start)


def small_job(
    id: str, start: int, *, slots: int = 1, kw: float = 100.0, machine: str = "m", **more: object
) -> ProblemJob:
    here = at(id, start, machine)
    return ProblemJob(
        id=id,
        options=(Option(machine=machine, power_kw=(kw,) * slots),),
        as_is=here,
        in_force=here,
        move_price=0.0,
        **more,
    )  # type: ignore[arg-type]


def problem_of(*jobs: ProblemJob, prices: list[float], **more: object) -> Problem:
    n = len(prices)
    said: dict[str, object] = {
        "site": "s", "currency": "EUR", "zone": "Europe/Berlin", "start": START, "step_minutes": 60, "slots": n,
        "machines": (ProblemMachine(id="m"), ProblemMachine(id="n")), "jobs": jobs,
        "base_load_kw": (0.0,) * n, "pv_kw": (0.0,) * n,
        "import_limit_kw": 1e6, "export_limit_kw": 0.0, "import_price": tuple(prices), "export_price": (0.0,) * n,
        "price_published": (True,) * n, "carbon_kg_per_kwh": (0.0,) * n,
    }  # fmt: skip
    return Problem(**(said | more))  # type: ignore[arg-type]


def plan_of(problem: Problem, *places: Placement) -> Plan:
    return price_plan(problem, places, how=How(found=HowFound.AS_GIVEN))


def test_a_job_that_goes_where_another_stands_requires_it() -> None:
    problem = problem_of(small_job("a", 0), small_job("b", 1, kw=90), prices=[0.3, 0.1, 0.2])
    found = bundles(problem, plan_of(problem, at("a", 1), at("b", 2)))
    # b leaves 01:00 for 02:00: −9 EUR; then a takes the cheap hour: +20 EUR.
    assert [b.jobs for b in found] == [("b",), ("a",)]
    assert [b.requires for b in found] == [(), (0,)]
    assert [round(b.gain.money, 6) for b in found] == [-9.0, 20.0]
    # To the planner that is one question.
    (one,), left = worth_asking(found, 5.0)
    assert (set(one.jobs), one.requires, round(one.gain.money, 6), left) == ({"a", "b"}, (), 11.0, [])


def test_two_that_swap_are_one_bundle() -> None:
    problem = problem_of(small_job("a", 0, kw=200), small_job("b", 1, kw=100), prices=[0.3, 0.1])
    (bundle,) = bundles(problem, plan_of(problem, at("a", 1), at("b", 0)))
    assert bundle.jobs == ("a", "b")
    assert bundle.gain.money == pytest.approx(20)


def test_equal_jobs_that_trade_places_are_no_shift() -> None:
    problem = problem_of(small_job("a", 0), small_job("b", 1), prices=[0.3, 0.1])
    assert moved(problem, plan_of(problem, at("a", 1), at("b", 0))) == {}


def test_jobs_with_different_flows_are_not_equal() -> None:
    problem = problem_of(
        small_job("a", 0, flows=(Flow(buffer="ladle", quantity=1.0),)),
        small_job("b", 1),
        prices=[0.3, 0.1],
        buffers=(Buffer(id="ladle", most=2.0),),
    )
    assert set(moved(problem, plan_of(problem, at("a", 1), at("b", 0)))) == {"a", "b"}
    same = replace(problem, jobs=tuple(replace(job, flows=problem.jobs[0].flows) for job in problem.jobs))
    assert moved(same, plan_of(same, at("a", 1), at("b", 0))) == {}


def lot(id: str, start: int, quantity: float = 1.0) -> ProblemJob:
    place = Placement(job=id, machine="oven", mode="T6", start=start)
    option = Option(machine="oven", mode="T6", power_kw=(0.0, 0.0), quantity=quantity)
    return ProblemJob(id=id, options=(option,), as_is=place, in_force=place, move_price=0.0)


def treating(*lots: ProblemJob, least_fill: float = 2.0) -> Problem:
    recipe = Recipe(name="T6", power_kw=(60.0, 30.0))
    oven = ProblemMachine(id="oven", batch=Batch(recipes=(recipe,), capacity=4.0, least_fill=least_fill))
    return problem_of(*lots, prices=[0.3, 0.3, 0.1, 0.1, 0.2, 0.2], machines=(oven,))


def moved_to(problem: Problem, **starts: int) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    places = [replace(job.in_force, start=starts.get(job.id, job.in_force.start)) for job in problem.jobs]
    return [(bundle.jobs, bundle.requires) for bundle in bundles(problem, plan_of(problem, *places))]


def test_jobs_that_fill_a_batch_only_together_are_one_bundle() -> None:
    problem = treating(lot("a", 0), lot("b", 0), lot("c", 0, 2.0))
    assert moved_to(problem, a=2, b=2) == [(("a", "b"), ())]  # neither fills it alone
    assert moved_to(treating(lot("a", 0), lot("b", 0)), a=2, b=2) == [(("a", "b"), ())]  # nor stays behind alone
    each = treating(lot("a", 0, 2.0), lot("b", 0, 2.0))
    assert sorted(moved_to(each, a=2, b=2)) == [(("a",), ()), (("b",), ())]  # either fills one
    filled = treating(lot("a", 0), lot("b", 0), lot("c", 0, 2.0), lot("d", 2, 2.0))
    assert sorted(moved_to(filled, a=2, b=2)) == [(("a",), ()), (("b",), ())]  # those who stay fill both batches
    no_least = treating(lot("a", 0), lot("b", 0), lot("c", 0), least_fill=0.0)
    assert sorted(moved_to(no_least, a=2, b=2)) == [(("a",), ()), (("b",), ())]


def test_a_batch_that_comes_where_another_stands_requires_it() -> None:
    problem = treating(lot("a", 0, 2.0), lot("b", 2, 2.0))
    assert moved_to(problem, a=1, b=4) == [(("b",), ()), (("a",), (0,))]
    assert moved_to(problem, a=2) == [(("a",), ())]  # beside b, in one batch


def test_a_follower_requires_its_predecessor() -> None:
    problem = problem_of(
        small_job("a", 0),
        small_job("b", 1, machine="n", after=(Precedence(job="a", max_slots=0),)),
        prices=[0.3, 0.2, 0.1, 0.1],
    )
    (bundle,) = bundles(problem, plan_of(problem, at("a", 2), at("b", 3, "n")))
    assert bundle.jobs == ("a", "b")


def test_shifts_that_lower_a_peak_only_together_are_one_bundle() -> None:
    """Two hours with the same peak: moving one job alone leaves the other hour's peak."""
    from energy.model.problem import DemandWindow

    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1, 2, 3))
    problem = problem_of(
        small_job("a", 0),
        small_job("b", 1, machine="n"),
        prices=[0.1] * 4,
        demand=(window,),
        base_load_kw=(100.0, 100.0, 0.0, 0.0),
    )
    plan = plan_of(problem, at("a", 2), at("b", 3, "n"))
    (bundle,) = bundles(problem, plan)
    assert bundle.jobs == ("a", "b")
    assert bundle.gain.peak == pytest.approx(100)


def test_strong_parts_come_after_what_they_point_to() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert strong_parts(graph) == [["b", "c"], ["a"], ["d"]]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), pick=st.integers(0, 2**16))
def test_any_closed_set_passes_the_check_on_a_plant_with_pair_rules(seed: int, pick: int) -> None:
    """One job at a time and orders between jobs are pair rules: every closed set is feasible, and the gains of the
    bundles add up to the gain of the whole."""
    problem = plant(Size(jobs=14, crews=False, battery=None), seed)
    plan = Greedy().solve(problem, seconds=1.0).plan
    assert plan is not None
    new = moved(problem, plan)
    graph = requires(problem, new)
    rng = random.Random(pick)
    chosen = closure(graph, [job for job in new if rng.random() < 0.4])
    standing = priced(problem, places_of(problem))
    broken = new_violations(
        check(problem, standing), check(problem, priced(problem, with_places(problem, new, chosen)))
    )
    assert broken == []
    whole = priced(problem, with_places(problem, new, new))
    gains = sum(b.gain.money for b in bundles(problem, plan))
    assert gains == pytest.approx(standing.bill.money - whole.bill.money, abs=1e-6)


def test_a_gain_on_published_prices_has_no_band() -> None:
    problem = problem_of(small_job("a", 0), prices=[0.3, 0.1])
    (bundle,) = bundles(problem, plan_of(problem, at("a", 1)))
    assert (bundle.gain.low, bundle.gain.high, bundle.gain.forecast_share) == (None, None, 0.0)


def test_a_gain_on_forecast_prices_says_how_much_rests_on_them() -> None:
    from energy.model.problem import Band

    problem = replace(
        problem_of(small_job("a", 0), prices=[0.3, 0.1]),
        price_published=(True, False),
        import_price_band=Band(p10=(0.3, 0.05), p90=(0.3, 0.15)),
    )
    (bundle,) = bundles(problem, plan_of(problem, at("a", 1)))
    # 100 kWh enter an hour whose price is 0.10 ± 0.05 (P10 to P90): 20 EUR ± 5 EUR.
    assert bundle.gain.money == pytest.approx(20)
    assert bundle.gain.low == pytest.approx(15, abs=0.5)
    assert bundle.gain.high == pytest.approx(25, abs=0.5)
    assert bundle.gain.forecast_share == pytest.approx(0.25)  # of 30 EUR out and 10 EUR in, 10 rest on the forecast


def test_what_looks_good_only_on_an_uncertain_forecast_is_not_worth_a_question() -> None:
    """Two furnaces' jobs look alike, 20 EUR each; but the hour that "a" would go to is a forecast, drawn back from 0.10 to
    0.18, and so the move gains 12."""
    from energy.model.problem import SoberPrice

    prices = [0.3, 0.1, 0.1]
    problem = replace(
        problem_of(small_job("a", 0), small_job("b", 0, machine="n"), prices=prices),
        price_published=(True, False, True),
        sober_prices=(
            SoberPrice(up_to_hours=24.0, kept=0.5, import_price=(0.3, 0.18, 0.1), export_price=(0.0, 0.0, 0.0)),
        ),
    )
    found = bundles(problem, plan_of(problem, at("a", 1), at("b", 2, "n")))
    (kept,), (left,) = worth_asking(found, 15.0)
    assert (kept.jobs, kept.gain.money, kept.gain.optimism) == (("b",), pytest.approx(20), 0.0)
    assert (left.jobs, left.gain.money, left.gain.uncorrected) == (("a",), pytest.approx(12), pytest.approx(20))
    both, _ = worth_asking(found, 10.0)
    assert [bundle.jobs for bundle in both] == [("b",), ("a",)]  # the better first, as corrected
