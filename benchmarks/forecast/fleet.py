"""Fifty sites, four forecasts each, retrained and made 168 h ahead: how long, and in how much memory.

    python -m benchmarks.forecast.fleet                # 50 sites, two processes
    python -m benchmarks.forecast.fleet --sites 5

Each site has a year of 15-min load and PV, and of hourly price and carbon intensity, with weather as a driver that is known
over the horizon; all made from a seed. Nothing was forecast before, so each forecast also retraces what its members would
have said. Time counts from the loaded series to the last forecast; the peak is that of the largest process, and the sum
of all stands beside it.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from energy.clock import HeldClock
from energy.model.forecast import Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Site
from energy.plugins import kind
from energy.ports import Context

Floats = NDArray[np.float64]

RESULTS = Path(__file__).parents[1] / "results" / "forecast"
NOW = datetime(2026, 6, 14, 22, tzinfo=UTC)  # a Sunday's midnight in Berlin
ZONE, COUNTRY = "Europe/Berlin", "DE"
DAYS, HOURS_AHEAD = 365, 168


def past_of(site: int, target: Target) -> tuple[Past, Horizon]:
    """A year of one target of one site, with the weather that it depends on."""
    rng = np.random.default_rng([site, list(Target).index(target)])
    step = 15 if target in (Target.BASE_LOAD, Target.PV) else 60
    span = Horizon.between(NOW - timedelta(days=DAYS), NOW + timedelta(hours=HOURS_AHEAD), step)
    days = np.arange(span.slots) * step / (24 * 60)
    weather = walk(rng, span.slots, step)
    values = {Target.BASE_LOAD: load, Target.PV: pv, Target.PRICE: price, Target.CARBON: carbon}[target](
        rng, days, weather
    )
    horizon = Horizon(NOW, HOURS_AHEAD * 60 // step, step)
    known = Horizon(span.start, span.slots - horizon.slots, step)
    drivers = (("weather", Series(span, weather, "")),)
    past = Past(target=Series(known, values[: known.slots], "kW"), drivers=drivers, known_at=NOW, zone=ZONE, country=COUNTRY,
                latitude=48.5, longitude=9.0)  # fmt: skip
    return past, horizon


def walk(rng: np.random.Generator, slots: int, step: int) -> Floats:
    """Weather: it changes over two days or so, and is about one."""
    hours = -(-slots * step // 60)
    pulse = rng.normal(0, 1, hours + 200)
    smooth = np.convolve(pulse, np.exp(-np.arange(200) / 40.0), mode="valid")[:hours] / np.sqrt(20.0)
    weather: Floats = np.repeat(1.0 + 0.3 * smooth, max(1, 60 // step))[:slots]
    return weather


def load(rng: np.random.Generator, days: Floats, weather: Floats) -> Floats:
    """Two shifts on five days, a base, some heating and machines that come and go."""
    at_work = ((days % 7).astype(int) < 5) & (days % 1 > 0.25) & (days % 1 < 0.25 + rng.uniform(0.3, 0.66))
    machines = np.repeat(rng.uniform(0, 1, len(days) // 4 + 1), 4)[: len(days)]
    return rng.uniform(50, 500) * (0.3 + at_work * (0.7 + 0.3 * machines) + 0.1 * weather) + rng.normal(0, 5, len(days))


def pv(rng: np.random.Generator, days: Floats, weather: Floats) -> Floats:
    height = np.sin(2 * np.pi * (days % 1 - 0.25)) - 0.2 + 0.3 * np.cos(2 * np.pi * days / 365)
    return rng.uniform(50, 300) * np.maximum(0.0, height) * np.clip(weather, 0.1, 1.5)


def price(rng: np.random.Generator, days: Floats, weather: Floats) -> Floats:
    shape = np.sin(4 * np.pi * (days % 1 - 0.2)) + 0.5 * ((days % 7).astype(int) < 5)
    return 0.08 + 0.03 * shape - 0.04 * (weather - 1) + rng.standard_t(3, len(days)) * 0.006


def carbon(rng: np.random.Generator, days: Floats, weather: Floats) -> Floats:
    return np.maximum(
        0.02, 0.35 + 0.06 * np.sin(2 * np.pi * days) - 0.2 * (weather - 1) + rng.normal(0, 0.01, len(days))
    )


def forecast_site(site: int) -> dict[str, Any]:
    """The four forecasts of one site: seconds and who made them, and the peak of this process so far."""
    module = kind("forecasters", "combined")
    made = Site(
        id=f"site{site}", name="", zone=ZONE, currency="EUR", import_limit_kw=1e4, export_limit_kw=1e4, country=COUNTRY
    )
    forecaster = module.build(module.Settings(seconds=None), Context(site=made, clock=HeldClock(NOW)))
    seconds, flags, sources = {}, [], []
    for target in Target:
        past, horizon = past_of(site, target)
        began = time.perf_counter()
        told = forecaster.forecast(target, past, horizon)
        seconds[target.value] = time.perf_counter() - began
        sources.append(told.source)
        flags += [f"{target.value}: {flag}" for flag in told.flags]
        assert told.p50.known.all()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"site": site, "pid": os.getpid(), "seconds": seconds, "flags": flags, "sources": sources,
            "cpu": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}  # fmt: skip


def main() -> int:
    """Forecast all sites, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULTS / "fleet.json")
    asked = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    began = time.monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        rows = []
        for row in pool.map(forecast_site, range(asked.sites)):
            rows.append(row)
            print(
                f"{time.monotonic() - began:5.0f} s  site {row['site'] + 1}, peak {row['peak_mb']:.0f} MB",
                file=sys.stderr,
            )
    of_process = {row["pid"]: row for row in rows}  # the last of each
    peaks = [row["peak_mb"] for row in of_process.values()]
    said = {
        "sites": asked.sites,
        "processes": asked.processes,
        "minutes": (time.monotonic() - began) / 60,
        "cpu_minutes": sum(row["cpu"] for row in of_process.values()) / 60,
        "peak_mb": max(peaks),
        "sum_mb": sum(peaks),
        "seconds": {t.value: float(np.mean([row["seconds"][t.value] for row in rows])) for t in Target},
        "sources": Counter(source for row in rows for source in row["sources"]),
        "flags": Counter(flag for row in rows for flag in row["flags"]),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {name: version(name) for name in ("lightgbm", "numpy", "prophet", "scikit-learn")},
    }
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(said, indent=1))
    print(json.dumps(said, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
