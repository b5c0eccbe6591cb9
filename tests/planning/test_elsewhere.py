"""Where else a job could stand, told in spans: six hours from 06:00, the furnace shut from 09:00 to 10:00."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.model.problem import Closed, DemandWindow, Problem, ProblemMachine
from energy.planning.elsewhere import at_place, spans
from energy.planning.price import price_plan
from tests.planning.tables import GIVEN, at, job, problem

MACHINES = (
    ProblemMachine(id="furnace", name="Furnace 2", closed=(Closed(start=3, end=4, why="maintenance"),)),
    ProblemMachine(id="press", name="Press 1"),
)


def asked(**other: object) -> Problem:
    """Rings in force at 06:00; 50 kWh that cost 5.00 there, 15.00 at 07:00 and 2.00 from 10:00 on."""
    prices = (0.10, 0.30, 0.10, 0.10, 0.04, 0.04)
    rings = job("rings", 50.0, start=0, name="coil rings", move_price=1.0, **other)
    return problem(rings, job("bolts", 20.0, start=2), machines=MACHINES, import_price=prices)


def told(posed: Problem, *starts: int) -> list[tuple[int, int, str, float | None]]:
    plan = price_plan(posed, [at("rings", starts[0]), at("bolts", 2)], how=GIVEN)
    return [(s.first, s.last, s.obstacle or s.note, s.costs_more) for s in spans(posed, plan, posed.job("rings"))]


def test_starts_in_a_row_with_the_same_obstacle_are_one_span() -> None:
    assert told(asked(), 0) == [
        (0, 0, "", 0.0),  # as planned
        (1, 1, "", pytest.approx(10.0 + 1.0)),  # dearer, and moving costs 1.00
        (2, 2, "Furnace 2 runs bolts until 09:00", None),
        (3, 3, "Furnace 2 is in maintenance until 10:00", None),
        (4, 5, "", pytest.approx(-3.0 + 1.0)),
    ]


def test_going_back_to_the_place_in_force_saves_the_price_of_moving() -> None:
    assert told(asked(), 4)[0] == (0, 1, "", pytest.approx(3.0 - 1.0))


def test_late_ends_are_free_with_a_note_and_their_price() -> None:
    last = told(asked(due=5, late_per_hour=7.0), 0)[-2:]
    assert last == [
        (4, 4, "", pytest.approx(-2.0)),
        (5, 5, "ends 1 h after its due time (allowed, costs 7.00 EUR)", pytest.approx(-2.0 + 7.0)),
    ]


def test_obstacles_that_differ_only_in_the_time_are_one_span() -> None:
    posed = asked(must_end=4)
    assert told(posed, 0)[-1] == (4, 5, "coil rings would end at 11:00, and must end by 10:00", None)


def test_what_a_place_costs_covers_the_peak() -> None:
    posed = problem(
        job("rings", 50.0, start=0, move_price=0.0),
        job("bolts", 20.0, start=2, machine="press"),
        demand=(DemandWindow(name="month", per_kw=3.0, slots=tuple(range(6))),),
    )
    plan = price_plan(posed, [at("rings", 0), at("bolts", 2, "press")], how=GIVEN)
    beside = at_place(posed, plan, posed.job("rings"), at("rings", 2))
    assert beside.free
    assert beside.costs_more == pytest.approx(20.0 * 3.0)  # 170 kW instead of 150


def test_an_optional_job_that_is_left_out_would_earn_its_value() -> None:
    posed = problem(job("rings", 50.0, start=0, value=40.0, move_price=0.0), job("bolts", 20.0, start=2))
    plan = price_plan(posed, [at("bolts", 2)], how=GIVEN)
    first = spans(posed, plan, posed.job("rings"))[0]
    assert (first.first, first.costs_more) == (0, pytest.approx(5.0 - 40.0))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    prices=st.lists(st.floats(-0.1, 0.5), min_size=6, max_size=6),
    pv=st.lists(st.floats(0.0, 300.0), min_size=6, max_size=6),
    so_far=st.floats(0.0, 200.0),
    due=st.integers(1, 6),
    starts=st.tuples(st.integers(0, 4), st.integers(0, 4)),
)
def test_what_a_free_place_costs_more_is_what_the_bill_says(
    prices: list[float], pv: list[float], so_far: float, due: int, starts: tuple[int, int]
) -> None:
    """Without a battery, a job's place changes the bill by what is reckoned around it: energy, export, carbon, peak,
    lateness and moving."""
    posed = problem(
        job("rings", 80.0, 40.0, start=starts[0], due=due, late_per_hour=7.0, move_price=1.5),
        job("bolts", 20.0, start=2, machine="press"),
        import_price=tuple(prices),
        pv_kw=tuple(pv),
        carbon_price_per_kg=0.05,
        demand=(DemandWindow(name="month", per_kw=3.0, slots=(1, 2, 3, 4), interval_slots=2, so_far_kw=so_far),),
    )
    places = [at("rings", starts[1]), at("bolts", 2, "press")]
    plan = price_plan(posed, places, how=GIVEN)
    for span in spans(posed, plan, posed.job("rings")):
        if span.cheapest is not None:
            moved = price_plan(posed, [replace(places[0], start=span.cheapest), places[1]], how=GIVEN)
            assert span.costs_more == pytest.approx(moved.bill.total - plan.bill.total, abs=1e-6)
