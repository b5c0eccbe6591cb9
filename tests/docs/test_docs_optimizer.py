"""What the pages on the optimizer list is all that there is: each block, each kind of bill line, each new word."""

import re

from energy.model.plan import LineKind
from tests.docs.pages import ROOT

BLOCKS = {file.stem for file in (ROOT / "optimizer" / "blocks").glob("*.py")} - {"__init__"}


def section(page: str, heading: str) -> str:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1] for line in text.splitlines() if line.startswith("|")][2:]


def test_the_table_of_blocks_names_each_block_once() -> None:
    named = [
        name for cell in first_cells(section("optimizer.md", "The rules")) for name in re.findall(r"`(\w+)`", cell)
    ]
    assert sorted(named) == sorted(BLOCKS)


def test_the_bill_names_each_kind_of_line_and_which_are_money() -> None:
    rows = [line.split("|")[1:4] for line in section("planning.md", "The bill").splitlines() if line.startswith("|")][
        2:
    ]
    said = {re.split(r"[,\"(]", name)[0].strip(): money.strip().startswith("yes") for name, _, money in rows}
    assert said == {kind.value: kind.is_money for kind in LineKind}


def test_the_glossary_has_the_words_of_a_plan() -> None:
    words = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    told = {word.strip() for entry in re.findall(r"\*\*([^*]+?)\.?\*\*", words) for word in entry.split(",")}
    assert {"way", "setup", "batch", "feeder", "ratchet", "guard", "frontier", "holding", "buffer", "gap"} <= told
