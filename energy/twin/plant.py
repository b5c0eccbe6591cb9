"""The plant: shop floor, base load, PV and battery behind one grid connection, and the meters that see them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from energy.clock import aware
from energy.errors import LoadstoneError
from energy.model.calendar import Calendar
from energy.model.fact import Fact
from energy.model.job import Job, Planned
from energy.model.meter import Measures, Meter
from energy.model.run import JobRun
from energy.model.site import Machine, Site
from energy.twin import tables
from energy.twin.base import buildings_kw, compressors_kw, generated_kw
from energy.twin.battery import Store
from energy.twin.noise import Dice, Floats
from energy.twin.production import production_week
from energy.twin.releases import Orders, Releases
from energy.twin.roster import DAY_MINUTES, Roster, minute_of, time_of
from energy.twin.shopfloor import Floor
from energy.twin.stand import Stand

GRID, PV, BATTERY, COMPRESSORS, BUILDINGS = "grid", "pv", "battery", "compressors", "buildings"


Others = Callable[[int], Floats]
"""The kW of everything that is no machine, for each minute of a day in UTC (days counted since 1970)."""


class Twin:
    """A plant that lives from `start` on, minute by minute, the same for a seed whatever is asked in between.

    In every minute: import − export = buildings + compressors + machines (idle and jobs) + charge − discharge − PV.
    What it is told (`follow`, `break_down`) holds from the next minute on. `orders` plans its production; `others`, where
    given, stands for buildings and compressors: the measured load of a real plant, say."""

    def __init__(
        self,
        site: Site,
        meters: Sequence[Meter],
        calendar: Calendar,
        *,
        seed: int,
        start: datetime,
        orders: Orders = production_week,
        others: Others | None = None,
    ) -> None:
        self.site = site
        self._seed, self._others = seed, others
        self._releases = Releases(orders, site, calendar, seed, aware(start))
        self._roster = Roster(calendar, site.zone)
        self._floor = Floor(site, self._roster, seed)
        self._battery = self._full_enough()
        self._sources = {meter.id: self._source(meter) for meter in meters}
        self._import_kwh: dict[str, float] = {}
        self._export_kwh: dict[str, float] = {}
        for source in [GRID, PV, BATTERY, COMPRESSORS, BUILDINGS, *map(_of_machine, site.machines)]:
            self._import_kwh[source], self._export_kwh[source] = self._first_stand(source)
        self._kw: dict[str, float] = {}
        self._day: int | None = None
        self._minute = minute_of(aware(start)) - 1
        self._now = aware(start)
        self.advance_to(self._now)

    # What one may ask

    @property
    def now(self) -> datetime:
        return self._now

    def stand(self, meter: str) -> Stand:
        """What a meter shows now."""
        if meter not in self._sources:
            raise LoadstoneError(f"the plant has no meter {meter!r}; it has {', '.join(self._sources)}")
        source = self._sources[meter]
        kw = self._kw[source]
        hours = (self._now - time_of(self._minute)) / timedelta(hours=1)
        return Stand(
            import_kwh=self._import_kwh[source] + max(0.0, kw) * hours,
            export_kwh=self._export_kwh[source] + max(0.0, -kw) * hours,
            power_kw=kw,
        )

    def parts_kw(self) -> dict[str, float]:
        """The power of grid, PV, battery, compressors, buildings and each machine in this minute, import positive."""
        return dict(self._kw)

    def jobs(self) -> list[Job]:
        """The production orders released so far, as production planned them."""
        return list(self._floor.jobs.values())

    def runs(self) -> list[JobRun]:
        """What the MES says has started and ended."""
        return [run.as_run() for run in self._floor.runs]

    def facts(self) -> list[Fact]:
        """What the floor has reported by itself: breakdowns and scrap."""
        return list(self._floor.facts)

    # What one may tell it

    def advance_to(self, t: datetime) -> None:
        """Live on to an instant; into the past nothing happens."""
        t = aware(t)
        if t < self._now:
            return
        for minute in range(self._minute + 1, minute_of(t) + 1):
            self._live(minute)
        self._now = t

    def follow(self, planned: Mapping[str, Planned]) -> None:
        """The plan the floor follows from now on for jobs not yet started; jobs without an entry follow their own
        planned start and machine."""
        self._floor.follow(planned)

    def release(self, jobs: Sequence[Job]) -> None:
        """Take in further production orders."""
        self._floor.release(jobs)

    def break_down(self, machine: str, at: datetime, until: datetime) -> None:
        """A machine stops at an instant and is back at another."""
        self._floor.break_down(machine, minute_of(aware(at)), minute_of(aware(until)))

    # How it lives

    def _live(self, minute: int) -> None:
        for source, kw in self._kw.items():
            if kw > 0.0:
                self._import_kwh[source] += kw / 60.0
            else:
                self._export_kwh[source] -= kw / 60.0
        if self._day != minute // DAY_MINUTES:
            self._open_day(minute // DAY_MINUTES)
        if minute >= minute_of(self._releases.next_at):
            self._floor.release(self._releases.due(max(time_of(minute), self._releases.began)))
        self._minute = minute
        self._kw = self._powers(minute)

    def _powers(self, minute: int) -> dict[str, float]:
        of_day = minute % DAY_MINUTES
        crew = self._crew[of_day]
        jobs = self._floor.step(minute)
        kw = {}
        presses = blasting = 0
        for machine in self.site.machines:
            job_kw = jobs.get(machine.id)
            if job_kw is not None:
                kw[_of_machine(machine)] = machine.idle_kw + job_kw
                presses += machine.group == "presses"
                blasting += machine.group == "blasting"
            elif self._floor.is_down(machine.id):
                kw[_of_machine(machine)] = machine.idle_kw * tables.DOWN_SHARE
            else:
                kw[_of_machine(machine)] = machine.idle_kw * (1.0 if crew else tables.STANDBY_SHARE)
        kw[COMPRESSORS] = compressors_kw(crew, presses, blasting) if self._others is None else 0.0
        kw[BUILDINGS] = self._buildings[of_day]
        load = sum(kw.values())
        pv = min(self._sun[of_day], load + self.site.export_limit_kw)  # beyond it the inverter throttles
        charge, discharge = self._battery.step(load - pv, 1.0 / 60.0) if self._battery is not None else (0.0, 0.0)
        kw[PV], kw[BATTERY] = -pv, charge - discharge
        kw[GRID] = load - pv + charge - discharge
        return kw

    def _open_day(self, day: int) -> None:
        self._day = day
        others = self._others or partial(buildings_kw, site=self.site, roster=self._roster, seed=self._seed)
        self._buildings: list[float] = others(day).tolist()
        self._sun: list[float] = generated_kw(day, self.site, self._seed).tolist()
        self._crew: list[bool] = self._roster.anybody(day).tolist()
        self._maybe_break_something(day)

    def _maybe_break_something(self, day: int) -> None:
        dice = Dice(self._seed, f"breakdown {day}")
        strikes, at, minutes = dice.share(), day * DAY_MINUTES + dice.whole(5 * 60, 18 * 60), dice.whole(4, 16) * 15
        if self.site.machines and strikes < tables.BREAKDOWNS_A_WORKDAY and self._crew[at % DAY_MINUTES]:
            self._floor.break_down(dice.one_of(self.site.machines).id, at, at + minutes)

    def _full_enough(self) -> Store | None:
        battery = self.site.battery
        return Store(battery, (battery.min_kwh + battery.capacity_kwh) / 2.0) if battery is not None else None

    def _first_stand(self, source: str) -> tuple[float, float]:
        """Counters of meters that have been there for some years."""
        dice = Dice(self._seed, f"counter {source}")
        years = dice.between(2.0, 5.0)
        a_year = {
            GRID: (3.9e6, 4.0e4),
            PV: (1.2e3, 3.4e5),
            BATTERY: (3.1e4, 2.8e4),
            COMPRESSORS: (4.1e5, 0.0),
            BUILDINGS: (1.9e6, 0.0),
        }
        imported, exported = a_year.get(source, (1.0e5, 0.0))
        return round(years * imported, 1), round(years * exported, 1)

    def _source(self, meter: Meter) -> str:
        """What flows through a meter: a machine, or one of the plant's other parts."""
        match meter.measures:
            case Measures.GRID:
                return GRID
            case Measures.PV:
                return PV
            case Measures.BATTERY:
                return BATTERY
            case Measures.MACHINE if meter.machine is not None:
                return _of_machine(self.site.machine(meter.machine))
        return COMPRESSORS if "compressor" in f"{meter.id} {meter.name}".lower() else BUILDINGS


def _of_machine(machine: Machine) -> str:
    """Its name among the parts; no machine is mistaken for the grid."""
    return f"machine {machine.id}"
