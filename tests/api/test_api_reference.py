"""docs/api.md says what the door takes, and the door's own description is whole."""

import json
from pathlib import Path
from typing import Any

from energy.api.reference import description, text

ROOT = Path(__file__).parent.parent.parent


def test_the_reference_is_fresh() -> None:
    kept = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert text() == kept, "run: python -m energy.api.reference docs/api.md"


def test_every_reference_in_the_description_leads_somewhere() -> None:
    said = description()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    for reference in references(said):
        here: Any = said
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]
        assert here
    assert "HTTPValidationError" not in json.dumps(said)
