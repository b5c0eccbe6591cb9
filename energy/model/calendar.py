"""Who works when: crews, shifts, holidays and the plant's own times of offering and fixing."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from energy.clock import local_date, wall_to_utc
from energy.model.horizon import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A crew's working hours on some weekdays (0 = Monday), in local wall time; an end at or before the start means
    the next morning. `people` maps a skill to how many who have it are there."""

    crew: str
    weekdays: tuple[int, ...]
    start: time
    end: time
    people: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A machine that cannot be used for a time: maintenance, breakdown."""

    machine: str
    interval: Interval
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringClosure:
    """A machine that cannot be used at some hours of some weekdays (0 = Monday), in local wall time; an end at or
    before the start means the next day."""

    machine: str
    weekdays: tuple[int, ...]
    start: time
    end: time
    why: str

    def within(self, span: Interval, zone: str) -> tuple[Closure, ...]:
        """The closures that touch a span, one a day, oldest first."""
        first = local_date(span.start, zone) - timedelta(days=1)  # the day before may reach over midnight
        days = (first + timedelta(days=n) for n in range((local_date(span.end, zone) - first).days + 1))
        found = (self._on(day, zone) for day in days if day.weekday() in self.weekdays)
        return tuple(closure for closure in found if closure.interval.overlaps(span))

    def _on(self, day: date, zone: str) -> Closure:
        last = day if self.start < self.end else day + timedelta(days=1)
        interval = Interval(wall_to_utc(day, self.start, zone), wall_to_utc(last, self.end, zone))
        return Closure(machine=self.machine, interval=interval, why=self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRules:
    """When planners are asked for what (all local wall times, money in the site's currency)."""

    cut_off: time = time(12, 0)  # as-is for the next day is frozen then
    opens: time = time(13, 15)  # offers for the next day open, prices being published
    closes: time = time(15, 0)  # the plant fixes the next day's plan
    notice_minutes: int = 60  # nothing may move that starts earlier than this from now
    least_gain: float = 15.0  # below it a bundle is not worth a question
    at_most_open: int = 3
    moves_per_shift: int = 2
    least_slack_minutes: int = (
        30  # a moved job must end this long before its due time, so that a late start is no disaster
    )
    better_by: float = 10.0  # a better plan replaces an open offer only beyond this gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The roster. Nights, Sundays and holidays are closed unless a shift or an opening says otherwise."""

    shifts: tuple[Shift, ...]
    holidays: tuple[date, ...] = ()
    openings: tuple[tuple[str, Interval], ...] = ()  # (crew, when): extra hours of a crew, with its usual people
    closures: tuple[Closure, ...] = ()
    recurring: tuple[RecurringClosure, ...] = ()
    rules: OfferRules = field(default_factory=OfferRules)

    def closed_within(self, span: Interval, zone: str) -> tuple[Closure, ...]:
        """All closures that touch a span, dated and recurring, by start."""
        dated = tuple(closure for closure in self.closures if closure.interval.overlaps(span))
        weekly = tuple(closure for rule in self.recurring for closure in rule.within(span, zone))
        return tuple(sorted(dated + weekly, key=lambda closure: (closure.interval.start, closure.machine)))


class Attended(StrEnum):
    """When people must be at a job."""

    RUN = "run"  # the whole run
    START = "start"  # only in the first slot (loading)
    ENDS = "ends"  # in the first and the last slot (loading and unloading)


@dataclass(frozen=True, slots=True)
class Due:
    """A local day on which something is due, resolved to an instant."""

    day: date
    at: datetime
