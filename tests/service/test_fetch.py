"""Files with rows that cannot be read: the good rows are kept, the bad ones are said until they are mended."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.clock import HeldClock
from energy.model.horizon import Interval
from energy.model.job import JobState
from energy.model.site import Machine, Site
from energy.orders.file import FileOrders
from energy.orders.file import Settings as OrderSettings
from energy.ports import Context
from energy.programs.manual import ManualProgram
from energy.programs.manual import Settings as ProgramSettings
from energy.steps.fetch import Fetched, fetch
from energy.store import Store

NOW = datetime(2026, 10, 27, 6, 0, tzinfo=UTC)
HEAD = "order,product,quantity,unit,machine,due,minutes,power_kw\n"
A = "A,rings,10,pcs,oven,2026-10-28 12:00,60,100\n"
B = "B,discs,10,pcs,oven,2026-10-28 14:00,60,100\n"
B_WRONG = "B,discs,ten,pcs,oven,2026-10-28 14:00,60,100\n"
RUNS = "job,machine,start,end\n"
EVENT = "- {id: heat, kind: limit, start: 2026-10-28 17:00, end: 2026-10-28 20:00, kw: 900}\n"
EVENT_WRONG = "- {id: cold, kind: limit, start: 2026-10-28 17:00, end: 2026-10-28 16:00, kw: 900}\n"


class Plant:
    """Order and event files in a folder, fetched into a store."""

    def __init__(self, folder: Path, store: Store) -> None:
        oven = Machine(id="oven", name="Oven", group="ovens", rated_kw=210, idle_kw=10)
        site = Site(
            id="s",
            name="S",
            zone="Europe/Berlin",
            currency="EUR",
            import_limit_kw=1000,
            export_limit_kw=0,
            machines=(oven,),
        )
        context = Context(site=site, clock=HeldClock(NOW), folder=str(folder))
        self.folder, self.store, self.hours = folder, store, 0
        self.orders = FileOrders(OrderSettings(jobs=Path("jobs.csv"), runs=Path("runs.csv")), context)
        self.program = ManualProgram(ProgramSettings(folder=Path("events")), context)
        (folder / "events").mkdir()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def fetch(self) -> Fetched:
        now = NOW + timedelta(hours=self.hours)
        self.hours += 1
        return fetch(
            self.store,
            feeds=[],
            orders=self.orders,
            programs=[self.program],
            now=now,
            until=now + timedelta(days=2),
        )

    def failures(self) -> dict[str, str]:
        return {step: error for step, _, error in self.store.steps.failures(NOW - timedelta(days=1))}

    def state(self, job: str) -> JobState | None:
        found = self.store.jobs.get(job)
        return None if found is None else found.state


@pytest.fixture
def plant(tmp_path: Path):
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", "s") as store:
        yield Plant(tmp_path, store)


def test_a_bad_row_is_said_and_the_good_one_kept(plant: Plant) -> None:
    plant.write("jobs.csv", HEAD + A + B_WRONG)
    assert plant.fetch().jobs_new == 1
    assert plant.state("A") is JobState.RELEASED
    assert set(plant.failures()) == {"orders file"}
    said = plant.failures()["orders file"]
    assert "left out" in said
    assert "line 3" in said
    assert "'ten'" in said


def test_while_a_row_is_bad_no_job_is_taken_for_gone(plant: Plant) -> None:
    plant.write("jobs.csv", HEAD + A + B)
    plant.fetch()
    plant.write("jobs.csv", HEAD + A + B_WRONG)
    assert plant.fetch().jobs_gone == 0
    assert plant.state("B") is JobState.RELEASED
    plant.write("jobs.csv", HEAD + A)  # now it is really gone
    assert plant.fetch().jobs_gone == 1
    assert plant.state("B") is not JobState.RELEASED


def test_a_mended_file_is_no_failure_any_more(plant: Plant) -> None:
    plant.write("jobs.csv", HEAD + A + B_WRONG)
    plant.write("runs.csv", RUNS + "A,oven,yesterday,\n")
    plant.write("events/e.yaml", EVENT_WRONG)
    plant.fetch()
    plant.fetch()  # said once, however often it is read
    assert [step for step, _, _ in plant.store.steps.failures(NOW - timedelta(days=1))] == [
        "orders file",
        "runs file",
        "program manual",
    ]
    plant.write("jobs.csv", HEAD + A + B)
    plant.write("runs.csv", RUNS + "A,oven,2026-10-27 07:30,2026-10-27 08:30\n")
    plant.write("events/e.yaml", EVENT)
    fetched = plant.fetch()
    assert (fetched.runs, fetched.events, fetched.failures) == (1, 1, [])
    assert plant.failures() == {}


def test_the_good_event_beside_a_bad_one_is_kept(plant: Plant) -> None:
    plant.write("events/e.yaml", EVENT + EVENT_WRONG)
    assert plant.fetch().events == 1
    ahead = Interval(NOW, NOW + timedelta(days=3))
    assert [event.id for event in plant.store.events.touching(ahead)] == ["heat"]
    assert "not after the start" in plant.failures()["program manual"]


def test_many_bad_rows_are_counted_not_listed(plant: Plant) -> None:
    plant.write("jobs.csv", HEAD + A + "".join(B_WRONG.replace("B", f"B{n}", 1) for n in range(12)))
    plant.fetch()
    assert plant.failures()["orders file"].endswith("and 7 more")


def test_an_odd_column_is_a_note_and_no_failure(plant: Plant) -> None:
    plant.write("jobs.csv", HEAD.replace("\n", ",colour\n") + A.replace("\n", ",red\n"))
    plant.fetch()
    assert plant.failures() == {}
    _, _, note = plant.store.steps.last("orders file") or (None, None, "")
    assert "'colour' is not read" in note
