"""One rule of the plant at a time, in tables that a planner could check by hand."""

from dataclasses import replace

import pytest

from energy.model.calendar import Attended
from energy.model.plan import HowFound, LineKind
from energy.model.problem import (
    Closed,
    CrewNeed,
    DemandWindow,
    Limit,
    Option,
    Precedence,
    ProblemMachine,
    Roster,
    ShiftHours,
)
from energy.model.site import BatteryRule
from energy.planning.check import check
from optimizer.plant import Plant
from optimizer.solve import solve
from tests.optimizer.plants import at, battery, best, job, paid, plant, starts


@pytest.mark.parametrize(
    ("prices", "powers", "start"),
    [
        ([20, 60, 10, 80], [1], 2),  # the one cheap slot
        ([20, 60, 10, 15], [1, 1], 2),  # the cheap pair, though slot 0 is cheap too
        ([20, 60, 10, 80, 5], [9, 1], 2),  # 9 kW first, 1 kW then: 240, 550, 170, 725
        ([10, 10, 10, 10], [1], 0),  # all alike: do not move
        ([10, 9.995, 10, 10], [1], 0),  # it gains half a cent, moving costs a cent
    ],
)
def test_a_job_goes_where_it_is_cheapest(prices: list[float], powers: list[float], start: int) -> None:
    plan = best(plant(prices, job("a", *powers)))
    assert starts(plan) == {"a": start}
    assert plan.how.found is (HowFound.OPTIMAL if start else HowFound.NOTHING_TO_GAIN)


def test_release_and_hard_end_bound_the_start() -> None:
    prices = [1, 9, 5, 3, 1, 2]
    assert starts(best(plant(prices, job("a", 1, start=2, earliest=1, must_end=4)))) == {"a": 3}
    assert starts(best(plant(prices, job("a", 1, start=2, earliest=1, must_end=3)))) == {"a": 2}


def test_a_machine_runs_one_job_at_a_time() -> None:
    plan = best(plant([9, 9, 1, 2, 9], job("a", 10, start=0), job("b", 9, start=1)))
    assert starts(plan) == {"a": 2, "b": 3}  # both want slot 2; the larger one gets it


def test_a_closed_machine_runs_nothing() -> None:
    shut = (ProblemMachine(id="furnace", closed=(Closed(start=2, end=3, why="maintenance"),)),)
    assert starts(best(plant([9, 9, 1, 2], job("a", 1), machines=shut))) == {"a": 3}


def test_another_machine_may_be_cheaper() -> None:
    two = (Option(machine="furnace", power_kw=(10,)), Option(machine="press", power_kw=(8,)))
    plan = best(plant([5, 5], job("a", 10, options=two), job("b", 10, start=1)))
    assert plan.placement("a").machine == "press"


@pytest.mark.parametrize(
    ("least", "most", "start"),
    [
        (0, None, 5),
        (0, 2, 3),
        (2, 2, 3),
        (3, None, 5),
    ],  # the first job ends where slot 1 begins; prices fall, save in slot 4
)
def test_a_job_follows_another_within_its_lags(least: int, most: int | None, start: int) -> None:
    first = job("a", 1, fixed=at("a", 0))
    rule = Precedence(job="a", min_slots=least, max_slots=most)
    second = job("b", 1, start=1 + least, machine="press", after=(rule,))
    assert starts(best(plant([9, 8, 7, 6, 6.5, 5], first, second)))["b"] == start


def test_a_predecessor_does_not_move_past_its_follower() -> None:
    first = job("a", 10, start=0)
    second = job("b", 1, start=2, fixed=at("b", 2, "press"), machine="press", after=(Precedence(job="a"),))
    assert starts(best(plant([9, 5, 1, 1], first, second)))["a"] == 1


@pytest.mark.parametrize(
    ("attended", "start"),
    [(Attended.RUN, 0), (Attended.START, 1), (Attended.ENDS, 2)],
)
def test_people_must_be_there_when_the_job_needs_them(attended: Attended, start: int) -> None:
    people = Roster(skill="loader", people=(1, 1, 1, 0, 1, 0))
    asked = job("a", 1, 1, 1, start=0, needs=(CrewNeed(skill="loader", attended=attended),))
    prices = [9, 5, 1, 2, 6, 9]  # runs of three: 15, 8, 9, 17
    assert starts(best(plant(prices, asked, rosters=(people,)))) == {"a": start}


def test_one_loader_serves_one_job_at_a_time() -> None:
    people = Roster(skill="loader", people=(1, 1, 1))
    needs = (CrewNeed(skill="loader"),)
    jobs = [job("a", 10, start=0, needs=needs), job("b", 9, start=1, machine="press", needs=needs)]
    assert starts(best(plant([9, 5, 1], *jobs, rosters=(people,)))) == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("so_far", "target", "start", "demand"),
    [
        (0.0, 0.0, 1, 0.0),  # beside the other job the peak would be 20 kW: 10 more at 1 each, the slot gains 5
        (20.0, 0.0, 0, 0.0),  # 20 kW have been reached already: no more to pay
        (0.0, 18.0, 0, 2.0),  # 18 kW are agreed: 2 above cost 2, the slot gains 5
        (0.0, 14.0, 1, 0.0),  # 6 above cost 6
    ],
)
def test_the_peak_is_paid_above_what_is_reached_or_agreed(
    so_far: float, target: float, start: int, demand: float
) -> None:
    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1), so_far_kw=max(so_far, 10.0), target_kw=target)
    jobs = [job("a", 10, fixed=at("a", 0)), job("b", 10, start=1, machine="press")]
    plan = best(plant([1.0, 1.5], *jobs, demand=(window,)))
    assert starts(plan)["b"] == start
    assert paid(plan, LineKind.DEMAND) == pytest.approx(demand)


def test_a_meter_that_averages_two_slots_sees_their_mean() -> None:
    window = DemandWindow(name="peak", per_kw=1.0, slots=(0, 1, 2, 3), interval_slots=2)
    jobs = [job("a", 10, fixed=at("a", 0)), job("b", 10, start=0, machine="press")]
    plan = best(plant([1.0, 1.0, 1.0, 1.0], *jobs, demand=(window,)))
    assert starts(plan)["b"] in {2, 3}  # slot 1 would not help: the meter averages 0 and 1
    assert paid(plan, LineKind.DEMAND) == pytest.approx(5.0)


def test_a_planned_battery_buys_cheap_and_saves_dear() -> None:
    plan = best(plant([1.0, 5.0, 3.0], base_load_kw=(0.0, 8.0, 0.0), battery=battery(charge_efficiency=0.8)))
    assert plan.charge_kw == pytest.approx((10.0, 0.0, 0.0))  # 10 kWh in, 8 stored
    assert plan.discharge_kw == pytest.approx((0.0, 8.0, 0.0))
    assert plan.bill.total == pytest.approx(10.0)


@pytest.mark.parametrize(("wear", "used"), [(3.9, True), (4.1, False)])  # the price spread is 4
def test_wear_decides_whether_the_battery_is_worth_using(wear: float, used: bool) -> None:
    plan = best(plant([1.0, 5.0], base_load_kw=(0.0, 8.0), battery=battery(wear_per_kwh=wear)))
    assert (sum(plan.discharge_kw) > 0) is used


def test_a_planned_battery_ends_as_agreed() -> None:
    plan = best(plant([1.0, 5.0], base_load_kw=(0.0, 8.0), battery=battery(start_kwh=4.0, end_kwh=4.0)))
    assert 4.0 + sum(plan.charge_kw) - sum(plan.discharge_kw) == pytest.approx(4.0)


def test_a_battery_with_a_rule_of_its_own_is_not_steered_but_reckoned_with() -> None:
    """It stores 5 of the 10 kWh of surplus, and serves the base load of the next hour with them."""
    own = battery(rule=BatteryRule.SELF_CONSUMPTION, capacity_kwh=5.0)
    site = {"pv_kw": (10.0, 0.0, 0.0), "base_load_kw": (0.0, 5.0, 0.0), "battery": own}
    plan = best(plant([9.0, 9.0, 8.0], job("a", 4, start=1), **site))
    assert starts(plan) == {"a": 0}  # on PV itself: 6 kWh remain, 5 of them are stored
    assert plan.charge_kw == pytest.approx((5.0, 0.0, 0.0))
    assert plan.bill.amount(LineKind.ENERGY) == pytest.approx(0.0)


def test_a_mandatory_limit_moves_a_job_and_a_priced_one_only_if_it_pays() -> None:
    def limited(penalty: float | None) -> int:
        limit = Limit(name="call", start=0, end=1, limit_kw=5.0, penalty_per_kwh=penalty)
        return starts(best(plant([1.0, 3.0], job("a", 10), limits=(limit,))))["a"]

    assert limited(None) == 1
    assert limited(3.0) == 0  # staying costs 15, moving 20
    assert limited(5.0) == 1  # staying costs 25


def test_a_mandatory_limit_that_cannot_be_kept_gives_way_by_name() -> None:
    limit = Limit(name="grid call", start=0, end=2, limit_kw=5.0)
    plan = best(plant([1.0, 3.0], job("a", 10), limits=(limit,)))
    assert [given.rule for given in plan.gave_way] == ["grid call"]
    assert plan.gave_way[0].by.startswith("5.0 kWh above 5 kW")


def test_the_grid_connection_holds() -> None:
    plan = best(plant([1.0, 2.0], job("a", 8), job("b", 6, machine="press"), import_limit_kw=10.0))
    assert sorted(starts(plan).values()) == [0, 1]
    assert starts(plan)["b"] == 1  # the smaller one goes into the dear hour


def test_curtailing_saves_paying_for_export() -> None:
    plan = best(plant([1.0], pv_kw=(10.0,), export_price=(-0.5,), curtailable=True))
    assert plan.curtailed_kw == pytest.approx((10.0,))


def test_exporting_and_importing_at_once_is_no_business() -> None:
    plan = best(plant([0.1, 0.1], base_load_kw=(5.0, 5.0), export_price=(0.3, 0.3)))
    assert plan.export_kw == pytest.approx((0.0, 0.0))


def test_a_carbon_price_weighs_in() -> None:
    dirty = plant([1.0, 1.1], job("a", 10), carbon_kg_per_kwh=(0.9, 0.1))
    assert starts(best(dirty)) == {"a": 0}
    assert starts(best(replace(dirty, carbon_price_per_kg=0.2))) == {"a": 1}  # 2 kg at 0.9, 0.2 at 0.1


@pytest.mark.parametrize(("per_hour", "start"), [(3.0, 2), (5.0, 1)])
def test_late_is_possible_and_costs(per_hour: float, start: int) -> None:
    asked = job("a", 1, start=1, due=2, late_per_hour=per_hour)
    assert starts(best(plant([9.0, 5.0, 1.0], asked))) == {"a": start}


@pytest.mark.parametrize(
    ("move", "change", "offered", "start"),
    [(1.0, 0.0, None, 2), (9.0, 0.0, None, 0), (1.0, 5.0, 1, 1), (1.0, 0.5, 1, 2)],
)
def test_leaving_the_plan_in_force_or_an_offer_costs(
    move: float, change: float, offered: int | None, start: int
) -> None:
    offer = None if offered is None else at("a", offered)
    asked = job("a", 1, move_price=move, change_offer_price=change, offered=offer)
    assert starts(best(plant([9.0, 2.0, 1.0], asked))) == {"a": start}  # slot 1 gains 7, slot 2 gains 8


def test_an_accepted_shift_is_kept_until_it_is_really_dear() -> None:
    asked = job("a", 1, accepted=True, break_accepted_price=5.0)
    assert starts(best(plant([5.0, 1.0], asked))) == {"a": 0}
    plan = best(plant([9.0, 1.0], asked))
    assert starts(plan) == {"a": 1}
    assert "accepted shift of a" in [given.rule for given in plan.gave_way]


@pytest.mark.parametrize(("most", "moved"), [(None, 3), (2, 2), (0, 0)])
def test_a_crew_shift_bears_only_so_many_moves(most: int | None, moved: int) -> None:
    early = ShiftHours(name="early", start=0, end=3, max_moves=most)
    jobs = [job(name, power, start=slot) for slot, (name, power) in enumerate([("a", 1), ("b", 3), ("c", 2)])]
    plan = best(plant([9, 9, 9, 1, 1, 1], *jobs, shifts=(early,)))
    away = {name for name, slot in starts(plan).items() if slot >= 3}
    assert len(away) == moved
    assert most != 2 or away == {"b", "c"}  # the two that gain most


def test_what_production_double_booked_may_stay_and_is_named() -> None:
    jobs = [job("a", 1, 1, fixed=at("a", 0)), job("b", 1, start=1), job("c", 5, start=3)]
    plan = best(plant([1.0, 1.0, 5.0, 9.0], *jobs))
    assert starts(plan) == {"a": 0, "b": 1, "c": 2}  # c does not press into the overfull slot
    assert [given.rule for given in plan.gave_way] == ["Furnace runs one job at a time"]


def test_a_breakdown_moves_the_job_or_is_named() -> None:
    def broken(until: int) -> tuple[int, list[str]]:
        shut = (ProblemMachine(id="furnace", name="Furnace", closed=(Closed(start=0, end=until, why="breakdown"),)),)
        plan = best(plant([1.0, 1.0, 9.0], job("a", 1), machines=shut))
        return starts(plan)["a"], [given.rule for given in plan.gave_way]

    assert broken(2) == (2, [])
    assert broken(3) == (0, ["Furnace cannot run a: it is closed until 09:00 (breakdown) and needs 1 h"])


@pytest.mark.parametrize("running", [at("a", -1), at("a", 2)])
def test_a_job_across_the_edge_of_the_horizon_stays(running: object) -> None:
    asked = job("a", 5, 5, as_is=running, in_force=running)
    plan = best(plant([9.0, 1.0, 1.0], asked))
    assert plan.placement("a") == running
    assert sum(plan.import_kw) == pytest.approx(5.0)


def test_a_flat_tariff_moves_nothing_and_the_plan_passes_check() -> None:
    problem = plant([2.0] * 6, *(job(f"j{slot}", 1 + slot, start=slot) for slot in range(5)))
    plan = best(problem)
    assert starts(plan) == {f"j{slot}": slot for slot in range(5)}
    assert plan.how.found is HowFound.NOTHING_TO_GAIN
    assert check(problem, plan) == []


def test_a_peak_below_the_floor_is_worth_nothing_to_the_program_either() -> None:
    """The program alone, without the search: 10 kWh at 1 each, and no reward for staying 15 kW below the 25 reached."""
    window = DemandWindow(name="peak", per_kw=3.0, slots=(0, 1), so_far_kw=25.0)
    solved = solve(Plant(plant([1.0, 1.0], job("a", 10), demand=(window,))), seconds=20, gap=0.0)
    assert solved.cost == pytest.approx(10.0)
    assert solved.bound == pytest.approx(10.0)
