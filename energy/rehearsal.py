"""A past for a simulated plant, lived on a held clock: weeks without Loadstone, then days planned as on any day.

The meters' counters are read at each slot edge, without the wire unless one is given; everything else (orders by file,
feeds, steps, decisions, instructions) goes the way it goes in a running plant.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from energy.clock import HeldClock, day_bounds, local_date, wall_to_utc
from energy.model.horizon import Horizon
from energy.model.meter import Reading
from energy.model.proposal import Decision, DecisionKind, Offer, OfferState
from energy.service import LoadstoneService
from energy.twin.floor import LivingPlant
from energy.twin.history import reading

log = logging.getLogger("loadstone.rehearsal")

PLANNER = "demo planner"


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """A plant, its service, and the held clock that both live on."""

    service: LoadstoneService
    plant: LivingPlant
    clock: HeldClock
    read_meters: Callable[[], Sequence[Reading]] | None = None  # over a wire; None: straight from the plant

    def live_to(self, until: datetime) -> None:
        """Let the plant live to an instant, reading its meters at every slot edge on the way."""
        house = self.service.house
        step = timedelta(minutes=house.site.step_minutes)
        since = self.clock.now()
        edges = Horizon(since, max(0, (until - since) // step), house.site.step_minutes)
        meters = house.store.meters()
        readings: list[Reading] = []
        for edge in [*edges.times(), edges.end]:
            self.clock.move_to(edge)
            self.plant.twin.advance_to(edge)
            readings += self.read_meters() if self.read_meters else [reading(self.plant.twin, m) for m in meters]
        with house.store.unit(durable=False):
            house.store.readings.add(readings)
        self.clock.move_to(until)
        self.plant.tick()
        self.report_facts()

    def report_facts(self) -> None:
        """What the floor reports by itself goes the way of every report."""
        for fact in self.plant.new_facts():
            self.service.report(fact)

    def quiet_days(self, days: Iterable[date]) -> None:
        """Days without Loadstone: prices come, jobs run as released, meters count."""
        zone = self.service.house.site.zone
        for day in days:
            self.live_to(at_wall(day, self.service.house.calendar.rules.opens, zone))
            self.service.fetch()
            self.live_to(day_bounds(day, zone)[1])
            self.service.collect()
            log.info("%s lived", day)

    def planned_day(self, day: date) -> None:
        """A day with Loadstone: offers at their time, all answered by the demo planner, dispatched, and run."""
        house = self.service.house
        rules, zone = house.calendar.rules, house.site.zone
        self.live_to(at_wall(day, rules.opens, zone))
        self.service.heartbeat()
        self.accept_all()
        self.plant.tick()
        self.live_to(day_bounds(day, zone)[1])
        self.service.fetch()
        self.service.collect()
        self.service.dispatch()

    def accept_all(self) -> list[Offer]:
        """The demo planner accepts every open offer, under its own name in the journal."""
        house = self.service.house
        accepted = []
        for offer in house.store.offers.in_state(OfferState.OPEN):
            done = self.service.decide(
                Decision(
                    id=str(uuid5(NAMESPACE_URL, f"accept {offer.id}")),
                    offer=offer.id,
                    version=offer.version,
                    kind=DecisionKind.ACCEPT,
                    by=PLANNER,
                    role="planner",
                    at=self.clock.now(),
                )
            )
            if done.ok:
                accepted.append(offer)
            else:
                log.warning("offer %s was not accepted: %s", offer.id, done.text)
        return accepted


def at_wall(day: date, at: object, zone: str) -> datetime:
    """A wall-clock time of a local day."""
    from datetime import time

    assert isinstance(at, time)
    return wall_to_utc(day, at, zone)


def days_between(first: date, last: date) -> list[date]:
    """The days first … last, last excluded."""
    return [first + timedelta(days=n) for n in range((last - first).days)]


def today(service: LoadstoneService) -> date:
    return local_date(service.house.clock.now(), service.house.site.zone)
