"""The child process that solves: one task after another from standard input, until the parent is gone."""

import os
import pickle
import sys
import time
from collections.abc import Callable

from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.solve import build, solve
from optimizer.starts import Chosen
from optimizer.structure import engine_of
from optimizer.worker import Finished, Found, Task, starts_of


def work(task: Task, tell: Callable[[Found], None]) -> Finished:
    """Solve a task; used by the child, and in one's own process by tests."""
    plant = Plant(task.problem)
    plant.own_schedule = task.own_schedule

    def better(chosen: Chosen, dispatch: Dispatch | None, cost: float, bound: float | None) -> None:
        tell(Found(plant.placements(chosen), dispatch, cost, bound))

    engine = engine_of(plant)
    if engine is not None:
        first = starts_of(plant, task.first)
        ended = engine.solve(first=first, seconds=task.until - time.monotonic(), gap=task.gap, tell=better)
        places = None if ended.chosen is None else plant.placements(ended.chosen)
        return Finished(places, ended.dispatch, ended.bound, ended.optimal, ended.status)
    solved = solve(
        plant,
        model=build(plant),
        seconds=task.until - time.monotonic(),
        gap=task.gap,
        first=starts_of(plant, task.first),
        better=better,
    )
    placements = None if solved.chosen is None else plant.placements(solved.chosen)
    return Finished(placements, solved.dispatch, solved.bound, solved.optimal, solved.status)


def main() -> None:
    """Read, solve, answer."""
    asked = sys.stdin.buffer
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to standard error

    def tell(message: object) -> None:
        pickle.dump(message, said)
        said.flush()

    while True:
        try:
            task = pickle.load(asked)
        except EOFError:
            return
        try:
            tell(work(task, tell))
        except BrokenPipeError:
            return
        except Exception as error:  # the parent answers with the first plan, and names this
            tell(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
