"""When a step runs: the only file that knows APScheduler.

It ticks every few real seconds, in UTC, and asks the plant's clock what is due. What was done is kept in the store, so a
run that was missed is caught up once, and never twice: the key is the slot that was due.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler

from energy.clock import floor_to
from energy.errors import LoadstoneError, StoreError
from energy.planning.offer_times import on_day_of
from energy.service import LoadstoneService

log = logging.getLogger("loadstone.schedule")

TICK_SECONDS = 2.0  # real seconds between two looks at the clock
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # real seconds before facts that could not be answered are tried again
ROUNDS = ("heartbeat", "offers open", "offers close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that is due: its name, the slot that makes it unique, what to do, and what is done with it."""

    name: str
    slot: datetime
    call: Callable[[], object]
    with_it: tuple[tuple[str, datetime], ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, datetime], ...]:
        return ((self.name, self.slot), *self.with_it)


@dataclass(slots=True)
class Patience:
    """A growing pause after each failure of the same thing, so that what fails at once is not tried without end."""

    pause: float = FIRST_PAUSE
    not_before: float = 0.0
    monotonic: Callable[[], float] = field(default=time.monotonic)

    @property
    def over(self) -> bool:
        return self.monotonic() >= self.not_before

    def failed(self) -> None:
        self.not_before = self.monotonic() + self.pause
        self.pause = min(LONGEST_PAUSE, 2 * self.pause)

    def worked(self) -> None:
        self.pause, self.not_before = FIRST_PAUSE, 0.0


class Schedule:
    """Runs what is due on the plant's clock until it is stopped."""

    def __init__(self, service: LoadstoneService, *, tick_seconds: float = TICK_SECONDS) -> None:
        self._service = service
        self._tick_seconds = tick_seconds
        # A look that comes late is as good as one in time, and many late ones are one.
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(self._complain, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._collected: datetime | None = None
        self._facts = Patience()
        self._ending, self._ended = threading.Event(), threading.Event()

    def start(self) -> None:
        """Begin to tick: one clock for the rounds, one for collecting, so that a slow solve never holds meters up."""
        now = datetime.now(self._scheduler.timezone)
        for name, call in (("rounds", self.tick), ("collect", self.collect_tick)):
            self._scheduler.add_job(
                call, "interval", seconds=self._tick_seconds, id=name, replace_existing=True, next_run_time=now
            )
        self._scheduler.start()

    def stop(self, patience: float | None = None) -> bool:
        """Stop ticking and wait for what runs, at most so many seconds. False where it still runs then: it may be cut
        short, since whatever is not recorded as done is done again at the next start."""
        if not self._ending.is_set():
            self._ending.set()
            threading.Thread(target=self._shut_down, name="end of schedule", daemon=True).start()
        return self._ended.wait(patience)

    def _shut_down(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._ended.set()

    def run_until(self, stop: threading.Event, patience: float | None = None) -> bool:
        """Start, wait for the word, stop. False where something still runs."""
        self.start()
        stop.wait()
        return self.stop(patience)

    def tick(self) -> list[str]:
        """Do what is due now, in order. Returns the names of what was done."""
        done: list[str] = []
        for due in self.due():
            if self._ending.is_set():
                break
            if due.name == "facts":
                done += self._answer_facts(due)
            else:
                done += self._do(due)
        return done

    def collect_tick(self) -> None:
        """Counters to intervals, at its own cadence of plant time."""
        house = self._service.house
        now = house.clock.now()
        last = self._collected
        if last is None or now - last >= timedelta(seconds=house.collect_seconds) or now < last:
            self._collected = now
            attempt("collect", self._service.collect)

    def due(self) -> list[Due]:
        """What is due at the plant's time: facts first, then the hourly round, the offers' own times, accounts, machines."""
        service, house = self._service, self._service.house
        now, zone, rules = house.clock.now(), house.site.zone, house.calendar.rules
        found: list[Due] = []
        if house.store.facts.unanswered():
            found.append(Due(name="facts", slot=now, call=service.answer_facts))
        beat = floor_to(now, timedelta(minutes=house.heartbeat_minutes))
        times = (beat, on_day_of(now, rules.opens, zone), on_day_of(now, rules.closes, zone))
        rounds = [(name, slot) for name, slot in zip(ROUNDS, times, strict=True) if slot <= now]
        found += one_round([key for key in rounds if not house.store.steps.done(*key, "")], service.heartbeat)
        settled = on_day_of(now - timedelta(hours=house.settle_after_hours), datetime.min.time(), zone)
        if not house.store.steps.done("accounts", settled, ""):
            found.append(Due(name="accounts", slot=settled, call=service.verify_due))
        if not house.store.steps.done("machines", settled, ""):
            found.append(Due(name="machines", slot=settled, call=service.learn_due))
        return found

    def _do(self, due: Due) -> list[str]:
        """Run one thing and keep that it was its turn; one that failed has its turn again at the next slot."""
        house = self._service.house
        attempt(due.name, due.call)
        now = house.clock.now()
        with house.store.unit():
            for name, slot in due.keys:
                house.store.steps.record(name, slot, "", now, 0.0)
        return [name for name, _ in due.keys]

    def _answer_facts(self, due: Due) -> list[str]:
        """Facts stay due until they are answered, so a failure only makes them wait a little."""
        if not self._facts.over:
            return []
        if attempt(due.name, due.call):
            self._facts.worked()
            return [due.name]
        self._facts.failed()
        return []

    def _complain(self, event: JobExecutionEvent) -> None:
        """A look that failed is said, never hidden; one that was skipped because the last still runs is no fault."""
        if event.code == EVENT_JOB_MAX_INSTANCES:
            log.debug("%s: the last one still runs", event.job_id)
            return
        error = getattr(event, "exception", None)
        known = isinstance(error, LoadstoneError)
        log.error("%s: %s", event.job_id, error, exc_info=None if known else error)


def attempt(name: str, call: Callable[[], object]) -> bool:
    """Run something; what goes wrong is said and keeps nothing else from its turn. The runner has recorded it."""
    try:
        call()
    except StoreError:
        raise  # without its store the schedule can do nothing; the next look tries again
    except LoadstoneError as error:
        log.warning("%s: %s", name, error)
        return False
    except Exception:
        # Our bug, whatever it is: said in full here, and recorded by the runner. The other things that are due must not
        # wait for its mending.
        log.exception("%s failed", name)
        return False
    return True


def one_round(due: list[tuple[str, datetime]], call: Callable[[], object]) -> list[Due]:
    """Rounds that are due at once are one round: the first is run, the others are done with it."""
    if not due:
        return []
    (name, slot), *others = due
    return [Due(name=name, slot=slot, call=call, with_it=tuple(others))]
