"""A plant whose dashboard and collector really run, beside meters that really answer: for the tests of adding one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from dashboard.commands import streamlit_command
from tests.dashboard.browser import ROOT, free_port, wait_for


@dataclass(frozen=True)
class Running:
    """Where the screens are, and where the plant is written down."""

    base: str
    config: Path


def written(folder: Path, grid_port: int) -> Path:
    """The repository's plant with its grid meter alone."""
    said = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    said.pop("twin", None)
    said["meters"] = [{**said["meters"][0], "port": grid_port, "poll_seconds": 1}]
    said["store"] = {"url": "sqlite:///plant.db"}
    said.get("schedule", {}).pop("clock", None)
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return path


@contextmanager
def running(folder: Path, grid_port: int, *, collecting: bool = True) -> Iterator[Running]:
    """The screens, and the collector, of such a plant; gone when the block ends."""
    config, port = written(folder, grid_port), free_port()
    env = {**os.environ, "LOADSTONE_CONFIG": str(config), "PYTHONPATH": str(ROOT)}
    env.pop("LOADSTONE_SERVICE", None)
    commands = [streamlit_command("127.0.0.1", port)]
    if collecting:
        commands.append([sys.executable, "-m", "energy.cli", "collect", "--config", str(config)])
    with ExitStack() as stack:
        for command in commands:
            child = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(child.wait, 30)
            stack.callback(child.terminate)
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/_stcore/health")
        yield Running(base, config)
