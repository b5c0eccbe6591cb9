"""The meter that the page on profiles adds is really added: read over the wire, and it says what the page prints."""

import pytest
import yaml
from click.testing import CliRunner

from meters.commands import meters
from meters.image import quantities
from meters.profile import load
from tests.docs.pages import ROOT, blocks
from tests.meters.sunspec_device import Registers, answering

PAGE = ROOT / "meters" / "profiles" / "README.md"


def block(language: str, *words: str) -> str:
    return next(found.body for found in blocks(PAGE, language) if found.words == words)


def captured() -> dict:
    said = yaml.safe_load(block("yaml", "capture"))
    assert isinstance(said, dict)
    return said


def test_the_profile_of_the_page_reads_what_the_page_prints(tmp_path):
    profile = tmp_path / "acme-420.yaml"
    profile.write_text(block("yaml", "acme-420.yaml"), encoding="utf-8")
    device = Registers(code=captured()["function_code"])
    for address, words in captured()["registers"].items():
        device.put(address, words)
    with answering(device) as port:
        result = CliRunner().invoke(
            meters,
            ["read", "--profile", str(profile), "--host", "127.0.0.1", "--port", str(port), "--unit", "1"],
            catch_exceptions=False,
        )
    assert result.exit_code == 0
    told = [line.strip() for line in result.output.splitlines()[1:-1]]  # between the heading and the note
    assert told == [line.strip() for line in block("text").splitlines()]
    assert max(count for _, _, count in device.asked) <= 60


def test_the_capture_of_the_page_means_what_it_says(tmp_path):
    (tmp_path / "acme-420.yaml").write_text(block("yaml", "acme-420.yaml"), encoding="utf-8")
    said, profile = captured(), load("acme-420.yaml", tmp_path)
    words = {
        (said["function_code"], at + i): word for at, row in said["registers"].items() for i, word in enumerate(row)
    }
    assert quantities(profile, words) == {name: pytest.approx(value) for name, value in said["means"].items()}


def test_the_page_names_every_key():
    from meters.identify import Identify
    from meters.profile import Profile, Register

    page = PAGE.read_text(encoding="utf-8")
    keys = {*Profile.model_fields, *Register.model_fields, *Identify.model_fields}
    assert [key for key in sorted(keys) if f"`{key}`" not in page and f"{key}:" not in page] == []


def test_the_identification_of_the_page_is_the_profiles():
    assert "EM530: [[1744, 1749], 1856], EM540: [[1760, 1766]]" in PAGE.read_text(encoding="utf-8")
    assert [name for name, _ in load("carlo-gavazzi-em540").identify[0].expect] == ["EM530", "EM530", "EM540"]
