"""The doctor: all well on a healthy plant, and each fault named with what to do."""

import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy.commands import checkup
from energy.commands.doctor import doctor
from energy.model.meter import Reading

PLANT = """\
site: {id: p, name: Small plant, zone: Europe/Berlin, currency: EUR, import_limit_kw: 500, machines: [{id: oven}]}
tariff: {market: day_ahead}
meters:
  - {id: grid, kind: file, path: grid.csv, role: settlement, measures: grid, connection_kw: 500}
orders: {kind: file, jobs: jobs.csv}
feeds: [{kind: file, path: prices.csv}]
optimizer: {kind: greedy}
programs: [{kind: manual}]
dispatchers: [{kind: file, folder: out}]
"""
GRID = "taken_at,import_kwh,power_kw\n2020-01-01T00:00:00+00:00,1000,120\n"
JOBS = "order,quantity,machine,due,minutes,power_kw\n1,1,oven,2026-05-18,60,100\n"


@pytest.fixture
def plant(tmp_path):
    (tmp_path / "config.yaml").write_text(PLANT)
    (tmp_path / "grid.csv").write_text(GRID)
    (tmp_path / "jobs.csv").write_text(JOBS)
    return tmp_path


def run(folder: Path):
    return CliRunner().invoke(doctor, ["--config", str(folder / "config.yaml")])


def rows(output: str) -> dict[str, str]:
    """What was looked at → its state."""
    found = [line for line in output.splitlines() if line.startswith(("ok", "FAULT"))]
    return {line[6:30].strip(): line[:5].strip() for line in found}


def test_a_healthy_plant(plant):
    said = run(plant)
    assert said.exit_code == 0, said.output
    assert said.output.endswith("All well.\n")
    assert rows(said.output) == dict.fromkeys(
        [
            "config",
            "clock",
            "disk",
            "store",
            "meter grid",
            "feed file",
            "orders file",
            "forecaster combined",
            "solver greedy",
            "program manual",
            "dispatcher file",
        ],
        "ok",
    )
    assert "120.0 kW, 1,000.0 kWh import" in said.output
    assert "1 jobs, 0 runs" in said.output
    assert not (plant / "out").exists()  # nothing was sent


def test_a_second_visit_finds_the_same(plant):
    assert run(plant).exit_code == run(plant).exit_code == 0


def test_faults_are_named_with_what_to_do(plant):
    (plant / "grid.csv").write_text("taken_at,import_kwh\nyesterday,1\n")
    (plant / "jobs.csv").write_text(JOBS + "2,1,lathe,2026-05-18,60,100\n3,1,oven,,60,100\n")
    (plant / "prices.csv").write_text("time,value\n2026-01-01 00:00,much\n")
    said = run(plant)
    assert said.exit_code == 1
    faults = [what for what, state in rows(said.output).items() if state == "FAULT"]
    assert faults == ["meter grid", "feed file", "orders file"]
    assert "line 3, column machine: no machine 'lathe'" in " ".join(said.output.split())
    assert "→ docs/orders.md shows the columns" in said.output
    assert "3 faults." in said.output


def test_a_store_that_cannot_be_opened(plant):
    (plant / "config.yaml").write_text(f"{PLANT}store: {{url: 'sqlite:///config.yaml/x.sqlite'}}\n")
    said = run(plant)
    assert said.exit_code == 1
    assert rows(said.output)["store"] == "FAULT"
    assert "Check store.url" in said.output


def test_a_clock_that_is_not_there_ends_the_visit_with_the_reason(plant):
    (plant / "config.yaml").write_text(f"{PLANT}schedule: {{clock: var/clock.json}}\n")
    said = run(plant)
    assert rows(said.output) == {"config": "ok", "clock": "FAULT"}
    assert "loadstone demo" in said.output


class Telling:
    """A meter that speaks by itself, or whose listener ends at once."""

    def __init__(self, meter, *says):
        self.meter, self.says = meter, says

    async def listen(self, give):
        for reading in self.says:
            give(reading)

    async def close(self): ...


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ([Reading(meter="grid", taken_at=datetime(2020, 1, 1, tzinfo=UTC), power_kw=120.0)], "120.0 kW"),
        ([], "its listener ended before it heard anything"),
    ],
)
def test_a_meter_that_speaks_by_itself_is_listened_to(plant, monkeypatch, says, told):
    real = checkup.build
    monkeypatch.setattr(
        checkup, "build", lambda group, *more: Telling(None, *says) if group == "meters" else real(group, *more)
    )
    output = run(plant).output
    assert rows(output)["meter grid"] == ("ok" if says else "FAULT")
    assert told in output


def test_a_dead_meter_does_not_hold_the_others_up(plant):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.listen()  # takes the connection and never answers
        dead = (
            f"  - {{id: dead, kind: modbus, profile: siemens-pac, host: 127.0.0.1, port: {port}, connection_kw: 9}}\n"
        )
        (plant / "config.yaml").write_text(PLANT.replace("orders:", f"{dead}orders:"))
        began = time.monotonic()
        said = run(plant)
    assert time.monotonic() - began < 30
    assert (rows(said.output)["meter grid"], rows(said.output)["meter dead"]) == ("ok", "FAULT")
    assert f"is 127.0.0.1:{port} right?" in " ".join(said.output.split())


def test_a_wrong_config_is_all_its_mistakes(plant):
    (plant / "config.yaml").write_text(PLANT.replace("greedy", "gredy").replace("oven", "oven, idel_kw: 3"))
    said = run(plant)
    assert said.exit_code == 1
    assert rows(said.output) == {"site.machines[0].idel_kw": "FAULT", "optimizer.kind": "FAULT"}
    assert "2 mistakes in" in said.output


VIRTUAL = """\
  - {id: oven, kind: file, path: oven.csv, measures: machine, machine: oven, connection_kw: 200}
  - {id: rest, kind: virtual, measures: other, connection_kw: 500, parts: {grid: 1, oven: -1}}
orders:"""


@pytest.mark.parametrize(("oven", "state"), [(GRID, "ok"), ("taken_at,import_kwh\nyesterday,1\n", "FAULT")])
def test_a_virtual_meter_is_as_well_as_its_parts(plant, oven, state):
    (plant / "config.yaml").write_text(PLANT.replace("orders:", VIRTUAL))
    (plant / "oven.csv").write_text(oven)
    said = run(plant)
    assert rows(said.output)["meter rest"] == state, said.output
    assert "reckoned from its parts: +1 × grid -1 × oven" in said.output
    assert ("not well: oven" in said.output) == (state == "FAULT")


def test_a_pushed_meter_without_a_gateway_is_named(plant):
    (plant / "config.yaml").write_text(
        PLANT.replace("orders:", "  - {id: oven, kind: push, connection_kw: 200}\norders:")
    )
    said = run(plant)
    assert rows(said.output)["meter oven"] == "FAULT"
    assert "no gateway may speak for it" in said.output


def test_a_broken_file_of_a_kept_meter_is_named(plant):
    (plant / "meters.d").mkdir()
    (plant / "meters.d/oven.yaml").write_text("{")
    said = run(plant)
    assert said.exit_code == 1
    assert "1 mistake in meters.d/oven.yaml" in said.output
