"""How fast and how good: a table over seeded plants, with versions and seed. `python -m benchmarks.optimize`

    python -m benchmarks.optimize                                    # seeds 11 to 13, none of which anything was tuned on
    python -m benchmarks.optimize --only "60 jobs" --seeds 1 2 3     # the seeds that were looked at while tuning
    python -m benchmarks.optimize --json rows.json                   # keeps what is finished, and goes on there

A plan that `check` refuses, and a plant without a plan, are rows like any other and say so.
"""

import argparse
import json
import os
import platform
import resource
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.plants import Size, plant
from energy.model.problem import Problem
from energy.model.site import BatteryRule
from energy.planning.check import check
from optimizer.greedy import dispatched
from optimizer.milp import Milp

TUNED_ON = (1, 2, 3)
REPORTED = (11, 12, 13)
GAP = 0.0005  # at which a plan is good enough; far below every target
SPARE = 1.0  # seconds by which a plan may be late


@dataclass(frozen=True, slots=True)
class Row:
    """What is asked of a kind of plant: its size, the seconds for a plan, and what must be reached in them."""

    size: Size
    seconds: float
    first_s: float
    gap: float


OWN = BatteryRule.SELF_CONSUMPTION
ROWS = {
    "20 jobs": Row(Size(jobs=20), 5, 0.5, 0.005),
    "20 lumpy jobs": Row(Size(jobs=20, lumpy=True), 5, 0.5, 0.01),
    "60 jobs": Row(Size(jobs=60), 5, 0.5, 0.005),
    "60 lumpy jobs": Row(Size(jobs=60, lumpy=True), 5, 0.5, 0.005),
    "60 jobs, battery by its own rule": Row(Size(jobs=60, battery=OWN), 5, 0.5, 0.005),
    "60 jobs, no battery": Row(Size(jobs=60, battery=None), 5, 0.5, 0.005),
    "60 jobs, one import price": Row(Size(jobs=60, flat=True), 5, 0.5, 0.005),
    "60 jobs, all prices alike": Row(Size(jobs=60, flat=True, nothing_to_gain=True), 5, 0.5, 0.005),
    "100 jobs": Row(Size(jobs=100), 5, 0.5, 0.005),
    "200 jobs, a week": Row(Size(jobs=200, slots=672, machines=12), 15, 1.0, 0.01),
    "500 jobs, a week, 20 machines": Row(Size(jobs=500, slots=672, machines=20), 60, 1.0, 0.01),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One plant planned. Seconds count from the loaded problem; CPU seconds are those of parent and child together."""

    plant: str
    seed: int
    tuned_on: bool
    asked_s: float
    first_s: float | None  # until the first plan better than the one in force; None: none is better
    in_force: float
    plan: float | None
    bound: float | None
    gap: float | None
    seconds: float
    cpu_s: float
    moved: int
    jobs: int
    kept: str  # ok, REFUSED by check, or why there is no plan
    reached: bool
    made_at: str
    versions: str


def main() -> None:
    """Measure what is not yet measured, and print the table."""
    asked = _asked()
    measured = _finished(asked.json)
    optimizer = Milp(gap=GAP)
    assert optimizer.worker is not None
    for name, row in ROWS.items():
        for seed in asked.seeds:
            key = name, seed
            if asked.only not in name or (key in measured and not asked.again):
                continue
            measured[key] = measure(optimizer, name, row, seed, asked.seconds or row.seconds)
            print(line(measured[key]), file=sys.stderr, flush=True)
            if asked.json is not None:
                asked.json.write_text(json.dumps([asdict(m) for m in measured.values()], indent=1))
    optimizer.worker.end()
    wanted = [m for (name, seed), m in measured.items() if asked.only in name and seed in asked.seeds]
    print(table(wanted))
    if any(m.kept != "ok" for m in wanted):
        sys.exit(1)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="time for each plan, instead of each row's own")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(REPORTED), help="one plant of each size for each")
    parser.add_argument("--only", default="", help="only the sizes whose name holds this")
    parser.add_argument("--json", type=Path, help="keep what is measured in this file, and do not measure it twice")
    parser.add_argument("--again", action="store_true", help="measure also what that file has already")
    return parser.parse_args()


def _finished(file: Path | None) -> dict[tuple[str, int], Measured]:
    if file is None or not file.exists():
        return {}
    kept = [Measured(**said) for said in json.loads(file.read_text())]
    return {(m.plant, m.seed): m for m in kept}


def measure(optimizer: Milp, name: str, row: Row, seed: int, seconds: float) -> Measured:
    """Plan one plant, and hold the plan against `check`."""
    problem = plant(row.size, seed)
    before = dispatched(problem).plan
    assert before is not None
    assert optimizer.worker is not None
    optimizer.worker.warm()
    time.sleep(1.0)  # a child that had to be started anew loads its libraries
    told: list[tuple[float, float]] = []
    cpu, began = _cpu_s(optimizer), time.monotonic()
    answer = optimizer.solve(
        problem, seconds=seconds, progress=lambda cost, _: told.append((time.monotonic() - began, cost))
    )
    took, spent = time.monotonic() - began, _cpu_s(optimizer) - cpu
    plan = answer.plan
    first = next((at for at, cost in told if cost < before.bill.total - 0.01), None)
    gap = None if plan is None else plan.how.gap
    kept = _kept(problem, answer.contradictions) if plan is None else "REFUSED" if check(problem, plan) else "ok"
    in_time = took <= seconds + SPARE and (first is None or first <= row.first_s)
    return Measured(
        plant=name,
        seed=seed,
        tuned_on=seed in TUNED_ON,
        asked_s=seconds,
        first_s=first,
        in_force=before.bill.total,
        plan=None if plan is None else plan.bill.total,
        bound=None if plan is None else plan.how.bound,
        gap=gap,
        seconds=took,
        cpu_s=spent,
        moved=0 if plan is None else sum(a != b for a, b in zip(before.placements, plan.placements, strict=True)),
        jobs=len(problem.jobs),
        kept=kept,
        reached=kept == "ok" and in_time and gap is not None and gap <= row.gap,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=", ".join(f"{of} {version(of)}" for of in ("highspy", "pulp", "numpy")),
    )


def _kept(problem: Problem, contradictions: tuple[str, ...]) -> str:
    return f"no plan for {problem.site}: {'; '.join(contradictions)}"


def _cpu_s(optimizer: Milp) -> float:
    """CPU seconds of this process, of its child, and of children that had to be ended."""
    used = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    stat = Path(f"/proc/{optimizer.worker.pid if optimizer.worker is not None else 0}/stat")
    if stat.exists():  # only Linux tells of a child that still runs
        used += int(stat.read_text().rsplit(")", 1)[1].split()[11]) / os.sysconf("SC_CLK_TCK")
    return used


def line(m: Measured) -> str:
    """One row of the table."""
    first = "–" if m.first_s is None else f"{m.first_s:.2f}"
    plan, bound = (f"{x:.2f}" if x is not None else "–" for x in (m.plan, m.bound))
    gap = "–" if m.gap is None else f"{100 * m.gap:.2f}"
    reached = "yes" if m.reached else "no"
    seed = f"{m.seed}, tuned on" if m.tuned_on else str(m.seed)
    times = f"{m.seconds:.1f} of {m.asked_s:g} | {m.cpu_s:.1f}"
    return (
        f"| {m.plant} | {seed} | {first} | {m.in_force:.2f} | {plan} | {bound} | {gap} | {reached} | {times} | "
        f"{m.moved} of {m.jobs} | {m.kept} |"
    )


def table(measured: list[Measured]) -> str:
    """All rows, with versions, machine and dates."""
    versions = sorted({m.versions for m in measured})
    dates = sorted({m.made_at[:10] for m in measured})
    head = f"Python {platform.python_version()}, {'; '.join(versions)}; {platform.machine()}, {os.cpu_count()} cores; "
    head += ", ".join(dates)
    columns = "plant | seed | first plan, s | in force | plan | bound | gap, % | reached | s | CPU s | moved | check"
    return "\n".join([head, "", f"| {columns} |", "|---" * 12 + "|", *(line(m) for m in measured)])


if __name__ == "__main__":
    main()
