"""The loader of the ICON challenge, on an instance small enough to reckon by hand."""

import time
from pathlib import Path

import pytest

from benchmarks.scheduling.icon import instances
from benchmarks.scheduling.instance import Broken, Instance, Row, rows_of
from energy.planning.check import check
from optimizer.many_machines.answer import answer
from optimizer.many_machines.posed import many_machines

HOURS = 0.5  # of a period
PRICE = [1.0] * 48
PRICE[10:14] = [0.5, 0.1, 0.1, 5.0]

# 30 minutes, two resources; machine 7 draws 10 and costs 3 to start and 2 to stop, machine 4 draws 20
HEAD = "30 2 \n2\n7 10 3.0 2.0\n 5 9\n4 20 0.5 0.0\n 5 9\n"
# id, duration, earliest start, latest end, power, needs
TASKS = ("0 2 10 14 4.0\n3 1", "5 1 11 12 8\n2 2", "9 1 13 48 6\n4 4")


def text(*tasks: str, head: str = HEAD) -> str:
    return head + f"{len(tasks)}\n" + "\n".join(tasks) + "\n"


def prices(row: list[float]) -> str:
    return f"{len(row)}\n" + "\n".join(f"{period} {price}" for period, price in enumerate(row)) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "set" / "instance00"
    inside.mkdir(parents=True)
    (inside / "instance.txt").write_text(text(*TASKS), encoding="utf-8")
    (inside / "forecast.txt").write_text(prices(PRICE), encoding="utf-8")
    return tmp_path


def one(folder: Path) -> Instance:
    (instance,) = instances(folder)
    assert isinstance(instance, Instance)
    return instance


def rows(*places: tuple[int, int, int]) -> list[Row]:
    return [Row(job=job, machine=machine, start=start) for job, machine, start in places]


def test_the_problem_is_what_the_file_says(folder: Path) -> None:
    instance = one(folder)
    problem = instance.problem
    assert instance.name == "set/instance00"
    assert instance.published is None
    assert (problem.slots, problem.step_minutes) == (48, 30)
    assert [machine.id for machine in problem.machines] == ["7", "4"]
    assert [resource.amount for resource in problem.machines[0].resources] == [(5.0,), (9.0,)]
    job = problem.jobs[1]
    assert (job.id, job.earliest, job.must_end, job.options[0].machines) == ("5", 11, 12, ("7", "4"))
    assert [(use.resource, use.amount) for use in job.options[0].uses] == [("0", 2.0), ("1", 2.0)]
    assert problem.import_price[11] == 0.1


TOGETHER = rows((0, 7, 11), (5, 7, 11), (9, 7, 14))  # machine 7 in 11, 12 and 14


def test_the_cost_by_the_source_s_formula(folder: Path) -> None:
    # tasks: 4 · 0.2 · h + 8 · 0.1 · h + 6 · 1 · h; machine 7: 10 · (0.1 + 0.1 + 1) · h, and on twice,
    # since staying on through period 13 would cost 10 · 5 · h = 25 and not 3 + 2
    tasks = (4 * 0.2 + 8 * 0.1 + 6.0) * HOURS
    assert one(folder).faults(TOGETHER) == []
    assert one(folder).objective(TOGETHER) == pytest.approx(tasks + 10 * 1.2 * HOURS + 2 * (3 + 2))


def test_a_machine_stays_on_where_that_is_cheaper(folder: Path) -> None:
    between = rows((0, 7, 10), (5, 4, 11), (9, 7, 14))  # machine 7 in 10, 11 and 14: 12 is cheap, 13 is not
    tasks = (4 * 0.6 + 8 * 0.1 + 6.0) * HOURS
    machines = 10 * (0.6 + 1.0) * HOURS + 2 * (3 + 2) + 20 * 0.1 * HOURS + 0.5
    assert one(folder).objective(between) == pytest.approx(tasks + machines)
    near = rows((0, 7, 10), (5, 4, 11), (9, 7, 13))  # through 12, for 10 · 0.1 · h
    tasks = (4 * 0.6 + 8 * 0.1 + 6 * 5.0) * HOURS
    machines = 10 * (0.6 + 0.1 + 5.0) * HOURS + (3 + 2) + 20 * 0.1 * HOURS + 0.5
    assert one(folder).objective(near) == pytest.approx(tasks + machines)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (rows((0, 7, 11), (5, 7, 11)), "task 9 is placed 0 times"),
        ([*TOGETHER, Row(job=0, machine=4, start=11)], "task 0 is placed 2 times"),
        ([*TOGETHER, Row(job=1, machine=4, start=11)], "there is no task 1"),
        (rows((0, 7, 9), (5, 7, 11), (9, 7, 14)), "task 0 starts in 9, before 10"),
        (rows((0, 7, 13), (5, 7, 11), (9, 7, 14)), "task 0 ends in 15, after 14"),
        (rows((0, 7, 11), (5, 7, 11), (9, 7, 48)), "task 9 does not run within the day"),
        (rows((0, 1, 11), (5, 7, 11), (9, 7, 14)), "task 0 is on machine 1, which is not there"),
        (rows((0, 7, 12), (5, 7, 11), (9, 7, 13)), "machine 7 holds 7 of resource 0 in 13, it has 5"),
    ],
)
def test_what_the_source_does_not_allow(folder: Path, wrong: list[Row], said: str) -> None:
    assert said in one(folder).faults(wrong)


def test_a_plan_is_checked_and_its_bill_is_the_source_s_cost(folder: Path) -> None:
    instance = one(folder)
    posed = many_machines(instance.problem, many=0)
    assert posed is not None
    made = answer(posed, until=time.monotonic() + 0.3, gap=0.0, began=0.0)
    assert made.plan is not None
    assert check(instance.problem, made.plan) == []
    placed = rows_of(instance, made.plan)
    assert instance.faults(placed) == []
    assert instance.objective(placed) == pytest.approx(made.plan.bill.total)
    # all on machine 4: it stops between, at no cost
    assert made.plan.bill.total <= (4 * 0.2 + 8 * 0.1 + 6.0) * HOURS + 20 * 1.2 * HOURS + 2 * 0.5 + 1e-9
    assert made.plan.how.bound is not None
    assert made.plan.how.bound <= made.plan.bill.total + 1e-9


@pytest.mark.parametrize(
    ("instance", "forecast", "why"),
    [
        (text(*TASKS)[:-4], prices(PRICE), "ends before a need of task 9"),
        (text(*TASKS) + " 1", prices(PRICE), "1 numbers too many"),
        (text(*TASKS, TASKS[0]), prices(PRICE), "task 0 is there twice"),
        (text("0 0 10 14 4.0\n3 1"), prices(PRICE), "the duration of task 0 is 0"),
        (text(*TASKS).replace("8\n2 2", "x\n2 2"), prices(PRICE), "the power of task 5 is 'x'"),
        (text(*TASKS), prices(PRICE[:-1]), "has 47 periods"),
        (text(*TASKS), prices(PRICE).replace("\n3 ", "\n4 "), "each of the periods 0 to 47 once"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, instance: str, forecast: str, why: str) -> None:
    (tmp_path / "instance.txt").write_text(instance, encoding="utf-8")
    (tmp_path / "forecast.txt").write_text(forecast, encoding="utf-8")
    (broken,) = instances(tmp_path)
    assert isinstance(broken, Broken)
    assert broken.name == tmp_path.name
    assert why in broken.why


def test_without_prices_it_is_broken(folder: Path) -> None:
    (folder / "set" / "instance00" / "forecast.txt").unlink()
    (broken,) = instances(folder)
    assert isinstance(broken, Broken)
    assert "forecast.txt" in broken.why
