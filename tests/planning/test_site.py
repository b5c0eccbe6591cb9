"""Stores, tiers, windows, reserves, reductions and bands: what is said wrong, what it costs, what the auditor hears."""

import math
from dataclasses import replace
from typing import Any

import pytest

from energy.model.plan import LineKind, Plan, StoreRow
from energy.model.problem import (
    Band,
    DemandWindow,
    Problem,
    Ratchet,
    Reduction,
    Reserve,
    Scenario,
    SoberPrice,
    Store,
    Tier,
)
from energy.model.site import BatteryRule
from energy.planning.check import check
from energy.planning.price import price_plan, price_profile
from energy.planning.sound import mistakes_in
from tests.planning.mutations import unheard
from tests.planning.tables import GIVEN, as_is, battery, job, problem


def store(**other: Any) -> Store:
    """A hot water tank of 10 to 100 kWh, half full, that gives 10 kWh an hour; its own controller puts 10 kW back."""
    said = {
        "id": "tank",
        "name": "Hot water",
        "start": 50.0,
        "least": 10.0,
        "most": 100.0,
        "end": 50.0,
        "level_per_kwh": 1.0,
        "most_kw": 40.0,
        "draw": (10.0,) * 6,
        "as_is_kw": (10.0,) * 6,
    }
    return Store(**{**said, **other})


def paths(posed: Problem) -> dict[str, str]:
    return {mistake.where: mistake.what for mistake in mistakes_in(posed)}


NAN = math.nan


@pytest.mark.parametrize(
    ("other", "path"),
    [
        ({"start": NAN}, "stores[0].start"),
        ({"least": 200.0}, "stores[0].least"),
        ({"end": 101.0}, "stores[0].end"),
        ({"level_per_kwh": 0.0}, "stores[0].level_per_kwh"),
        ({"level_per_kwh": NAN}, "stores[0].level_per_kwh"),
        ({"most_kw": NAN}, "stores[0].most_kw"),
        ({"least_kw": 50.0, "as_is_kw": (0.0,) * 6}, "stores[0].least_kw"),
        ({"loss_per_hour": 1.5}, "stores[0].loss_per_hour"),
        ({"loss_per_hour": -0.1}, "stores[0].loss_per_hour"),
        ({"draw": (10.0,) * 5}, "stores[0].draw"),
        ({"draw": (10.0,) * 5 + (NAN,)}, "stores[0].draw[5]"),
        ({"as_is_kw": (10.0,) * 7}, "stores[0].as_is_kw"),
        ({"as_is_kw": (10.0,) * 5 + (41.0,)}, "stores[0].as_is_kw[5]"),
        ({"as_is_kw": (20.0,) * 5 + (10.0,), "least_kw": 20.0}, "stores[0].as_is_kw[5]"),
        ({"as_is_kw": (-1.0,) + (10.0,) * 5}, "stores[0].as_is_kw[0]"),
    ],
)
def test_a_store_that_cannot_be_is_named(other: dict[str, Any], path: str) -> None:
    assert list(paths(problem(stores=(store(**other),)))) == [path]


def test_every_mistake_of_the_site_is_said_at_once() -> None:
    wide = Band(p10=(1.0,) * 6, p90=(0.0,) * 6)
    posed = problem(
        stores=(store(), store()),
        tiers=(
            Tier(name="a", above_kwh=-1.0, extra_per_kwh=NAN),
            Tier(name="energy at published prices", above_kwh=0.0, extra_per_kwh=0.0, so_far_kwh=-1.0),
        ),
        demand=(
            DemandWindow(
                name="year",
                per_kw=1.0,
                slots=(0,),
                least_billed_kw=-1.0,
                guard=1.0,
                ratchet=Ratchet(highest_kw=-1.0, per_kw=NAN),
            ),
            DemandWindow(name="year ratchet", per_kw=1.0, slots=(0,)),
        ),
        battery=battery(
            rule=BatteryRule.SELF_CONSUMPTION,
            reserves=(
                Reserve(name="a", start=0, end=2, kwh=60.0, kw=30.0),
                Reserve(name="a", start=1, end=1, kwh=-1.0),
                Reserve(name="c", start=1, end=3, kwh=50.0, kw=30.0),
            ),
        ),
        reductions=(
            Reduction(name="r", start=0, end=2, baseline_kw=(1.0, NAN, 3.0), pay_per_kwh=-1.0, most_kw=-1.0),
            Reduction(name="r", start=2, end=2, baseline_kw=(), pay_per_kwh=1.0, most_kw=1.0),
        ),
        import_price_band=wide,
        scenarios=(Scenario(weight=0.0, pv_kw=(-1.0,) * 6), Scenario(base_load_kw=(NAN,) * 5)),
        sober_prices=(
            SoberPrice(up_to_hours=5.0, kept=1.5, import_price=(0.1,) * 6, export_price=(0.0,) * 5),
            SoberPrice(up_to_hours=5.0, kept=1.0, import_price=(0.1,) * 6, export_price=(0.0,) * 6),
        ),
        carbon_limit_kg=-1.0,
    )
    found = paths(posed)
    assert set(found) == {
        "stores[1]",
        "tiers[0].above_kwh",
        "tiers[0].extra_per_kwh",
        "tiers[1].so_far_kwh",
        "tiers[1].name",
        "demand[0].least_billed_kw",
        "demand[0].guard",
        "demand[0].ratchet",
        "demand[0].ratchet.highest_kw",
        "demand[0].ratchet.per_kw",
        "battery.reserves",
        "battery.reserves[1]",
        "battery.reserves[1].kwh",
        "battery.reserves[2].kwh",
        "battery.reserves[2].kw",
        "reductions[0].baseline_kw",
        "reductions[0].baseline_kw[1]",
        "reductions[0].pay_per_kwh",
        "reductions[0].most_kw",
        "reductions[1]",
        *(f"import_price_band.p10[{k}]" for k in range(6)),
        "scenarios[0].weight",
        *(f"scenarios[0].pv_kw[{k}]" for k in range(6)),
        "scenarios[1].base_load_kw",
        *(f"scenarios[1].base_load_kw[{k}]" for k in range(5)),
        "sober_prices[0].kept",
        "sober_prices[0].export_price",
        "sober_prices[1].up_to_hours",
        "carbon_limit_kg",
    }
    assert found["battery.reserves[2].kwh"] == "a and c ask for 110 kWh in slot 1; above its least it holds 100"


def test_a_guard_needs_bands() -> None:
    window = DemandWindow(name="year", per_kw=1.0, slots=(0,), guard=0.9)
    band = Band(p10=(0.0,) * 6, p90=(1.0,) * 6)
    assert list(paths(problem(demand=(window,)))) == ["demand[0].guard"]
    assert paths(problem(demand=(window,), pv_band=band)) == {}
    assert paths(problem(stores=(store(),), demand=(window,), base_load_band=band)) == {}


def amounts(plan: Plan, kind: LineKind) -> dict[str, tuple[float, float]]:
    return {line.name: (line.quantity, line.amount) for line in plan.bill.lines if line.kind is kind}


def test_a_store_draws_what_its_controller_would_unless_the_plan_says_otherwise() -> None:
    posed = problem(stores=(store(),))
    own = as_is(posed)
    assert own.stores == (StoreRow(store="tank", power_kw=(10.0,) * 6),)
    assert own.import_kw == (110.0,) * 6
    told = as_is(posed, stores={"tank": (40.0, 0.0, 0.0, 0.0, 0.0, 20.0)})
    assert told.import_kw == (140.0, 100.0, 100.0, 100.0, 100.0, 120.0)
    assert check(posed, own) == check(posed, told) == []
    assert check(posed, replace(own, stores=())) == []  # not named: as it would do anyway


@pytest.mark.parametrize(
    ("row", "other", "expected"),
    [
        ((40, 20, 0, 0, 0, 0), {}, []),  # 80, 90, then ten less in each hour: 50
        ((10, 10, 10, 10, 10, 10), {}, []),
        ((10, 10, 10, 10, 10, 9), {}, [("store end", 1.0)]),
        ((0, 0, 0, 0, 0, 10), {}, [("store empty", 10.0), ("store end", 50.0)]),  # 40, 30, 20, 10, 0, 0
        ((40, 40, 10, 10, 10, 10), {"most": 100.0}, [("store full", 10.0)]),
        ((41, 0, 0, 10, 9, 10), {}, [("store power", 1.0)]),
        ((5, 15, 10, 10, 10, 10), {"least_kw": 8.0}, [("store least power", 3.0)]),
        ((7.5, 15, 10, 10, 10, 10), {"least_kw": 8.0}, [("store least power", 0.5)]),
        ((15, 15, 15, 15, 15, 15), {"loss_per_hour": 0.1}, []),  # 5 of 50 are lost in an hour
        ((15, 15, 15, 15, 15, 14), {"loss_per_hour": 0.1}, [("store end", 1.0)]),
    ],
)
def test_levels_and_powers_of_a_store(row: tuple[float, ...], other: dict[str, Any], expected: list[Any]) -> None:
    posed = problem(stores=(store(**other),))
    found = [(v.rule, pytest.approx(v.size)) for v in check(posed, as_is(posed, stores={"tank": row}))]
    assert found == expected


def test_rows_of_stores_that_are_none_are_named() -> None:
    posed = problem(stores=(store(),))
    plan = as_is(posed)
    (row,) = plan.stores
    for rows, said in (
        ((row, row), "store tank has more than one row"),
        ((StoreRow(store="tonk", power_kw=row.power_kw),), "tonk is no store of the problem"),
        ((replace(row, power_kw=(1.0,)),), "store tank has 1 values; the horizon has 6 slots"),
        ((replace(row, power_kw=(NAN,) * 6),), "store tank draws nan kW Wed 20 May 06:00"),
    ):
        assert [v.what for v in check(posed, replace(plan, stores=rows))] == [said]


def test_a_tier_counts_what_lies_beyond_its_edge() -> None:
    tiers = (
        Tier(name="from 1 MWh", above_kwh=1000.0, so_far_kwh=500.0, extra_per_kwh=0.05),
        Tier(name="large", above_kwh=400.0, so_far_kwh=500.0, extra_per_kwh=-0.01),
        Tier(name="far", above_kwh=9000.0, extra_per_kwh=1.0),
    )
    bill = amounts(as_is(problem(tiers=tiers)), LineKind.ENERGY)  # 600 kWh
    assert bill["from 1 MWh"] == pytest.approx((100.0, 5.0))
    assert bill["large"] == pytest.approx((600.0, -6.0))
    assert bill["far"] == (0.0, 0.0)


def test_a_ratchet_is_a_line_of_its_own_and_starts_where_the_window_starts() -> None:
    def lines(**other: Any) -> dict[str, tuple[float, float]]:
        ratchet = Ratchet(highest_kw=120.0, per_kw=7.0)
        window = DemandWindow(name="month", per_kw=10.0, slots=(0, 1, 2), ratchet=ratchet, **other)
        posed = problem(job("a", 70, start=1), demand=(window,))
        assert check(posed, as_is(posed)) == []
        return amounts(as_is(posed), LineKind.DEMAND)

    assert lines(so_far_kw=100.0) == {"month": (70.0, 700.0), "month ratchet": (50.0, 350.0)}
    assert lines(so_far_kw=150.0) == {"month": (20.0, 200.0), "month ratchet": (20.0, 140.0)}
    assert lines(least_billed_kw=165.0) == {"month": (5.0, 50.0), "month ratchet": (5.0, 35.0)}
    assert lines(so_far_kw=300.0) == {"month": (0.0, 0.0), "month ratchet": (0.0, 0.0)}


def test_a_guard_widens_the_peak_of_a_plan_but_not_of_what_was_metered() -> None:
    window = DemandWindow(name="month", per_kw=1.0, slots=(0, 1, 2, 3), interval_slots=2, guard=0.9)
    band = Band(p10=(90.0, 90.0, 100.0, 100.0, 0.0, 0.0), p90=(110.0, 110.0, 100.0, 100.0, 0.0, 0.0))
    posed = problem(job("a", 5, 5, start=2), demand=(window,), base_load_band=band)
    plan = as_is(posed)
    assert amounts(plan, LineKind.DEMAND)["month"] == pytest.approx((110.0, 110.0))  # P90 is what 0.9 guards against
    assert price_profile(posed, plan.import_kw, plan.export_kw).amount(LineKind.DEMAND) == pytest.approx(105.0)
    assert check(posed, plan) == []


def test_a_reduction_counts_slot_by_slot_and_owes_nothing() -> None:
    call = Reduction(
        name="call", start=1, end=5, baseline_kw=(130.0, 90.0, 200.0, 105.0), pay_per_kwh=0.5, most_kw=40.0
    )
    posed = problem(step_minutes=15, reductions=(call,))
    assert amounts(as_is(posed), LineKind.REDUCTION)["call"] == pytest.approx(((30 + 0 + 40 + 5) / 4, -75 / 8))
    beyond = replace(posed, reductions=(replace(call, start=-2, end=2),))
    assert amounts(as_is(beyond), LineKind.REDUCTION)["call"] == pytest.approx(((40 + 5) / 4, -45 / 8))
    for each in (posed, beyond):
        assert check(each, as_is(each)) == []
    assert as_is(posed).bill.money == pytest.approx(15.0 - 75 / 8)


@pytest.mark.parametrize(
    ("discharge", "expected"),
    [
        ((0, 0, 0, 0, 0, 0), []),
        ((0, 0, 40, 0, 0, 0), [("reserve power", 2, 20.0)]),  # 50 kW less 40: 10 of the 30 are left
        ((0, 50, 0, 0, 0, 0), [("reserve energy", 2, 10.0)]),  # 30 as slot 2 begins
        ((0, 0, 0, 20, 20, 20), [("reserve energy", 3, 0.0)]),
    ],
)
def test_a_reserve_is_energy_from_its_first_moment_and_power_in_each_slot(
    discharge: tuple[float, ...], expected: list[Any]
) -> None:
    reserve = Reserve(name="call", start=2, end=4, kwh=40.0, kw=30.0)
    posed = problem(battery=battery(rule=BatteryRule.PLANNED, start_kwh=80.0, reserves=(reserve,)))
    found = check(posed, as_is(posed, charge_kw=(0.0,) * 6, discharge_kw=discharge))
    said = [(v.rule, v.slot, pytest.approx(v.size)) for v in found]
    assert said == [each for each in expected if each[2]]


def test_a_carbon_limit_is_heard() -> None:
    posed = problem(carbon_limit_kg=200.0)  # 600 kWh emit 240
    assert [(v.rule, pytest.approx(v.size)) for v in check(posed, as_is(posed))] == [("carbon limit", 40.0)]


def full() -> Problem:
    """A plant with everything that this page is about."""
    band = Band(p10=(90.0,) * 6, p90=(115.0,) * 6)
    return problem(
        job("a", 50, 20, start=2),
        job("b", 30, start=4, machine="press"),
        stores=(
            store(),
            store(id="air", least_kw=5.0, as_is_kw=(0.0, 10.0, 20.0, 10.0, 10.0, 10.0), loss_per_hour=0.0),
        ),
        tiers=(
            Tier(name="from 500", above_kwh=500.0, extra_per_kwh=0.05),
            Tier(name="large", above_kwh=700.0, extra_per_kwh=-0.02),
        ),
        demand=(
            DemandWindow(
                name="month",
                per_kw=3.0,
                slots=tuple(range(6)),
                so_far_kw=100.0,
                ratchet=Ratchet(highest_kw=120.0, per_kw=1.0),
            ),
            DemandWindow(name="high load", per_kw=5.0, slots=(2, 3, 4, 5), interval_slots=2, guard=0.95),
        ),
        battery=battery(
            rule=BatteryRule.PLANNED,
            start_kwh=60.0,
            end_kwh=40.0,
            wear_per_kwh=0.01,
            end_value_per_kwh=0.1,
            reserves=(Reserve(name="call", start=3, end=5, kwh=20.0, kw=20.0),),
        ),
        reductions=(Reduction(name="less", start=2, end=4, baseline_kw=(200.0, 210.0), pay_per_kwh=0.3, most_kw=60.0),),
        base_load_band=band,
        pv_band=Band(p10=(0.0,) * 6, p90=(8.0,) * 6),
        pv_kw=(5.0,) * 6,
        curtailable=True,
        carbon_limit_kg=500.0,
        carbon_price_per_kg=0.02,
    )


def test_whatever_is_changed_in_a_valid_plan_is_heard() -> None:
    posed = full()
    assert mistakes_in(posed) == ()
    plan = price_plan(
        posed,
        [j.as_is for j in posed.jobs],
        charge_kw=(0.0, 10.0, 0.0, 0.0, 0.0, 0.0),
        discharge_kw=(0.0, 0.0, 10.0, 10.0, 0.0, 10.0),
        curtailed_kw=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        stores={"tank": (10.0, 20.0, 0.0, 10.0, 10.0, 10.0)},
        how=GIVEN,
    )
    assert check(posed, plan) == []
    assert unheard(posed, plan) == []
