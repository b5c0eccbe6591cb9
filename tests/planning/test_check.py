"""The auditor: each rule of the plant broken once, and what nobody may slip past it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.calendar import Attended
from energy.model.plan import GaveWay, LineKind, Violation
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
from energy.planning.check import check, check_placements, new_violations
from energy.planning.check_bill import near
from energy.planning.price import price_plan
from tests.planning.mutations import slips_through, spoken
from tests.planning.plants import placements, problems
from tests.planning.tables import GIVEN, as_is, at, battery, job, problem


def broken(posed, *places, **rows) -> list[tuple[str, str, float]]:
    plan = price_plan(posed, places or [j.as_is for j in posed.jobs], how=GIVEN, **rows)
    return [(v.rule, v.subject, pytest.approx(v.size)) for v in check(posed, plan)]


@pytest.mark.parametrize(
    ("jobs", "places", "expected"),
    [
        ([job("a", 50)], [at("a", 0)], []),
        ([job("a", 50), job("b", 50)], [at("a", 0)], [("missing job", "b", 1)]),
        ([job("a", 50, 50), job("b", 50, 50)], [at("a", 0), at("b", 2)], []),  # one ends when the other starts
        (
            [job("a", 50, 50), job("b", 50, 50)],
            [at("a", 0), at("b", 1)],
            [("machine overlap", "a and b on furnace", 1)],
        ),
        ([job("a", 50, earliest=2)], [at("a", 2)], []),
        ([job("a", 50, earliest=3)], [at("a", 1)], [("earliest", "a", 2)]),
        ([job("a", 50, 50, must_end=4)], [at("a", 2)], []),
        ([job("a", 50, 50, must_end=4)], [at("a", 3)], [("must end", "a", 1)]),
        ([job("a", 50, 50)], [at("a", 5)], [("horizon", "a", 1)]),
        ([job("a", 50, 50, due=2)], [at("a", 3)], []),  # late is soft, and stands in the bill
        ([job("a", 50, fixed=at("a", -1), earliest=0)], [at("a", -1)], []),  # it runs
        ([job("a", 50, fixed=at("a", 1))], [at("a", 2)], [("fixed", "a", 1)]),
    ],
)
def test_places(jobs, places, expected):
    assert broken(problem(*jobs), *places) == expected


def test_jobs_that_nobody_knows_are_named_without_a_bill_to_check():
    posed = problem(job("a", 50))
    plan = as_is(posed)

    def rules(*places):
        return [v.rule for v in check(posed, replace(plan, placements=places))]

    assert rules(at("a", 0), at("z", 0)) == ["unknown job"]
    assert rules(at("a", 0), at("a", 3)) == ["double job"]
    assert rules(at("a", 0, "press")) == ["option"]
    assert rules(at("a", 0, "furnace", "eco")) == ["option"]


@pytest.mark.parametrize(
    ("start_b", "expected"),
    [
        (1, [("too soon after", "b after a", 2)]),  # a ends at 2, an hour must lie between
        (2, [("too soon after", "b after a", 1)]),
        (3, []),
        (4, []),
        (5, [("too long after", "b after a", 1)]),
    ],
)
def test_precedence_with_least_and_most_lag(start_b, expected):
    b = job("b", 20, machine="press", after=(Precedence(job="a", min_slots=1, max_slots=2),))
    assert broken(problem(job("a", 50, 50), b), at("a", 0), at("b", start_b, "press")) == expected


def test_a_closed_machine_runs_nothing():
    shut = (ProblemMachine(id="furnace", name="Furnace 1", closed=(Closed(start=2, end=4, why="maintenance"),)),)
    posed = problem(job("a", 50, 50), machines=shut)
    assert broken(posed, at("a", 0)) == []
    assert broken(posed, at("a", 4)) == []
    assert broken(posed, at("a", 3)) == [("machine closed", "a", 1)]
    (said,) = check(posed, price_plan(posed, [at("a", 1)], how=GIVEN))
    assert said.what == "a runs on Furnace 1 Wed 20 May 08:00, when it is closed (maintenance)"


@pytest.mark.parametrize(
    ("attended", "people", "expected"),
    [
        (Attended.RUN, (1, 1, 1, 0, 0, 0), []),
        (Attended.RUN, (1, 0, 1, 0, 0, 0), [("crew", "furnace", 1)]),
        (Attended.ENDS, (1, 0, 1, 0, 0, 0), []),
        (Attended.ENDS, (1, 0, 0, 0, 0, 0), [("crew", "furnace", 1)]),
        (Attended.START, (1, 0, 0, 0, 0, 0), []),
        (Attended.START, (0, 1, 1, 1, 1, 1), [("crew", "furnace", 1)]),
    ],
)
def test_people_are_there_when_they_are_needed(attended, people, expected):
    posed = problem(
        job("a", 50, 50, 50, needs=(CrewNeed(skill="furnace", attended=attended),)),
        rosters=(Roster(skill="furnace", people=people),),
    )
    assert broken(posed) == expected


def test_a_run_of_one_slot_needs_its_people_once():
    need = (CrewNeed(skill="furnace", attended=Attended.ENDS),)
    posed = problem(job("a", 50, needs=need), rosters=(Roster(skill="furnace", people=(1, 0, 0, 0, 0, 0)),))
    assert broken(posed) == []


def test_a_shortage_is_as_big_as_its_worst_slot():
    need = (CrewNeed(skill="furnace", people=3),)
    posed = problem(job("a", 50, 50, 50, needs=need), rosters=(Roster(skill="furnace", people=(2, 0, 3, 3, 3, 3)),))
    (short,) = check(posed, as_is(posed))
    assert (short.slot, short.size, short.by_slot) == (0, 3, (1, 3))


def test_a_skill_without_a_roster_has_nobody():
    assert broken(problem(job("a", 50, needs=(CrewNeed(skill="crane"),)))) == [("crew", "crane", 1)]


def test_a_machine_that_the_problem_does_not_have_is_named():
    assert broken(problem(job("a", 50), machines=())) == [("machine", "a", 1)]


def test_two_jobs_share_their_crew():
    need = (CrewNeed(skill="crane", people=2),)
    jobs = job("a", 50, 50, 50, needs=need), job("b", 20, 20, start=1, machine="press", needs=need)
    posed = problem(*jobs, rosters=(Roster(skill="crane", people=(3,) * 6),))
    (short,) = check(posed, as_is(posed))
    assert (short.slot, short.size, short.by_slot) == (1, 1, (1, 1))
    assert short.what == "crane Wed 20 May 07:00: 4 needed (for a, b), 3 there; short for 2 h"
    assert [v.rule for v in check_placements(posed, [j.as_is for j in jobs])] == ["crew"]


def test_a_crew_shift_takes_only_so_many_moves():
    jobs = [job("a", 50, start=0), job("b", 50, start=1), job("c", 50, start=5)]
    posed = problem(*jobs, shifts=(ShiftHours(name="early 2026-05-20", start=0, end=3, max_moves=1),))
    assert broken(posed, at("a", 3), at("b", 1), at("c", 5)) == []
    assert broken(posed, at("a", 3), at("b", 4), at("c", 5)) == [("moves per shift", "early 2026-05-20", 1)]
    assert broken(posed, at("a", 0), at("b", 3), at("c", 2)) == [("moves per shift", "early 2026-05-20", 1)]
    assert broken(posed, at("a", 0), at("b", 1), at("c", 4)) == []
    assert broken(posed, at("a", 4), at("b", 1), at("c", 3)) == []  # c starts when the shift has gone


def test_limits_of_the_connection_and_mandatory_events():
    limits = (
        Limit(name="event 7", start=2, end=4, limit_kw=90),
        Limit(name="priced", start=0, end=6, limit_kw=10, penalty_per_kwh=1),
    )
    posed = problem(job("a", 50), import_limit_kw=140, limits=limits)
    assert broken(posed) == [("import limit", "grid connection", 10), ("mandatory limit", "event 7", 10)]
    assert broken(problem(pv_kw=(0, 0, 160, 0, 0, 0), export_limit_kw=50)) == [("export limit", "grid connection", 10)]


def test_a_limit_ends_before_its_end():
    limits = (Limit(name="event 7", start=2, end=4, limit_kw=90),)
    assert broken(problem(job("a", 50, start=4), base_load_kw=(80.0,) * 6, limits=limits)) == []
    assert broken(problem(job("a", 50, start=3), base_load_kw=(80.0,) * 6, limits=limits)) == [
        ("mandatory limit", "event 7", 40)
    ]


def test_import_and_export_are_what_the_site_does():
    posed = problem(job("a", 50))
    plan = as_is(posed)
    more = replace(plan, import_kw=(160, *plan.import_kw[1:]))
    assert [(v.rule, v.slot, v.size) for v in check(posed, more) if v.rule != "bill"] == [("balance", 0, 10)]
    both = replace(plan, import_kw=(160, *plan.import_kw[1:]), export_kw=(10, *plan.export_kw[1:]))
    assert [(v.rule, v.slot, v.size) for v in check(posed, both) if v.rule != "bill"] == [("both ways", 0, 10)]


def test_a_wrong_line_is_named_with_what_is_right():
    posed = problem(job("a", 50, start=3, due=2, late_per_hour=100))
    plan = as_is(posed)

    def said(*lines):
        return [v.what for v in check(posed, replace(plan, bill=replace(plan.bill, lines=lines)))]

    first, *others = plan.bill.lines
    late = next(line for line in others if line.kind is LineKind.LATE)
    assert said(replace(first, amount=60.0), *others) == [
        "energy energy at published prices says 60.000000 EUR; it is 65.000000"
    ]
    assert said(first, *[line for line in others if line is not late]) == ["late a is missing: 200.000000 EUR"]
    assert said(*plan.bill.lines, replace(first, name="gift", amount=-9.0)) == [
        "energy gift has nothing on the bill to stand for"
    ]
    assert said(first, *plan.bill.lines) == ["energy energy at published prices stands twice on the bill"]


def test_quantities_carbon_and_peak_are_audited_too():
    posed = problem(job("a", 50))
    plan = as_is(posed)
    first, *others = plan.bill.lines

    def found(**bill):
        return [
            (v.subject, pytest.approx(v.size), v.unit)
            for v in check(posed, replace(plan, bill=replace(plan.bill, **bill)))
        ]

    assert found(lines=(replace(first, quantity=651.0), *others)) == [("energy energy at published prices", 1, "kWh")]
    assert found(lines=(replace(first, amount=first.amount + 2), *others)) == [
        ("energy energy at published prices", 2, "EUR")
    ]
    assert found(carbon_kg=plan.bill.carbon_kg - 3) == [("carbon", 3, "kg")]
    assert found(peak_kw=plan.bill.peak_kw + 4) == [("peak", 4, "kW")]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [(0, 9e-7, True), (0, 2e-6, False), (1e6, 1e6 + 0.9, True), (1e6, 1e6 + 2, False), (5, float("nan"), False)],
)
def test_equal_but_for_rounding(a, b, same):
    assert near(a, b) is same


PLANNED = BatteryRule.PLANNED


@pytest.mark.parametrize(
    ("charge", "discharge", "expected"),
    [
        ((50, 50, 0, 0, 0, 0), (0, 0, 0, 40, 40, 0), []),
        ((60, 0, 0, 0, 0, 0), (0,) * 6, [("battery power", "charge", 10)]),
        ((50, 0, 0, 0, 0, 0), (0, 55, 0, 0, 0, 0), [("battery power", "discharge", 5), ("battery end", "battery", 5)]),
        ((50, 50, 50, 0, 0, 0), (0,) * 6, [("battery full", "battery", 20)]),
        ((20, 0, 0, 0, 0, 0), (20, 0, 0, 0, 0, 0), [("battery both ways", "battery", 20)]),
        ((0,) * 6, (20, 0, 0, 0, 0, 0), [("battery empty", "battery", 10), ("battery end", "battery", 20)]),
    ],
)  # fmt: skip
def test_a_planned_battery_does_what_it_can(charge, discharge, expected):
    posed = problem(battery=battery(rule=PLANNED, start_kwh=30, end_kwh=30, min_kwh=20, capacity_kwh=160))
    assert broken(posed, charge_kw=charge, discharge_kw=discharge) == expected


def test_a_battery_with_losses_ends_with_less_than_it_began():
    posed = problem(
        battery=battery(rule=PLANNED, start_kwh=50, end_kwh=50, charge_efficiency=0.8, discharge_efficiency=0.5)
    )
    even = {"charge_kw": (25, 0, 0, 0, 0, 0), "discharge_kw": (0, 10, 0, 0, 0, 0)}  # 20 in, 20 out
    assert broken(posed, **even) == []
    assert broken(posed, **{**even, "charge_kw": (20, 0, 0, 0, 0, 0)}) == [("battery end", "battery", 4)]


def test_a_battery_that_the_plant_steers_follows_the_plants_rule():
    posed = problem(battery=battery(start_kwh=50), import_price=(0.1, 0.1, 0.1, 0.1, 0.1, 0.9))
    assert broken(posed) == []
    waits = {"charge_kw": (0,) * 6, "discharge_kw": (0, 0, 0, 0, 0, 50)}
    assert broken(posed, **waits) == [("battery rule", "battery", 50), ("battery rule", "battery", 50)]


def test_a_full_battery_takes_no_more_and_an_empty_one_gives_none():
    sunny = problem(battery=battery(start_kwh=70, charge_efficiency=0.9), pv_kw=(160, 160, 160, 0, 0, 0))
    assert as_is(sunny).charge_kw == pytest.approx((30 / 0.9, 0, 0, 0, 0, 0))
    assert as_is(sunny).discharge_kw == pytest.approx((0, 0, 0, 50, 50, 0))
    assert broken(sunny) == []
    more = {"charge_kw": (30, 0, 0, 0, 0, 0), "discharge_kw": (0, 0, 0, 50, 47, 0)}
    assert broken(sunny, **more) == [
        ("battery rule", "battery", 30 / 0.9 - 30),
        ("battery rule", "battery", 3),
    ]  # its own controller would fill it up


def test_a_battery_below_its_least_may_rise_but_not_fall():
    low = problem(battery=battery(start_kwh=5, min_kwh=10), pv_kw=(0, 120, 0, 0, 0, 0))
    assert broken(low) == []


def test_a_plant_without_battery_or_curtailment_uses_none():
    assert broken(problem(), charge_kw=(5, 0, 0, 0, 0, 0)) == [("battery power", "battery", 5)]
    assert broken(problem(pv_kw=(9,) * 6), curtailed_kw=(5, 0, 0, 0, 0, 0)) == [("curtailment", "PV", 5)]
    assert broken(problem(pv_kw=(9,) * 6, curtailable=True), curtailed_kw=(9, 0, 10, 0, 0, 0)) == [
        ("curtailment", "PV", 1)
    ]


def test_rows_that_are_short_negative_or_no_number():
    posed = problem(job("a", 50))
    plan = as_is(posed)
    assert check(posed, replace(plan, import_kw=(100.0,) * 5))[0].size == 1
    for row in ((100.0,) * 5, (-1.0,) + (100.0,) * 5, (float("nan"),) + (100.0,) * 5):
        assert [(v.rule, v.subject) for v in check(posed, replace(plan, import_kw=row))] == [("rows", "import_kw")]


def test_a_plan_for_another_problem_is_no_plan_for_this():
    plan = as_is(problem(job("a", 50)))
    assert [v.rule for v in check(problem(job("a", 50), notes=("another",)), plan)] == ["problem"]


def test_the_as_is_chain_has_its_own_floor():
    posed = problem(
        job("a", 50), demand=(DemandWindow(name="m", per_kw=10, slots=(0, 1), so_far_kw=90, as_is_so_far_kw=120),)
    )
    plan = as_is(posed, as_is_chain=True)
    assert check(posed, plan, as_is_chain=True) == []
    assert [(v.rule, v.subject) for v in check(posed, plan)] == [("bill", "demand m")]


def test_what_gave_way_is_still_named():
    posed = problem(job("a", 50, earliest=2))
    plan = as_is(posed, gave_way=[GaveWay(rule="earliest", by="2 h", price=100)])
    assert [v.rule for v in check(posed, plan)] == ["earliest"]


def violation(slot=0, size=1.0, by_slot=(), subject="furnace") -> Violation:
    return Violation(rule="crew", subject=subject, slot=slot, what="", size=size, by_slot=by_slot)


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ([], [violation()], 1),
        ([violation()], [violation()], 0),
        ([violation(size=2)], [violation(size=1)], 0),  # it got better
        ([violation(size=1)], [violation(size=2)], 1),
        ([violation()], [violation(subject="press")], 1),
        ([violation(4, 1, (1, 1, 1))], [violation(5, 1, (1, 1))], 0),
        ([violation(4, 1, (1, 1, 1))], [violation(6, 1, (1, 1))], 1),  # it reaches into a slot that was well
        ([violation(4, 2, (2, 1))], [violation(4, 2, (1, 2))], 1),
        ([violation(4, 1, (1,)), violation(8, 1, (1,))], [violation(8, 1, (1,))], 0),
    ],
)
def test_only_what_was_not_there_before_is_new(before, after, new):
    assert len(new_violations(before, after)) == new


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_price_and_check_agree_on_any_plan(data):
    posed = data.draw(problems())
    chain = data.draw(st.booleans())
    plan = price_plan(posed, data.draw(placements(posed)), how=GIVEN, as_is_chain=chain)
    found = check(posed, plan, as_is_chain=chain)
    ours = {"bill", "balance", "both ways", "rows", "problem", "format", "curtailment", "battery rule"}
    assert [v for v in found if v.rule in ours or (v.rule.startswith("battery") and v.rule != "battery end")] == []


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_changed_in_a_plan_is_found_or_is_still_a_plan(data):
    posed = data.draw(problems())
    plan = price_plan(posed, data.draw(placements(posed)), how=GIVEN)
    path = data.draw(st.sampled_from(spoken(plan)))
    assert not slips_through(posed, plan, path), path


def test_options_of_one_machine_are_told_apart_by_mode():
    eco = Option(machine="furnace", mode="eco", power_kw=(30, 30))
    posed = problem(replace(job("a", 60), options=(Option(machine="furnace", power_kw=(60,)), eco)))
    plan = price_plan(posed, [at("a", 0, "furnace", "eco")], how=GIVEN)
    assert plan.import_kw == (130, 130, 100, 100, 100, 100)
    assert check(posed, plan) == []
