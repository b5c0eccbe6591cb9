"""The bill, line by line, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from energy.model.plan import Bill, BillLine, LineKind
from energy.model.problem import DemandWindow, Limit
from energy.model.site import BatteryRule
from energy.planning.price import FORECAST, PUBLISHED, energy_bill, price_plan, price_profile
from tests.planning.tables import GIVEN, as_is, at, battery, job, problem


def line(bill: Bill, kind: LineKind, name: str = "") -> BillLine:
    found = [line for line in bill.lines if line.kind is kind and name in ("", line.name)]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("start", "import_kw"),
    [
        (0, (150, 130, 100, 100, 100, 100)),
        (4, (100, 100, 100, 100, 150, 130)),
        (-1, (130, 100, 100, 100, 100, 100)),  # began an hour before the horizon
        (5, (100, 100, 100, 100, 100, 150)),  # ends an hour after it
        (-2, (100,) * 6),
    ],
)
def test_only_the_part_of_a_job_inside_the_horizon_counts(start, import_kw):
    assert as_is(problem(job("a", 50, 30, start=start))).import_kw == import_kw


def test_energy_is_split_into_published_and_forecast_prices():
    plan = as_is(
        problem(job("a", 50, start=5), import_price=(0.1,) * 4 + (0.2,) * 2, price_published=(True,) * 4 + (False,) * 2)
    )
    assert line(plan.bill, LineKind.ENERGY, PUBLISHED).amount == pytest.approx(400 * 0.1)
    assert line(plan.bill, LineKind.ENERGY, FORECAST).amount == pytest.approx(250 * 0.2)
    assert line(plan.bill, LineKind.ENERGY, FORECAST).quantity == 250


def test_what_is_exported_earns_and_carbon_counts_import_only():
    plan = as_is(problem(pv_kw=(0, 0, 160, 160, 0, 0), carbon_price_per_kg=0.05))
    assert plan.export_kw == (0, 0, 60, 60, 0, 0)
    assert line(plan.bill, LineKind.EXPORT).amount == pytest.approx(-120 * 0.05)
    assert plan.bill.carbon_kg == pytest.approx(400 * 0.4)
    assert line(plan.bill, LineKind.CARBON).amount == pytest.approx(160 * 0.05)
    assert plan.bill.money == pytest.approx(40 - 6)  # carbon is a price of the plan, not of the bill
    assert plan.bill.total == pytest.approx(40 - 6 + 8)


def test_a_demand_charge_starts_at_the_peak_so_far_or_the_target():
    window = DemandWindow(name="month", per_kw=10, slots=(0, 1, 2), so_far_kw=120, as_is_so_far_kw=140, target_kw=130)
    posed = problem(job("a", 70, start=1), job("b", 500, start=4), demand=(window,))
    assert line(as_is(posed).bill, LineKind.DEMAND).amount == pytest.approx((170 - 130) * 10)
    assert line(as_is(posed, as_is_chain=True).bill, LineKind.DEMAND).amount == pytest.approx((170 - 140) * 10)
    assert as_is(posed).bill.peak_kw == 600  # outside the window it is a peak, but not a paid one


def test_a_kw_below_the_floor_is_worth_nothing():
    window = DemandWindow(name="month", per_kw=10, slots=(0, 1, 2), target_kw=300)
    assert line(as_is(problem(demand=(window,))).bill, LineKind.DEMAND).amount == 0


def test_two_slots_that_are_metered_together_are_averaged():
    window = DemandWindow(name="half hours", per_kw=10, slots=(0, 1, 4, 5), interval_slots=2)
    bill = as_is(
        problem(job("a", 80, 40, start=0), job("b", 100, start=2), job("c", 90, start=5), demand=(window,))
    ).bill
    assert line(bill, LineKind.DEMAND).quantity == pytest.approx(160)  # (180 + 140) / 2; (100 + 190) / 2 is less


def test_the_battery_follows_its_own_rule():
    # surplus 60: charges 50 of it (power), then 50 more (100 kWh, full at 90 %: 100 / 0.9 = 111 kWh in), then the rest
    posed = problem(
        pv_kw=(160, 160, 160, 0, 0, 0),
        battery=battery(charge_efficiency=0.9, discharge_efficiency=0.8, min_kwh=10, start_kwh=10, wear_per_kwh=0.02),
    )
    plan = as_is(posed)
    assert plan.charge_kw == pytest.approx((50, 50, 0, 0, 0, 0))
    assert plan.discharge_kw == pytest.approx((0, 0, 0, 50, 22, 0))  # (100 − 10) · 0.8 = 72 kWh come out
    assert plan.import_kw == pytest.approx((0, 0, 0, 50, 78, 100))
    assert plan.export_kw == pytest.approx((10, 10, 60, 0, 0, 0))
    assert line(plan.bill, LineKind.WEAR).amount == pytest.approx(72 * 0.02)


def test_a_planned_battery_rests_unless_told():
    posed = problem(battery=battery(rule=BatteryRule.PLANNED, start_kwh=60, end_kwh=60, end_value_per_kwh=0.1))
    assert as_is(posed).discharge_kw == (0,) * 6
    told = as_is(posed, charge_kw=(0,) * 6, discharge_kw=(0, 40, 0, 0, 0, 0))
    assert told.import_kw == (100, 60, 100, 100, 100, 100)
    stored = line(told.bill, LineKind.STORED)
    assert (stored.quantity, stored.amount) == pytest.approx((40, 4))  # 40 kWh less than agreed


def test_a_battery_that_is_told_only_half_does_nothing_else():
    posed = problem(battery=battery(start_kwh=60))
    assert as_is(posed).discharge_kw == (50, 10, 0, 0, 0, 0)  # its own rule
    assert as_is(posed, charge_kw=(20, 0, 0, 0, 0, 0)).discharge_kw == (0,) * 6
    assert as_is(posed, discharge_kw=(0, 20, 0, 0, 0, 0)).import_kw == (100, 80, 100, 100, 100, 100)


def test_more_stored_than_agreed_is_worth_something():
    posed = problem(battery=battery(rule=BatteryRule.PLANNED, end_value_per_kwh=0.1))
    told = as_is(posed, charge_kw=(20, 0, 0, 0, 0, 0), discharge_kw=(0,) * 6)
    assert line(told.bill, LineKind.STORED).amount == pytest.approx(-2)


def test_late_hours_are_priced_by_job():
    bill = as_is(
        problem(job("a", 50, 50, start=3, due=4, late_per_hour=70), job("b", 50, start=1, due=2))
    ).bill  # b is just in time
    late = line(bill, LineKind.LATE)
    assert (late.name, late.quantity, late.amount) == ("a", 1, 70)


def test_a_priced_limit_costs_what_is_above_it_and_a_mandatory_one_nothing():
    limits = (
        Limit(name="event 7", start=0, end=2, limit_kw=90, penalty_per_kwh=2.0),
        Limit(name="event 8", start=0, end=6, limit_kw=90),
    )
    assert line(as_is(problem(limits=limits)).bill, LineKind.LIMIT).amount == pytest.approx(2 * 10 * 2.0)


def test_moving_is_priced_against_what_is_in_force_offered_and_accepted():
    a = job("a", 50, start=0, move_price=3, change_offer_price=5)
    b = job("b", 50, start=1, machine="press", accepted=True, move_price=4, break_accepted_price=900)
    a = replace(a, offered=at("a", 2))
    posed = problem(a, b)
    stay = price_plan(posed, [at("a", 0), at("b", 1, "press")], how=GIVEN).bill
    assert stay.amount(LineKind.MOVE) == 5  # a leaves the offer that is open
    moved = price_plan(posed, [at("a", 2), at("b", 2, "press")], how=GIVEN).bill
    assert moved.amount(LineKind.MOVE) == 3 + 4 + 900
    assert moved.money == pytest.approx(stay.money)


def test_curtailment_takes_what_the_export_limit_cannot_carry():
    sunny = problem(pv_kw=(0, 0, 400, 0, 0, 0), export_limit_kw=200, curtailable=True)
    assert as_is(sunny).curtailed_kw == (0, 0, 100, 0, 0, 0)
    assert as_is(sunny).export_kw == (0, 0, 200, 0, 0, 0)
    assert as_is(replace(sunny, curtailable=False)).export_kw == (0, 0, 300, 0, 0, 0)


def test_placements_stand_in_the_order_of_the_problem():
    posed = problem(job("b", 50, start=0), job("a", 50, start=1))
    plan = price_plan(posed, [at("a", 1), at("b", 0)], how=GIVEN)
    assert [p.job for p in plan.placements] == ["b", "a"]
    assert plan.problem == posed.digest


def test_a_metered_profile_is_priced_by_the_same_lines():
    posed = problem(job("a", 50, start=1), demand=(DemandWindow(name="month", per_kw=10, slots=tuple(range(6))),))
    plan = as_is(posed)
    assert price_profile(posed, plan.import_kw, plan.export_kw).money == pytest.approx(plan.bill.money)


def test_a_gap_in_the_meter_makes_the_money_unknown():
    bill = price_profile(problem(), (100, np.nan, 100, 100, 100, 100), (0,) * 6)
    assert np.isnan(bill.money)
    assert np.isnan(bill.peak_kw)


@pytest.mark.parametrize(
    ("imported", "exported", "price", "money", "kg"),
    [
        ((10, 20), (0, 5), (0.1, 0.2), 1 + 4 - 0.5, 12),
        ((10, np.nan), (0, 5), (0.1, 0.2), None, None),
        ((10, 20), (0, np.nan), (0.1, 0.2), None, 12),
        ((10, 20), (0, 5), (0.1, np.nan), None, 12),
        ((10, 0), (0, 5), (0.1, np.nan), 1 - 0.5, 4),  # nobody needs the price of nothing
    ],
)
def test_energy_bill_knows_what_it_does_not_know(imported, exported, price, money, kg):
    got = energy_bill(imported, exported, price, (np.nan, 0.1), (0.4, 0.4))
    assert got[0] == (None if money is None else pytest.approx(money))
    assert got[1] == (None if kg is None else pytest.approx(kg))


def test_a_quarter_of_an_hour_makes_a_quarter_of_the_energy():
    stored = battery(
        charge_efficiency=0.8,
        discharge_efficiency=0.5,
        wear_per_kwh=1.0,
        end_value_per_kwh=1.0,
        rule=BatteryRule.PLANNED,
    )
    posed = problem(
        job("a", 40, 40, start=4, due=2, late_per_hour=60),
        step_minutes=15,
        pv_kw=(160, 0, 0, 0, 0, 0),
        carbon_price_per_kg=1.0,
        battery=stored,
        limits=(Limit(name="event", start=-2, end=2, limit_kw=60, penalty_per_kwh=2.0),),
    )
    plan = as_is(posed, charge_kw=(20, 0, 0, 0, 0, 0), discharge_kw=(0, 8, 0, 0, 0, 0))
    assert plan.export_kw == (40, 0, 0, 0, 0, 0)
    assert plan.import_kw == (0, 92, 100, 100, 140, 140)
    amounts = {kind: pytest.approx(plan.bill.amount(kind)) for kind in LineKind}
    assert amounts == {
        LineKind.ENERGY: 572 / 4 * 0.10,
        LineKind.EXPORT: -40 / 4 * 0.05,
        LineKind.DEMAND: 0,
        LineKind.CARBON: 572 / 4 * 0.4,
        LineKind.WEAR: 8 / 4,
        LineKind.STORED: -(20 / 4 * 0.8 - 8 / 4 / 0.5),
        LineKind.LATE: 60.0,  # ends in slot 6, an hour after slot 2
        **dict.fromkeys((LineKind.REDUCTION, LineKind.LABOUR, LineKind.SETUP, LineKind.START, LineKind.LEFT_OUT), 0),
        LineKind.LIMIT: (92 - 60) / 4 * 2.0,
        LineKind.MOVE: 0,
    }


def test_the_battery_fills_in_its_own_time():
    posed = problem(step_minutes=15, pv_kw=(160, 160, 0, 0, 0, 0), battery=battery(start_kwh=79, charge_efficiency=0.8))
    plan = as_is(posed)
    assert plan.charge_kw == pytest.approx((50, 50, 0, 0, 0, 0))  # 10 kWh each: 99
    assert plan.discharge_kw == pytest.approx((0, 0, 50, 50, 50, 50))
    fuller = as_is(replace(posed, battery=replace(posed.battery, start_kwh=94)))
    assert fuller.charge_kw == pytest.approx((6 / 0.8 * 4, 0, 0, 0, 0, 0))
    empty = as_is(
        replace(posed, pv_kw=(0,) * 6, battery=replace(posed.battery, start_kwh=15, discharge_efficiency=0.5))
    )
    assert empty.discharge_kw == pytest.approx((30, 0, 0, 0, 0, 0))  # 7.5 kWh come out
