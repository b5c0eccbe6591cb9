"""Two days of the small plant, and its pages at two moments, for figures that a planner can check by hand."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from energy.reports import pages
from tests.loop.plant import SmallPlant, at, oven_job, press_job

SAT, SUN, MON, TUE, WED = (date(2026, 10, n) for n in (24, 25, 26, 27, 28))
PAGES = ("overview", "plan_page", "happened_page", "shift_sheet", "forecast_page", "meters_page", "savings_page",
         "year_page", "journal_page", "events_page")  # fmt: skip


@dataclass
class Lived:
    """The plant, and all its pages on Monday at 13:16 (offers for Tuesday open, Monday's accepted) and on Tuesday at
    13:16 (Monday is accounted)."""

    plant: SmallPlant
    monday: dict[str, Any]
    tuesday: dict[str, Any]


def live(folder: Path) -> Lived:
    plant = SmallPlant(folder)
    plant.publish(date(2026, 10, 16), date(2026, 10, 30))
    plant.order(*(make(day) for day in (MON, TUE, WED) for make in (oven_job, press_job)))
    offer_and_accept(plant, SUN, "oven-26", "press-26")
    plant.live_to(at(MON, 13, 16))
    plant.service.heartbeat()
    monday = all_pages(plant)
    for offer in plant.offers():
        plant.accept(offer)
    for job in ("oven-27", "press-27"):
        plant.ran(job, job.split("-")[0], plant.accepted_start(job))
    plant.live_to(at(TUE, 13, 16))
    plant.service.verify_due()
    plant.service.heartbeat()
    return Lived(plant=plant, monday=monday, tuesday=all_pages(plant))


def offer_and_accept(plant: SmallPlant, day: date, *jobs: str) -> None:
    """The offers of a day are all accepted, and run as accepted."""
    plant.live_to(at(day, 13, 16))
    plant.service.heartbeat()
    for offer in plant.offers():
        plant.accept(offer)
    for job in jobs:
        plant.ran(job, job.split("-")[0], plant.accepted_start(job))


def all_pages(plant: SmallPlant) -> dict[str, Any]:
    return {name: getattr(plant.service, name)() for name in PAGES}


def bar(page: pages.PlanPage, job: str, state: pages.BarState) -> pages.Bar:
    return next(b for b in page.bars if b.job == job and b.state is state)
