"""The child process that solves: one task after another from standard input, until the parent is gone."""

import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from optimizer.plant import Plant
from optimizer.reckoning import Dispatch
from optimizer.solve import Meanwhile, build, solve
from optimizer.starts import Chosen
from optimizer.structure import engine_of
from optimizer.worker import Finished, Found, Hint, Mailbox, Stop, Task, starts_of


def work(task: Task, tell: Callable[[Found], None], mailbox: Mailbox | None = None) -> Finished:
    """Solve a task; used by the child, and in one's own process by tests."""
    mailbox = mailbox or Mailbox()
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

    def hint() -> tuple[Chosen, float] | None:
        said, mailbox.hint = mailbox.hint, None
        return None if said is None else (starts_of(plant, said.chosen), said.cost)

    solved = solve(
        plant,
        model=build(plant),
        seconds=task.until - time.monotonic(),
        gap=task.gap,
        first=starts_of(plant, task.first),
        better=better,
        work=task.work,
        seed=task.seed,
        meanwhile=Meanwhile(hint=hint, stopped=lambda: mailbox.stopped),
    )
    placements = None if solved.chosen is None else plant.placements(solved.chosen)
    return Finished(placements, solved.dispatch, solved.bound, solved.optimal, solved.status)


def main() -> None:
    """Read, solve, answer."""
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to standard error

    def tell(message: object) -> None:
        pickle.dump(message, said)
        said.flush()

    asked: queue.SimpleQueue[tuple[Task, Mailbox] | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, asked), daemon=True).start()
    while (next_task := asked.get()) is not None:
        task, mailbox = next_task
        try:
            tell(work(task, tell, mailbox))
        except BrokenPipeError:
            return
        except Exception as error:  # the parent answers with the first plan, and names this
            tell(f"{type(error).__name__}: {error}")


def _read(pipe: IO[bytes], asked: "queue.SimpleQueue[tuple[Task, Mailbox] | None]") -> None:
    """Take in what the parent says, also while a task is solved."""
    mailbox = Mailbox()
    while True:
        try:
            word = pickle.load(pipe)
        except EOFError:
            asked.put(None)
            mailbox.stopped = True
            return
        if isinstance(word, Task):
            mailbox = Mailbox()
            asked.put((word, mailbox))
        elif isinstance(word, Hint):
            mailbox.hint = word
        elif isinstance(word, Stop):
            mailbox.stopped = True


if __name__ == "__main__":
    main()
