"""The site's rules one at a time: stores, tiers, demand windows, reserves, paid reductions; tables to check by hand."""

from dataclasses import replace
from typing import Any

import pytest

from energy.model.plan import HowFound, LineKind, Plan
from energy.model.problem import (
    Band,
    DemandWindow,
    Limit,
    Problem,
    Ratchet,
    Reduction,
    Reserve,
    Store,
    Tier,
)
from energy.model.site import BatteryRule
from energy.planning.check import check
from tests.optimizer.plants import at, battery, best, job, paid, plant, starts


def store(slots: int, **other: Any) -> Store:
    """A cold room of 0 to 10 kWh, empty, 5 kWh for 5 kW in an hour, from which 2 kWh leave in each slot."""
    said = {
        "id": "cold",
        "name": "Cold room",
        "start": 0.0,
        "least": 0.0,
        "most": 10.0,
        "end": 0.0,
        "level_per_kwh": 1.0,
        "most_kw": 5.0,
        "draw": (2.0,) * slots,
        "as_is_kw": (2.0,) * slots,
    }
    return Store(**{**said, **other})


def sound(problem: Problem) -> Plan:
    """The best plan, which the auditor confirms and which no rule had to give way for."""
    plan = best(problem)
    assert check(problem, plan) == []
    assert plan.gave_way == ()
    return plan


def drawn(plan: Plan) -> tuple[float, ...]:
    return plan.stores[0].power_kw


@pytest.mark.parametrize(
    ("prices", "other", "expected"),
    [
        ([1, 9, 8, 7], {}, (5, 0, 1, 2)),  # full power at once; 1 lacks in the third hour, 2 in the last
        ([1, 9, 2, 9], {}, (5, 0, 3, 0)),
        ([9, 8, 7, 1], {}, (2, 2, 2, 2)),  # nothing can be put off: what leaves must be there
        ([9, 1, 8, 7], {"start": 2.0}, (0, 5, 0, 1)),  # and the last hour asks for 1 more
        ([1, 9, 8, 7], {"most": 2.0}, (4, 0, 2, 2)),  # no more than 2 stay
        ([9, 8, 7, 1], {"end": 3.0}, (2, 2, 2, 5)),  # and 3 remain for tomorrow
        ([1, 9, 8, 7], {"least": 1.0, "start": 1.0}, (5, 0, 1, 2)),
        ([1, 9, 8, 7], {"level_per_kwh": 3.0, "most": 30.0}, (8 / 3, 0, 0, 0)),  # a heat pump gives three for one
    ],
)
def test_a_store_is_filled_when_it_is_cheap(prices: list[float], other: dict[str, Any], expected: tuple[float]) -> None:
    plan = sound(plant(prices, stores=(store(4, **other),)))
    cost = sum(price * kw for price, kw in zip(prices, expected, strict=True))
    assert plan.bill.total == pytest.approx(cost)
    assert drawn(plan) == pytest.approx(expected, abs=1e-6)


def test_what_is_stored_long_is_lost() -> None:
    """A tenth is lost in an hour: 2 kWh in the dear hour need 2 / 0.9 the hour before."""
    lossy = store(2, draw=(0.0, 2.0), loss_per_hour=0.1, as_is_kw=(0.0, 2.0))
    assert drawn(sound(plant([1.0, 9.0], stores=(lossy,)))) == pytest.approx((2 / 0.9, 0.0), abs=1e-6)
    assert drawn(sound(plant([8.2, 9.0], stores=(lossy,)))) == pytest.approx((0.0, 2.0), abs=1e-6)


@pytest.mark.parametrize(("least_kw", "expected"), [(0.0, (2, 2, 2)), (3.0, (4, 0, 3)), (5.0, (5, 0, 5))])
def test_a_compressor_runs_with_its_least_power_or_not_at_all(least_kw: float, expected: tuple[float, ...]) -> None:
    """The last hour is the cheapest: without a least power only what leaves is drawn before it. With one, 4 are enough
    for two hours, and a second run is needed for the third."""
    falling = [3.0, 2.5, 1.0]
    six = store(3, least_kw=least_kw, as_is_kw=(max(2.0, least_kw),) * 3)
    plan = sound(plant(falling, stores=(six,)))
    assert drawn(plan) == pytest.approx(expected, abs=1e-6)


def test_where_nothing_is_gained_a_store_does_what_its_controller_would() -> None:
    own = (5.0, 0.0, 2.0, 2.0)
    plan = sound(plant([3.0] * 4, job("a", 4, start=1), stores=(store(4, as_is_kw=own, end=1.0),)))
    assert drawn(plan) == own
    assert starts(plan) == {"a": 1}
    assert plan.how.found is HowFound.NOTHING_TO_GAIN


def test_a_store_makes_room_for_a_peak() -> None:
    window = DemandWindow(name="peak", per_kw=10.0, slots=(0, 1, 2))
    plan = sound(plant([1.0, 1.0, 1.0], job("a", 4, fixed=at("a", 1)), stores=(store(3),), demand=(window,)))
    assert paid(plan, LineKind.DEMAND) == pytest.approx(40.0)  # 4, 4 and 2: nothing is drawn beside the job
    assert drawn(plan)[1] == pytest.approx(0.0, abs=1e-6)


def test_a_store_that_is_taken_too_much_from_gives_way_by_name() -> None:
    plan = best(plant([1.0, 1.0], stores=(store(2, draw=(6.0, 5.0), end=1.0),)))
    assert drawn(plan) == pytest.approx((5.0, 5.0))
    rules = {given.rule: given for given in plan.gave_way}
    assert set(rules) == {"the level of Cold room", "the level of Cold room at the end"}
    assert rules["the level of Cold room"].by == "up to 1 kWh below 0 from Wed 06:00 to Wed 08:00"
    assert rules["the level of Cold room"].price == pytest.approx(2000.0)  # 1 kWh for two hours
    assert rules["the level of Cold room at the end"].price == pytest.approx(2000.0)  # 2 kWh


def test_a_store_and_jobs_and_a_battery_with_a_rule_of_its_own_agree() -> None:
    own = battery(rule=BatteryRule.SELF_CONSUMPTION, capacity_kwh=3.0)
    site = {"pv_kw": (10.0, 0.0, 0.0), "battery": own, "stores": (store(3, draw=(0.0, 0.0, 3.0)),)}
    plan = sound(plant([9.0, 9.0, 8.0], job("a", 4, start=1), **site))
    assert starts(plan) == {"a": 0}  # 6 kWh remain: 3 go into the store for the last hour
    assert sum(plan.import_kw) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("above", "so_far", "extra", "start"),
    [
        (100.0, 0.0, 5.0, 0),  # far below the edge: where it is cheaper
        (0.0, 0.0, 5.0, 0),  # all of it is dearer by 5, anywhere
        (5.0, 0.0, 5.0, 2),  # on PV 5 kWh less are bought, which is worth 25
        (5.0, 5.0, 5.0, 2),
        (5.0, 0.0, -0.5, 0),  # a cheaper tier
    ],
)
def test_what_is_bought_beyond_an_amount_costs_more(above: float, so_far: float, extra: float, start: int) -> None:
    """The job costs 10 · 1 = 10 in slot 0; on PV it buys 5 kWh at 2.5, with 10 on the bill as well: 12.5."""
    tier = Tier(name="tier 2", above_kwh=above, so_far_kwh=so_far, extra_per_kwh=extra)
    site = {"tiers": (tier,), "pv_kw": (0.0, 0.0, 5.0)}
    plan = sound(plant([1.0, 9.0, 2.5], job("a", 10, start=0), **site))
    line = next(line for line in plan.bill.lines if line.name == "tier 2")
    bought = 10.0 if starts(plan)["a"] == 0 else 5.0
    assert line.quantity == pytest.approx(max(0.0, bought - max(0.0, above - so_far)))
    assert starts(plan)["a"] == (start if above != 0.0 else 2)


@pytest.mark.parametrize(("edge", "filled"), [(7.0, True), (9.5, False)])
def test_a_cheaper_tier_may_be_worth_reaching_for(edge: float, filled: bool) -> None:
    """5 kWh are needed. Beyond the edge a kWh costs 1 − 3: 5 kWh more of storage pay 2 each once it is passed."""
    tier = Tier(name="large", above_kwh=edge, extra_per_kwh=-3.0)
    keeps = battery(capacity_kwh=5.0, wear_per_kwh=0.0, end_value_per_kwh=0.0)
    plan = sound(plant([1.0], base_load_kw=(5.0,), battery=keeps, tiers=(tier,)))
    assert plan.bill.total == pytest.approx(min(5.0, 10.0 - 3.0 * (10.0 - edge)))
    assert (sum(plan.charge_kw) > 1.0) is filled


def test_importing_and_exporting_at_once_is_no_way_into_a_cheaper_tier() -> None:
    tier = Tier(name="large", above_kwh=0.0, extra_per_kwh=-0.5)
    plan = sound(plant([1.0], base_load_kw=(5.0,), export_price=(0.8,), tiers=(tier,)))
    assert plan.bill.total == pytest.approx(2.5)


def test_what_is_billed_at_least_is_a_floor() -> None:
    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1), so_far_kw=10.0, least_billed_kw=18.0)
    jobs = [job("a", 10, fixed=at("a", 0)), job("b", 10, start=1, machine="press")]
    plan = sound(plant([1.0, 1.5], *jobs, demand=(window,)))
    assert starts(plan)["b"] == 0
    assert paid(plan, LineKind.DEMAND) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("highest", "per_kw", "start", "demand"),
    [
        (0.0, 0.0, 0, 1.0),  # 10 more at 0.1 each, the slot gains 5
        (0.0, 0.6, 1, 0.0),  # and each costs 0.6 more later
        (20.0, 0.6, 0, 1.0),  # 20 kW have been there before
        (15.0, 0.6, 0, 4.0),  # 5 of them are new: 3
    ],
)
def test_a_ratchet_carries_a_new_peak_into_later_periods(
    highest: float, per_kw: float, start: int, demand: float
) -> None:
    ratchet = Ratchet(highest_kw=highest, per_kw=per_kw)
    window = DemandWindow(name="peak", per_kw=0.1, slots=(0, 1), so_far_kw=10.0, ratchet=ratchet)
    jobs = [job("a", 10, fixed=at("a", 0)), job("b", 10, start=1, machine="press")]
    plan = sound(plant([1.0, 1.5], *jobs, demand=(window,)))
    assert starts(plan)["b"] == start
    assert paid(plan, LineKind.DEMAND) == pytest.approx(demand)


def test_several_windows_are_paid_at_once() -> None:
    """The year counts every slot, the high-load window only slots 1 and 2, of which it averages two."""
    year = DemandWindow(name="year", per_kw=1.0, slots=(0, 1, 2, 3))
    high = DemandWindow(name="high load", per_kw=5.0, slots=(1, 2), interval_slots=2)
    plan = sound(plant([1.0, 1.0, 1.0, 1.0], job("a", 10, start=1), demand=(year, high)))
    assert starts(plan)["a"] in {0, 3}
    assert {line.name: line.amount for line in plan.bill.lines if line.kind is LineKind.DEMAND} == {
        "year": pytest.approx(10.0),
        "high load": pytest.approx(0.0),
    }


WIDE = Band(p10=(0.0, -2.5631031310892007, 0.0), p90=(0.0, 2.5631031310892007, 0.0))  # sigma 2 in slot 1


@pytest.mark.parametrize(("guard", "start"), [(None, 1), (0.5, 1), (0.8413447460685429, 2)])
def test_a_guarded_peak_keeps_away_from_what_is_uncertain(guard: float | None, start: int) -> None:
    """Slot 1 is cheapest; with one sigma (2 kW) beside the job of 10 kW, its peak is 12."""
    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1, 2), guard=guard)
    plan = sound(
        plant(
            [1.1, 1.0, 1.1],
            job("a", 10, start=1),
            job("b", 1, start=0, machine="press"),
            demand=(window,),
            base_load_band=WIDE,
        )
    )
    assert starts(plan)["a"] == start


def test_a_guarded_peak_says_what_is_guarded() -> None:
    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1, 2), guard=0.8413447460685429)
    problem = plant([1.0, 1.0, 1.0], job("a", 10, fixed=at("a", 1)), demand=(window,), base_load_band=WIDE)
    assert paid(sound(problem), LineKind.DEMAND) == pytest.approx(12.0)
    both = replace(problem, pv_band=Band(p10=(0.0,) * 3, p90=(0.0, 1.5 * 2.5631031310892007, 0.0)))
    assert paid(sound(both), LineKind.DEMAND) == pytest.approx(12.5)  # 2 and 1.5 in quadrature
    exporting = replace(problem, pv_kw=(0.0, 11.0, 0.0))
    assert paid(sound(exporting), LineKind.DEMAND) == pytest.approx(1.0)  # −1 and 2
    mean = replace(problem, demand=(replace(window, slots=(1, 2), interval_slots=2),))
    assert paid(sound(mean), LineKind.DEMAND) == pytest.approx(6.0)  # (12 + 0) / 2


@pytest.mark.parametrize(
    ("kwh", "kw", "discharged"),
    [
        (0.0, 0.0, (0, 0, 8)),  # the dear slot is served
        (4.0, 0.0, (0, 0, 4)),  # 4 of the 8 kWh stay where they are
        (0.0, 7.0, (0, 0, 3)),  # of 10 kW only 3 are free
        (4.0, 8.0, (0, 0, 2)),
    ],
)
def test_a_reserve_is_held(kwh: float, kw: float, discharged: tuple[float, ...]) -> None:
    reserve = Reserve(name="balancing", start=2, end=3, kwh=kwh, kw=kw)
    keeps = battery(start_kwh=8.0, capacity_kwh=8.0, end_value_per_kwh=0.5, reserves=(reserve,))
    plan = sound(plant([1.0, 1.0, 5.0], base_load_kw=(0.0, 0.0, 8.0), battery=keeps))
    assert plan.discharge_kw == pytest.approx(discharged, abs=1e-6)


def test_a_reserve_is_there_when_it_begins() -> None:
    """It must be full as slot 1 begins, so it is filled in the dear slot 0."""
    reserve = Reserve(name="balancing", start=1, end=2, kwh=6.0)
    plan = sound(plant([5.0, 1.0], battery=battery(reserves=(reserve,))))
    assert plan.charge_kw[0] == pytest.approx(6.0)


def test_reserves_at_once_add_up_and_give_way_by_name() -> None:
    two = (Reserve(name="balancing", start=1, end=2, kwh=6.0), Reserve(name="outage", start=0, end=2, kwh=3.0))
    slow = battery(charge_kw=4.0, reserves=two)
    problem = plant([1.0, 1.0], battery=slow)
    plan = best(problem)
    assert plan.charge_kw == pytest.approx((4.0, 4.0))
    (given,) = plan.gave_way
    assert given.rule == "the reserve for balancing and outage"
    assert given.by == "up to 5 kWh short from Wed 06:00 to Wed 08:00"
    assert given.price == pytest.approx(6000.0)  # 5 after slot 0, 1 after slot 1
    assert {(v.rule, v.subject) for v in check(problem, plan)} == {
        ("reserve energy", "balancing"),
        ("reserve energy", "outage"),
    }


@pytest.mark.parametrize(
    ("pay", "baseline", "most", "start", "money"),
    [
        (0.5, 12.0, 100.0, 0, -1.0),  # 2 kWh below the baseline; all 12 would pay 5 more and cost 6
        (1.0, 12.0, 100.0, 1, -12.0),  # 12 kWh
        (1.0, 12.0, 8.0, 0, -2.0),  # only 8 of them are paid: 6 more
        (1.0, 9.0, 100.0, 1, -9.0),  # where it runs in slot 0 it is above the baseline, and owes nothing
        (0.5, 9.0, 100.0, 0, 0.0),
    ],
)
def test_importing_less_than_the_baseline_is_paid(
    pay: float, baseline: float, most: float, start: int, money: float
) -> None:
    """10 kWh cost 10 in slot 0 and 16.5 in slot 1."""
    call = Reduction(name="call", start=0, end=1, baseline_kw=(baseline,), pay_per_kwh=pay, most_kw=most)
    plan = sound(plant([1.0, 1.65], job("a", 10), reductions=(call,)))
    assert starts(plan)["a"] == start
    assert paid(plan, LineKind.REDUCTION) == pytest.approx(money)


def test_a_battery_serves_a_reduction_as_far_as_it_is_paid() -> None:
    call = Reduction(name="call", start=1, end=2, baseline_kw=(9.0,), pay_per_kwh=3.0, most_kw=5.0)
    site = {"base_load_kw": (0.0, 8.0), "battery": battery(), "reductions": (call,)}
    plan = sound(plant([2.0, 1.0], **site))
    assert plan.discharge_kw == pytest.approx((0.0, 4.0), abs=1e-6)  # 1 below already, 4 more
    assert plan.bill.total == pytest.approx(8.0 + 4.0 - 15.0)


def test_a_carbon_limit_moves_what_emits_too_much() -> None:
    dirty = plant([1.0, 1.5, 3.0], job("a", 10), carbon_kg_per_kwh=(0.9, 0.5, 0.1))
    assert starts(sound(replace(dirty, carbon_limit_kg=9.0)))["a"] == 0
    assert starts(sound(replace(dirty, carbon_limit_kg=5.0)))["a"] == 1
    assert starts(sound(replace(dirty, carbon_limit_kg=4.9)))["a"] == 2
    plan = best(replace(dirty, carbon_limit_kg=0.5))
    assert [(given.rule, given.by) for given in plan.gave_way] == [("the carbon limit", "0.5 kg above 0.5 kg")]


@pytest.mark.parametrize(
    ("prices", "export", "other", "total"),
    [
        ([-1.0], 0.0, {}, -5.0),  # base load earns
        ([-1.0], 0.0, {"battery": battery()}, -15.0),  # and so does filling the battery: 10 kWh more
        ([-1.0], 0.0, {"battery": battery(charge_efficiency=0.5)}, -15.0),  # but it does not burn more than it may
        ([-1.0], -2.0, {"pv_kw": (8.0,)}, 6.0),  # 3 kWh must go out
        ([-1.0], -2.0, {"pv_kw": (8.0,), "curtailable": True}, -5.0),  # unless PV is curtailed: all of it
        ([-1.0], -2.0, {"pv_kw": (4.0,), "curtailable": True}, -5.0),
        ([1.0], 0.5, {"pv_kw": (9.0,), "export_limit_kw": 3.0, "curtailable": True}, -1.5),
        ([1.0], 0.5, {"pv_kw": (9.0,), "battery": battery(), "export_limit_kw": 3.0}, -1.5),  # 1 kWh is stored
        (
            [1.0, 3.0],
            0.0,
            {"base_load_kw": (1.0, 8.0), "import_limit_kw": 6.0, "battery": battery()},
            15.0,
        ),  # 5 kWh ahead
    ],
)
def test_negative_prices_limits_and_curtailment(
    prices: list[float], export: float, other: dict[str, Any], total: float
) -> None:
    said = {"base_load_kw": (5.0,) * len(prices), "export_price": (export,) * len(prices), **other}
    assert sound(plant(prices, **said)).bill.total == pytest.approx(total)


def test_burning_energy_at_a_negative_price_is_no_way_to_earn() -> None:
    """The battery ends as full as it began: charging and discharging at once would only waste energy."""
    lossy = battery(charge_efficiency=0.5, start_kwh=5.0, end_kwh=5.0, capacity_kwh=5.0)
    plan = sound(plant([-1.0], base_load_kw=(5.0,), battery=lossy))
    assert plan.bill.total == pytest.approx(-5.0)


def test_a_limit_of_the_connection_gives_way_by_name_for_export_too() -> None:
    plan = best(plant([1.0], pv_kw=(9.0,), export_limit_kw=3.0))
    assert [(given.rule, given.by[:24]) for given in plan.gave_way] == [
        ("the export limit of the grid connection", "6.0 kWh above 3 kW, most")
    ]


def test_the_search_and_the_limits_go_together_with_a_store() -> None:
    limit = Limit(name="call", start=0, end=1, limit_kw=4.0)
    plan = sound(
        plant([1.0, 2.0, 3.0], job("a", 4), stores=(store(3, start=6.0, as_is_kw=(0.0,) * 3),), limits=(limit,))
    )
    assert starts(plan)["a"] == 0
    assert sum(drawn(plan)) == pytest.approx(0.0, abs=1e-6)
