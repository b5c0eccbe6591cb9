"""When a step runs: the only file that knows APScheduler.

It ticks every few real seconds, in UTC, and asks the plant's clock what is due. What was done is kept in the store, so a
run that was missed is caught up once, and never twice: the key is the slot that was due.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from energy.clock import floor_to
from energy.errors import LoadstoneError
from energy.planning.offer_times import on_day_of
from energy.service import LoadstoneService

log = logging.getLogger("loadstone.schedule")

TICK_SECONDS = 2.0  # real seconds between two looks at the clock
LATE_ROUND = timedelta(hours=36)  # a round that was missed longer ago than this is not worth catching up


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that is due: its name, the slot that makes it unique, and what to do."""

    name: str
    slot: datetime
    call: Callable[[], object]


class Schedule:
    """Runs what is due on the plant's clock until it is stopped."""

    def __init__(self, service: LoadstoneService) -> None:
        self._service = service
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60}
        )
        self._scheduler.add_listener(self._complain, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._collected: datetime | None = None

    def start(self) -> None:
        """Begin to tick: one clock for the rounds, one for collecting, so that a slow solve never holds meters up."""
        now = datetime.now(self._scheduler.timezone)
        self._scheduler.add_job(
            self.tick, "interval", seconds=TICK_SECONDS, id="rounds", replace_existing=True, next_run_time=now
        )
        self._scheduler.add_job(
            self.collect_tick, "interval", seconds=TICK_SECONDS, id="collect", replace_existing=True, next_run_time=now
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking; what runs is waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def run_until(self, stop: threading.Event) -> None:
        """Start, wait for the word, stop."""
        self.start()
        try:
            stop.wait()
        finally:
            self.stop()

    def tick(self) -> list[str]:
        """Do what is due now, in order. Returns the names of what was done."""
        done = []
        for due in self.due():
            if self._do(due):
                done.append(due.name)
        return done

    def collect_tick(self) -> None:
        """Counters to intervals, at its own cadence of plant time."""
        house = self._service.house
        now = house.clock.now()
        if (
            self._collected is None
            or now - self._collected >= timedelta(seconds=house.collect_seconds)
            or now < self._collected
        ):
            self._collected = now
            self._service.collect()

    def due(self) -> list[Due]:
        """What is due at the plant's time: facts first, then the hourly round, the offers' own times, the accounts."""
        service, house = self._service, self._service.house
        now, zone, rules = house.clock.now(), house.site.zone, house.calendar.rules
        found: list[Due] = []
        if house.store.facts.unanswered():
            found.append(Due(name="facts", slot=now, call=service.answer_facts))
        beat = floor_to(now, timedelta(minutes=house.heartbeat_minutes))
        for name, slot in (
            ("heartbeat", beat),
            ("offers open", on_day_of(now, rules.opens, zone)),
            ("offers close", on_day_of(now, rules.closes, zone)),
        ):
            if slot <= now < slot + LATE_ROUND and not house.store.steps.done(name, slot, ""):
                found.append(Due(name=name, slot=slot, call=service.heartbeat))
        settled = on_day_of(now - timedelta(hours=house.settle_after_hours), datetime.min.time(), zone)
        if not house.store.steps.done("accounts", settled, ""):
            found.append(Due(name="accounts", slot=settled, call=service.verify_due))
        return one_round(found)

    def _do(self, due: Due) -> bool:
        """Run one thing and keep that it was done. A fault that a person can mend is recorded and tried again at the next
        slot; the others go up to the listener, which says them aloud."""
        house = self._service.house
        try:
            due.call()
        except LoadstoneError as error:
            log.warning("%s: %s", due.name, error)
        now = house.clock.now()
        if due.name != "facts":
            house.store.steps.record(due.name, due.slot, "", now, 0.0)
        return True

    def _complain(self, event: JobExecutionEvent) -> None:
        """A tick that failed or was skipped is said, never hidden."""
        if event.code == EVENT_JOB_MAX_INSTANCES:
            log.info("%s: the last round still runs", event.job_id)
        else:
            log.error("%s: %s", event.job_id, getattr(event, "exception", None) or "missed")


def one_round(found: list[Due]) -> list[Due]:
    """Rounds that are due at once are one round: the first is run, the others are done with it."""
    rounds = [d for d in found if d.name in {"heartbeat", "offers open", "offers close"}]
    if len(rounds) < 2:
        return found
    rest = [Due(name=d.name, slot=d.slot, call=lambda: None) for d in rounds[1:]]
    return [d for d in found if d not in rounds] + [rounds[0], *rest]
