"""Pictures of every view, over a state of the gallery or of a running plant:

python -m tests.dashboard.screens OUTDIR [STATE | http://127.0.0.1:8501]
"""

import sys
from contextlib import nullcontext
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.parts import VIEWS
from tests.dashboard.browser import launch, served, shown, whole

WIDE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def opened(browser: Browser, size: dict[str, int], scheme: str = "light") -> Page:
    return browser.new_context(viewport=size, color_scheme=scheme).new_page()


def phone(page: Page, base: str, out: Path) -> None:
    """The report of a breakdown up to the consequence, before it is sent."""
    shown(page, base, "happened")
    page.get_by_role("button", name="Machine down").click()
    page.get_by_role("button", name="Press 1", exact=True).or_(page.get_by_role("radio", name="Press 1")).first.click()
    page.get_by_role("button", name="1 h", exact=True).or_(
        page.get_by_role("radio", name="1 h", exact=True)
    ).first.click()
    page.get_by_text("What changes").wait_for()
    whole(page, out / "happened-phone.png")


def main(out: Path, what: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    running = what.startswith("http")
    with nullcontext(what.rstrip("/")) if running else served(what) as base, sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            sys.exit("no Chromium: install one, or run `playwright install chromium`")
        page = opened(browser, WIDE)
        for view in VIEWS:
            seconds = shown(page, base, view, charts=not running)
            whole(page, out / f"{view}.png")
            print(f"{view}: {seconds:.1f} s")
        shown(page, base, "year?wall=1")
        whole(page, out / "wall.png")
        dark = opened(browser, WIDE, "dark")
        for view in ("overview", "plan"):
            shown(dark, base, view, charts=not running)
            whole(dark, out / f"{view}-dark.png")
        if running or what == "normal":
            phone(opened(browser, PHONE), base, out)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "normal")
