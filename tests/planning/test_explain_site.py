"""Why not there, for the site's sake; and what a move gains where amounts, guards and ratchets are paid for."""

from dataclasses import replace

import pytest

from energy.model.problem import Band, DemandWindow, Limit, Ratchet, Reduction, Tier
from energy.planning.explain import reasons, why_not
from energy.planning.price import price_plan
from tests.planning.tables import GIVEN, as_is, at, job, problem


def test_the_connection_and_what_was_promised_stand_in_the_way() -> None:
    """Beside 100 kW of base load another job draws 60 kW from 07:00."""
    limits = (Limit(name="call 7", start=3, end=4, limit_kw=120.0),)
    jobs = (job("a", 50, start=0), job("b", 60, start=1, machine="press"))
    posed = problem(*jobs, import_limit_kw=200.0, limits=limits, carbon_limit_kg=284.0)
    plan = as_is(posed)

    def why(start: int) -> str:
        return why_not(posed, "a", "furnace", start, plan=plan)

    assert why(2) == ""
    assert why(1) == "the site would import too much at 07:00: 210 kW, and 200 are allowed"
    assert why(3) == "call 7 would be broken at 09:00: 150 kW, and 120 are allowed"
    assert why_not(posed, "a", "furnace", 1) == ""  # without a plan nobody knows what the site imports
    dirty = replace(posed, carbon_kg_per_kwh=(0.4, 0.4, 0.5, 0.4, 0.4, 0.4))
    assert why_not(dirty, "a", "furnace", 2, plan=as_is(dirty)) == (
        "the site would emit 299.0 kg CO2e, and 284.0 are allowed"
    )


def test_taking_a_load_away_may_export_too_much() -> None:
    posed = problem(job("a", 50, start=2), pv_kw=(0.0, 0.0, 160.0, 0.0, 0.0, 0.0), export_limit_kw=20.0)
    said = why_not(posed, "a", "furnace", 0, plan=as_is(posed))
    assert said == "the site would export too much at 08:00: 60 kW, and 20 are allowed"


def test_a_better_place_behind_a_limit_is_told() -> None:
    jobs = (job("a", 50, start=0), job("b", 60, start=2, machine="press"))
    posed = problem(*jobs, import_limit_kw=200.0, import_price=(0.4, 0.3, 0.05, 0.4, 0.4, 0.4))
    plan = price_plan(posed, [at("a", 1), at("b", 2, "press")], how=GIVEN)
    reason = reasons(posed, plan)["a"]
    assert reason.better == at("a", 2)
    assert reason.blocked_by == "the site would import too much at 08:00: 210 kW, and 200 are allowed"


@pytest.mark.parametrize("start", [1, 3, 4])
def test_what_a_move_gains_is_what_the_bill_says(start: int) -> None:
    window = DemandWindow(
        name="month", per_kw=3.0, slots=(0, 1, 2), guard=0.9, ratchet=Ratchet(highest_kw=130.0, per_kw=2.0)
    )
    posed = problem(
        job("a", 50, 30, start=0, move_price=0.0),
        demand=(window,),
        base_load_band=Band(p10=(90.0,) * 6, p90=(110.0, 120.0, 110.0, 110.0, 110.0, 110.0)),
        tiers=(Tier(name="tier", above_kwh=620.0, extra_per_kwh=0.5),),
        reductions=(Reduction(name="less", start=3, end=5, baseline_kw=(140.0, 120.0), pay_per_kwh=0.7, most_kw=30.0),),
        pv_kw=(0.0, 0.0, 0.0, 0.0, 150.0, 0.0),
        carbon_price_per_kg=0.1,
    )
    before, after = as_is(posed), price_plan(posed, [at("a", start)], how=GIVEN)
    assert reasons(posed, after)["a"].gain.money == pytest.approx(before.bill.total - after.bill.total)
