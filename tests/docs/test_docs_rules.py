"""What the pages on rules let a plant say is a problem file: each snippet, laid over the first problem, can be read."""

import json
from pathlib import Path
from typing import Any

import pytest

from energy.exchange.problems import problem_from_json
from tests.docs.pages import ROOT, Block, blocks

BASE = (ROOT / "examples" / "first-problem" / "problem.json").read_text(encoding="utf-8")
SNIPPETS = [block for page in sorted((ROOT / "docs").glob("rules-*.md")) for block in blocks(page, "json")]


def laid_over(base: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """The base with what is said: lists get longer, and what has the id of something there takes its place."""
    made = dict(base)
    for key, value in said.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            new = {part.get("id", i): part for i, part in enumerate(value)}
            kept = [part for part in base.get(key, []) if part.get("id") not in new]
            made[key] = kept + value
        else:
            made[key] = value
    return made


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: block.id)
def test_a_snippet_is_a_part_of_a_problem_file(block: Block) -> None:
    base, said = json.loads(BASE), json.loads(block.body)
    problem = problem_from_json(json.dumps(laid_over(base, said)), block.id)
    assert problem != problem_from_json(BASE)


def test_the_pages_on_rules_have_snippets() -> None:
    assert SNIPPETS
    assert {block.page for block in SNIPPETS} == set(Path(ROOT / "docs").glob("rules-*.md"))
