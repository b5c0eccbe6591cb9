"""The harness of the public benchmarks: every judge is heard, a run goes on where it was stopped, nothing is left out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scheduling import __main__ as harness
from benchmarks.scheduling import ctu
from benchmarks.scheduling.instance import Broken, Instance, Row, rows_of
from benchmarks.scheduling.measure import measure, rows_from
from benchmarks.scheduling.records import UnreadableResultsError, read, write
from benchmarks.scheduling.table import summary, table
from energy.model.plan import Answer
from energy.model.problem import Problem
from optimizer.milp import Milp
from tests.optimizer.plants import job, plant


def instance(name: str = "one", **other: Any) -> Instance:
    """A job of 10 kW for an hour, in slots of 3, 1 and 2 EUR/kWh; the source counts slots from 5 and cents for EUR."""
    problem = plant([3, 1, 2], job("7", 10, start=0, machine="furnace", move_price=0.0))

    def objective(rows: Sequence[Row]) -> float:
        return 1000.0 * [3, 1, 2][rows[0].start - 5]

    said: dict[str, Any] = {"objective": objective, "faults": lambda rows: [], "published": 1000.0}
    said |= {"to_source": lambda money: 100.0 * money, "first_slot": 5}
    return Instance(**{"name": name, "problem": problem, **said, **other})


class Fake:
    """An optimizer that says what it is told to say."""

    name = "fake"

    def __init__(self, solve: Callable[[Problem], Answer] | None = None) -> None:
        self.asked: list[str] = []
        self.answer = solve or (lambda problem: Milp(gap=0.0, process=False).solve(problem, seconds=5))

    def solve(self, problem: Problem, *, seconds: float, progress: Any = None) -> Answer:
        self.asked.append(problem.site)
        return self.answer(problem)

    def dispatch(self, problem: Problem) -> Answer:
        raise NotImplementedError


def measured(of: Instance | Broken, optimizer: Any = None) -> dict[str, Any]:
    return measure(of, optimizer or Fake(), seconds=5, settings={})


def test_a_record_holds_what_anyone_needs_to_evaluate_the_plan() -> None:
    record = measured(instance())
    assert record["plan"] == [{"job": 7, "start": 6, "machine": "furnace"}]
    assert (record["objective"], record["gap"], record["check"]) == (1000.0, 0.0, "ok")
    assert record["bound"] == pytest.approx(1000.0)
    assert (record["how"], record["published"]) == ("optimal", 1000.0)
    assert record["seconds"] > 0
    assert rows_from(json.loads(json.dumps(record))) == [Row(job=7, start=6, machine="furnace")]


def test_every_judge_can_refuse() -> None:
    foreign = measured(instance(faults=lambda rows: ["job 7 is too heavy"]))
    assert (foreign["check"], foreign["objective"], foreign["gap"]) == ("job 7 is too heavy", None, None)
    other_sum = measured(instance(objective=lambda rows: 999.0))
    assert "the bill comes to 1000.000000, the source's formula to 999.000000" in other_sum["check"]

    def cheat(problem: Problem) -> Answer:
        plan = Milp(gap=0.0, process=False).solve(problem, seconds=5).plan
        assert plan is not None
        return Answer(plan=replace(plan, import_kw=(0.0,) * problem.slots))

    assert "kW" in measured(instance(), Fake(cheat))["check"]
    for record in (foreign, other_sum):
        assert "0 planned and checked, 1 refused" in summary([record])[0]


def test_what_went_wrong_is_a_record_too() -> None:
    broken = measured(Broken(name="b", why="no such thing"))
    none = measured(instance(), Fake(lambda problem: Answer(plan=None, contradictions=("it cannot be",))))
    silent = measured(instance(), Fake(lambda problem: Answer(plan=None)))

    def fail(problem: Problem) -> Answer:
        raise ZeroDivisionError("by nothing")

    failed = measured(instance(), Fake(fail))
    assert broken["how"] == "broken file: no such thing"
    assert none["how"] == "no plan: it cannot be"
    assert silent["how"] == "no plan: nothing found in time"
    assert failed["how"] == "failed: ZeroDivisionError: by nothing"
    records = [measured(instance()), broken, none, silent, failed]
    assert all(record["plan"] is None for record in records[1:])
    text = table("Set", records, seconds=5, seed=0, gap=0.0)
    assert "5 instances: 1 planned and checked, 0 refused, 3 without a plan, 1 broken." in text
    assert text.count("\n| ") == 6  # a head and a line for each


def test_the_summary_compares_with_what_was_published() -> None:
    records = [measured(instance(published=value)) for value in (1000.0, 999.0, 1001.0)]
    records.append(measured(instance(published=None)))
    assert "Of 3 with a published value: 1 below it, 1 at it, 1 above it." in summary(records)
    assert "4 proven optimal; worst gap 0.000 %; slowest" in summary(records)[1]


# --- the run


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> list[Instance | Broken]:
    """A set whose loader gives what this list holds."""
    held: list[Instance | Broken] = []
    monkeypatch.setattr(ctu, "instances", lambda folder: iter(held))
    return held


def run(folder: Path, optimizer: Fake, *said: str) -> list[dict[str, Any]]:
    asked = harness._asked(["ctu", str(folder), "--json", str(folder / "out.json"), "--seconds", "5", *said])
    return harness.run(harness.SETS["ctu"], asked, optimizer, {"seconds": 5})


def sited(name: str) -> Instance:
    made = instance(name)
    return replace(made, problem=replace(made.problem, site=name))


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path, source: list[Instance | Broken]) -> None:
    source += [sited("a"), sited("b"), Broken(name="c", why="torn")]

    def stop_at_b(problem: Problem) -> Answer:
        if problem.site == "b":
            raise KeyboardInterrupt
        return Milp(gap=0.0, process=False).solve(problem, seconds=5)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Fake(stop_at_b))
    assert [record["instance"] for record in read(tmp_path / "out.json")] == ["a"]
    later = Fake()
    records = run(tmp_path, later)
    assert later.asked == ["b"]
    assert [record["instance"] for record in records] == ["a", "b", "c"]
    assert read(tmp_path / "out.json") == json.loads(json.dumps(records))
    again = Fake()
    run(tmp_path, again, "--again")
    assert again.asked == ["a", "b"]


def test_other_settings_are_measured_anew(tmp_path: Path, source: list[Instance | Broken]) -> None:
    source.append(sited("a"))
    run(tmp_path, Fake())
    asked = harness._asked(["ctu", str(tmp_path), "--json", str(tmp_path / "out.json"), "--seconds", "9"])
    later = Fake()
    harness.run(harness.SETS["ctu"], asked, later, {"seconds": 9})
    assert later.asked == ["a"]


def test_only_some_are_measured_and_the_others_keep_their_records(
    tmp_path: Path, source: list[Instance | Broken]
) -> None:
    source += [sited("a/1"), sited("b/1")]
    run(tmp_path, Fake())
    records = run(tmp_path, Fake(), "--only", "b/", "--again")
    assert [record["instance"] for record in records] == ["b/1"]
    assert {record["instance"] for record in read(tmp_path / "out.json")} == {"a/1", "b/1"}


def test_a_file_of_results_that_is_none_is_not_written_over(tmp_path: Path, source: list[Instance | Broken]) -> None:
    out = tmp_path / "out.json"
    for text in ("{", '{"a": 1}', "[1]"):
        out.write_text(text)
        with pytest.raises(UnreadableResultsError, match="name another file"):
            run(tmp_path, Fake())
        assert out.read_text() == text


def test_results_are_written_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.json"
    write(out, [{"instance": "a"}])
    with pytest.raises(ValueError, match="JSON"):
        write(out, [{"instance": "a", "gap": float("nan")}])
    assert read(out) == [{"instance": "a"}]


def test_nothing_to_measure_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness.main(["ctu", str(tmp_path / "nowhere")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert harness.main(["ctu", str(tmp_path)]) == 2
    assert "no ctu instances below" in capsys.readouterr().err


# --- the loader of the energy states


def raw(**other: Any) -> dict[str, Any]:
    """Two jobs; up takes two intervals at 5, down one at 1; idle 2, on 4; a second off state of 1 that is sooner up."""
    said = {
        "MachinesCount": 1,
        "Jobs": [{"Id": 0, "MachineIdx": 0, "ProcessingTime": 2}, {"Id": 1, "MachineIdx": 0, "ProcessingTime": 1}],
        "EnergyCosts": [9, 1, 1, 2, 2, 7, 7, 1, 1, 9],
        "LengthInterval": 1,
        "OffOnTime": [2, 1],
        "OnOffTime": [1, 1],
        "OffOnPowerConsumption": [5, 6],
        "OnOffPowerConsumption": [1, 1],
        "OffIdleTime": [None, None],
        "IdleOffTime": [None, None],
        "OffIdlePowerConsumption": [None, None],
        "IdleOffPowerConsumption": [None, None],
        "OnPowerConsumption": 4,
        "IdlePowerConsumption": 2,
        "OffPowerConsumption": [0, 1],
    }
    return said | other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Instances in a data set of their own, the published values beside it, and files that are none."""
    data = tmp_path / "some_set"
    data.mkdir()
    (data / "2.json").write_text(json.dumps(raw()))
    (data / "10.json").write_text(json.dumps(raw(EnergyCosts=[1] * 9)))
    (tmp_path / "result.json").write_text(json.dumps([{"instance": "some_set/2"}]))
    (tmp_path / "prescription.json").write_text(json.dumps({"Solvers": []}))
    head = "experiment,dataset,solver,instance,status,time_limit_reached,running_time,objective,lower_bound"
    rows = [
        "e,some_set,ILP-REF,2,3,True,01:00:00,65,20.0",
        "e,some_set,ILP-SPACES,2,1,False,00:00:01,59,59.0",
        "e,some_set,ILP-REF,10,3,True,01:00:00,60,20.0",
    ]
    (tmp_path / "published_results.csv").write_text("\n".join([head, *rows]) + "\n")
    return tmp_path


def one(folder: Path, name: str = "some_set/2") -> Instance:
    (found,) = (made for made in ctu.instances(folder) if made.name == name)
    assert isinstance(found, Instance)
    return found


def test_instances_come_in_order_with_what_was_published(folder: Path) -> None:
    found = list(ctu.instances(folder))
    assert [(made.name, made.published, made.published_optimal) for made in found if isinstance(made, Instance)] == [
        ("some_set/2", 59.0, True),
        ("some_set/10", 60.0, False),
    ]
    inside = [made for made in ctu.instances(folder / "some_set") if isinstance(made, Instance)]
    assert [(made.name, made.published) for made in inside] == [("2", 59.0), ("10", 60.0)]


@pytest.mark.parametrize(
    ("starts", "value"),
    [
        # up in 1 and 2, both jobs from 3 on at 4·(2 + 2 + 7), down in 6
        ([3, 5], 5 * 2 + 4 * 11 + 1 * 7),
        # between 4 and 7: idle 2·(7 + 7) beats off and up again; from 8 there is no interval left to go down in
        ([3, 7], 5 * 2 + 4 * 4 + 2 * (7 + 7) + 4 * 1 + 1 * 1),
    ],
)
def test_the_value_of_a_plan_worked_out_by_hand(folder: Path, starts: list[int], value: float) -> None:
    rows = [Row(job=number, start=start, machine=0) for number, start in enumerate(starts)]
    made = one(folder)
    assert made.faults(rows) == []
    assert made.objective(rows) == value


def test_the_machine_goes_to_the_off_state_that_suits_the_gap(tmp_path: Path) -> None:
    """Down at 1, one interval at 1 in the second off state, up at 6: 8 against idle 4·3 = 12 and the first off state,
    which takes four intervals."""
    (tmp_path / "x.json").write_text(
        json.dumps(raw(EnergyCosts=[9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9], IdlePowerConsumption=4))
    )
    made = one(tmp_path, "x")
    rows = [Row(job=0, start=3, machine=0), Row(job=1, start=8, machine=0)]
    assert made.objective(rows) == 10 + 8 + (1 + 1 + 6) + 4 + 1


def test_the_ends_are_paid_at_the_power_of_the_base_off_state(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(raw(OffPowerConsumption=[3, 1], EnergyCosts=[9, 1, 1, 1, 1, 1, 1, 8])))
    rows = [Row(job=0, start=3, machine=0), Row(job=1, start=5, machine=0)]
    assert one(tmp_path, "x").objective(rows) == 3 * 9 + 10 + 12 + 1 + 3 * 8


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(0, 3, 0)], "job 1 is placed 0 times"),
        ([(0, 3, 0), (1, 5, 0), (1, 6, 0)], "job 1 is placed 2 times"),
        ([(0, 3, 0), (1, 5, 0), (2, 6, 0)], "there is no job 2"),
        ([(0, 3, 1), (1, 5, 0)], "job 0 is on machine 1 instead of 0"),
        ([(0, 3, 0), (1, 4, 0)], "jobs 0 and 1 run at once in interval 4"),
        ([(0, 0, 0), (1, 4, 0)], "job 0 runs in an interval in which the machine is off"),
        ([(0, 3, 0), (1, 9, 0)], "job 1 runs in an interval in which the machine is off"),
        ([(0, 2, 0), (1, 4, 0)], "the machine cannot be on in time"),
        ([(0, 3, 0), (1, 8, 0)], "the machine cannot be on in time for its jobs, or off in time"),
    ],
)
def test_each_rule_of_the_source_broken_once(folder: Path, rows: list[tuple[int, int, int]], what: str) -> None:
    faults = one(folder).faults([Row(job=j, start=start, machine=m) for j, start, m in rows])
    assert len(faults) == 1
    assert faults[0].startswith(what)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "JSONDecodeError"),
        (json.dumps({"Jobs": []}), "KeyError: 'LengthInterval'"),
        (json.dumps(raw(LengthInterval=5)), "only intervals of length 1"),
        (json.dumps(raw(OffOnTime=[2])), "IndexError"),
        (json.dumps(raw(EnergyCosts=[1, 2])), "EnergyCosts"),
        (json.dumps(raw(EnergyCosts="none")), "ValueError"),
        (json.dumps(raw(Jobs=[{"Id": 0, "MachineIdx": 0, "ProcessingTime": 1.5}])), "ProcessingTime is 1.5"),
        (json.dumps(raw(Jobs=[{"Id": 0, "MachineIdx": 0, "ProcessingTime": 0}])), "no ProcessingTime"),
        (json.dumps(raw(Jobs=[{"Id": 0, "MachineIdx": 3, "ProcessingTime": 1}])), "beyond the 1 there are"),
        (json.dumps(raw(Jobs=[{"Id": 0, "MachineIdx": 0, "ProcessingTime": 1}] * 2)), "same Id"),
    ],
)
def test_a_broken_file_is_said_to_be_one(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "0.json").write_text(text)
    (made,) = ctu.instances(tmp_path)
    assert isinstance(made, Broken)
    assert why in made.why


def test_planned_from_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "some_set" / "3.json").write_text("{")
    (folder / "some_set" / "4.json").write_text(json.dumps(raw(EnergyCosts=[1] * 6)))  # too short for its jobs
    out = folder / "out.json"
    assert harness.main(["ctu", str(folder), "--seconds", "10", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "4 instances: 2 planned and checked, 1 refused, 0 without a plan, 1 broken." in said
    assert "Of 2 with a published value: 1 below it, 1 at it, 0 above it." in said
    record = read(out)[0]
    assert (record["instance"], record["objective"], record["gap"], record["check"]) == ("some_set/2", 59.0, 0.0, "ok")
    assert one(folder).objective(rows_from(record)) == 59.0
    assert harness.main(["ctu", str(folder), "--seconds", "10", "--json", str(out)]) == 0  # nothing is measured again
    assert "some_set/2" not in capsys.readouterr().err


def test_the_rows_of_a_plan_carry_the_ids_of_the_source() -> None:
    problem = plant([1, 1], job("007", 1, machine="furnace"), job("12", 1, start=1, machine="furnace"))
    plan = Milp(gap=0.0, process=False).solve(problem, seconds=5).plan
    assert plan is not None
    rows = rows_of(instance(problem=problem, first_slot=1), plan)
    assert [(row.job, row.start) for row in rows] == [("007", 1), (12, 2)]
