"""A week of production: what a planner without prices would release, and could really run."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from energy.model.calendar import Attended, Calendar
from energy.model.job import Job
from energy.twin.production import production_week
from tests.twin.hallmoor import CALENDAR, SITE, ZONE

BERLIN = ZoneInfo(ZONE)
WEEKS = [date(2026, 5, 18), date(2026, 3, 23), date(2026, 10, 19), date(2026, 11, 23)]  # two end with a clock change
QUARTER = timedelta(minutes=15)
SHIFT_PEOPLE = {"early": (6, 14), "late": (14, 22)}


def orders(week: date, seed: int = 7, calendar: Calendar = CALENDAR) -> list[Job]:
    return production_week(SITE, calendar, week, ZONE, seed)


def placed(jobs: list[Job]) -> list[tuple[Job, str, datetime, datetime]]:
    """The jobs that have a planned start: job, machine, start, end."""
    return [
        (job, job.planned_machine, job.planned_start, job.planned_start + timedelta(minutes=job.modes[0].minutes))
        for job in jobs
        if job.planned_start is not None and job.planned_machine is not None
    ]


def people(skill: str, t: datetime) -> int:
    """The roster of the plant, by hand: two full crews from 6 to 22 o'clock, one furnace man at night."""
    there = t.astimezone(BERLIN)
    if there.weekday() < 5 and 6 <= there.hour < 22:
        return {"furnace": 3, "press": 2, "galvanic": 1, "blasting": 1}[skill]
    last_evening = there - timedelta(hours=6)
    return 1 if skill == "furnace" and last_evening.weekday() < 4 else 0


@pytest.mark.parametrize("week", WEEKS)
@pytest.mark.parametrize("seed", [7, 8])
def test_the_week_can_run_as_planned(week: date, seed: int) -> None:
    jobs = orders(week, seed)
    by_machine = defaultdict(list)
    busy: Counter[tuple[str, datetime]] = Counter()
    for job, machine, start, end in placed(jobs):
        assert job.modes[0].machine == machine
        assert job.earliest is None or job.earliest <= start
        assert end <= job.due
        by_machine[machine].append((start, end))
        (need,) = job.needs
        slots = [start + QUARTER * n for n in range(job.modes[0].minutes // 15)]
        for slot in slots if need.attended is Attended.RUN else {slots[0], slots[-1]}:
            busy[need.skill, slot] += need.people
    for spans in by_machine.values():
        spans.sort()
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for (skill, slot), count in busy.items():
        assert count <= people(skill, slot), (skill, slot)


@pytest.mark.parametrize("week", WEEKS)
def test_what_follows_another_starts_in_its_time(week: date) -> None:
    jobs = orders(week)
    spans = {job.id: (start, end) for job, _, start, end in placed(jobs)}
    chains = [(job, follows) for job in jobs for follows in job.follows]
    assert len(chains) >= 4
    for job, follows in chains:
        lag = spans[job.id][0] - spans[follows.job][1]
        assert lag >= timedelta(minutes=follows.at_least_minutes)
        assert follows.at_most_minutes is None or lag <= timedelta(minutes=follows.at_most_minutes)


@pytest.mark.parametrize("week", WEEKS)
def test_it_looks_like_this_plant(week: date) -> None:
    jobs = orders(week)
    a_day = Counter((job.planned_start or job.due).astimezone(BERLIN).date() for job in jobs if job.planned_start)
    assert len(a_day) == 5
    assert all(9 <= count <= 15 for count in a_day.values())
    assert len({job.id for job in jobs}) == len(jobs)
    assert all(job.id.isdigit() for job in jobs)
    for job in jobs:
        assert job.planned_start is None or job.planned_start.minute % 15 == 0
        for mode in job.modes:
            machine = SITE.machine(mode.machine)
            assert mode.minutes % 15 == 0
            assert max(mode.power_kw) <= machine.rated_kw - machine.idle_kw + 0.1
            low, high, shortest, longest = {
                "furnaces": (145, 300, 120, 420),
                "presses": (70, 100, 120, 300),
                "galvanic": (100, 140, 120, 180),
                "blasting": (50, 71, 90, 180),
            }[machine.group]
            assert low <= mode.energy_kwh / mode.minutes * 60 <= high
            assert shortest <= mode.minutes <= longest
    slack = [(job.due - end) / timedelta(hours=1) for job, _, _, end in placed(jobs)]
    assert sum(hours >= 4 for hours in slack) > len(slack) / 2
    assert max(slack) <= 48


def test_some_orders_are_special() -> None:
    jobs = [job for week in WEEKS for job in orders(week)]
    assert 0 < sum(job.planned_start is None for job in jobs) < len(jobs) * 0.08
    assert 0 < sum(not job.flexible for job in jobs) < len(jobs) * 0.12
    assert sum(len({mode.machine for mode in job.modes}) > 1 for job in jobs) > len(jobs) * 0.3
    assert any(mode.name == "eco" for job in jobs for mode in job.modes)


def test_the_same_week_is_the_same_and_another_is_another() -> None:
    assert orders(WEEKS[0]) == orders(WEEKS[0])
    assert orders(WEEKS[0]) != orders(WEEKS[0], seed=8)
    assert not {job.id for job in orders(date(2026, 5, 11))} & {job.id for job in orders(date(2026, 5, 18))}


def test_nothing_is_planned_on_a_holiday_or_into_maintenance() -> None:
    week = orders(date(2026, 5, 25))  # Whit Monday
    assert {start.astimezone(BERLIN).weekday() for _, _, start, _ in placed(week)} == {1, 2, 3, 4}
    for jobs in map(orders, WEEKS):
        for _, machine, start, end in placed(jobs):
            if machine == "press-2" and start.astimezone(BERLIN).weekday() == 2:
                assert not (start.astimezone(BERLIN).hour < 16 and end.astimezone(BERLIN).hour >= 13)


def test_without_crews_nothing_is_planned() -> None:
    assert orders(WEEKS[0], calendar=Calendar(shifts=())) == []


def test_a_week_starts_on_a_monday() -> None:
    with pytest.raises(ValueError, match="not on Tuesday 19 May"):
        orders(date(2026, 5, 19))
