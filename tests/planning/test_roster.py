"""Who is there: a week with a night shift, a holiday, an opening and a clock change."""

from datetime import date, time

import pytest

from energy.clock import day_bounds, local, wall_to_utc
from energy.model.calendar import Calendar, Closure, OfferRules, Shift
from energy.model.horizon import Horizon, Interval
from energy.planning.roster import closed_slots, nobody, rosters, shift_hours

ZONE = "Europe/Berlin"
WORKDAYS = (0, 1, 2, 3, 4)
EARLY = Shift(crew="early", weekdays=WORKDAYS, start=time(6), end=time(14), people=(("furnace", 3), ("press", 2)))
LATE = Shift(crew="late", weekdays=WORKDAYS, start=time(14), end=time(22), people=(("furnace", 2),))
NIGHT = Shift(crew="night", weekdays=(0, 1, 2, 3), start=time(22), end=time(6), people=(("furnace", 1),))
WHIT_MONDAY = date(2026, 5, 25)


def at(day: int, hour: int, month: int = 5):
    return wall_to_utc(date(2026, month, day), time(hour), ZONE)


def calendar(**other) -> Calendar:
    return Calendar(
        **{"shifts": (EARLY, LATE, NIGHT), "holidays": (WHIT_MONDAY,), "rules": OfferRules(moves_per_shift=3), **other}
    )


def people(calendar: Calendar, skill: str, day: date, hour: int, **more) -> int:
    horizon = Horizon.between(*day_bounds(day, ZONE), 60)
    row = next(r.people for r in rosters(calendar, horizon, ZONE, **more) if r.skill == skill)
    return row[horizon.slot_of(wall_to_utc(day, time(hour), ZONE))]


@pytest.mark.parametrize(
    ("day", "hour", "there"),
    [
        (20, 5, 1),  # Wednesday: Tuesday's night shift
        (20, 6, 3),
        (20, 14, 2),
        (20, 22, 1),
        (22, 22, 0),  # no night shift on Friday
        (24, 10, 0),  # Sunday
        (25, 10, 0),  # Whit Monday
        (26, 3, 0),  # the night shift of the holiday did not start
        (26, 6, 3),
    ],
)
def test_who_is_there(day, hour, there):
    assert people(calendar(), "furnace", date(2026, 5, day), hour) == there


def test_sunday_is_open_where_a_shift_names_it():
    sunday = Shift(crew="sunday", weekdays=(6,), start=time(6), end=time(14), people=(("furnace", 1),))
    assert people(calendar(shifts=(sunday,)), "furnace", date(2026, 5, 24), 10) == 1
    assert people(calendar(shifts=(sunday,), holidays=(date(2026, 5, 24),)), "furnace", date(2026, 5, 24), 10) == 0


def test_an_opening_brings_the_usual_people_once():
    opened = calendar(openings=(("early", Interval(at(23, 6), at(23, 12))), ("late", Interval(at(20, 12), at(20, 16)))))
    assert people(opened, "press", date(2026, 5, 23), 8) == 2  # Saturday
    assert people(opened, "press", date(2026, 5, 23), 12) == 0
    assert people(opened, "furnace", date(2026, 5, 20), 13) == 3 + 2  # late comes earlier
    assert people(opened, "furnace", date(2026, 5, 20), 15) == 2  # not twice


def test_a_missing_crew_is_not_there():
    away = [("early", Interval(at(20, 8), at(20, 10)))]
    got = [people(calendar(), "furnace", date(2026, 5, 20), hour, away=away) for hour in (7, 8, 9, 10)]
    assert got == [3, 0, 0, 3]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 28, 7), (10, 24, 9), (5, 20, 8)])
def test_a_night_shift_over_the_clock_change_is_as_long_as_it_is(month, day, hours):
    nightly = calendar(shifts=(Shift(crew="night", weekdays=tuple(range(7)), start=time(22), end=time(6), people=()),))
    horizon = Horizon(at(day, 20, month), 14, 60)
    (shift,) = shift_hours(nightly, horizon, ZONE)
    assert (shift.name, shift.end - shift.start, shift.max_moves) == (f"night 2026-{month:02}-{day}", hours, 3)
    assert local(horizon.time_of(shift.end), ZONE).hour == 6


def test_shift_hours_are_cut_to_the_horizon():
    got = shift_hours(calendar(), Horizon(at(20, 10), 16, 60), ZONE)
    assert [(s.name, s.start, s.end) for s in got] == [
        ("early 2026-05-20", 0, 4),
        ("late 2026-05-20", 4, 12),
        ("night 2026-05-20", 12, 16),
    ]


def test_a_slot_counts_only_if_the_crew_is_there_for_all_of_it():
    half = calendar(
        shifts=(Shift(crew="e", weekdays=WORKDAYS, start=time(6, 30), end=time(8, 30), people=(("furnace", 1),)),)
    )
    assert [people(half, "furnace", date(2026, 5, 20), hour) for hour in (6, 7, 8)] == [0, 1, 0]


def test_a_closure_takes_every_slot_that_it_touches():
    shut = Closure(
        machine="press-2", interval=Interval(at(20, 13), wall_to_utc(date(2026, 5, 20), time(15, 20), ZONE)), why="oil"
    )
    horizon = Horizon(at(20, 12), 8, 60)
    (closed,) = closed_slots("press-2", calendar(closures=(shut,)), horizon, ZONE)
    assert (closed.start, closed.end, closed.why) == (1, 4, "oil")
    assert closed_slots("press-1", calendar(closures=(shut,)), horizon, ZONE) == ()
    assert closed_slots("press-2", calendar(closures=(shut,)), Horizon(at(21, 12), 8, 60), ZONE) == ()


def test_nobody_is_there_at_the_weekend():
    friday_to_tuesday = Horizon.between(at(22, 0), at(27, 0), 60)
    assert nobody(calendar(), friday_to_tuesday, ZONE) == (Interval(at(22, 22), at(26, 6)),)
    assert nobody(calendar(shifts=()), friday_to_tuesday, ZONE) == (Interval(at(22, 0), at(27, 0)),)
    assert nobody(calendar(), Horizon(at(20, 8), 4, 60), ZONE) == ()
