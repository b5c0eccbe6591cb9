"""The roster laid over a horizon: who is there in each slot, when a machine is closed, when nobody is there.

A shift belongs to the local day it starts on, also where it ends the next morning: a night shift that starts before a
holiday is worked to its end, one that would start on a holiday is not. Sundays and nights have no people because no
shift names them. An opening adds hours of a crew with its usual people, on any day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from energy.clock import local_date, wall_to_utc
from energy.model.calendar import Calendar, Shift
from energy.model.horizon import Horizon, Interval
from energy.model.problem import Closed, Roster, ShiftHours


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewHours:
    """A crew at work: one shift of one local day, or an opening."""

    crew: str
    day: date
    when: Interval
    people: tuple[tuple[str, int], ...]
    extra: bool = False

    @property
    def name(self) -> str:
        """How people call it: "late 2026-05-20", "early 2026-05-23 extra"."""
        return f"{self.crew} {self.day.isoformat()}{' extra' if self.extra else ''}"


def crew_hours(calendar: Calendar, horizon: Horizon, zone: str) -> tuple[CrewHours, ...]:
    """Every crew at work in the horizon, by start."""
    span = Interval(horizon.start, horizon.end)
    first, last = local_date(horizon.start, zone) - timedelta(days=1), local_date(horizon.end, zone)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    hours = [
        CrewHours(crew=shift.crew, day=day, when=_shift_interval(shift, day, zone), people=shift.people)
        for day in days
        if day not in calendar.holidays
        for shift in calendar.shifts
        if day.weekday() in shift.weekdays
    ]
    for crew, when in calendar.openings:
        people = _usual_people(calendar, crew)
        hours.append(CrewHours(crew=crew, day=local_date(when.start, zone), when=when, people=people, extra=True))
    return tuple(sorted((h for h in hours if h.when.overlaps(span)), key=lambda h: (h.when.start, h.name)))


def rosters(
    calendar: Calendar, horizon: Horizon, zone: str, *, away: Sequence[tuple[str, Interval]] = ()
) -> tuple[Roster, ...]:
    """How many people with each skill are there in each slot. A slot counts only if the crew is there for all of it;
    `away` names crews that are missing for a time. A crew is counted once, also where an opening meets its shift."""
    hours = crew_hours(calendar, horizon, zone)
    skills = sorted({skill for shift in calendar.shifts for skill, _ in shift.people})
    there = {skill: [0] * horizon.slots for skill in skills}
    for crew in sorted({h.crew for h in hours}):
        missing = [when for who, when in away if who == crew]
        of_crew = {skill: [0] * horizon.slots for skill in skills}
        for at_work in (h for h in hours if h.crew == crew):
            for slot in _whole_slots(at_work.when, horizon):
                if not any(when.overlaps(horizon.interval(slot)) for when in missing):
                    for skill, people in at_work.people:
                        of_crew[skill][slot] = max(of_crew[skill][slot], people)
        for skill in skills:
            there[skill] = [a + b for a, b in zip(there[skill], of_crew[skill], strict=True)]
    return tuple(Roster(skill=skill, people=tuple(there[skill])) for skill in skills)


def shift_hours(calendar: Calendar, horizon: Horizon, zone: str) -> tuple[ShiftHours, ...]:
    """The crew shifts of the horizon as slots, cut to it, named by crew and local date."""
    found = []
    for at_work in crew_hours(calendar, horizon, zone):
        first = max(0, horizon.slot_of(at_work.when.start))
        end = min(horizon.slots, horizon.slot_edge(at_work.when.end))
        found.append(ShiftHours(name=at_work.name, start=first, end=end, max_moves=calendar.rules.moves_per_shift))
    return tuple(found)


def closed_slots(machine: str, calendar: Calendar, horizon: Horizon, zone: str) -> tuple[Closed, ...]:
    """The slots in which a machine's closures, dated and recurring, leave it less than whole, cut to the horizon."""
    found = []
    for closure in calendar.closed_within(Interval(horizon.start, horizon.end), zone):
        first = max(0, horizon.slot_of(closure.interval.start))
        end = min(horizon.slots, horizon.slot_edge(closure.interval.end))
        if closure.machine == machine and first < end:
            found.append(Closed(start=first, end=end, why=closure.why))
    return tuple(sorted(found, key=lambda closed: (closed.start, closed.end)))


def nobody(calendar: Calendar, horizon: Horizon, zone: str) -> tuple[Interval, ...]:
    """When no crew is there at all: nights, Sundays and holidays, as far as the horizon reaches."""
    gaps, since = [], horizon.start
    for at_work in crew_hours(calendar, horizon, zone):
        if at_work.when.start > since:
            gaps.append(Interval(since, min(at_work.when.start, horizon.end)))
        since = max(since, at_work.when.end)
    if since < horizon.end:
        gaps.append(Interval(since, horizon.end))
    return tuple(gaps)


def _shift_interval(shift: Shift, day: date, zone: str) -> Interval:
    ends = day if shift.end > shift.start else day + timedelta(days=1)
    return Interval(wall_to_utc(day, shift.start, zone), wall_to_utc(ends, shift.end, zone))


def _usual_people(calendar: Calendar, crew: str) -> tuple[tuple[str, int], ...]:
    """The most people of each skill that the crew has in any of its shifts."""
    most: dict[str, int] = {}
    for shift in calendar.shifts:
        for skill, people in shift.people if shift.crew == crew else ():
            most[skill] = max(most.get(skill, 0), people)
    return tuple(sorted(most.items()))


def _whole_slots(when: Interval, horizon: Horizon) -> range:
    return range(max(0, horizon.slot_edge(when.start)), min(horizon.slots, horizon.slot_of(when.end)))
