"""The import commands on a real store: what they keep, what they say, and that bad rows never make a job gone."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.cli import cli
from energy.config import load_settings
from energy.model.job import JobState
from energy.store import Store

ROOT = Path(__file__).parent.parent.parent
HEADER = "order,product,quantity,machine,planned_start,due,minutes,power_kw\n"
ONE = "1,rings,10,furnace-1,2026-05-18 06:00,2026-05-19,120,200\n"
TWO = "2,rings,10,furnace-2,2026-05-18 08:00,2026-05-19,120,200\n"
BAD = TWO.replace("furnace-2", "furnace-9")


@pytest.fixture
def plant(tmp_path):
    shutil.copy(ROOT / "config.yaml", tmp_path)
    return tmp_path


def run(folder: Path, what: str, text: str, *options: str):
    (folder / "in.csv").write_text(text)
    config = ["--config", str(folder / "config.yaml")]
    return CliRunner().invoke(cli, ["import", what, str(folder / "in.csv"), *config, *options])


def states(folder: Path) -> dict[str, tuple[JobState, int]]:
    settings = load_settings(folder / "config.yaml", {})
    with closing(Store.open(settings.store.url, settings.site.id)) as store:
        return {job.id: (job.state, job.revision) for job in store.jobs.all()}


def test_the_second_import_changes_nothing(plant):
    assert "2 new, 0 changed, 0 gone, 0 as before" in run(plant, "jobs", HEADER + ONE + TWO).output
    said = run(plant, "jobs", HEADER + TWO + ONE)
    assert "0 new, 0 changed, 0 gone, 2 as before" in said.output
    assert said.exit_code == 0
    assert states(plant) == {"1": (JobState.RELEASED, 1), "2": (JobState.RELEASED, 1)}


def test_a_later_import_changes_what_changed_and_what_is_gone_is_gone(plant):
    run(plant, "jobs", HEADER + ONE + TWO)
    assert (
        "0 new, 1 changed, 1 gone, 0 as before" in run(plant, "jobs", HEADER + ONE.replace("120,200", "90,200")).output
    )
    assert states(plant) == {"1": (JobState.RELEASED, 2), "2": (JobState.GONE, 2)}


def test_a_bad_row_is_named_the_good_one_kept_and_nothing_is_gone(plant):
    run(plant, "jobs", HEADER + ONE + TWO)
    said = run(plant, "jobs", HEADER + ONE.replace("120,200", "90,200") + BAD)
    assert said.exit_code == 1
    assert "not read: line 3, column machine: no machine 'furnace-9'; did you mean 'furnace-3'?" in said.output
    assert "0 new, 1 changed, 0 gone" in said.output
    assert "no job was marked gone" in said.output
    assert states(plant) == {"1": (JobState.RELEASED, 2), "2": (JobState.RELEASED, 1)}


def test_partial_and_dry_run(plant):
    run(plant, "jobs", HEADER + ONE, "--dry-run")
    assert states(plant) == {}
    run(plant, "jobs", HEADER + ONE)
    assert "1 new, 0 changed, 0 gone" in run(plant, "jobs", HEADER + TWO, "--partial").output


def test_runs(plant):
    text = "job,machine,start,end,kwh\n1,furnace-1,2026-05-18 06:05,2026-05-18 08:00,410\n"
    assert "1 new or changed, 0 as before" in run(plant, "runs", text).output
    assert "0 new or changed, 1 as before" in run(plant, "runs", text).output
    assert "1 new or changed" in run(plant, "runs", text.replace("410", "412")).output
    settings = load_settings(plant / "config.yaml", {})
    with closing(Store.open(settings.store.url, settings.site.id)) as store:
        assert [one.kwh for one in store.runs.of_job("1")] == [412.0]
