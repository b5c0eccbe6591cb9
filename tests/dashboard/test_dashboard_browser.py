"""The screens in a real Chromium: every view in light and dark, decisions, one printed page, and no stranger asked."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from dashboard.metering.where import SECTIONS
from dashboard.parts import VIEWS
from tests.dashboard.browser import DRAWN, answer, launch, served, settle, shown

pytestmark = pytest.mark.browser

# Streamlit looks for its server below a deep link first, and finds it one level up.
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")


# Charts that have no words for who cannot see them, and inputs that have no name.
UNNAMED = """selector => [...document.querySelectorAll(selector)].filter(drawn => {
    for (let at = drawn; at && !at.matches('.stMain'); at = at.parentElement)
        if (at.getAttribute('aria-label') || at.getAttribute('alt')) return false;
    return true; }).length"""
MUTE = """() => [...document.querySelectorAll('.stMain input, .stMain textarea, .stMain button')].filter(it =>
    it.offsetParent && it.tabIndex >= 0 && !it.getAttribute('aria-label') && !(it.labels || []).length
    && !it.textContent.trim() && !it.getAttribute('aria-labelledby') && !it.title).map(it => it.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launch(playwright)
        if found is None:
            pytest.skip("NOT RUN: no Chromium on this machine; install chromium or run `playwright install chromium`")
        yield found
        found.close()


@pytest.fixture(scope="module")
def plant() -> Iterator[str]:
    with served("normal") as base:
        yield base


def left_behind(request: Request) -> bool:
    """A request that the browser itself gave up because the page was left while it was under way; the stream of events
    always ends like that."""
    return "_stcore/stream" in request.url or request.failure == "net::ERR_ABORTED"


def watched(browser: Browser, scheme: str, width: int = 1440) -> tuple[Page, list[str]]:
    """A page, and the list of all that goes wrong in it."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "Failed to load" not in m.text else None)
    page.on("requestfailed", lambda r: wrong.append(f"{r.failure}: {r.url}") if not left_behind(r) else None)
    page.on(
        "response",
        lambda r: (
            wrong.append(f"{r.status} {r.url}") if r.status >= 400 and not PROBES.search(urlsplit(r.url).path) else None
        ),
    )
    page.on("request", lambda r: wrong.append(f"asked a stranger: {r.url}") if _stranger(r.url) else None)
    return page, wrong


def _stranger(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_opens_without_an_error(browser: Browser, plant: str, scheme: str) -> None:
    page, wrong = watched(browser, scheme)
    for view in VIEWS:
        shown(page, plant, view)
        settle(page)
        text = page.inner_text(".stMain")
        assert "Traceback" not in text, view
        assert "failed" not in text, view
        assert wrong == [], view
        assert page.evaluate(UNNAMED, DRAWN) == 0, f"{view}: a chart without words"
        assert page.evaluate(MUTE) == [], f"{view}: an input without a label"
        wide = page.evaluate(
            "document.querySelector('.stMain').scrollWidth - document.querySelector('.stMain').clientWidth"
        )
        assert wide <= 0, f"{view} is wider than the window"
    ground = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 28)"}[scheme]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_section_of_the_meters_fits_a_phone(browser: Browser, plant: str, scheme: str) -> None:
    page, wrong = watched(browser, scheme, width=390)
    chosen = SECTIONS if scheme == "light" else ("tree", "doubted")  # the pictures that are drawn with our own colours
    for where in (*(f"section={name}" for name in chosen), "meter=m-galvanic"):
        shown(page, plant, f"meters?{where}&role=energy+manager")
        settle(page)
        text = page.inner_text(".stMain")
        assert "Traceback" not in text, where
        assert "failed" not in text, where
        assert wrong == [], where
        assert page.evaluate(MUTE) == [], f"{where}: an input without a label"
        wide = page.evaluate(
            "document.querySelector('.stMain').scrollWidth - document.querySelector('.stMain').clientWidth"
        )
        assert wide <= 0, f"{where} is wider than the window"


def test_the_list_of_what_needs_a_hand_leads_to_the_meter(browser: Browser, plant: str) -> None:
    page, wrong = watched(browser, "light")
    shown(page, plant, "overview")
    settle(page)
    page.get_by_role("button", name="Open meter").first.click()
    # By its words: while one view gives way to the other, both have a heading.
    expect(page.get_by_role("heading", name="Compressor 2 is silent")).to_be_visible(timeout=30_000)
    assert "meter=m-compressor-2" in page.url
    settle(page)
    page.get_by_role("button", name="All meters").click()
    expect(page.get_by_role("heading", name="14 of 16 meters answer")).to_be_visible(timeout=30_000)
    assert wrong == []


def test_doubted_readings_are_released_by_hand(browser: Browser, plant: str) -> None:
    page, wrong = watched(browser, "light")
    shown(page, plant, "meters?section=doubted&role=energy+manager")
    settle(page)
    page.locator('[class*="st-key-release-box-m-furnace-2"]').get_by_role("button").first.click()
    page.get_by_text("a surge that was real").click()
    settle(page)
    button = page.get_by_role("button", name="Release it", exact=True)
    answer(
        page,
        page.locator('[class*="st-key-release-box-m-furnace-2"]').get_by_role("button").first,
        button,
        page.get_by_text("1 reading is released"),
    )
    assert wrong == []


def test_something_happened_is_reported_on_a_phone(browser: Browser, plant: str) -> None:
    page, wrong = watched(browser, "light", width=390)
    shown(page, plant, "happened")
    settle(page)
    for key in ("machine down", "crew missing"):
        button = page.get_by_role("button", name=key.capitalize())
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    page.get_by_role("button", name="Machine down").click()
    page.get_by_text("Press 1", exact=True).click()
    page.get_by_text("1 h", exact=True).click()
    expect(page.get_by_text("Who must be told")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Report machine down").click()
    expect(page.get_by_text("Reported: machine down.")).to_be_visible(timeout=30_000)
    assert wrong == []


def test_the_shift_sheet_is_one_page_of_paper(browser: Browser, plant: str) -> None:
    page, _ = watched(browser, "dark")
    shown(page, plant, "sheet")
    settle(page)
    page.emulate_media(media="print", color_scheme="dark")
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
    expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
    expect(page.locator(".st-key-bar")).to_be_hidden()


def test_a_planner_accepts_refuses_and_withdraws(browser: Browser, plant: str) -> None:
    """Last, because it answers the offers that the others look at."""
    page, wrong = watched(browser, "light")
    shown(page, plant, "plan")
    settle(page)
    page.locator(".st-key-accept-offer-1 button:visible").first.dblclick()
    expect(page.get_by_text("Offer 1 accepted.")).to_be_visible(timeout=30_000)
    expect(page.locator("h1.sentence")).to_contain_text("One offer for tomorrow", timeout=30_000)
    box = page.locator(".st-key-refuse-box-offer-2").get_by_role("button").first
    answer(page, box, page.get_by_role("button", name="Refuse this offer"), page.get_by_text("Offer 2 refused."))
    expect(page.locator(".st-key-accept-offer-2")).to_have_count(0, timeout=30_000)
    settle(page)
    page.locator('[class*="st-key-withdraw-offer-1"] button:visible').first.click()
    expect(page.get_by_text("Offer 1 withdrawn.")).to_be_visible(timeout=30_000)
    assert wrong == []
