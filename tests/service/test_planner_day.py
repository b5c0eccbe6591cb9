"""A planner's afternoon on the running service, in a real Chromium: simulated meters, collector, scheduler and screens."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from energy.config import load_settings
from energy.demo import go_live, prepare
from energy.model.fact import FactKind
from energy.model.horizon import Interval
from energy.model.meter import ReadingQuality
from energy.model.proposal import Offer, OfferState
from energy.store import Store
from energy.supervisor import Role, supervise
from tests.dashboard.browser import answer, free_port, launch, settle, shown, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]
ROOT = Path(__file__).parents[2]


class Running:
    """The demo's plant, live: its screens' address and a second look at its store."""

    def __init__(self, folder: Path) -> None:
        demo = prepare(ROOT / "config.yaml", folder, weeks=3, port=free_port(), say=lambda _: None)
        demo.service.house.optimizer_seconds = 5.0
        demo.service.heartbeat()
        go_live(demo, 1.0)
        demo.service.house.store.close()
        self.settings = load_settings(demo.config)
        self.base = f"http://127.0.0.1:{self.settings.dashboard.port}"
        self.store = Store.open(self.settings.store.url, self.settings.site.id)
        self._stop = threading.Event()
        config = ["--config", str(demo.config)]
        roles = [Role("plant", ["simulate", *config]), Role("collector", ["collect", *config])]
        roles += [Role("scheduler", ["schedule", *config]), Role("dashboard", ["dashboard", *config])]
        self._thread = threading.Thread(target=supervise, args=(roles, self._stop))
        self._thread.start()
        wait_for(f"{self.base}/_stcore/health", 90)

    def open_offers(self) -> list[Offer]:
        return self.store.offers.in_state(OfferState.OPEN)

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)
        self.store.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plant = Running(tmp_path_factory.mktemp("living") / "demo")
    yield plant
    plant.end()


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            pytest.skip("NOT RUN: no Chromium on this machine, and Playwright's own cannot be had")
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        yield page
        browser.close()


def until(true: object, seconds: float, what: str) -> None:
    """Wait for something that becomes true by itself."""
    deadline = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


def test_accept_one_refuse_another_and_report_a_machine_down(running: Running, page: Page) -> None:
    store = running.store
    offers = [o for o in running.open_offers() if not o.requires]
    assert len(offers) >= 2, "the demo's afternoon has at least two offers that stand by themselves"
    taken, refused = offers[0], offers[1]

    shown(page, running.base, "plan")
    settle(page)
    page.locator(f".st-key-accept-{taken.id} button").first.click()
    until(lambda: store.offers.get(taken.id).state is OfferState.ACCEPTED, 30, "the offer is accepted")
    expect(page.get_by_text("Accepted:").first).to_be_visible(timeout=30_000)

    answer(
        page,
        page.locator(f".st-key-refuse-box-{refused.id} button").first,
        page.locator(f".st-key-refuse-{refused.id} button").first,
        page.get_by_text("Refused:").first,
    )
    until(lambda: store.offers.get(refused.id).state is OfferState.REFUSED, 30, "the offer is refused")

    shift = taken.shifts[0]
    page.set_viewport_size({"width": 390, "height": 900})
    shown(page, running.base, "happened")
    settle(page)
    page.locator('[class*="st-key-fact-machine"] button').first.click()
    tap(page, name_of(running, shift.new.machine))
    tap(page, "8 h")
    expect(page.get_by_text("What changes")).to_be_visible(timeout=60_000)
    reported = time.monotonic()
    page.locator(".st-key-report button").first.click()
    until(lambda: answered(store, shift.new.machine), 60, "the re-plan after the breakdown")
    assert time.monotonic() - reported < 60
    latest = store.plans.latest()
    assert latest is not None
    down = next(m for m in latest.problem.machines if m.id == shift.new.machine)
    assert any(closed.why == "breakdown" for closed in down.closed)

    # The accepted one is in the plan in force (its job runs tomorrow, when the machine is back), the refused one stays away.
    job = latest.problem.job(shift.job)
    assert latest.problem.horizon.time_of(job.in_force.start) == shift.new.start
    again = {job for offer in running.open_offers() for job in offer.jobs}
    assert not again & set(refused.jobs)
    assert "Traceback" not in page.content()


def tap(page: Page, words: str) -> None:
    """Tap one of the answers that a question offers."""
    pill = page.get_by_role("radio", name=words, exact=True).or_(page.get_by_role("button", name=words, exact=True))
    pill.first.click()


def answered(store: Store, machine: str) -> bool:
    """Whether somebody reported that this machine is down, and a plan has taken it in. (The floor reports other things by
    itself, at any moment.)"""
    known = store.facts.of(Interval(datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)))
    waiting = {fact.id for fact in store.facts.unanswered()}
    down = [f for f in known if f.kind is FactKind.MACHINE_DOWN and f.machine == machine]
    return bool(down) and not waiting & {f.id for f in down}


def name_of(running: Running, machine: str) -> str:
    return running.settings.site.machine(machine).name


def test_the_meters_are_read_over_the_wire(running: Running) -> None:
    def fresh() -> bool:
        latest = running.store.readings.latest()
        good = [r for r in latest.values() if r.quality is ReadingQuality.GOOD and r.values]
        return len(good) == len(running.settings.meters)

    until(fresh, 90, "every meter has been read over Modbus")


@pytest.mark.parametrize(
    "view", ["overview", "plan", "sheet", "forecast", "meters", "savings", "year", "journal", "events"]
)
def test_every_view_shows_the_living_plant(running: Running, page: Page, view: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    shown(page, running.base, view, charts=view not in {"journal", "events"})
    settle(page)
    text = page.locator(".stMain").inner_text()
    assert "Traceback" not in text
    assert "went wrong" not in text
    assert errors == []
