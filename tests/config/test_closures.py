"""Weekly closures on the calendar: local hours, over midnight, over a clock change."""

from datetime import UTC, datetime, time

from energy.model.calendar import Calendar, Closure, RecurringClosure
from energy.model.horizon import Interval

ZONE = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(start: time, end: time, *weekdays: int) -> RecurringClosure:
    return RecurringClosure(machine="m", weekdays=weekdays, start=start, end=end, why="cleaning")


def test_one_that_ends_the_next_morning_belongs_to_the_day_it_starts_on():
    night = weekly(time(22, 0), time(6, 0), 4)  # Fridays
    saturday = Interval(at("2026-05-22 22:00"), at("2026-05-23 22:00"))
    assert [c.interval for c in night.within(saturday, ZONE)] == [
        Interval(at("2026-05-22 20:00"), at("2026-05-23 04:00"))  # began on Friday evening
    ]
    sunday = Interval(at("2026-05-23 22:00"), at("2026-05-24 22:00"))
    assert night.within(sunday, ZONE) == ()


def test_a_clock_change_makes_it_an_hour_shorter():
    night = weekly(time(22, 0), time(6, 0), 5)
    (closed,) = night.within(Interval(at("2026-03-28 12:00"), at("2026-03-29 12:00")), ZONE)
    assert closed.interval.hours == 7


def test_the_calendar_knows_dated_and_weekly_ones_by_start():
    dated = Closure(machine="m", interval=Interval(at("2026-05-20 06:00"), at("2026-05-20 08:00")), why="repair")
    calendar = Calendar(shifts=(), closures=(dated,), recurring=(weekly(time(13, 0), time(16, 0), 1, 2),))
    week = Interval(at("2026-05-17 22:00"), at("2026-05-24 22:00"))
    assert [(c.why, c.interval.start) for c in calendar.closed_within(week, ZONE)] == [
        ("cleaning", at("2026-05-19 11:00")),
        ("repair", at("2026-05-20 06:00")),
        ("cleaning", at("2026-05-20 11:00")),
    ]
    assert calendar.closed_within(Interval(at("2026-05-21 00:00"), at("2026-05-22 00:00")), ZONE) == ()
