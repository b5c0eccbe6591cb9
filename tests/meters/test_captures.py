"""Every profile against its capture: registers worked out by hand from the register map, and what they mean."""

from pathlib import Path

import pytest
import yaml

from meters.image import places, quantities
from meters.modbus import Settings
from meters.profile import Profile, names
from meters.reads import planned_reads

FOLDER = Path(__file__).parent.parent / "captures"


def capture(name: str) -> tuple[dict, Profile]:
    said = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return said, Settings(host="x", profile=said["profile"], **said.get("settings", {})).table()


def test_every_profile_has_a_capture_and_every_capture_a_profile():
    captures = {path.stem: yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yaml")}
    missing = sorted(set(names()) - set(captures))
    assert missing == [], "write tests/captures/NAME.yaml for these profiles: see meters/profiles/README.md"
    of_modbus = {name: said["profile"] for name, said in captures.items() if said.get("kind", "modbus") == "modbus"}
    assert set(of_modbus.values()) == set(names())


@pytest.mark.parametrize("name", names())
def test_a_profile_says_what_its_capture_means(name):
    said, profile = capture(name)
    words = {
        (said["function_code"], at + i): word for at, row in said["registers"].items() for i, word in enumerate(row)
    }
    found = quantities(profile, words)
    assert found == {quantity: pytest.approx(value, rel=1e-6) for quantity, value in said["means"].items()}


@pytest.mark.parametrize("name", names())
def test_a_capture_speaks_of_every_register(name):
    said, profile = capture(name)
    assert set(said["means"]) | set(said.get("not_said", ())) == set(profile.registers)


@pytest.mark.parametrize("name", names())
def test_the_planned_reads_bring_every_register_within_the_limit(name):
    _, profile = capture(name)
    reads = planned_reads(profile)
    assert all(batch.count <= profile.max_registers for _, batch in reads)
    for register in profile.registers.values():
        for place in places(profile, register):
            assert sum(code == profile.code_of(register) and batch.holds(place) for code, batch in reads) == 1
