"""How long it takes to build a program and to hand it to HiGHS. `python -m benchmarks.handover`

The plant is one of `benchmarks.plants`, grown until its program has about 200,000 nonzeros. PuLP's own in-memory way is
measured in the same run, on the same program.
"""

import argparse
import platform
import time
from importlib.metadata import version
from typing import Any

import pulp

from benchmarks.plants import Size, plant
from energy.model.problem import Problem
from optimizer.handover import arrays, loaded
from optimizer.model import Model
from optimizer.plant import Plant
from optimizer.solve import build

SIZE = Size(jobs=64, slots=672, machines=12)


def main() -> None:
    """Print one table: CPU seconds, the best of a few runs, and what PuLP's own way takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=SIZE.jobs, help="jobs over a week of quarter hours")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    problem = plant(Size(jobs=asked.jobs, slots=SIZE.slots, machines=SIZE.machines), asked.seed)
    laid_out, model, handed = (
        min(times) for times in zip(*(_measured(problem) for _ in range(asked.runs)), strict=True)
    )
    program = build(Plant(problem))
    columns, rows, nonzeros = program.size
    theirs = _theirs(program)
    versions = ", ".join(f"{name} {version(name)}" for name in ("highspy", "pulp", "numpy"))
    print(f"Python {platform.python_version()}, {versions}; {platform.machine()}; CPU seconds, best of {asked.runs}\n")
    print(
        "| columns | rows | nonzeros | starts, s | program, s | hand-over, s | all, s | PuLP's hand-over, s | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    ours = f"{laid_out:.3f} | {model:.3f} | {handed:.3f} | {laid_out + model + handed:.3f}"
    print(f"| {columns} | {rows} | {nonzeros} | {ours} | {theirs:.3f} | {theirs / handed:.0f} |")


def _measured(problem: Problem) -> tuple[float, float, float]:
    began = time.process_time()
    laid_out = Plant(problem)
    starts = time.process_time()
    program = build(laid_out)
    built = time.process_time()
    loaded(arrays(program), {})
    return starts - began, built - starts, time.process_time() - built


def _theirs(program: Model) -> float:
    """PuLP's own way into HiGHS."""
    same: Any = program.program()
    began = time.process_time()
    solver: Any = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(same)
    solver.buildSolverModel(same)
    return time.process_time() - began


if __name__ == "__main__":
    main()
