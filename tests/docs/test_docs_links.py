"""Whatever a page points to is there."""

from pathlib import Path

import pytest

from tests.docs.pages import LINK, PAGES, PICTURES, ROOT, anchors, name, without_code


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for match in LINK.finditer(without_code(page)):
        path, _, anchor = match["target"].partition("#")
        if path.startswith(("http://", "https://", "mailto:")) or path.endswith(".png"):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(match["target"])
        assert not target.is_absolute() or target.is_relative_to(ROOT), f"{target} is outside of the repository"
    assert not lost


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_picture_is_there(page: Path) -> None:
    shown = [match["target"] for match in LINK.finditer(without_code(page)) if match["target"].endswith(".png")]
    assert [target for target in shown if not (page.parent / target).exists()] == []


def test_the_readme_shows_all_pictures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [picture for picture in PICTURES if f"docs/images/{picture}" not in text] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")]
    assert [page for page in pages if "/" not in page and page != "README.md" and f"({page})" not in index] == []
    assert [page for page in pages if page.startswith("how-to/") and f"({page})" not in index] == []


def test_decisions_are_numbered_once_and_in_order() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        assert file.read_text(encoding="utf-8").startswith(f"# {int(file.name[:4])}. "), file.name
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in files if f"({file.name})" not in index] == []
