"""The demo: a simulated plant with a past, run live or once through.

What is real: Modbus TCP on loopback, the collector, the store, the forecasts, the solver, every step and every file between
the plant's systems. What is invented is the plant itself, its market and its planner, and it says so.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import yaml

from energy.build import service_of
from energy.clock import Clock, HeldClock, SpeedClock, day_bounds, local_date, wall_to_utc
from energy.config import Settings, load_settings
from energy.model.horizon import Interval
from energy.model.meter import Reading
from energy.model.plan import Bill
from energy.model.proposal import OfferState
from energy.model.savings import Kind
from energy.rehearsal import Rehearsal, days_between
from energy.reports.scores import score_of_day_ahead
from energy.service import LoadstoneService
from energy.store import Store
from energy.supervisor import Role, supervise
from energy.twin.floor import LivingPlant
from energy.twin.life import BIRTH, living_plant

Say = Callable[[str], object]
Before = Callable[[Path, date], object]
"""What to do before the plant's life begins, told its config and its first day: import a past, say."""
Wire = Callable[[Settings, LivingPlant, Clock], AbstractContextManager[Callable[[], Sequence[Reading]]]]
"""How the meters of the planned days are read over a wire, while its block lasts."""

CLOCK = "clock.json"
PLANNED_DAYS = 7
SOLVE_SECONDS = 3.0  # for each day of the past; the live cycle takes the config's own limit
LIVE_READINGS = 33  # so many readings over the wire are a live cycle
LIVE_SECONDS = 60.0  # real seconds to wait for them at most


@dataclass(slots=True, kw_only=True)
class Demo:
    """A plant with its past lived, ready to go on."""

    config: Path
    settings: Settings
    service: LoadstoneService
    rehearsal: Rehearsal
    planned_days: int = PLANNED_DAYS
    seconds: dict[str, float] = field(default_factory=dict)


def demo_day(today: date) -> date:
    """The day the demo lives on: the last third Tuesday of June, when the sun shows what PV and battery do."""
    days = [third_tuesday(year, 6) for year in (today.year, today.year - 1)]
    return next(day for day in days if day < today)


def third_tuesday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(1 - first.weekday()) % 7 + 14)


def free_port(wanted: int) -> int:
    """The wanted port of loopback where it is free, else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of loopback is free")


def own_config(config: Path, folder: Path, port: int | None) -> Path:
    """The plant's config in the demo's own folder: the same plant on ports that are free, on a clock of its own."""
    plain = yaml.safe_load(config.read_text())
    moved: dict[int, int] = {}
    for meter in plain["meters"]:
        if "port" in meter:
            meter["port"] = moved.setdefault(meter["port"], free_port(meter["port"]))
    plain.setdefault("schedule", {})["clock"] = f"var/{CLOCK}"
    plain.setdefault("dashboard", {})["port"] = port or free_port(plain["dashboard"].get("port", 8501))
    own = folder / "config.yaml"
    own.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
    return own


def prepare(
    config: Path,
    folder: Path,
    *,
    weeks: int,
    port: int | None,
    say: Say,
    day: date | None = None,
    planned_days: int = PLANNED_DAYS,
    before: Before | None = None,
    wire: Wire | None = None,
) -> Demo:
    """Make the folder anew and live through the past: weeks up to `day`, the last days of it planned."""
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "var").mkdir(parents=True)
    own = own_config(config, folder, port)
    zone = load_settings(own).site.zone
    day = day or demo_day(local_date(datetime.now(UTC), zone))
    first = day - timedelta(weeks=weeks)
    start = day_bounds(first, zone)[0]
    (folder / "var" / BIRTH).write_text(json.dumps({"born": start.isoformat()}))
    SpeedClock(start, datetime.now(UTC), 0.0).save(folder / "var" / CLOCK)
    settings = load_settings(own)  # again: the public holidays are those of the plant's own years
    seconds: dict[str, float] = {}
    if before is not None:
        before(own, first)
        seconds["before"] = round(time.monotonic() - began, 1)
    clock = HeldClock(start)
    service = service_of(settings, clock)
    rehearsal = Rehearsal(service=service, plant=living_plant(settings, clock), clock=clock)
    planned = day - timedelta(days=planned_days)
    say(f"{settings.site.name} (simulated): {weeks} weeks of history up to {day:%a %d %b %Y} …")
    born = time.monotonic()
    rehearsal.quiet_days(days_between(first, planned))
    service.verify_due()
    service.learn_due()
    lived = time.monotonic()
    service.house.optimizer_seconds = min(SOLVE_SECONDS, settings.optimizer.seconds)
    with wire(settings, rehearsal.plant, clock) if wire else nullcontext() as rehearsal.read_meters:
        for past in days_between(planned, day):
            rehearsal.planned_day(past)
            service.verify_due()
        rehearsal.live_to(opening(settings, day))
    service.house.optimizer_seconds = settings.optimizer.seconds
    service.verify_due()
    service.learn_due()
    seconds |= {"history": round(lived - born, 1), "planned_week": round(time.monotonic() - lived, 1)}
    return Demo(
        config=own,
        settings=settings,
        service=service,
        rehearsal=rehearsal,
        planned_days=planned_days,
        seconds=seconds,
    )


def opening(settings: Settings, day: date) -> datetime:
    """A few minutes after the offers of a day open."""
    return wall_to_utc(day, settings.calendar.rules.opens, settings.site.zone) + timedelta(minutes=1)


def go_live(demo: Demo, speed: float) -> SpeedClock:
    """Let the plant's clock run from where the past ended; all processes read the same clock."""
    clock = SpeedClock(demo.rehearsal.clock.now(), datetime.now(UTC), speed)
    clock.save(demo.settings.folder / "var" / CLOCK)
    return clock


def run(demo: Demo, *, speed: float, say: Say) -> int:
    """The living factory, until Ctrl-C."""
    service = demo.service
    say("planning …")
    service.house.optimizer_seconds = SOLVE_SECONDS
    service.heartbeat()
    go_live(demo, speed)
    service.house.store.close()
    config = str(demo.config)
    dashboard = demo.settings.dashboard
    say(
        f"  meters     {len(demo.settings.meters)} simulated, Modbus TCP on 127.0.0.1:{first_port(demo.settings)} and up"
    )
    say("  collector  polls them; scheduler plans every hour and watches for facts")
    say(f"  dashboard  http://localhost:{dashboard.port}")
    say(
        f"  clock      {demo.rehearsal.clock.now():%a %d %b %H:%M} UTC, {speed:g} times as fast; files in {demo.settings.folder}"
    )
    say("Ctrl-C ends all of it.")
    return supervise(
        [
            Role("simulated plant", ["simulate", "--config", config]),
            Role("collector", ["collect", "--config", config]),
            Role("scheduler", ["schedule", "--config", config]),
            Role("dashboard", ["dashboard", "--config", config]),
        ]
    )


def first_port(settings: Settings) -> int:
    return min(int(getattr(m.options, "port", 0)) for m in settings.meters)


def headless(demo: Demo, *, say: Say, speed: float = 1.0, least: int = LIVE_READINGS) -> str:
    """One live cycle over the wire, with at least so many readings, then the summary as one line of JSON."""
    service, store = demo.service, demo.service.house.store
    clock = go_live(demo, speed)
    say("collecting over Modbus TCP …")
    since = clock.now()
    readings = collect_live(demo, lambda: good_readings(store, since, clock.now()), least)
    service.house.clock = SpeedClock(clock.now(), datetime.now(UTC))
    service.runner.seconds.clear()
    say("planning …")
    service.heartbeat()
    summary = summarise(demo, readings)
    store.close()
    return json.dumps(summary)


def good_readings(store: Store, since: datetime, now: datetime) -> int:
    """How many usable readings the collector has stored."""
    span = Interval(since, now + timedelta(seconds=1))
    return sum(r.quality.counts for m in store.meters() for r in store.readings.of(m.id, span))


def collect_live(demo: Demo, count: Callable[[], int], least: int) -> int:
    """The simulated meters and the collector as processes of their own, until enough was read. Returns how much."""
    command = [sys.executable, "-m", "energy.cli"]
    config = ["--config", str(demo.config)]
    with (demo.settings.folder / "var" / "live.log").open("wb") as log:
        plant = subprocess.Popen([*command, "simulate", *config], stdout=log, stderr=log)
        try:
            wait_for_port(first_port(demo.settings), 60.0, plant)
            collector = subprocess.Popen([*command, "collect", *config], stdout=log, stderr=log)
            try:
                deadline = time.monotonic() + LIVE_SECONDS
                while count() < least and time.monotonic() < deadline and collector.poll() is None:
                    time.sleep(0.5)
            finally:
                collector.terminate()
                collector.wait(30)
        finally:
            plant.terminate()
            plant.wait(30)
    return count()


def wait_for_port(port: int, seconds: float, process: "subprocess.Popen[bytes]") -> None:
    """Until something listens there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the simulated plant ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")


def figures(bill: Bill) -> dict[str, float]:
    return {"cost": round(bill.money, 2), "carbon_kg": round(bill.carbon_kg, 1), "peak_kw": round(bill.peak_kw, 1)}


def summarise(demo: Demo, readings: int) -> dict[str, object]:
    """The figures of the demo, each from the store."""
    service, store, site = demo.service, demo.service.house.store, demo.settings.site
    planning = store.plans.latest()
    assert planning is not None
    today = local_date(service.house.clock.now(), site.zone)
    accounts = store.ledger.days(today - timedelta(days=demo.planned_days), today)
    scores = score_of_day_ahead(store, site, service.house.clock.now(), demo.planned_days)
    return {
        "readings": readings,
        "forecast": scores,
        "as_is": figures(planning.as_is.bill),
        "plan": figures(planning.plan.bill),
        "savings": {
            "estimated": {
                "money": round(sum(j.promised_money for a in accounts for j in a.jobs), 2),
                "carbon_kg": round(sum(j.promised_carbon_kg for a in accounts for j in a.jobs), 1),
            },
            "verified": {
                "money": round(sum(a.money(Kind.VERIFIED) for a in accounts), 2),
                "carbon_kg": round(sum(a.carbon_kg(Kind.VERIFIED) for a in accounts), 1),
            },
        },
        "bundles": len(store.offers.in_state(OfferState.OPEN)),
        "how": str(planning.plan.how.found),
        "gap": planning.plan.how.gap,
        "check": planning.checked,
        "seconds": {**demo.seconds, **{k: round(v, 2) for k, v in service.runner.seconds.items()}},
    }
