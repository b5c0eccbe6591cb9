"""When production releases its orders: a week's are there on the Thursday before, at noon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from energy.clock import local_date, wall_to_utc
from energy.model.calendar import Calendar
from energy.model.job import Job
from energy.model.site import Site

WEEKDAY, AT = 3, time(12, 0)

Orders = Callable[[Site, Calendar, date, str, int], Sequence[Job]]
"""Who plans production: site, calendar, the week's Monday, zone, seed → jobs."""


@dataclass(slots=True)
class Releases:
    """The orders of a plant whose life begins at `began`, week by week."""

    orders: Orders
    site: Site
    calendar: Calendar
    seed: int
    began: datetime
    next_at: datetime = field(init=False)
    _weeks: set[date] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.next_at = self.began

    def due(self, now: datetime) -> list[Job]:
        """The jobs to release now; moves `next_at` on."""
        today = local_date(now, self.site.zone)
        monday = today - timedelta(days=today.weekday())
        following = monday + timedelta(days=7)
        known = [monday] if now < self._released_at(following) else [monday, following]
        new = [week for week in known if week not in self._weeks]
        self._weeks.update(new)
        self.next_at = self._released_at(known[-1] + timedelta(days=7))
        return [job for week in new for job in self._of(week)]

    def _released_at(self, week: date) -> datetime:
        return wall_to_utc(week - timedelta(days=7 - WEEKDAY), AT, self.site.zone)

    def _of(self, week: date) -> list[Job]:
        """A plant that begins in mid-week knows nothing of what should have run before."""
        made = self.orders(self.site, self.calendar, week, self.site.zone, self.seed)
        kept = [job for job in made if (job.planned_start or job.due) >= self.began]
        ids = {job.id for job in kept}
        return [replace(job, follows=tuple(f for f in job.follows if f.job in ids)) for job in kept]
