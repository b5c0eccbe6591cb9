"""`loadstone run` opens the door where the config has one; the doctor looks at what comes through it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from energy import supervisor
from energy.build import open_store
from energy.commands.checkup import meters
from energy.commands.run import run
from energy.config import load_settings
from energy.model.meter import Reading
from energy.supervisor import Role
from tests.config.test_doors import PLANT, TOKENS

PLAIN = """
site: {id: p, name: P, zone: Europe/Berlin, currency: EUR, import_limit_kw: 900}
tariff: {fixed_per_kwh: 0.2}
"""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the roles that would run."""
    found: list[list[str]] = []

    def note(roles: Sequence[Role]) -> int:
        found.extend(list(role.command) for role in roles)
        return 0

    monkeypatch.setattr(supervisor, "supervise", note)
    return found


def test_the_door_is_one_of_the_roles_where_the_config_has_one(tmp_path: Path, started: list[list[str]]) -> None:
    for name, text, has_door in (("with", PLANT, True), ("without", PLAIN, False)):
        config = tmp_path / f"{name}.yaml"
        config.write_text(text)
        done = CliRunner().invoke(run, ["--config", str(config), "--no-dashboard"], env=TOKENS)
        assert done.exit_code == 0, done.output
        assert (["api", "--config", str(config)] in started) == has_door
        started.clear()


def test_nothing_starts_with_a_token_that_is_not_there(tmp_path: Path, started: list[list[str]]) -> None:
    (tmp_path / "config.yaml").write_text(PLANT)
    environ = {**dict.fromkeys(TOKENS), "FOUR": "changeme"}
    done = CliRunner().invoke(run, ["--config", str(tmp_path / "config.yaml")], env=environ)
    assert done.exit_code != 0
    assert "LOADSTONE_TOKEN_HALL_3 is not set" in str(done.exception)
    assert started == []


def test_the_doctor_looks_at_what_came_and_asks_nobody(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(PLANT)
    settings = load_settings(tmp_path / "config.yaml", {})
    now = datetime.now(UTC)
    store = open_store(settings)
    store.readings.add(
        [
            Reading(meter="grid", taken_at=now, power_kw=120.0),
            Reading(meter="e-2", taken_at=now - timedelta(hours=1), power_kw=20.0),
        ]
    )
    store.close()
    found = {one.what: one for one in meters(settings, settings.context())}
    assert found["meter grid"].ok
    assert "120.0 kW" in found["meter grid"].says
    assert not found["meter e-2"].ok
    assert (found["meter p-1"].ok, found["meter p-1"].says) == (False, "nothing has come yet")
    assert "push-readings.md" in found["meter p-1"].to_do
