"""docs/config.md says what the config is held against."""

from pathlib import Path

from energy.config.reference import text

ROOT = Path(__file__).parent.parent.parent


def test_the_reference_is_fresh():
    made = text()
    kept = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert made == kept, "run: python -m energy.config.reference docs/config.md"


def test_every_section_of_the_repositorys_config_is_in_it():
    import yaml

    sections = yaml.safe_load((ROOT / "config.yaml").read_text())
    headings = [line.removeprefix("## ") for line in text().splitlines() if line.startswith("## ")]
    assert set(sections) <= set(headings)
