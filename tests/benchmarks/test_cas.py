"""The loader of the carbon-aware instances, on files small enough to reckon by hand."""

from pathlib import Path

import pytest

from benchmarks.scheduling.cas import instances
from benchmarks.scheduling.instance import Broken, Instance, Row
from energy.planning.check import check
from optimizer.milp import Milp

SUN = range(40, 42)  # 300 kW of generation in these two slots
DIRTY, CLEAN = 100.0, 20.0  # the grid is clean from slot 90 on


def text(*powers: str, machines: int = 1, days: int = 1, jobs: int | None = None, slots: int = 96) -> str:
    """An instance whose grid is dirty but for its last six slots."""
    number = len(powers) if jobs is None else jobs
    head = f"{machines},{days},{number},5,1234"
    generation = ",".join("300.0" if slot in SUN else "0.0" for slot in range(slots))
    carbon = ",".join(str(CLEAN if slot >= 90 else DIRTY) for slot in range(slots))
    return "\r\n".join([head, *powers, generation, carbon, ",".join(["9.5"] * slots)]) + "\r\n"


JOBS = ("400,100", "200", "50,50")


def one(folder: Path) -> Instance:
    (instance,) = instances(folder)
    assert isinstance(instance, Instance)
    return instance


def rows(*start: int) -> list[Row]:
    return [Row(job=job, start=slot, machine=0) for job, slot in enumerate(start)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny_1.cas").write_text(text(*JOBS), encoding="utf-8")
    return tmp_path


def test_the_problem_is_what_the_file_says(folder: Path) -> None:
    instance = one(folder)
    problem = instance.problem
    assert instance.name == "tiny_1"
    assert (problem.slots, problem.step_minutes) == (96, 15)
    assert [job.options[0].power_kw for job in problem.jobs] == [(400.0, 100.0), (200.0,), (50.0, 50.0)]
    assert [job.in_force.start for job in problem.jobs] == [0, 2, 3]  # as listed, one after the other
    assert problem.pv_kw[40] == 300.0
    assert problem.import_price[0] == DIRTY


@pytest.mark.parametrize(
    ("start", "objective"),
    [
        ((0, 2, 3), 0.25 * DIRTY * (500 + 200 + 100)),
        ((40, 0, 90), 0.25 * (DIRTY * (100 + 200) + CLEAN * 100)),  # 100 kW beyond the sun, then covered
        ((94, 40, 90), 0.25 * CLEAN * (500 + 100)),  # the one job below the sun's power
    ],
)
def test_the_formula_of_the_source(folder: Path, start: tuple[int, ...], objective: float) -> None:
    instance = one(folder)
    assert instance.faults(rows(*start)) == []
    assert instance.objective(rows(*start)) == pytest.approx(objective)


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (rows(0, 1, 3), "jobs [0, 1] run at once in slot 1"),
        (rows(0, 2, 95), "job 2 runs in slots 95 to 96, outside 0 to 95"),
        (rows(0, 2), "job 2 runs 0 times"),
        ([*rows(0, 2, 3), Row(job=7, start=0, machine=0)], "job 7 is not in the file"),
        ([*rows(0, 2), Row(job=2, start=3, machine=1)], "job 2 runs on machine 1; there is only machine 0"),
    ],
)
def test_what_the_source_does_not_allow(folder: Path, plan: list[Row], word: str) -> None:
    assert word in one(folder).faults(plan)


def test_the_best_plan_by_hand(folder: Path) -> None:
    """All in the clean slots costs 0.25 · 20 · 800 = 4000. The 200 kW under the sun spare 1000 of it, the 50 kW would
    spare 500, and the 400 kW nothing (100 kW of it are beyond the sun): 3000."""
    instance = one(folder)
    answer = Milp(gap=0.0, process=False).solve(instance.problem, seconds=20)
    assert answer.plan is not None
    assert not check(instance.problem, answer.plan)
    made = [Row(job=int(p.job), start=p.start, machine=int(p.machine)) for p in answer.plan.placements]
    assert instance.faults(made) == []
    assert answer.plan.bill.total == pytest.approx(3000.0)
    assert instance.objective(made) == pytest.approx(3000.0)
    assert answer.plan.how.bound == pytest.approx(3000.0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (text(*JOBS, machines=3), "3 machines: a flow shop of several machines is not read here"),
        (text(*JOBS, jobs=4), "7 lines; a line of numbers, 4 of jobs and 3 of slots make 8"),
        (text(*JOBS, days=2), "96 values of generation; 2 days have 192 slots"),
        (text("400,x", "200"), "line 2: could not convert string to float: 'x'"),
        (text("400,nan", "200"), "line 2: not all values are finite"),
        ("", "line 1 does not say machines, days and jobs"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, said: str, why: str) -> None:
    (tmp_path / "tiny_1.cas").write_text(said, encoding="utf-8")
    (broken,) = instances(tmp_path)
    assert isinstance(broken, Broken)
    assert broken.why.startswith(why)


def test_instances_come_in_the_order_of_their_numbers_with_the_best_published_value(tmp_path: Path) -> None:
    for name in ("tiny_10", "tiny_2"):
        (tmp_path / f"{name}.cas").write_text(text(*JOBS), encoding="utf-8")
    columns = "instance,object CPLEX 60,object CPLEX 1800,average object MA - carbon"
    (tmp_path / "published_tiny.csv").write_text(f"{columns}\ntiny_2.cas,9.5,8.5,\n", encoding="utf-8")
    made = list(instances(tmp_path))
    assert [instance.name for instance in made] == ["tiny_2", "tiny_10"]
    assert [i.published for i in made if isinstance(i, Instance)] == [8.5, None]
