"""Python on a page runs, YAML on a page loads, and what a page copies from the code is what the code says."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

from energy.config import load_settings
from energy.config.load import KIND_LISTS, SECTIONS
from tests.docs.pages import PAGES, ROOT, Block, blocks, name

KNOWN = {*SECTIONS, *KIND_LISTS, "meters", "orders", "forecasters", "optimizer"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name)
def test_python_runs(page: Path, tmp_path: Path) -> None:
    """All blocks of a page, one after the other, in a process of their own beside the repository's config."""
    shutil.copy(ROOT / "config.yaml", tmp_path)
    code = "\n".join(block.body for block in blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def all_yaml() -> list[Block]:
    return [block for page in PAGES for block in blocks(page, "yaml")]


@pytest.mark.parametrize("block", all_yaml(), ids=lambda b: b.id)
def test_yaml_loads(block: Block, tmp_path: Path) -> None:
    """A piece of a config is tried in the place of the same sections of the repository's config."""
    said = yaml.safe_load(block.body)
    if not isinstance(said, dict) or not set(said) <= KNOWN:
        return
    whole = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for section, value in said.items():
        if section == "meters":
            value += [m for m in whole["meters"] if m["measures"] == "grid" and value[0]["measures"] != "grid"]
        whole[section] = {**whole[section], **value} if section == "tariff" else value
        if "fixed_per_kwh" in (value if isinstance(value, dict) else {}):
            whole[section].pop("market", None)
    for file, text in {"acme-310.yaml": acme(), "company-ca.pem": ""}.items():
        (tmp_path / file).write_text(text)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(whole, allow_unicode=True))
    load_settings(config, dict.fromkeys(re.findall(r"\$\{(\w+)\}", block.body), "secret"))


def acme() -> str:
    page = ROOT / "docs" / "how-to" / "connect-a-meter.md"
    return next(block.body for block in blocks(page, "yaml") if block.words == ("acme-310.yaml",))


def test_a_profile_on_a_page_is_a_profile(tmp_path: Path) -> None:
    from meters.profile import load

    (tmp_path / "acme-310.yaml").write_text(acme())
    assert load("acme-310.yaml", tmp_path).name.startswith("Acme 310")


def test_events_on_a_page_are_events(tmp_path: Path) -> None:
    from energy.plugins import build
    from energy.programs.manual import Settings

    page = ROOT / "docs" / "how-to" / "answer-an-event.md"
    shown = next(block.body for block in blocks(page, "yaml") if block.words == ("events.yaml",))
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "events.yaml").write_text(shown)
    settings = load_settings(ROOT / "config.yaml", {})
    program = build("programs", "manual", Settings(folder=tmp_path / "events"), settings.context(settings.clock()))
    assert [(event.kw, event.mandatory) for event in program.events()] == [(900, True), (200, False)]
    assert program.bad == ()


def test_the_floors_are_those_of_the_contract() -> None:
    contract = next(c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["name"] == "The floors of energy")
    page = ROOT / "docs" / "architecture.md"
    drawn = next(block.body for block in blocks(page, "") if block.body.startswith("cli\n"))
    assert drawn.split("\n")[:-1] == contract["layers"]


def test_every_dependency_is_accounted_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *(r for extra in extras.values() for r in extra)]
    names = {re.split(r"[<>=\[; ]", requirement)[0].lower() for requirement in wanted}
    page = (ROOT / "docs" / "decisions" / "0011-dependencies.md").read_text(encoding="utf-8").lower()
    assert {n for n in names if not re.search(rf"\b{re.escape(n)}\b", page)} == set()


def test_what_is_lgpl_is_named_as_such() -> None:
    page = (ROOT / "docs" / "decisions" / "0011-dependencies.md").read_text(encoding="utf-8")
    for requirement in [*PROJECT["project"]["dependencies"], "psycopg"]:
        package = re.split(r"[<>=\[; ]", requirement)[0]
        said = metadata(package)
        text = " ".join(str(said.get(k) or "") for k in ("License-Expression", "License"))[:200]
        row = next(line for line in page.splitlines() if line.lower().startswith(f"| {package.lower()} |"))
        assert ("GPL" in text) == ("GPL" in row), package


def test_no_page_speaks_of_how_the_project_is_made() -> None:
    odd = re.compile(r"\b(sessions?|helpers?|agents?|todo|fixme)\b|/work\b|/root\b|/tmp\b", re.I)
    found = {
        f"{name(page)}:{number}": line.strip()
        for page in PAGES
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if odd.search(re.sub(r"`[^`]*`", "", line))
    }
    assert not found


def test_no_file_names_an_index_of_packages() -> None:
    files = [
        ROOT / "pyproject.toml",
        ROOT / "Makefile",
        ROOT / "config.yaml",
        *ROOT.glob("requirements*.lock"),
        *(ROOT / ".ci").iterdir(),
        *PAGES,
    ]
    odd = re.compile(r"index-url|find-links|trusted-host|/simple/", re.I)
    assert [file.name for file in files if odd.search(file.read_text(encoding="utf-8"))] == []


def test_an_edge_box_on_a_page_is_one(tmp_path: Path) -> None:
    from energy.config.edge import load_edge

    page = ROOT / "docs" / "how-to" / "edge-box.md"
    shown = next(block.body for block in blocks(page, "yaml") if block.words == ("edge.yaml",))
    (tmp_path / "edge.yaml").write_text(shown)
    settings = load_edge(tmp_path / "edge.yaml", {"LOADSTONE_EDGE_TOKEN": "k7Qm2Zx9" * 5})
    assert [meter.kind for meter in settings.meters] == ["modbus"]
