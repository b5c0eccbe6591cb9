"""The walls of the house: the import contracts hold, and each of them notices a violation."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PLANTED = [
    ("energy/model/horizon.py", "import energy.store", "The floors of energy"),
    (
        "energy/planning/__init__.py",
        "import pandas",
        "Model and planning need only the standard library and numpy",
    ),
    ("energy/steps/plan.py", "import optimizer", "The wings stand on energy"),
    ("energy/steps/plan.py", "import energy.steps.fetch", "No step calls a step"),
    ("energy/steps/plan.py", "import sqlmodel", "The wings and steps do not open the database"),
    ("energy/planning/check_bill.py", "import energy.planning.price", "The auditor shares no code with what it audits"),
    ("energy/service.py", "import pulp", "PuLP and HiGHS live in optimizer"),
    ("energy/feeds/file.py", "import energy.feeds.simulated", "Feeds do not know each other"),
    ("energy/orders/file.py", "import energy.twin", "Of all kinds only the simulated feed knows the twin"),
    ("energy/forecasters/naive.py", "import prophet", "Prophet lives in its forecaster"),
    ("energy/steps/fetch.py", "import httpx", "httpx lives in http.py"),
    ("energy/steps/receive.py", "import fastapi", "FastAPI and uvicorn live in api"),
    ("energy/runner.py", "import apscheduler", "APScheduler lives in schedule.py"),
    ("meters/__init__.py", "import optimizer", "The wings stand side by side"),
    ("optimizer/__init__.py", "import energy.http", "The optimizer knows no calendar, database or network"),
    ("optimizer/__init__.py", "import streamlit", "Streamlit and altair live in dashboard"),
    ("dashboard/__init__.py", "import pymodbus", "pymodbus and pyserial live in meters"),
    ("meters/told.py", "import aiomqtt", "The MQTT client lives in meters.mqtt"),
    ("meters/told.py", "import asyncua", "The OPC UA client lives in meters.opcua"),
    ("optimizer/blocks/peak.py", "import optimizer.blocks.battery", "A rule of the optimizer knows no other"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).parent / "lint-imports"
    return subprocess.run([script, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for name in ("energy", "meters", "optimizer", "dashboard"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED, ids=[p[0] + ":" + p[1].split()[-1] for p in PLANTED])
def test_a_planted_violation_is_noticed(copy: Path, file: str, line: str, contract: str) -> None:
    target = copy / file
    before = target.read_text()
    target.write_text(f"{before}\n{line}\n")
    try:
        said = lint(copy)
        assert said.returncode != 0
        broken = [row for row in said.stdout.splitlines() if "BROKEN" in row]
        assert any(row.startswith(contract) for row in broken), said.stdout
    finally:
        target.write_text(before)


def test_every_file_of_the_auditor_and_of_pricing_is_behind_the_wall() -> None:
    """A new check_*.py or price_*.py that nobody lists would be free to import the other side."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    wall = next(each for each in contracts if each["name"].startswith("The auditor shares no code"))
    rooms = {p.stem for p in (ROOT / "energy" / "planning").glob("*.py")}
    checks = {f"energy.planning.{name}" for name in rooms if name.partition("_")[0] == "check"}
    prices = {f"energy.planning.{name}" for name in rooms if name.partition("_")[0] == "price"}
    assert set(wall["source_modules"]) == checks
    assert set(wall["forbidden_modules"]) == {*prices, "energy.planning.risk", "optimizer"}
