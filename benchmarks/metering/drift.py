"""Drift of known size on invented machines: how soon it is found, how big it is said to be, and how often there was none.

    python -m benchmarks.metering.drift              # 200 machine-quarters without drift, 100 of each drift; some minutes
    python -m benchmarks.metering.drift --quick      # a tenth of it
    python -m benchmarks.metering.drift --tune       # other seeds: how strong the strongest signal of a quiet quarter is

A machine runs for eight weeks, then for a quarter, and is looked at every night, as in a plant. Nothing of it is regular:
two to ten jobs a working day of one to six products whose mix changes from week to week, some products new in the middle of
the quarter; energy scatters by 1 to 3 % (one standard deviation) from job to job, with one bad run in thirty (5 to 40 %
more), and by up to a third of that from day to day, where a day is like the one before it; it follows the outdoor
temperature by up to 3 % for 10 degrees over a season; one day in twenty is missing. The thresholds were set on seeds from
100,000 on (`--tune`).
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from energy.insight.drift import Change, Observation, change

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
LEARNED_DAYS, QUARTER_DAYS = 56, 91
TUNE_FROM = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """What happens to a machine: `size` more energy, at once or growing over `ramp_days`, from a day of the quarter on."""

    size: float = 0.0
    ramp_days: float = 0.0

    def at(self, days: float) -> float:
        if days < 0.0:
            return 0.0
        return self.size if self.ramp_days == 0.0 else self.size * min(1.0, days / self.ramp_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How a machine works and scatters."""

    jobs_a_day: int
    scatter: float
    products: int
    of_day: float  # standard deviation from day to day
    degree: float  # energy for 10 degrees
    thermometer: bool


def machine_of(dice: np.random.Generator, jobs_a_day: int | None, scatter: float | None) -> Machine:
    thermometer = bool(dice.random() < 0.7)
    spread = scatter or float(dice.uniform(0.01, 0.03))
    return Machine(
        jobs_a_day=jobs_a_day or int(dice.choice([2, 3, 4, 6, 10])),
        scatter=spread,
        of_day=spread * float(dice.uniform(0.0, 1.0 / 3.0)),
        products=int(dice.integers(1, 7)),
        # Without a thermometer a season is a drift like any other; then it is taken to be a small one.
        degree=float(dice.uniform(-0.03, 0.03) if thermometer else dice.uniform(-0.005, 0.005)),
        thermometer=thermometer,
    )


def life(
    seed: int, wear: Wear, *, jobs_a_day: int | None = None, scatter: float | None = None
) -> tuple[list[Observation], float]:
    """The observations of a machine, and the day on which it began to wear."""
    dice = np.random.default_rng(seed)
    made = machine_of(dice, jobs_a_day, scatter)
    begins = LEARNED_DAYS + float(dice.uniform(7.0, 42.0))
    news = {
        p: float(dice.uniform(LEARNED_DAYS, LEARNED_DAYS + 50.0))
        for p in range(1, made.products)
        if dice.random() < 0.2
    }
    usual = dice.normal(0.0, 0.3, made.products)  # what the typed-in energy is off by
    season, phase = float(dice.uniform(5.0, 10.0)), float(dice.uniform(0.0, 2.0 * math.pi))
    mix = dice.dirichlet(np.ones(made.products))
    of_day = weather = 0.0
    found: list[Observation] = []
    for day in range(LEARNED_DAYS + QUARTER_DAYS):
        if day % 7 == 0:
            mix = dice.dirichlet(2.0 * np.ones(made.products))
        of_day = 0.5 * of_day + math.sqrt(0.75) * float(dice.normal(0.0, made.of_day))
        weather = 0.7 * weather + 0.7 * float(dice.normal(0.0, 3.0))
        warm = 12.0 + season * math.sin(2.0 * math.pi * day / 365.0 + phase) + weather
        works = day % 7 < 5 and dice.random() > 0.05
        for nth in range(int(dice.poisson(made.jobs_a_day)) if works else 0):
            product = int(dice.choice(made.products, p=mix))
            if day < news.get(product, 0.0):
                product = 0
            now = day + 0.25 + 0.5 * nth / max(1, made.jobs_a_day)
            value = usual[product] + of_day + float(dice.normal(0.0, made.scatter))
            value += made.degree * (warm - 12.0) / 10.0 + math.log1p(wear.at(now - begins))
            if dice.random() < 1.0 / 30.0:
                value += float(dice.uniform(0.05, 0.4))
            found.append(
                Observation(
                    at=MONDAY + timedelta(days=now),
                    group=f"product {product}",
                    value=float(value),
                    temperature=round(warm, 2) if made.thermometer else None,
                )
            )
    return found, begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A quarter as it was watched: the first report of more energy, after how many days, and the one a week later."""

    found: Change | None
    after_days: float | None
    false_before: bool
    later: Change | None
    begins: float
    strongest: float


def watch(observations: Sequence[Observation], begins: float, *, to_the_end: bool = False) -> Watched:
    """Look every night of the quarter at what is known by then."""
    first: Change | None = None
    when: float | None = None
    strongest, early = 0.0, False
    for night in range(LEARNED_DAYS, LEARNED_DAYS + QUARTER_DAYS + 1):
        now = MONDAY + timedelta(days=night)
        known = [o for o in observations if o.at < now]
        if not known or known[-1].at < now - timedelta(days=1):
            continue
        said = change(known, above=0.0) if to_the_end else change(known)
        if said is None:
            continue
        strongest = max(strongest, said.strength)
        if not to_the_end and said.size > 0:
            if night <= begins:
                early = True
            first, when = said, night - begins
            break
    later = None
    if first is not None and when is not None:
        now = MONDAY + timedelta(days=begins + when + 7.0)
        later = change([o for o in observations if o.at < now])
    return Watched(found=first, after_days=when, false_before=early, later=later, begins=begins, strongest=strongest)


def share(values: Sequence[float], below: float) -> float:
    return sum(v <= below for v in values) / len(values) if values else float("nan")


def row(title: str, wear: Wear, seeds: range, **machine: float) -> dict[str, object]:
    """One line of the table."""
    seen = [watch(*life(seed, wear, **machine)) for seed in seeds]  # type: ignore[arg-type]
    delays = [w.after_days if w.after_days is not None and not w.false_before else math.inf for w in seen]
    late = [w for w in seen if w.later is not None and not w.false_before and w.found is not None]
    off = [w.later.size - wear.at(1e9 if not wear.ramp_days else (w.after_days or 0.0) + 7.0) for w in late if w.later]
    since = [(w.later.since - MONDAY) / timedelta(days=1) - w.begins for w in late if w.later]
    inside = [
        w.later.since_first <= MONDAY + timedelta(days=w.begins) <= w.later.since_last + timedelta(days=1)
        for w in late
        if w.later
    ]
    return {
        "title": title,
        "quarters": len(seen),
        "false": sum(w.false_before for w in seen),
        "within a week": share(delays, 7.0),
        "within two": share(delays, 14.0),
        "found": share(delays, QUARTER_DAYS),
        "median": float(np.median(delays)),
        "p90": float(np.quantile(np.array(delays), 0.9, method="higher")),
        "size off by": float(np.median(np.abs(off))) if off else None,
        "since off by": float(np.median(np.abs(since))) if since else None,
        "since inside": float(np.mean(inside)) if inside else None,
    }


def quiet(seeds: range) -> list[float]:
    """The strongest signal of each quarter without drift (0 where none was big enough to be told)."""
    return [watch(*life(seed, Wear()), to_the_end=True).strongest for seed in seeds]


def table(rows: Sequence[dict[str, object]]) -> str:
    head = (
        "| drift | machine-quarters | found within a week | two weeks | the quarter | median days | P90 days "
        "| size off by | since off by, days | since in its interval | false before |"
    )
    lines = [head, "|---" * 11 + "|"]
    for r in rows:

        def told(name: str, form: str, r: dict[str, object] = r) -> str:
            value = r[name]
            return "–" if value is None or not math.isfinite(float(value)) else format(float(value), form)  # type: ignore[arg-type]

        lines.append(
            f"| {r['title']} | {r['quarters']} | {told('within a week', '.0%')} | {told('within two', '.0%')} "
            f"| {told('found', '.0%')} | {told('median', '.1f')} | {told('p90', '.1f')} | {told('size off by', '.1%')} "
            f"| {told('since off by', '.1f')} | {told('since inside', '.0%')} | {r['false']} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the machine-quarters")
    parser.add_argument("--tune", action="store_true", help="the strongest signals of quiet quarters, on other seeds")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    parser.add_argument("--quarters", type=int, default=200, help="without drift; half as many of each drift")
    said = parser.parse_args(argv)
    count = max(10, said.quarters // 10) if said.quick else said.quarters
    began = time.process_time()
    if said.tune:
        strongest = np.array(quiet(range(TUNE_FROM, TUNE_FROM + count)))
        for part in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0):
            print(f"{part:6.1%} of {count} quiet quarters stay below {np.quantile(strongest, part):.2f}")
        return 0
    still = [watch(*life(seed, Wear())) for seed in range(count)]
    alarms = sum(w.found is not None for w in still)
    print(f"no drift: {alarms} false alarms in {count} machine-quarters ({count * QUARTER_DAYS} nights)", flush=True)
    half = range(1_000, 1_000 + count // 2)
    rows = []
    for title, wear, machine in (
        ("3 % at once", Wear(size=0.03), {}),
        ("5 % at once", Wear(size=0.05), {}),
        ("10 % at once", Wear(size=0.10), {}),
        ("5 % at once, 2 jobs a day that scatter by 2 %", Wear(size=0.05), {"jobs_a_day": 2, "scatter": 0.02}),
        ("5 % at once, 4 jobs a day that scatter by 2 %", Wear(size=0.05), {"jobs_a_day": 4, "scatter": 0.02}),
        ("5 % at once, 4 jobs a day that scatter by 3 %", Wear(size=0.05), {"jobs_a_day": 4, "scatter": 0.03}),
        ("5 % at once, 10 jobs a day that scatter by 3 %", Wear(size=0.05), {"jobs_a_day": 10, "scatter": 0.03}),
        ("10 % growing over 30 days", Wear(size=0.10, ramp_days=30.0), {}),
        ("5 % growing over 30 days", Wear(size=0.05, ramp_days=30.0), {}),
    ):
        rows.append(row(title, wear, half, **machine))
        print(f"  {title}: done", file=sys.stderr, flush=True)
    print(table(rows))
    seconds = time.process_time() - began
    print(f"{seconds:.0f} s of CPU")
    if said.json:
        said.json.write_text(
            json.dumps({"quarters": count, "false alarms": alarms, "rows": rows, "cpu_s": seconds}, indent=1)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
