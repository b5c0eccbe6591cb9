"""How many people with a skill are there, minute by minute, and when a machine is closed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.model.calendar import Calendar
from energy.model.horizon import Horizon, Interval
from energy.planning.roster import crew_hours

DAY_MINUTES = 1440  # of a day in UTC, which has no clock changes
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_of(t: datetime) -> int:
    """Whole minutes since 1970: the number of the minute that holds an instant."""
    return int((t - EPOCH) // timedelta(minutes=1))


def time_of(minute: int) -> datetime:
    return EPOCH + timedelta(minutes=minute)


class Roster:
    """The calendar of a plant, looked up by minute; days in UTC are worked out once and kept."""

    def __init__(self, calendar: Calendar, zone: str) -> None:
        self.zone = zone
        self._calendar = calendar
        self._closures: dict[int, list[tuple[str, int, int]]] = {}  # by day in UTC: machine, start, end
        self._days: dict[int, dict[str, NDArray[np.int64]]] = {}

    def people(self, skill: str, minute: int) -> int:
        """How many with that skill are rostered in a minute."""
        there = self._day(minute // DAY_MINUTES).get(skill)
        return 0 if there is None else int(there[minute % DAY_MINUTES])

    def least(self, skill: str, start: int, end: int) -> int:
        """The fewest people with that skill in any minute of [start, end)."""
        return min((self.people(skill, minute) for minute in (*range(start, end, 15), end - 1)), default=0)

    def anybody(self, utc_day: int) -> NDArray[np.bool_]:
        """Whether anybody is there, for each minute of a day in UTC."""
        rows = list(self._day(utc_day).values())
        return np.any(np.stack(rows) > 0, axis=0) if rows else np.zeros(DAY_MINUTES, dtype=bool)

    def closed(self, machine: str, start: int, end: int) -> bool:
        """Whether a machine is closed in some minute of [start, end)."""
        days = range(start // DAY_MINUTES, (end - 1) // DAY_MINUTES + 1)
        return any(
            who == machine and start < until and since < end
            for day in days
            for who, since, until in self._closures_on(day)
        )

    def works_on(self, day: date) -> bool:
        """Whether a shift starts on that local day."""
        return day not in self._calendar.holidays and any(day.weekday() in s.weekdays for s in self._calendar.shifts)

    def _closures_on(self, utc_day: int) -> list[tuple[str, int, int]]:
        if utc_day not in self._closures:
            first = utc_day * DAY_MINUTES
            span = Interval(time_of(first), time_of(first + DAY_MINUTES))
            self._closures[utc_day] = [
                (closure.machine, minute_of(closure.interval.start), minute_of(closure.interval.end))
                for closure in self._calendar.closed_within(span, self.zone)
            ]
        return self._closures[utc_day]

    def _day(self, utc_day: int) -> dict[str, NDArray[np.int64]]:
        if utc_day not in self._days:
            self._days[utc_day] = self._worked_out(utc_day)
        return self._days[utc_day]

    def _worked_out(self, utc_day: int) -> dict[str, NDArray[np.int64]]:
        first = utc_day * DAY_MINUTES
        crews: dict[tuple[str, str], NDArray[np.int64]] = {}
        for at_work in crew_hours(self._calendar, Horizon(time_of(first), DAY_MINUTES, 1), self.zone):
            since = max(0, minute_of(at_work.when.start) - first)
            until = min(DAY_MINUTES, minute_of(at_work.when.end) - first)
            for skill, people in at_work.people:
                row = crews.setdefault((at_work.crew, skill), np.zeros(DAY_MINUTES, dtype=np.int64))
                row[since:until] = np.maximum(row[since:until], people)  # a crew is there once
        return {
            skill: np.sum([row for (_, s), row in crews.items() if s == skill], axis=0, dtype=np.int64)
            for skill in sorted({skill for _, skill in crews})
        }
