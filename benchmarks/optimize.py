"""How fast and how good: a table over seeded plants, with versions and seed. `python -m benchmarks.optimize`"""

import argparse
import platform
import time
from importlib.metadata import version

from benchmarks.plants import Size, plant
from energy.model.problem import Problem
from energy.model.site import BatteryRule
from energy.planning.check import check
from optimizer.greedy import dispatched
from optimizer.milp import Milp

SIZES = {
    "20 jobs": Size(jobs=20),
    "20 lumpy jobs": Size(jobs=20, lumpy=True),
    "60 jobs": Size(jobs=60),
    "60 jobs, battery by its own rule": Size(jobs=60, battery=BatteryRule.SELF_CONSUMPTION),
    "60 jobs, no battery": Size(jobs=60, battery=None),
    "60 lumpy jobs": Size(jobs=60, lumpy=True),
    "60 jobs, all prices alike": Size(jobs=60, flat=True),
    "100 jobs": Size(jobs=100),
    "200 jobs, a week": Size(jobs=200, slots=672, machines=12),
}


def main() -> None:
    """Print the table; a plan that `check` refuses is counted as such."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="time for each plan")
    parser.add_argument("--seeds", type=int, default=1, help="plants of each size")
    parser.add_argument("--only", default="", help="only the sizes whose name holds this")
    asked = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("highspy", "pulp", "numpy"))
    print(f"Python {platform.python_version()}, {versions}; {platform.machine()}; {asked.seconds:g} s a plan\n")
    print("| plant | seed | first plan, s | in force | first plan | plan | gap, % | seconds | moved | check |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    optimizer = Milp(gap=0.0005)
    assert optimizer.worker is not None
    optimizer.worker.warm()
    for name, size in SIZES.items():
        for seed in range(1, asked.seeds + 1):
            if asked.only in name:
                print(row(optimizer, name, seed, plant(size, seed), asked.seconds), flush=True)
    optimizer.worker.end()


def row(optimizer: Milp, name: str, seed: int, problem: Problem, seconds: float) -> str:
    """One line: a plant planned, its times and costs."""
    before = dispatched(problem).plan
    assert before is not None
    told: list[tuple[float, float]] = []
    began = time.monotonic()
    answer = optimizer.solve(
        problem, seconds=seconds, progress=lambda cost, _: told.append((time.monotonic() - began, cost))
    )
    took = time.monotonic() - began
    plan = answer.plan
    if plan is None:
        return f"| {name} | {seed} | no plan: {'; '.join(answer.contradictions)} |"
    searched = [(at, cost) for at, cost in told if cost < before.bill.total - 0.01] or told
    first, first_cost = searched[0]
    gap = "–" if plan.how.gap is None else f"{100 * plan.how.gap:.2f}"
    moved = sum(a != b for a, b in zip(before.placements, plan.placements, strict=True))
    kept = "ok" if not check(problem, plan) else "REFUSED"
    costs = f"{before.bill.total:.2f} | {first_cost:.2f} | {plan.bill.total:.2f}"
    return f"| {name} | {seed} | {first:.2f} | {costs} | {gap} | {took:.1f} | {moved} of {len(problem.jobs)} | {kept} |"


if __name__ == "__main__":
    main()
