"""The one small plant and its frozen week, in numbers that a planner can check by hand.

An oven (200 kW for 2 h) and a press (100 kW for 2 h) on 115 kW that always run (100 kW of halls, 10 + 5 kW of idling).
A kWh costs 0.30 EUR from 06:00 to 12:00, 0.10 from 12:00 to 14:00, 0.20 else; its carbon is 0.4, 0.2 and 0.3 kg. So the
oven's 400 kWh cost 120 EUR in the morning, 40 at midday and 80 in the evening; the press' 200 kWh half of that.

A kW of the month's peak above 400 kW costs 5 EUR. As released, oven (08:00) and press (09:00) meet from 09:00 to 10:00 at
115 + 200 + 100 = 415 kW; both at midday would meet as well. So the best plan has the oven at midday and the press after it.

The week is Sat 24 Oct to Sun 1 Nov 2026 in Berlin: the clock change on Sunday the 25th, a holiday of the plant's own on
Friday the 30th, the month's end on Saturday the 31st.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from energy.build import service_of
from energy.clock import HeldClock, day_bounds, local, wall_to_utc
from energy.config import load_settings
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job, Mode, Need
from energy.model.meter import Reading, ReadingQuality
from energy.model.proposal import Decision, DecisionKind, Offer, OfferState, Scope
from energy.model.run import JobRun
from energy.model.series import CARBON_INTENSITY, PRICE_DAY_AHEAD, Series
from energy.service import LoadstoneService
from energy.steps.fetch import take_in_runs

ZONE = "Europe/Berlin"
BASE_KW, OVEN_IDLE_KW, PRESS_IDLE_KW = 100.0, 10.0, 5.0
OVEN_KW, PRESS_KW, RUN_MINUTES = 200.0, 100.0, 120

CONFIG = """
site:
  id: small
  name: Small plant
  zone: Europe/Berlin
  currency: EUR
  import_limit_kw: 1000
  export_limit_kw: 0
  machines:
    - {id: oven, name: Oven, group: ovens, rated_kw: 210, idle_kw: 10}
    - {id: press, name: Press, group: presses, rated_kw: 105, idle_kw: 5}
calendar:
  shifts:
    - {crew: day, weekdays: [mon, tue, wed, thu, fri], start: "06:00", end: "22:00", people: {oven: 1, press: 1}}
  holidays: [2026-10-30]
  offers: {cut_off: "12:00", opens: "13:15", closes: "15:00", notice_minutes: 60, least_gain: 10,
           at_most_open: 3, moves_per_shift: 4, better_by: 8}
tariff:
  market: day_ahead
  export_per_kwh: 0.0
  rates: []
  demand:
    - {name: monthly peak, per_kw: 5.0, period: month, target_kw: 400}
store: {url: "sqlite:///store.sqlite", raw_days: 30, raw_gb: 1}
meters:
  - {id: grid, name: Grid, kind: file, path: none.csv, role: settlement, measures: grid, connection_kw: 1000}
  - {id: m-oven, name: Oven, kind: file, path: none.csv, role: sub, measures: machine, machine: oven, connection_kw: 300}
  - {id: m-press, name: Press, kind: file, path: none.csv, role: sub, measures: machine, machine: press, connection_kw: 200}
feeds: []
forecasters: {base_load: naive, price: naive, pv: naive, carbon: naive}
optimizer: {kind: greedy, seconds: 2}
programs: []
dispatchers: []
notifiers: []
savings: {settle_after_hours: 1}
schedule: {heartbeat_minutes: 60, collect_seconds: 60, replan_within_seconds: 60}
dashboard: {address: 127.0.0.1, port: 8599, roles: [planner]}
"""


def price_at(wall: datetime) -> float:
    """EUR/kWh at a local wall time."""
    return 0.30 if 6 <= wall.hour < 12 else 0.10 if 12 <= wall.hour < 14 else 0.20


def carbon_at(wall: datetime) -> float:
    """kg CO2e/kWh at a local wall time."""
    return 0.4 if 6 <= wall.hour < 12 else 0.2 if 12 <= wall.hour < 14 else 0.3


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A wall-clock time of the plant, in UTC."""
    return wall_to_utc(day, time(hour, minute), ZONE)


def oven_job(day: date, start: int = 8, **more: object) -> Job:
    """The oven's job of a day, as production plans it."""
    return job(f"oven-{day:%d}", "oven", day, start, OVEN_KW, **more)


def press_job(day: date, start: int = 9, **more: object) -> Job:
    """The press' job of a day."""
    return job(f"press-{day:%d}", "press", day, start, PRESS_KW, **more)


def job(id: str, machine: str, day: date, start: int, kw: float, **more: object) -> Job:
    said: dict[str, object] = {
        "id": id,
        "order": id,
        "product": f"{machine} parts",
        "quantity": 100.0,
        "unit": "pcs",
        "modes": (Mode(machine=machine, minutes=RUN_MINUTES, power_kw=(kw,)),),
        "due": at(day, 22),
        "earliest": at(day, 6),
        "planned_start": at(day, start),
        "planned_machine": machine,
        "needs": (Need(skill=machine),),
    }
    return Job(**(said | more))  # type: ignore[arg-type]


@dataclass
class SmallPlant:
    """The plant on a held clock: what ran is told by the test, the meters count it."""

    folder: Path
    start: date = date(2026, 10, 24)
    runs: list[JobRun] = field(default_factory=list)
    dead: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = self.folder / "config.yaml"
        path.write_text(CONFIG)
        self.clock = HeldClock(day_bounds(self.start, ZONE)[0])
        self.service: LoadstoneService = service_of(load_settings(path), self.clock)
        self.store = self.service.house.store
        self._kwh = {"grid": 50_000.0, "m-oven": 9_000.0, "m-press": 4_000.0}
        self.store.readings.add(self._readings())

    def publish(self, first: date, last: date) -> None:
        """Prices and carbon of the days first … last, known at 12:45 of the day before."""
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            horizon = Horizon.between(*day_bounds(day, ZONE))
            known_at = at(day - timedelta(days=1), 12, 45)
            for key, rule, unit in ((PRICE_DAY_AHEAD, price_at, "EUR/kWh"), (CARBON_INTENSITY, carbon_at, "kg/kWh")):
                values = [rule(local(t, ZONE)) for t in horizon.times()]
                self.store.series.add(
                    key,
                    Series.of(horizon, values, unit),
                    known_at=known_at,
                    source="test",
                    basis="grid average, direct",
                )

    def order(self, *jobs: Job) -> None:
        self.store.jobs.reconcile(jobs, self.clock.now(), complete=False)

    def ran(
        self, job_id: str, machine: str, start: datetime, kwh: float | None = None, minutes: int = RUN_MINUTES
    ) -> None:
        """Say that a job runs then; the meters count it as the clock passes."""
        self.runs.append(
            JobRun(job=job_id, machine=machine, start=start, end=start + timedelta(minutes=minutes), kwh=kwh)
        )

    def live_to(self, until: datetime) -> None:
        """Let time pass, a reading of every meter at each quarter hour, and count it."""
        readings: list[Reading] = []
        while self.clock.now() < until:
            now = self.clock.now()
            step = min(
                timedelta(minutes=15) - (now - datetime(2026, 1, 1, tzinfo=now.tzinfo)) % timedelta(minutes=15),
                until - now,
            )
            hours = step.total_seconds() / 3600
            kw = {
                m: sum(self.load(r) for r in self.runs if r.machine == m and r.start <= now < (r.end or now))
                for m in ("oven", "press")
            }
            self._kwh["m-oven"] += (OVEN_IDLE_KW + kw["oven"]) * hours
            self._kwh["m-press"] += (PRESS_IDLE_KW + kw["press"]) * hours
            self._kwh["grid"] += (BASE_KW + OVEN_IDLE_KW + PRESS_IDLE_KW + sum(kw.values())) * hours
            self.clock.advance(step)
            readings += self._readings()
        self.store.readings.add(readings)
        begun = [r for r in self.runs if r.start <= until]
        self.store.runs.put(
            [r if r.end is not None and r.end <= until else replace(r, end=None, kwh=None) for r in begun]
        )
        take_in_runs(self.store, Interval(until - timedelta(days=2), until), until)
        self.service.collect()

    @staticmethod
    def load(run: JobRun) -> float:
        return OVEN_KW if run.machine == "oven" else PRESS_KW

    def _readings(self) -> list[Reading]:
        now = self.clock.now()
        readings = []
        for meter, kwh in self._kwh.items():
            silent = any(a <= now < b for a, b in self.dead.get(meter, []))
            quality = ReadingQuality.NO_ANSWER if silent else ReadingQuality.GOOD
            readings.append(
                Reading(
                    meter=meter,
                    taken_at=now,
                    import_kwh=None if silent else kwh,
                    export_kwh=None if silent else 0.0,
                    quality=quality,
                )
            )
        return readings

    def offers(self) -> list[Offer]:
        return self.store.offers.in_state(OfferState.OPEN)

    def offer_of(self, job_id: str) -> Offer:
        return next(o for o in self.store.offers.in_state(*OfferState) if job_id in o.jobs)

    def accepted_start(self, job_id: str) -> datetime:
        """Where an accepted offer has put a job."""
        offer = self.offer_of(job_id)
        assert offer.state is OfferState.ACCEPTED, offer
        return next(s.new.start for s in offer.shifts if s.job == job_id)

    def say(self, kind: DecisionKind, offer: Offer, **more: object) -> object:
        """A planner's word."""
        said: dict[str, object] = {
            "id": f"{kind}-{offer.id}",
            "offer": offer.id,
            "version": offer.version,
            "kind": kind,
            "by": "Kim",
            "role": "planner",
            "at": self.clock.now(),
        }
        return self.service.decide(Decision(**(said | more)))  # type: ignore[arg-type]

    def accept(self, offer: Offer, **more: object) -> object:
        return self.say(DecisionKind.ACCEPT, offer, **more)

    def refuse(self, offer: Offer, scope: Scope = Scope.THIS_TIME, reason: str = "crew") -> object:
        return self.say(DecisionKind.REFUSE, offer, scope=scope, reason=reason)
