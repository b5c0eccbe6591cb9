"""Kill the running service at any moment and start it again: nothing that was acknowledged is missing, nothing is twice.

The parts are the real ones: simulated meters on Modbus TCP, the collector, the scheduler, and a planner who decides
through the service. `make soak` kills a hundred times.
"""

import multiprocessing
import os
import random
import signal
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from energy.build import open_store, service_of
from energy.clock import HeldClock, SpeedClock, day_bounds, floor_to
from energy.config import Settings, load_settings
from energy.model.horizon import Interval
from energy.model.meter import Quality, ReadingQuality
from energy.model.proposal import OfferState
from energy.rehearsal import Rehearsal, at_wall, days_between
from energy.store import Store
from energy.twin.life import living_plant
from tests.meters.wire import free_port
from tests.service.played import OWN, PLANNER, SideLog, become

# What is killed are processes of their own; that they are forked from one that has loaded the modules only saves seconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["energy.build", "energy.schedule", "energy.twin.life", "meters.modbus_reader"])
KILLS = int(os.environ.get("LOADSTONE_KILLS", "6"))
# An hour is twelve seconds. A busy machine that stamps a reading a twentieth of a second late is a quarter of a minute late
# for the plant, so the connections of its meters are taken ten times as strong: else that energy could not have flowed.
SPEED = 300
STEP, HOUR = timedelta(minutes=15), timedelta(hours=1)
DAY = date(2026, 6, 16)
NIGHT = timedelta(hours=5)  # in the middle of it nothing runs for so long
PLANT = """
site:
  {{id: p, name: Plant, zone: Europe/Berlin, currency: EUR, country: DE, latitude: 48.7, longitude: 9.2, import_limit_kw: 900,
    export_limit_kw: 0, machines: [{{id: furnace-1, name: Furnace 1, group: furnaces, rated_kw: 260, idle_kw: 18}},
    {{id: press-1, name: Press 1, group: presses, rated_kw: 110, idle_kw: 9}}]}}
calendar:
  shifts: [{{crew: day, weekdays: [mon, tue, wed, thu, fri], start: "06:00", end: "22:00", people: {{furnace: 3, press: 3}}}}]
  offers: {{opens: "13:15", closes: "23:00", least_gain: 0.5, at_most_open: 3, moves_per_shift: 9, better_by: 1}}
tariff: {{market: day_ahead}}
store: {{url: "sqlite:///loadstone.sqlite", raw_days: 30}}
orders: {{kind: file, jobs: var/orders/jobs.csv, runs: var/orders/runs.csv}}
feeds: [{{kind: simulated, seed: 7}}]
forecasters: {{base_load: naive, price: naive, pv: naive, carbon: naive}}
optimizer: {{kind: greedy, seconds: 1}}
dispatchers: [{{kind: file, folder: var/dispatch}}]
schedule: {{clock: clock.json, collect_seconds: 120}}
meters:
  - {{id: grid, name: Grid, kind: modbus, profile: siemens-pac, host: 127.0.0.1, port: {port}, unit: 1, poll_seconds: 1,
     role: settlement, measures: grid, connection_kw: 9000}}
  - {{id: m-furnace, name: Furnace, kind: modbus, profile: abb-b23, host: 127.0.0.1, port: {port}, unit: 2, poll_seconds: 1,
     role: sub, measures: machine, machine: furnace-1, connection_kw: 3500}}
  - {{id: m-press, name: Press, kind: modbus, profile: eastron-sdm630, host: 127.0.0.1, port: {port}, unit: 3,
     poll_seconds: 1, role: sub, measures: machine, machine: press-1, connection_kw: 1600}}
twin: {{seed: 7}}
"""


class Service:
    """The processes of a plant. They are killed as a machine kills: at once, and each alone."""

    def __init__(self, folder: Path) -> None:
        config = str(folder / "config.yaml")
        self.readings, self.decisions = folder / "readings.log", folder / "decisions.log"
        self.commands = {
            "plant": ["simulate", "--config", config],
            "collector": ["played collector", config, str(self.readings)],
            "scheduler": ["schedule", "--config", config],
            "planner": ["played planner", config, str(self.decisions)],
        }
        self.folder = folder
        self.running: dict[str, BaseProcess] = {}

    def start(self) -> None:
        """Start what does not run."""
        for name, words in self.commands.items():
            if name not in self.running:
                out = str(self.folder / f"{name}.out")
                self.running[name] = PROCESSES.Process(target=become, args=(words, out), name=name, daemon=True)
                self.running[name].start()

    def must_run(self) -> None:
        for name, process in self.running.items():
            assert process.exitcode is None, f"{name} ended by itself: {self.said(name)}"

    def kill(self, names: list[str]) -> None:
        for name in names:
            self.running[name].kill()
        for name in names:
            self.running.pop(name).join(10)

    def end(self) -> dict[str, int | None]:
        """Ask all to end, as the supervisor does."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.join(30)
        codes = {name: process.exitcode for name, process in self.running.items()}
        self.running.clear()
        return codes

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.out").read_text()[-3000:]

    def acknowledged(self) -> tuple[int, int]:
        """How many readings that say something, and how many decisions."""
        readings = [line for line in SideLog.lines(self.readings) if not line.endswith("None")]
        return len(readings), len(SideLog.lines(self.decisions))

    def at_work(self) -> None:
        """Wait until both have grown."""
        readings, decisions = self.acknowledged()
        until(lambda: self.acknowledged() >= (readings + 1, 0) and self.acknowledged()[1] > decisions, self)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A plant with three days of history and its first offers open, its clock running fast."""
    (tmp_path / "config.yaml").write_text(PLANT.format(port=free_port()))
    settings = load_settings(tmp_path / "config.yaml")
    zone = settings.site.zone
    clock = HeldClock(day_bounds(DAY - timedelta(days=3), zone)[0])
    service = service_of(settings, clock)
    rehearsal = Rehearsal(service=service, plant=living_plant(settings, clock), clock=clock)
    rehearsal.quiet_days(days_between(DAY - timedelta(days=3), DAY))
    rehearsal.live_to(at_wall(DAY, datetime.min.time().replace(hour=13, minute=20), zone))
    service.heartbeat()
    assert service.house.store.offers.in_state(OfferState.OPEN)
    service.house.store.close()
    SpeedClock(clock.now(), datetime.now(UTC), SPEED).save(tmp_path / "clock.json")
    return settings


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    made = Service(settings.folder)
    yield made
    made.kill(list(made.running))


def until(holds: Callable[[], bool], service: Service, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        service.must_run()
        assert time.monotonic() < deadline, "\n".join(f"{name}: {service.said(name)}" for name in service.commands)
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * KILLS)
def test_killed_at_any_moment(settings: Settings, service: Service) -> None:
    chance = random.Random(20)
    born = settings.clock().now()
    night: Interval | None = None
    for kill in range(KILLS):
        service.start()
        if kill % 2:  # else they may still be starting
            service.at_work()
        time.sleep(chance.uniform(0.0, 2.0))
        service.must_run()
        names = list(service.commands)
        service.kill(names if kill % 4 == KILLS // 2 % 4 else chance.sample(names, chance.randint(1, 2)))
        if kill == KILLS // 2:
            night = sleep_for(settings, NIGHT)
    assert night is not None
    go_on(settings, service)
    codes = service.end()
    assert codes.pop("planner") == -signal.SIGTERM
    assert set(codes.values()) == {0}, codes
    with closing(open_store(settings)) as store:
        service_of(settings).collect()
        now = settings.clock().now()
        figures = {
            "kills": KILLS,
            "plant hours": round((now - born) / HOUR, 1),
            "readings": readings_are_there_once(store, service, settings),
            "decisions": decisions_are_there_once(store, service),
            "intervals": intervals_add_up(store, born, now),
            "offers": offers_are_there_once(store, settings, born - HOUR, now),
            "heartbeats": rounds_were_caught_up_once(settings, born, night),
        }
    with closing(sqlite3.connect(settings.folder / "loadstone.sqlite")) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    print(figures)


def sleep_for(settings: Settings, night: timedelta) -> Interval:
    """Nothing runs for hours."""
    before = settings.clock().now()
    SpeedClock(before + night, datetime.now(UTC), SPEED).save(settings.folder / "clock.json")
    return Interval(before, before + night)


def go_on(settings: Settings, service: Service) -> None:
    """Let all of it run until meters, planner and schedule have done something anew, and an interval has begun and ended."""
    service.start()
    since = settings.clock().now()
    before = len(SideLog.lines(service.decisions))

    def lives() -> bool:
        latest = store.readings.latest().values()
        last = store.steps.last("heartbeat")
        return (
            len(SideLog.lines(service.decisions)) > before
            and all(r.taken_at > since + STEP and r.quality is ReadingQuality.GOOD for r in latest)
            and last is not None
            and last[0] >= floor_to(since, HOUR)
        )

    with closing(open_store(settings)) as store:
        until(lives, service)


def readings_are_there_once(store: Store, service: Service, settings: Settings) -> int:
    """Each acknowledged reading is in the store as it was acknowledged."""
    acknowledged = [tuple(line.split()) for line in SideLog.lines(service.readings)]
    with closing(sqlite3.connect(settings.folder / "loadstone.sqlite")) as raw:
        rows = raw.execute(
            "SELECT key, taken_at, import_kwh FROM reading JOIN channel ON channel.id = channel"
        ).fetchall()
    epoch = datetime.fromtimestamp(0, UTC)
    kept = Counter((meter, (epoch + timedelta(microseconds=at)).isoformat(), repr(kwh)) for meter, at, kwh in rows)
    assert {kept[one] for one in acknowledged} == {1}
    assert len(acknowledged) == len(set(acknowledged))
    assert all(count == 1 for count in kept.values())
    for meter in store.meters():
        counter = [kwh for _, kwh in counted(store, meter.id)]
        assert counter == sorted(counter), f"the counter of {meter.id} ran backwards"
    return len(acknowledged)


def decisions_are_there_once(store: Store, service: Service) -> int:
    """Each acknowledged decision is kept, did what it says once, and stands in the journal once."""
    acknowledged = set(SideLog.lines(service.decisions))
    always = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    kept = Counter(decision.id for decision in store.decisions.made(always))
    assert {kept[id] for id in acknowledged} == {1}
    assert set(kept.values()) == {1}
    # At each kill at most one decision was kept and not yet acknowledged; the planner asked again.
    assert len(set(kept) - acknowledged) <= 1
    written = [entry for entry in store.journal.read(limit=100_000) if entry.who == PLANNER]
    assert len(written) == len(kept)
    subjects = Counter(entry.subject for entry in written if entry.subject.startswith("planted"))
    assert set(subjects.values()) == {1}
    for id in acknowledged:
        offer = store.offers.get(id.split("-", 1)[1])
        assert offer is not None
        if offer.id.startswith(OWN):
            assert (offer.state, offer.version) == (OfferState.REFUSED, 2)
    return len(acknowledged)


def counted(store: Store, meter: str) -> list[tuple[datetime, float]]:
    """What the import counter said, oldest first."""
    always = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    return [
        (r.taken_at, r.import_kwh)
        for r in store.readings.of(meter, always)
        if r.quality is ReadingQuality.GOOD and r.import_kwh is not None
    ]


def intervals_add_up(store: Store, born: datetime, now: datetime) -> int:
    """The intervals are without a hole, each version says something new, and their energy is what the counters say."""
    total = 0
    for meter in store.meters():
        said = counted(store, meter.id)
        seconds = np.array([at.timestamp() for at, _ in said])
        # From an edge with a reading at it, to one between two readings that are near each other.
        first = floor_to(born - STEP, STEP)
        edges = (floor_to(now, STEP) - n * STEP for n in range(100))
        last = next(
            edge
            for edge in edges
            if 0 < (n := int(np.searchsorted(seconds, edge.timestamp()))) < len(seconds)
            and seconds[n] - seconds[n - 1] < 800
        )
        made = store.intervals.of(meter.id, Interval(first, last))
        assert [one.start for one in made] == [first + n * STEP for n in range((last - first) // STEP)]
        assert Quality.MISSING not in {one.quality for one in made}
        stands = np.interp([first.timestamp(), last.timestamp()], seconds, [kwh for _, kwh in said])
        assert sum(one.import_kwh or 0.0 for one in made) == pytest.approx(stands[1] - stands[0], abs=1e-6)
        total += len(made)
    return total


def offers_are_there_once(store: Store, settings: Settings, born: datetime, now: datetime) -> int:
    """No number is given twice a day, and no job is moved by two offers at once."""
    offers = [o for o in store.offers.offered(Interval(born, now)) if not o.id.startswith(OWN)]
    numbers = Counter((o.id.rsplit("-", 2)[0], o.number) for o in offers)
    assert set(numbers.values()) <= {1}, numbers
    moved = Counter(job for o in offers if o.state in {OfferState.OPEN, OfferState.ACCEPTED} for job in o.jobs)
    assert set(moved.values()) <= {1}, moved
    with closing(sqlite3.connect(settings.folder / "loadstone.sqlite")) as raw:
        versions = defaultdict(list)
        for channel, start, *value in raw.execute(
            "SELECT channel, start, minutes, import_kwh, export_kwh, quality, max_power_kw FROM interval"
            " ORDER BY channel, start, known_at, batch"
        ):
            versions[channel, start].append(value)
        current = raw.execute("SELECT id, sum(current) FROM offer GROUP BY id").fetchall()
    twice = {key: said for key, said in versions.items() for a, b in pairwise(said) if a == b}
    assert twice == {}
    assert {count for _, count in current} == {1}
    assert {o.state for o in offers} & {OfferState.ACCEPTED, OfferState.WITHDRAWN}
    return len(offers)


def rounds_were_caught_up_once(settings: Settings, born: datetime, night: Interval) -> int:
    """One heartbeat for each hour in which the schedule ran, one for the whole night."""
    with closing(sqlite3.connect(settings.folder / "loadstone.sqlite")) as raw:
        rows = raw.execute("SELECT slot FROM step WHERE step = 'heartbeat'").fetchall()
    slots = [datetime.fromisoformat(slot).replace(tzinfo=UTC) for (slot,) in rows]
    assert len(slots) == len(set(slots))
    first, last = floor_to(night.start, HOUR), floor_to(night.end, HOUR)
    assert [slot for slot in slots if first < slot < last] == []
    assert max(slots) >= last
    return len([slot for slot in slots if slot >= floor_to(born, HOUR)])
