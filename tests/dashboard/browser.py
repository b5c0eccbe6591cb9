"""A served gallery and a real Chromium, for the browser tests and the pictures of the docs."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Error, Locator, Page, Playwright, TimeoutError

from dashboard.commands import streamlit_command

ROOT = Path(__file__).parents[2]
ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
READY = "h1.sentence, .st-key-paper, .wall, .notice"
DRAWN = '[data-testid="stVegaLiteChart"] svg, [data-testid="stVegaLiteChart"] canvas'
QUIET = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app !== null && app.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
        && document.querySelector('[data-stale="true"]') === null; }"""
TRIES = 4
CHARTLESS = ("happened", "journal", "meters")


def launch(playwright: Playwright) -> Browser | None:
    """A Chromium found on the machine, else Playwright's own; None where neither can be had."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    try:
        return playwright.chromium.launch(executable_path=found, args=list(ARGS))
    except Error:
        return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(state: str = "normal") -> Iterator[str]:
    """The screens over one state of the gallery, on loopback; gone when the block ends."""
    port = free_port()
    env = {**os.environ, "LOADSTONE_SERVICE": f"tests.dashboard.gallery:{state}", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        streamlit_command("127.0.0.1", port), env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/_stcore/health")
        yield base
    finally:
        child.terminate()
        child.wait(10)


def wait_for(address: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def shown(page: Page, base: str, view: str, *, charts: bool = True) -> float:
    """Open a view and wait until it is drawn; the seconds that it took. A young plant may have no chart to show yet."""
    start = time.monotonic()
    page.goto(f"{base}/{'' if view == 'overview' else view}")
    page.wait_for_selector(READY, timeout=60_000)
    if view.split("?", maxsplit=1)[0] not in CHARTLESS and "wall" not in view:
        page.wait_for_selector(DRAWN if charts else f"{DRAWN}, .notice", timeout=60_000)
    return time.monotonic() - start


def settle(page: Page) -> None:
    """Wait until nothing runs, nothing of an earlier run is left, and nothing changes its size any more.

    The widget that says "running" comes only after a while: without it the page may still be the old one, and a box
    that is opened there closes under the hand when the run ends. So the app itself is asked, twice in a row, because
    one run may ask for another.
    """
    for _ in range(2):
        page.wait_for_function(QUIET, timeout=60_000)
        page.wait_for_timeout(350)
    page.wait_for_function(QUIET, timeout=60_000)
    page.evaluate("document.fonts.ready")


def answer(page: Page, box: Locator, button: Locator, said: Locator) -> None:
    """Open a box, press the button in it, and wait until the page says what it did.

    A run that begins in between closes the box or takes the button away; then it is opened and pressed again, which
    is one decision all the same."""
    for _ in range(TRIES):
        settle(page)
        if said.is_visible():
            return
        try:
            if not button.is_visible():
                box.click(timeout=10_000)
            button.click(timeout=10_000)
            said.wait_for(timeout=15_000)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"pressed {TRIES} times, and the page never said {said}")


def whole(page: Page, path: Path) -> None:
    """A picture of the whole page, not only of what fits the window."""
    settle(page)
    size = page.viewport_size or {"width": 1440, "height": 1000}
    height = int(page.evaluate("document.querySelector('.stMain').scrollHeight"))
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    settle(page)
    page.screenshot(path=path)
    page.set_viewport_size(size)
