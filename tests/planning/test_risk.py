"""What a plan costs if it comes otherwise: scenarios by hand, paths drawn from bands, and an auditor who reckons anew."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.exchange.problems import plan_from_json, to_json
from energy.model.plan import PeakRisk, Plan
from energy.model.problem import Band, DemandWindow, Limit, Problem, Reduction, Scenario, Tier
from energy.model.site import BatteryRule
from energy.planning.check import check
from energy.planning.price import price_plan
from energy.planning.risk import drawn_paths, quantile, risk_of
from tests.planning.plants import placements, problems
from tests.planning.tables import GIVEN, as_is, battery, job, problem

FEW = settings(max_examples=30, deadline=None, derandomize=True)


def three() -> tuple[Scenario, ...]:
    return (
        Scenario(weight=1.0, base_load_kw=(50.0,) * 6),
        Scenario(weight=2.0),
        Scenario(weight=1.0, base_load_kw=(150.0,) * 6, import_price=(0.2,) * 6),
    )


def with_risk(posed: Problem, plan: Plan, **how: int) -> Plan:
    return replace(plan, risk=risk_of(posed, plan, **how))


def test_scenarios_are_priced_with_the_plan_as_it_is() -> None:
    window = DemandWindow(name="month", per_kw=1.0, slots=(0, 1, 2), so_far_kw=120.0)
    posed = problem(job("a", 10, due=0, late_per_hour=7.0), scenarios=three(), demand=(window,))
    plan = with_risk(posed, as_is(posed))
    # 310, 610 and 910 kWh; late by an hour in each; the peak is 160 in the last
    costs = [31.0 + 7.0, 61.0 + 7.0, 182.0 + 40.0 + 7.0]
    assert plan.risk is not None
    assert (plan.risk.cost_p10, plan.risk.cost_p50, plan.risk.cost_p90) == pytest.approx(costs)
    assert plan.risk.peaks == (PeakRisk(window="month", above_kw=120.0, chance=0.25),)
    assert (plan.risk.scenarios, plan.risk.seed) == (3, 0)
    assert check(posed, plan) == []


def test_a_battery_with_a_rule_of_its_own_answers_and_a_planned_one_does_not() -> None:
    sunny = (Scenario(pv_kw=(130.0, 0.0, 0.0, 0.0, 0.0, 0.0)),)

    def cost(rule: BatteryRule) -> float:
        posed = problem(scenarios=sunny, battery=battery(rule=rule, end_value_per_kwh=0.0))
        plan = with_risk(posed, as_is(posed))
        assert check(posed, plan) == []
        assert plan.risk is not None
        return plan.risk.cost_p50

    assert cost(BatteryRule.PLANNED) == pytest.approx(50.0 - 30 * 0.05)  # 30 kWh go out
    assert cost(BatteryRule.SELF_CONSUMPTION) == pytest.approx(47.0)  # 30 kWh are kept for the next hour


def test_what_is_curtailed_follows_the_sun() -> None:
    posed = problem(
        pv_kw=(160.0,) * 6,
        export_limit_kw=20.0,
        curtailable=True,
        scenarios=(Scenario(pv_kw=(10.0,) * 6), Scenario(pv_kw=(500.0,) * 6)),
    )
    plan = with_risk(posed, as_is(posed))
    assert plan.curtailed_kw == (40.0,) * 6
    assert plan.risk is not None
    assert plan.risk.cost_p10 == pytest.approx(-6 * 20 * 0.05)  # no more than 20 kW may go out
    assert plan.risk.cost_p90 == pytest.approx(6 * 100 * 0.10)  # all 10 kW were to be curtailed, and are
    assert check(posed, plan) == []


def test_a_guard_is_prudence_and_no_cost() -> None:
    window = DemandWindow(name="month", per_kw=1.0, slots=(0,), guard=0.99)
    band = Band(p10=(90.0,) * 6, p90=(110.0,) * 6)
    posed = problem(scenarios=(Scenario(),), demand=(window,), base_load_band=band)
    plan = with_risk(posed, as_is(posed))
    assert plan.risk is not None
    assert plan.risk.cost_p50 == pytest.approx(60.0 + 100.0)
    assert check(posed, plan) == []


def test_without_bands_and_scenarios_there_is_nothing_to_say() -> None:
    assert risk_of(problem(), as_is(problem())) is None


@pytest.mark.parametrize(
    ("share", "cost"),
    [(0.0, 1.0), (0.1, 1.0), (0.25, 1.0), (0.26, 2.0), (0.5, 2.0), (0.75, 2.0), (0.9, 5.0), (1.0, 5.0)],
)
def test_a_quantile_is_the_least_cost_that_so_much_of_the_weight_does_not_exceed(share: float, cost: float) -> None:
    assert quantile([5.0, 2.0, 1.0], np.array([1.0, 2.0, 1.0]), share) == cost


def test_drawn_paths_have_the_bands_they_are_drawn_from_and_hang_together() -> None:
    band = Band(p10=(80.0,) * 48, p90=(140.0,) * 48)
    posed = problem(slots=48, step_minutes=30, base_load_band=band, pv_band=Band(p10=(0.0,) * 48, p90=(5.0,) * 48))
    paths = drawn_paths(posed, 0, 4000)
    assert paths is not None
    assert np.percentile(paths.base_load_kw, (10, 50, 90)) == pytest.approx((80.0, 100.0, 140.0), abs=1.5)
    assert paths.pv_kw.min() == 0.0
    assert (paths.import_price == 0.10).all()
    z = np.where(paths.base_load_kw > 100, (paths.base_load_kw - 100) / 40, (paths.base_load_kw - 100) / 20)

    def together(slots: int) -> float:
        return float(np.corrcoef(z[:, 0], z[:, slots])[0, 1])

    assert together(1) == pytest.approx(np.exp(-0.5 / 6), abs=0.05)
    assert together(12) == pytest.approx(np.exp(-1.0), abs=0.05)
    assert together(47) == pytest.approx(0.0, abs=0.07)


def test_published_prices_do_not_err() -> None:
    band = Band(p10=(0.05,) * 6, p90=(0.15,) * 6)
    posed = problem(import_price_band=band, price_published=(True,) * 3 + (False,) * 3)
    paths = drawn_paths(posed, 0, 2000)
    assert paths is not None
    assert (paths.import_price[:, :3] == 0.10).all()
    assert paths.import_price[:, 3:].std() == pytest.approx(0.05 / NormalDist().inv_cdf(0.9), rel=0.2)


def test_a_seed_gives_the_same_risk_again_and_the_auditor_hears_what_cannot_be() -> None:
    band = Band(p10=(80.0,) * 6, p90=(140.0,) * 6)
    window = DemandWindow(name="month", per_kw=1.0, slots=tuple(range(6)), so_far_kw=120.0)
    posed = problem(base_load_band=band, demand=(window,))
    plan = with_risk(posed, as_is(posed), seed=7)
    risk = plan.risk
    assert risk is not None
    assert risk == risk_of(posed, as_is(posed), seed=7) != risk_of(posed, as_is(posed), seed=8)
    assert risk.cost_p10 < plan.bill.total < risk.cost_p90
    assert 0.3 < risk.peaks[0].chance < 0.9
    assert check(posed, plan) == []
    assert plan_from_json(to_json(plan)) == plan
    for wrong in (
        replace(risk, cost_p10=risk.cost_p90 + 1),
        replace(risk, peaks=()),
        replace(risk, peaks=(replace(risk.peaks[0], chance=1.5),)),
        replace(risk, peaks=(replace(risk.peaks[0], above_kw=0.0),)),
        replace(risk, scenarios=0),
    ):
        assert [v.rule for v in check(posed, replace(plan, risk=wrong))] == ["risk"]
    certain = replace(posed, base_load_band=None)
    assert "risk" in [v.rule for v in check(certain, replace(plan, problem=certain.digest))]


@FEW
@given(problems(), st.data())
def test_the_auditor_reckons_every_given_scenario_alike_and_hears_every_change(
    posed: Problem, data: st.DataObject
) -> None:
    def row(values: list[float]) -> st.SearchStrategy[tuple[float, ...]]:
        return st.just(()) | st.tuples(*[st.sampled_from(values)] * posed.slots)

    drawn = st.builds(
        Scenario,
        weight=st.sampled_from([1.0, 2.5]),
        base_load_kw=row([0.0, 20.0, 90.0]),
        pv_kw=row([0.0, 30.0, 120.0]),
        import_price=row([-0.1, 0.1, 0.3]),
    )
    posed = replace(
        posed,
        scenarios=tuple(data.draw(st.lists(drawn, min_size=1, max_size=4))),
        tiers=(Tier(name="tier", above_kwh=200.0, extra_per_kwh=0.1),),
        reductions=(Reduction(name="less", start=2, end=4, baseline_kw=(80.0, 60.0), pay_per_kwh=0.2, most_kw=30.0),),
        limits=(Limit(name="priced", start=1, end=4, limit_kw=50.0, penalty_per_kwh=1.5),),
    )
    plan = with_risk(posed, price_plan(posed, data.draw(placements(posed)), how=GIVEN))
    risk = plan.risk
    assert risk is not None

    def heard(changed: Plan) -> list[str]:
        return [v.what for v in check(posed, changed) if v.rule == "risk"]

    assert heard(plan) == []
    for name in ("cost_p10", "cost_p50", "cost_p90"):
        assert heard(replace(plan, risk=replace(risk, **{name: getattr(risk, name) + 0.01})))
    assert heard(replace(plan, risk=replace(risk, scenarios=9)))
    for i, peak in enumerate(risk.peaks):
        other = (*risk.peaks[:i], replace(peak, chance=abs(peak.chance - 0.01)), *risk.peaks[i + 1 :])
        assert heard(replace(plan, risk=replace(risk, peaks=other)))
