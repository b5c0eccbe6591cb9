"""Ten thousand odd inputs: is there always an answer, in time, in order, and with the right flag?

python -m benchmarks.forecast.fuzz --cases 10000      # two processes; goes on where it was stopped
python -m benchmarks.forecast.fuzz --seeds 17 4711    # some of them, with what they are and what is wrong
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.forecast.odd import Odd, odd
from energy.clock import HeldClock
from energy.model.forecast import Forecast, Target
from energy.model.site import Site
from energy.plugins import kind
from energy.ports import Context, Forecaster

RESULTS = Path(__file__).parents[1] / "results" / "forecast"
FEW_DAYS = 14  # of history, below which a forecast must carry a flag
LEAST_SPAN = 1e-6  # of all that was ever seen; what is nearer to zero is zero
FAR = 10.0  # spans of all that was ever seen, beyond which a value is nonsense
CHUNK = 50  # cases after which what is done is kept


def wrong(case: Odd, told: Forecast) -> list[str]:
    """What is wrong with an answer; empty where nothing is."""
    found = []
    if told.horizon != case.horizon or told.target != case.target:
        found.append("another horizon or target than was asked for")
    seen = case.past.target.values[case.past.target.known]
    quantiles = told.quantiles or ((0.1, told.p10), (0.5, told.p50), (0.9, told.p90))
    values = np.array([series.values for _, series in quantiles])
    levels = [level for level, _ in quantiles]
    if not len(seen) and case.past.issued:
        return found
    if not len(seen):
        return [*found, *(["values although nothing is known"] if not np.isnan(values).all() else []),
                *(["no flag although nothing is known"] if not told.flags else [])]  # fmt: skip
    if not np.isfinite(values).all():
        found.append(f"{(~np.isfinite(values)).sum()} values that are none")
        return found
    if (np.diff(values, axis=0) < 0).any() or levels != sorted(levels):
        found.append("quantiles cross")
    for level, series in ((0.1, told.p10), (0.5, told.p50), (0.9, told.p90)):
        if not np.array_equal(series.values, values[levels.index(level)]):
            found.append(f"P{100 * level:g} is not its quantile")
    if case.target in (Target.PV, Target.CARBON) and values.min() < 0 <= seen.min():
        found.append(f"below zero: {values.min():g}")
    span = max(float(np.ptp(seen)), float(np.abs(seen).max()), LEAST_SPAN)
    if values.min() < seen.min() - FAR * span or values.max() > seen.max() + FAR * span:
        found.append(f"far off: {values.min():g} … {values.max():g} after {seen.min():g} … {seen.max():g}")
    weight = sum(member.weight for member in told.members)
    if told.members and not abs(weight - 1) < 1e-6:
        found.append(f"weights add up to {weight:g}")
    return [*found, *unflagged(case, told)]


def unflagged(case: Odd, told: Forecast) -> list[str]:
    """What should have been said and was not."""
    found, text = [], "; ".join(told.flags)
    target = case.past.target
    known_days = {
        t.date()
        for t, known in zip(target.horizon.times(), target.known, strict=True)
        if known and t < case.horizon.start
    }
    if len(known_days) < FEW_DAYS - 1 and not told.flags:
        found.append(f"no flag with {len(known_days)} days of history")
    if told.source != "combined" and not told.flags:
        found.append(f"no flag though {told.source} answered")
    if told.source == "combined":
        for name, series in case.past.drivers:
            ahead = series.horizon.slot_of(case.horizon.start)
            if not series.known[max(0, ahead) :].any() and name not in text:
                found.append(f"no flag though nothing is known of {name} ahead")
    return found


def tried(seed: int, *, limited: bool = True) -> dict[str, Any]:
    """One case: what is wrong, and how long it took; with the forecaster's own limit of time, or without any."""
    case, forecaster = odd(seed), combined(limited=limited)
    cpu, began = time.process_time(), time.perf_counter()
    try:
        told = forecaster.forecast(case.target, case.past, case.horizon)
    except Exception as failure:
        why = [f"{type(failure).__name__}: {failure}"]
        told = None
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    if told is not None:
        why = wrong(case, told)
        why += [flag for flag in told.flags if "failed" in flag]
    return {"seed": seed, "wrong": why, "seconds": seconds, "cpu": cpu_seconds, "source": told.source if told else "",
            "flagged": bool(told and told.flags)}  # fmt: skip


@cache
def combined(*, limited: bool) -> Forecaster:
    """The forecaster with its default settings, made once a process, and warm."""
    site = Site(id="odd", name="Odd", zone="UTC", currency="EUR", import_limit_kw=1, export_limit_kw=0)
    module = kind("forecasters", "combined")
    settings = module.Settings() if limited else module.Settings(seconds=None)
    forecaster: Forecaster = module.build(settings, Context(site=site, clock=HeldClock(odd(0).horizon.start)))
    for case in map(odd, range(1, 9)):  # what is imported late is imported now
        forecaster.forecast(case.target, case.past, case.horizon)
    return forecaster


def figures(done: Iterable[dict[str, Any]]) -> dict[str, Any]:
    rows = list(done)
    seconds, cpu = np.array([row["seconds"] for row in rows]), np.array([row["cpu"] for row in rows])
    return {
        "cases": len(rows),
        "broken": sum(bool(row["wrong"]) for row in rows),
        "flagged": sum(row["flagged"] for row in rows),
        "p50": float(np.quantile(seconds, 0.5)),
        "p99": float(np.quantile(seconds, 0.99)),
        "longest": float(seconds.max()),
        "cpu_p50": float(np.quantile(cpu, 0.5)),
        "cpu_p99": float(np.quantile(cpu, 0.99)),
        "first_broken": [row for row in rows if row["wrong"]][:50],
    }


def main() -> int:
    """Try seeds 0 … cases, or the given ones; 1 where one is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, nargs="+", help="these only, told in full")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULTS / "fuzz.json")
    parser.add_argument("--again", action="store_true", help="try also what is kept from an earlier run")
    asked = parser.parse_args()
    if asked.seeds:
        for seed in asked.seeds:
            said = tried(seed)
            print(odd(seed).words, said, sep="\n  ")
        return 0
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    kept = asked.json.with_suffix(".jsonl")
    if asked.again:
        kept.unlink(missing_ok=True)
    done = {row["seed"]: row for row in map(json.loads, kept.read_text().splitlines())} if kept.exists() else {}
    wanted = range(asked.first, asked.first + asked.cases)
    left = [seed for seed in wanted if seed not in done]
    with ProcessPoolExecutor(asked.processes) as pool, kept.open("a") as file:
        for place, row in enumerate(pool.map(tried, left, chunksize=5), 1):
            done[row["seed"]] = row
            file.write(json.dumps(row) + "\n")
            if row["wrong"]:
                print(f"{odd(row['seed']).words}\n  {row}", file=sys.stderr, flush=True)
            if place % CHUNK == 0:
                file.flush()
                print(f"{place} of {len(left)}", file=sys.stderr, flush=True)
    found = figures(done[seed] for seed in wanted)
    asked.json.write_text(json.dumps(found, indent=1))
    print(f"{found['cases']} odd inputs: {found['broken']} broken, {found['flagged']} flagged")
    print(", ".join(f"{name} {found[name]:.2f} s" for name in ("p50", "p99", "longest", "cpu_p50", "cpu_p99")))
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
