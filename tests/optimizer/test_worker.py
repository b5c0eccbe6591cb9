"""The solver's process: it answers, keeps its deadline, and nothing is lost when it is ended."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from energy.model.plan import HowFound
from energy.model.problem import Problem
from energy.model.site import BatteryRule
from optimizer.greedy import Greedy
from optimizer.milp import Milp
from tests.optimizer.plants import job, plant, starts

PRICES = [9.0, 9.0, 1.0, 2.0, 9.0]


def small() -> Problem:
    return plant(PRICES, job("a", 10, start=0), job("b", 9, start=1))


def hard() -> Problem:
    """Far more than can be proven in the seconds of a test."""
    from benchmarks.plants import Size
    from benchmarks.plants import plant as made

    return made(Size(jobs=80, slots=192, battery=BatteryRule.PLANNED, lumpy=True), seed=3)


@pytest.fixture(scope="module")
def optimizer():
    made = Milp(gap=0.0)
    yield made
    assert made.worker is not None
    made.worker.end()


def test_the_child_answers_with_a_proof(optimizer: Milp) -> None:
    told: list[tuple[float, float | None]] = []
    answer = optimizer.solve(small(), seconds=20, progress=lambda cost, bound: told.append((cost, bound)))
    assert answer.plan is not None
    assert starts(answer.plan) == {"a": 2, "b": 3}
    assert answer.plan.how.found is HowFound.OPTIMAL
    assert answer.plan.how.bound == pytest.approx(answer.plan.bill.total, abs=1e-6)
    assert answer.plan.how.note == ""
    assert told


def test_the_child_stays_warm(optimizer: Milp) -> None:
    optimizer.solve(small(), seconds=20)
    assert optimizer.worker is not None
    first = optimizer.worker.pid
    optimizer.solve(small(), seconds=20)
    assert optimizer.worker.pid == first is not None


def test_a_child_that_is_killed_in_the_middle_leaves_the_greedy_plan() -> None:
    optimizer, problem = Milp(gap=0.0), hard()
    assert optimizer.worker is not None
    optimizer.worker.warm()
    pid = optimizer.worker.pid
    assert pid is not None
    killer = threading.Timer(5.0, os.kill, (pid, signal.SIGKILL))
    killer.start()
    answer = optimizer.solve(problem, seconds=30)
    killer.join()
    assert answer.plan is not None
    assert answer.plan.how.found is HowFound.HEURISTIC
    assert "the solver failed" in answer.plan.how.note
    in_force = optimizer.dispatch(problem).plan
    assert in_force is not None
    assert answer.plan.bill.total < in_force.bill.total
    again = optimizer.solve(small(), seconds=20)  # the next task starts another child
    assert again.plan is not None
    assert again.plan.how.found is HowFound.OPTIMAL
    optimizer.worker.end()


@pytest.mark.parametrize("seconds", [2.0, 5.0])
def test_the_deadline_is_kept_to_a_second(optimizer: Milp, seconds: float) -> None:
    began = time.monotonic()
    answer = optimizer.solve(hard(), seconds=seconds)
    assert time.monotonic() - began < seconds + 1.0
    assert answer.plan is not None


def test_greedy_keeps_its_deadline_too() -> None:
    began = time.monotonic()
    assert Greedy(groups=10**6).solve(hard(), seconds=1.5).plan is not None
    assert time.monotonic() - began < 2.5


def test_the_child_loads_no_pandas() -> None:
    said = "import optimizer.child, sys; print('pandas' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "False"
