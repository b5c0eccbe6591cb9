"""What the plant does by itself where nobody planned, and what is wrong with its own plan."""

from dataclasses import replace
from datetime import time, timedelta

from energy.model.calendar import Calendar, Closure, Shift
from energy.model.horizon import Horizon, Interval
from energy.model.job import Follows, Job, Mode, Need, Planned
from energy.planning.as_is import assume_starts, conflicts, in_force
from tests.planning.tables import START, at, job, problem

ZONE = "Europe/Berlin"
HORIZON = Horizon(START, 16, 60)  # 06:00 to 22:00 on Wednesday, 20 May
CALENDAR = Calendar(
    shifts=(Shift(crew="early", weekdays=(2,), start=time(6), end=time(14), people=(("furnace", 1), ("press", 5))),)
)


def order(id: str, hours: int = 2, *machines: str, due: int = 16, **other) -> Job:
    modes = tuple(
        Mode(machine=m, minutes=60 * hours, power_kw=(100.0,)) for m in machines or ("furnace-1", "furnace-2")
    )
    return Job(
        **{
            "id": id,
            "order": id,
            "product": "ring",
            "quantity": 1,
            "unit": "t",
            "modes": modes,
            "due": HORIZON.time_of(due),
            **other,
        }
    )


def table(found: dict[str, Planned]) -> dict[str, tuple[str, int]]:
    return {id: (place.machine, HORIZON.slot_of(place.start)) for id, place in found.items()}


def assumed(*jobs: Job, calendar: Calendar = CALENDAR, **more) -> dict[str, tuple[str, int]]:
    return table(assume_starts(jobs, HORIZON, calendar, ZONE, **more))


def test_first_released_first_run_then_by_due_time_on_the_first_free_machine():
    got = assumed(
        order("later", earliest=HORIZON.time_of(1), due=3),
        order("relaxed", due=12),
        order("pressing", due=4),
        order("urgent", due=15, priority=1),
    )
    assert got == {
        "urgent": ("furnace-1", 0),
        "pressing": ("furnace-2", 0),
        "relaxed": ("furnace-1", 2),
        "later": ("furnace-2", 2),
    }


def test_it_waits_for_its_crew_its_machine_and_what_it_follows():
    need = (Need(skill="furnace"),)
    shut = Closure(machine="furnace-1", interval=Interval(HORIZON.time_of(0), HORIZON.time_of(1)), why="service")
    got = assumed(
        order("a", 2, "furnace-1", needs=need, due=4),
        order("b", 2, "furnace-2", needs=need, due=5),
        order("c", 1, "press", needs=(Need(skill="press"),), follows=(Follows(job="b", at_least_minutes=60),), due=2),
        calendar=replace(CALENDAR, closures=(shut,)),
    )
    assert got == {"a": ("furnace-1", 1), "b": ("furnace-2", 3), "c": ("press", 6)}


def test_what_stands_fixed_is_in_the_way_and_is_followed():
    fixed = {"x": Planned(job="x", machine="furnace-1", start=HORIZON.time_of(-1), end=HORIZON.time_of(1))}
    got = assumed(
        order("a", 2, "furnace-1"),
        order("b", 1, "furnace-2", follows=(Follows(job="x", at_least_minutes=30),)),
        fixed=fixed,
    )
    assert got == {"a": ("furnace-1", 1), "b": ("furnace-2", 2)}


def test_the_crew_of_a_fixed_job_is_taken_too():
    need = (Need(skill="furnace"),)
    fixed = {"x": Planned(job="x", machine="furnace-1", start=HORIZON.time_of(0), end=HORIZON.time_of(2))}
    waiting = order("a", 2, "furnace-2", needs=need)
    assert assumed(waiting, fixed=fixed, others=[order("x", needs=need)]) == {"a": ("furnace-2", 2)}


def test_an_order_that_finds_no_place_is_left_out_and_nothing_waits_for_ever():
    got = assumed(
        order("night", 10, needs=(Need(skill="furnace"),)),  # the crew is there for eight hours
        order("behind", 1, follows=(Follows(job="night"),)),
        order("egg", 1, follows=(Follows(job="hen"),)),
        order("hen", 1, follows=(Follows(job="egg"),)),
        order("free", 1),
    )
    assert got == {"free": ("furnace-1", 0)}


def test_a_machine_that_production_chose_is_kept_and_the_faster_way_wins():
    slow_and_fast = (
        Mode(machine="furnace-1", minutes=180, power_kw=(50.0,), name="eco"),
        Mode(machine="furnace-1", minutes=120, power_kw=(80.0,)),
    )
    found = assume_starts(
        [order("a", planned_machine="furnace-2"), order("b", modes=slow_and_fast)], HORIZON, CALENDAR, ZONE
    )
    assert found["a"].machine == "furnace-2"
    assert (found["b"].mode, found["b"].end - found["b"].start) == ("", timedelta(hours=2))


def test_conflicts_of_the_production_plan_are_named():
    posed = problem(job("a", 50, 50, start=0), job("b", 50, start=1, earliest=2), job("c", 50, start=4))
    found = conflicts(posed)
    assert {(v.rule, v.subject) for v in found} == {("machine overlap", "a and b on furnace"), ("earliest", "b")}
    assert "a and b are both on Furnace Wed 20 May 07:00" in {v.what for v in found}


def test_production_may_move_what_is_fixed_in_our_plan():
    moved = replace(job("a", 50, start=0), fixed=at("a", 2), in_force=at("a", 2))
    assert conflicts(problem(moved)) == []


def test_in_force_is_as_is_with_what_was_accepted():
    assert in_force([at("a", 0), at("b", 1)], {"b": at("b", 4)}) == (at("a", 0), at("b", 4))
