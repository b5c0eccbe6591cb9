"""The pages of the documentation and what stands in them: code blocks, commands, links, headings."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "benchmarks").rglob("*.md"),
        *(ROOT / "meters").rglob("*.md"),
    )
)
# The pictures that the pages show. They are taken from the running demo; README.md shows all of them.
PICTURES = ("overview.png", "plan.png", "plan-dark.png", "savings.png", "happened-phone.png")

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^ *```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
INLINE = re.compile(r"`(loadstone [^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the other words of its first line, and what stands in it."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    body: str

    @property
    def id(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page, of some languages or of all."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, tuple(words), textwrap.dedent(match["body"])))
    return [block for block in found if not languages or block.language in languages]


def lines_of_code(page: Path) -> Iterator[tuple[int, str]]:
    """Each line that is a command of ours: in a block, or indented; continued lines are joined."""
    rows = page.read_text(encoding="utf-8").split("\n")
    for number, row in enumerate(rows, 1):
        if not row.strip().startswith("loadstone "):
            continue
        command, more = row.strip(), number
        while command.endswith("\\"):
            command = f"{command[:-1].rstrip()} {rows[more].strip()}"
            more += 1
        yield number, command


def commands(page: Path) -> Iterator[tuple[int, str]]:
    """Every command of ours that a page names, in a block or in a sentence."""
    yield from lines_of_code(page)
    text = page.read_text(encoding="utf-8")
    for match in INLINE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, " ".join(match[1].split())


def without_code(page: Path) -> str:
    """The sentences of a page: blocks and code within lines taken out."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """What a link may point to within a page, as forges make it from headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-") for heading in headings}
