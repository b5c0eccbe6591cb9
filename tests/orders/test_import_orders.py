"""The import commands: what they keep, what they say, and that bad rows never make a job gone."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.commands.import_orders import jobs, runs
from energy.model.job import Job
from energy.model.run import JobRun
from energy.store.store import Reconciled, Store

ROOT = Path(__file__).parent.parent.parent
HEADER = "order,product,quantity,machine,planned_start,due,minutes,power_kw\n"
ONE = "1,rings,10,furnace-1,2026-05-18 06:00,2026-05-19,120,200\n"
TWO = "2,rings,10,furnace-9,2026-05-18 08:00,2026-05-19,120,200\n"


class FakeStore:
    """Keeps jobs and runs by key, in memory."""

    def __init__(self) -> None:
        self.jobs = self
        self.runs = self.Runs()
        self.kept: dict[str, Job] = {}
        self.complete: list[bool] = []

    class Runs:
        def __init__(self) -> None:
            self.kept: dict[object, JobRun] = {}

        def put(self, runs):
            new = {(r.job, r.start): r for r in runs if self.kept.get((r.job, r.start)) != r}
            self.kept |= new
            return len(new)

    def reconcile(self, jobs, at, *, complete, span=None):
        self.complete.append(complete)
        new = tuple(job.id for job in jobs if job.id not in self.kept)
        same = sum(self.kept.get(job.id) == job for job in jobs)
        self.kept |= {job.id: job for job in jobs}
        return Reconciled(new=new, same=same)

    def close(self):
        pass


@pytest.fixture
def plant(tmp_path, monkeypatch):
    shutil.copy(ROOT / "config.yaml", tmp_path)
    store = FakeStore()
    monkeypatch.setattr(Store, "open", classmethod(lambda cls, url, site: store))
    return tmp_path, store


def run(command, folder: Path, text: str, *options: str):
    (folder / "in.csv").write_text(text)
    return CliRunner().invoke(command, [str(folder / "in.csv"), "--config", str(folder / "config.yaml"), *options])


def test_the_second_import_changes_nothing(plant):
    folder, store = plant
    assert "1 new, 0 changed, 0 gone, 0 as before" in run(jobs, folder, HEADER + ONE).output
    said = run(jobs, folder, HEADER + ONE)
    assert "0 new, 0 changed, 0 gone, 1 as before" in said.output
    assert said.exit_code == 0
    assert store.complete == [True, True]


def test_a_bad_row_is_named_the_good_one_kept_and_nothing_is_gone(plant):
    folder, store = plant
    said = run(jobs, folder, HEADER + ONE + TWO)
    assert said.exit_code == 1
    assert "not read: line 3, column machine: no machine 'furnace-9'; did you mean 'furnace-3'?" in said.output
    assert list(store.kept) == ["1"]
    assert store.complete == [False]


def test_partial_and_dry_run(plant):
    folder, store = plant
    run(jobs, folder, HEADER + ONE, "--dry-run")
    assert store.kept == {}
    run(jobs, folder, HEADER + ONE, "--partial")
    assert store.complete == [False]


def test_runs(plant):
    folder, store = plant
    text = "job,machine,start,end,kwh\n1,furnace-1,2026-05-18 06:05,2026-05-18 08:00,410\n"
    assert "1 new or changed, 0 as before" in run(runs, folder, text).output
    assert "0 new or changed, 1 as before" in run(runs, folder, text).output
    assert "1 new or changed" in run(runs, folder, text.replace("410", "412")).output
    assert [r.kwh for r in store.runs.kept.values()] == [412.0]
