"""A real meter is added in a real Chromium: found, read, mended, kept, and read by the running collector."""

from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from energy.config import load_settings
from energy.store import Store
from tests.dashboard.browser import launch, settle, shown
from tests.dashboard.found_plant import Running, running
from tests.meters.scan.test_wire import served
from tests.meters.wire import free_port, settings

pytestmark = pytest.mark.browser
PATIENCE = 90_000  # ms; machines differ, what is waited for comes by itself


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = launch(playwright)
        if found is None:
            pytest.skip("NOT RUN: no Chromium on this machine; install chromium or run `playwright install chromium`")
        yield found
        found.close()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, int]]:
    """A plant that reads unit 1; unit 2 behind the same gateway has its words the other way round, and is not known."""
    port = free_port()
    meters = settings(port, unit=1, profile="siemens-pac"), settings(port, unit=2, word_order="low first")
    folder = tmp_path_factory.mktemp("plant")
    with served(*meters), running(folder, port) as made:
        yield made, port


def steady(page: Page, text: str) -> None:
    """Wait for words, then until the page rests."""
    page.get_by_text(text).first.wait_for(timeout=PATIENCE)
    settle(page)


def choose(page: Page, box: str, option: str) -> None:
    page.get_by_role("combobox", name=box).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_from_an_address_to_a_meter_that_is_read(browser: Browser, plant: tuple[Running, int]) -> None:
    made, port = plant
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    shown(page, made.base, "meters?role=energy+manager")
    settle(page)
    page.get_by_role("button", name="Add a meter").first.click()
    steady(page, "Where is the meter?")
    page.get_by_label("Address of the meter or its gateway").fill(f"127.0.0.1:{port}")
    choose(page, "Which units to ask", "1 to 32, quickly")
    page.get_by_role("button", name="Look", exact=True).click()
    steady(page, "Two units")
    page.get_by_role("button", name="Look at it").last.click()
    page.get_by_text("It does not read right").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Use this fix").first.click()
    page.get_by_text("It can be right").wait_for(timeout=PATIENCE)
    expect(page.get_by_text("87.00").first).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Name, as people call it").fill("Press 2, infeed")
    page.get_by_role("spinbutton", name="Its connection carries at most, kW").fill("160")
    page.keyboard.press("Tab")
    choose(page, "Machine", "Press 2")
    keep = page.get_by_role("button", name="Keep this meter")
    expect(keep).to_be_enabled(timeout=PATIENCE)
    keep.click()
    page.get_by_text("is kept in").wait_for(timeout=PATIENCE)
    known = load_settings(made.config, {})
    assert [meter.meter.id for meter in known.meters] == ["grid", "press-2-infeed"]
    store = Store.open(known.store.url, known.site.id)
    until = monotonic() + PATIENCE / 1000
    while "press-2-infeed" not in store.readings.last_good():
        assert monotonic() < until, "the collector never took it up"
        page.wait_for_timeout(500)
    assert store.readings.last_good()["press-2-infeed"].power_kw == pytest.approx(87.0)
    shown(page, made.base, "meters?role=energy+manager")
    page.get_by_text("All two meters answer").wait_for(timeout=PATIENCE)
    assert wrong == []


def test_a_phone_in_the_dark_has_room_for_every_step(browser: Browser, plant: tuple[Running, int]) -> None:
    """At 390 px nothing stands out of the page at the side, and every input has a name."""
    made, port = plant
    page = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark").new_page()
    shown(page, made.base, "meters?role=energy+manager&add=1")
    settle(page)
    page.get_by_label("Address of the meter or its gateway").fill(f"127.0.0.1:{port}")
    choose(page, "Which units to ask", "unit 1 alone")
    page.get_by_role("button", name="Look", exact=True).click()
    steady(page, "One unit")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("It can be right").wait_for(timeout=PATIENCE)
    settle(page)
    over = page.evaluate(
        "document.querySelector('.stMain').scrollWidth - document.querySelector('.stMain').clientWidth"
    )
    assert over <= 0
    mute = page.evaluate(
        """() => [...document.querySelectorAll('.stMain input')].filter(it => it.offsetParent &&
        !it.getAttribute('aria-label') && !(it.labels || []).length && !it.getAttribute('aria-labelledby')).length"""
    )
    assert mute == 0
