"""A week of production orders, set by a planner who knows machines, crews and customers and never saw a price.

Furnaces start with the early crew and again with the late one, presses and galvanic line likewise; parts that need
two steps get them in order. Every start is feasible: one job a machine, people rostered, before the due time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as wall_time

from energy.clock import wall_to_utc
from energy.model.calendar import Attended, Calendar
from energy.model.job import Follows, Job, Mode, Need
from energy.model.site import Machine, Site
from energy.twin import tables
from energy.twin.noise import Dice
from energy.twin.roster import Roster, minute_of, time_of
from energy.twin.tables import Work

FIRST_WEEK = date(2025, 1, 6)  # where the order numbers start
NUMBERS_A_WEEK = 70
SLOT = 15
CHANGEOVER_MINUTES = 15
"""Between two jobs of a machine."""


def production_week(
    site: Site, calendar: Calendar, week_start: date, zone: str, seed: int, works: Sequence[Work] = tables.WORK
) -> list[Job]:
    """The orders of the week that starts on that Monday, in the order of their numbers."""
    dice = Dice(seed, f"orders {week_start}")
    return _Planner(site, Roster(calendar, zone), week_start, zone, dice, tuple(works)).week()


@dataclass(slots=True)
class _Planner:
    """One planner at work on one week."""

    site: Site
    roster: Roster
    monday: date
    zone: str
    dice: Dice
    works: tuple[Work, ...]
    busy: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    hands: dict[tuple[str, int], int] = field(default_factory=dict)  # people at work by skill and quarter of an hour
    jobs: list[Job] = field(default_factory=list)

    def week(self) -> list[Job]:
        if self.monday.weekday() != 0:
            raise ValueError(f"a production week starts on a Monday, not on {self.monday:%A %d %B}")
        for offset in range(7):
            day = self.monday + timedelta(days=offset)
            if self.roster.works_on(day):
                self._day(day)
        return self.jobs

    def _day(self, day: date) -> None:
        """The jobs of a day: first steps first, so that what follows them finds its time."""
        for work in self.works:
            machines = [machine for machine in self.site.machines if machine.group == work.group]
            count = self.dice.whole(*work.a_day) if machines else 0
            turn = self.dice.whole(0, max(0, len(machines) - 1))
            for number in range(count):
                machine = machines[(turn + number) % len(machines)]
                self._set(day, work, machine, number)

    def _set(self, day: date, work: Work, machine: Machine, nth: int) -> None:
        """Draw one job and put it where the planner would."""
        minutes = SLOT * round(self.dice.between(*work.hours) * 60 / SLOT)
        before = self._first_step(day, work) if self.dice.share() < 0.6 else None
        hour = work.starts[min(nth, len(work.starts) - 1)] + SLOT / 60 * self.dice.whole(0, 3)
        wished = minute_of(wall_to_utc(day, wall_time(int(hour), round(hour % 1 * 60)), self.zone))
        latest = minute_of(wall_to_utc(day, wall_time(23, 0), self.zone))
        if before is not None:
            wished = max(wished, before.ready(work))
        start = self._room(work, machine, wished, latest, minutes)
        if start is None:
            return  # the day is full; a planner does not promise more
        if before is not None and not before.in_time(work, start):
            before = None
        spot = _Spot(work, machine, day, start, minutes, before)
        self._take(spot)
        self.jobs.append(self._job(spot))

    def _room(self, work: Work, machine: Machine, wished: int, latest: int, minutes: int) -> int | None:
        """The first start from the wished one on at which the machine and its people are there."""
        start = -(-wished // SLOT) * SLOT
        while start <= latest:
            if self._free(work, machine, start, minutes):
                return start
            start += SLOT
        return None

    def _free(self, work: Work, machine: Machine, start: int, minutes: int) -> bool:
        end = start + minutes
        taken = self.busy.get(machine.id, [])
        if any(start < until + CHANGEOVER_MINUTES and since < end + CHANGEOVER_MINUTES for since, until in taken):
            return False
        if self.roster.closed(machine.id, start, end):
            return False
        return all(
            self.hands.get((work.skill, slot), 0) < self.roster.people(work.skill, slot)
            for slot in _attended(work.attended, start, end)
        )

    def _take(self, spot: "_Spot") -> None:
        self.busy.setdefault(spot.machine.id, []).append((spot.start, spot.end))
        for slot in _attended(spot.work.attended, spot.start, spot.end):
            self.hands[spot.work.skill, slot] = self.hands.get((spot.work.skill, slot), 0) + 1

    def _job(self, spot: "_Spot") -> Job:
        work, before = spot.work, spot.before
        number = f"{(1000 + NUMBERS_A_WEEK * self._weeks() + len(self.jobs)) % 100_000}"
        product = self.dice.one_of(work.products)
        quantity = 10.0 * round(self.dice.between(*work.pieces_an_hour) * spot.minutes / 60 / 10)
        unplanned = before is None and self.dice.share() < 0.035  # an order without a planned start
        return Job(
            id=number,
            order=f"A{number}" if before is None else before.job.order,
            product=product if before is None else before.job.product,
            quantity=quantity if before is None else before.job.quantity,
            unit="pcs",
            modes=self._modes(work, spot.machine, spot.minutes),
            due=self._due(spot.day, spot.end),
            earliest=self._material(spot.day, spot.start),
            planned_start=None if unplanned else time_of(spot.start),
            planned_machine=None if unplanned else spot.machine.id,
            needs=(Need(skill=work.skill, people=1, attended=work.attended),),
            follows=() if before is None else (before.follows(work),),
            flexible=unplanned or self.dice.share() > 0.06,
            priority=1 if self.dice.share() < 0.1 else 0,
            move_price=work.move_price,
        )

    def _weeks(self) -> int:
        return (self.monday - FIRST_WEEK).days // 7

    def _modes(self, work: Work, machine: Machine, minutes: int) -> tuple[Mode, ...]:
        """The planned machine first, then others of its group where the part fits, and for some a gentler way."""
        share = self.dice.between(*work.power_share)
        mean_kw = share * (machine.rated_kw - machine.idle_kw) / max(work.shape)
        modes = [_mode(machine.id, minutes, mean_kw, work.shape)]
        if self.dice.share() < work.elsewhere:
            for other in self.site.machines:
                room_kw = (other.rated_kw - other.idle_kw) / max(work.shape)
                if other.group == work.group and other.id != machine.id:
                    # A smaller machine takes longer for the same heat, a bigger one is not used to its full.
                    other_kw = min(mean_kw, room_kw)
                    modes.append(_mode(other.id, _slots(minutes * mean_kw / other_kw), other_kw, work.shape))
        if work.group == "furnaces" and self.dice.share() < 0.2:
            modes.append(_mode(machine.id, _slots(minutes * 1.25), mean_kw * 0.82, work.shape, "eco"))
        return tuple(modes)

    def _due(self, day: date, end: int) -> datetime:
        """When the customer, or the next department, wants it: the end of a shift, hours to a day after the end."""
        today, tomorrow = self._shift_end(day, 22), self._shift_end(self._next_working_day(day), 14)
        late_tomorrow = self._shift_end(self._next_working_day(day), 22)
        share = self.dice.share()
        if share < 0.12:
            due = end + 60 * self.dice.whole(1, 3)
        else:
            due = today if share < 0.45 else tomorrow if share < 0.8 else late_tomorrow
        return time_of(max(due, end + 60))

    def _material(self, day: date, start: int) -> datetime:
        """When material is there: for most since the evening before, for some just in time."""
        share = self.dice.share()
        if share < 0.3:
            return time_of(start - SLOT * self.dice.whole(0, 6))
        if share < 0.6:
            return time_of(min(start, self._shift_end(day, 6)))
        return time_of(min(start, self._shift_end(day - timedelta(days=1), 20)))

    def _shift_end(self, day: date, hour: int) -> int:
        return minute_of(wall_to_utc(day, wall_time(hour, 0), self.zone))

    def _next_working_day(self, day: date) -> date:
        """The next one of this week; on its last day there is none, and the day itself is the limit."""
        later = [self.monday + timedelta(days=n) for n in range((day - self.monday).days + 1, 7)]
        return next((d for d in later if self.roster.works_on(d)), day)

    def _first_step(self, day: date, work: Work) -> "_FirstStep | None":
        """A job whose parts need this work next: pressed parts are plated, hardened ones blasted when they are cold."""
        source: Callable[[Job], bool] = _NEXT.get(work.group, lambda _: False)
        taken = {follows.job for job in self.jobs for follows in job.follows}
        for job in self.jobs:
            fits = job.product in work.products and source(job) and job.id not in taken
            if fits and job.planned_start is not None and time_of(self._shift_end(day, 5)) <= job.planned_start:
                return _FirstStep(job)
        return None


def _mode(machine: str, minutes: int, mean_kw: float, shape: tuple[float, ...], name: str = "") -> Mode:
    return Mode(machine=machine, minutes=minutes, power_kw=tuple(round(mean_kw * part, 1) for part in shape), name=name)


def _slots(minutes: float) -> int:
    return SLOT * round(minutes / SLOT)


def _attended(attended: Attended, start: int, end: int) -> list[int]:
    """The quarters of an hour in which people are at a job."""
    slots = list(range(start, end, SLOT))
    if attended is Attended.RUN:
        return slots
    return slots[:1] if attended is Attended.START else [slots[0], slots[-1]]


_NEXT: dict[str, Callable[[Job], bool]] = {
    "galvanic": lambda job: any(need.skill == "press" for need in job.needs),
    "blasting": lambda job: any(need.skill == "furnace" for need in job.needs),
}
_LAGS: dict[str, tuple[int, int | None]] = {"galvanic": (15, 600), "blasting": (120, None)}
"""Minutes: bare parts rust, so they are plated the same day; hot parts cool before they are blasted."""


@dataclass(frozen=True, slots=True)
class _FirstStep:
    """The job before."""

    job: Job

    @property
    def end(self) -> int:
        assert self.job.planned_start is not None
        return minute_of(self.job.planned_start) + self.job.modes[0].minutes

    def ready(self, work: Work) -> int:
        return self.end + _LAGS[work.group][0]

    def in_time(self, work: Work, start: int) -> bool:
        latest = _LAGS[work.group][1]
        return latest is None or start <= self.end + latest

    def follows(self, work: Work) -> Follows:
        at_least, at_most = _LAGS[work.group]
        return Follows(job=self.job.id, at_least_minutes=at_least, at_most_minutes=at_most)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the planner puts a piece of work."""

    work: Work
    machine: Machine
    day: date
    start: int
    minutes: int
    before: _FirstStep | None

    @property
    def end(self) -> int:
        return self.start + self.minutes
