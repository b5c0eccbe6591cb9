"""The one face of the database: a store of one site, one repository a noun."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from energy.model.event import Commitment, Event, EventState
from energy.model.fact import Fact
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon, Interval
from energy.model.job import AsIsEntry, Job, JobState
from energy.model.meter import IntervalEnergy, Meter, Reading
from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.model.proposal import Decision, FloorState, NotOffered, Offer, OfferState, Receipt, StandingRule
from energy.model.run import JobRun
from energy.model.savings import DaySavings, PeakSaving
from energy.model.series import Series


class Readings:
    """Raw readings, bounded in days and bytes."""

    def add(self, readings: Sequence[Reading]) -> int:
        """Keep readings; one that is already there (meter, taken_at) is not kept twice. Returns how many were new."""
        raise NotImplementedError

    def latest(self) -> dict[str, Reading]:
        """The newest reading of each meter, whatever its quality."""
        raise NotImplementedError

    def of(self, meter: str, span: Interval) -> list[Reading]:
        """The readings of a meter in a span, oldest first."""
        raise NotImplementedError

    def good_before(self, meter: str, t: datetime) -> Reading | None:
        """The newest GOOD reading taken before `t`."""
        raise NotImplementedError

    def count(self, span: Interval) -> int:
        raise NotImplementedError

    def prune(self, before: datetime, at_most_bytes: int) -> int:
        """Drop raw readings older than `before`, then the oldest until they fit; the newest GOOD one of each meter
        and whatever is not yet turned into intervals stay. Returns how many went."""
        raise NotImplementedError


class Intervals:
    """Interval energy, for ever; a correction is a newer version."""

    def put(self, values: Sequence[IntervalEnergy], known_at: datetime, source: str = "collect") -> int:
        """Keep intervals; one that says what the latest version says writes nothing. Returns new versions."""
        raise NotImplementedError

    def of(self, meter: str, span: Interval, as_known_at: datetime | None = None) -> list[IntervalEnergy]:
        raise NotImplementedError

    def power(self, meter: str, horizon: Horizon, as_known_at: datetime | None = None) -> tuple[Series, Series]:
        """Mean import and export power of each slot, kW; NaN where nobody knows."""
        raise NotImplementedError

    def last_end(self, meter: str) -> datetime | None:
        """The end of the newest interval kept of a meter."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """What is known of a stored series: until when it reaches, when it last changed, and where it comes from."""

    key: str
    unit: str
    source: str
    basis: str
    licence: str
    assumed: bool
    first: datetime
    end: datetime
    known_at: datetime


class SeriesShelf:
    """Prices, carbon, weather and the like: append-only, keyed (series, time, known_at)."""

    def add(
        self,
        key: str,
        series: Series,
        *,
        known_at: datetime,
        source: str,
        basis: str = "",
        licence: str = "",
        author: str = "",
        assumed: bool = False,
    ) -> int:
        """Keep the known values (NaN is not a value). What says the same as the latest version writes nothing.
        `assumed` marks a known_at that was set by a rule and not observed. Returns new versions."""
        raise NotImplementedError

    def get(self, key: str, horizon: Horizon, as_known_at: datetime | None = None) -> Series:
        """The latest version of each slot (or the latest known at a time). NaN where nobody knows. A series stored
        with a coarser step (an hour) gives its value to each of the finer slots."""
        raise NotImplementedError

    def info(self, key: str) -> SeriesInfo | None:
        raise NotImplementedError

    def keys(self) -> list[str]:
        raise NotImplementedError


class Forecasts:
    """Issued forecasts, with issue time, source and flags."""

    def add(self, forecast: Forecast, inputs: str = "") -> None:
        raise NotImplementedError

    def latest(self, target: Target, as_known_at: datetime | None = None) -> Forecast | None:
        raise NotImplementedError

    def issued(self, target: Target, span: Interval) -> list[Forecast]:
        """All forecasts issued in a span, oldest first."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a re-import of jobs changed: ids by what happened to them."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    same: int = 0


class Jobs:
    """Jobs by id, each change a new revision."""

    def reconcile(
        self, jobs: Sequence[Job], at: datetime, *, complete: bool, span: Interval | None = None
    ) -> Reconciled:
        """Take the production plan as it now is. A job that differs gets the next revision; the same writes nothing.
        With `complete`, a released job that is no longer listed (and planned or due within `span`, if given) is GONE."""
        raise NotImplementedError

    def put(self, job: Job, at: datetime) -> Job:
        """Keep one job (a rush order, a changed state) as its next revision; returns it with the revision set."""
        raise NotImplementedError

    def set_state(self, job: str, state: JobState, at: datetime) -> None:
        raise NotImplementedError

    def get(self, job: str) -> Job | None:
        raise NotImplementedError

    def all(self, span: Interval | None = None) -> list[Job]:
        """The latest revision of all jobs (of those planned, due or running within a span), by id."""
        raise NotImplementedError


class Runs:
    """What really ran."""

    def put(self, runs: Sequence[JobRun]) -> int:
        """Keep runs, keyed (job, start); a later word on the same run (its end, its energy) replaces the earlier one
        as a new version. Returns how many changed anything."""
        raise NotImplementedError

    def of(self, span: Interval) -> list[JobRun]:
        """The runs that touch a span, by start."""
        raise NotImplementedError

    def of_job(self, job: str) -> list[JobRun]:
        raise NotImplementedError


class Facts:
    """What the floor reported."""

    def add(self, fact: Fact) -> bool:
        """Keep a fact; False where that id is already known."""
        raise NotImplementedError

    def of(self, span: Interval) -> list[Fact]:
        """The facts reported in a span, oldest first."""
        raise NotImplementedError

    def unanswered(self) -> list[Fact]:
        """Facts that no re-plan has taken in yet."""
        raise NotImplementedError

    def mark_answered(self, ids: Sequence[str], at: datetime, plan: str) -> None:
        raise NotImplementedError


class AsIs:
    """The production plan as released: one frozen entry a job; production's own changes are newer entries."""

    def add(self, entries: Sequence[AsIsEntry]) -> None:
        raise NotImplementedError

    def current(self, span: Interval | None = None) -> dict[str, AsIsEntry]:
        """The newest entry of each job (of those placed within a span), by job id."""
        raise NotImplementedError

    def history(self, job: str) -> list[AsIsEntry]:
        """All entries of a job, first as-is first."""
        raise NotImplementedError


class PlanKind:
    AS_IS = "as-is"
    IN_FORCE = "in force"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """One planning cycle as stored: the problem and its three plans."""

    digest: str
    made_at: datetime
    problem: Problem
    as_is: Plan
    in_force: Plan
    plan: Plan
    checked: bool
    notes: tuple[str, ...] = ()


class Plans:
    """Planning cycles, keyed by the hash of their problem."""

    def add(self, planning: Planning) -> bool:
        """Keep a cycle; False where the same problem already has its plan."""
        raise NotImplementedError

    def latest(self) -> Planning | None:
        raise NotImplementedError

    def by_digest(self, digest: str) -> Planning | None:
        raise NotImplementedError

    def made(self, span: Interval) -> list[tuple[datetime, str]]:
        """(made_at, digest) of the cycles of a span, oldest first."""
        raise NotImplementedError


class Offers:
    """Offers, each change of state a new version."""

    def put(self, offer: Offer, at: datetime) -> Offer:
        """Keep an offer as its next version; returns it with the version set."""
        raise NotImplementedError

    def get(self, id: str) -> Offer | None:
        """The latest version."""
        raise NotImplementedError

    def in_state(self, *states: OfferState, span: Interval | None = None) -> list[Offer]:
        """The offers whose latest version is in one of the states (touching a span), by number."""
        raise NotImplementedError

    def offered(self, span: Interval) -> list[Offer]:
        """The latest version of all offers made in a span."""
        raise NotImplementedError

    def put_not_offered(self, plan: str, items: Sequence[NotOffered], at: datetime) -> None:
        raise NotImplementedError

    def not_offered(self, plan: str) -> list[NotOffered]:
        raise NotImplementedError


class Decisions:
    """What planners said: append-only, keyed by the client's id."""

    def add(self, decision: Decision) -> bool:
        """Keep a decision; False where that id is already known (a double click)."""
        raise NotImplementedError

    def get(self, id: str) -> Decision | None:
        raise NotImplementedError

    def of_offer(self, offer: str) -> list[Decision]:
        raise NotImplementedError

    def made(self, span: Interval) -> list[Decision]:
        raise NotImplementedError


class Floor:
    """How far each accepted job has come: accepted → dispatched → seen → started → finished."""

    def put(self, job: str, offer: str, state: FloorState, at: datetime, note: str = "") -> None:
        raise NotImplementedError

    def state(self, job: str) -> tuple[FloorState, datetime, str] | None:
        raise NotImplementedError

    def history(self, job: str) -> list[tuple[FloorState, datetime, str]]:
        raise NotImplementedError


class Rules:
    """Standing refusals."""

    def add(self, rule: StandingRule) -> None:
        raise NotImplementedError

    def in_force(self, at: datetime) -> list[StandingRule]:
        raise NotImplementedError

    def end(self, id: str, at: datetime) -> None:
        raise NotImplementedError


class Events:
    """Demand-response events and the commitments made from them."""

    def put(self, event: Event) -> bool:
        """Keep an event or its change; False where nothing changed."""
        raise NotImplementedError

    def set_state(self, id: str, state: EventState, at: datetime) -> None:
        raise NotImplementedError

    def get(self, id: str) -> Event | None:
        raise NotImplementedError

    def touching(self, span: Interval) -> list[Event]:
        raise NotImplementedError

    def commit(self, commitment: Commitment, at: datetime) -> None:
        """Keep the commitment of an event; a newer one supersedes it."""
        raise NotImplementedError

    def commitments(self, span: Interval) -> list[Commitment]:
        """The commitments in force (of accepted events) that touch a span."""
        raise NotImplementedError


class Ledger:
    """Savings accounts."""

    def put_day(self, account: DaySavings, at: datetime) -> bool:
        raise NotImplementedError

    def days(self, first: date, last: date) -> list[DaySavings]:
        """The latest accounts of the days first … last (inclusive)."""
        raise NotImplementedError

    def put_peak(self, saving: PeakSaving, at: datetime) -> bool:
        raise NotImplementedError

    def peaks(self, year: int) -> list[PeakSaving]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """Who did what, when. People appear by role."""

    at: datetime
    who: str
    role: str
    what: str
    subject: str = ""
    detail: str = ""


class Journal:
    def write(self, entry: JournalEntry) -> None:
        raise NotImplementedError

    def read(self, limit: int = 200, before: datetime | None = None) -> list[JournalEntry]:
        """The newest entries first."""
        raise NotImplementedError


class Steps:
    """What each step has done, keyed (step, slot, inputs): the same inputs write nothing new."""

    def done(self, step: str, slot: datetime, inputs: str) -> bool:
        raise NotImplementedError

    def record(self, step: str, slot: datetime, inputs: str, at: datetime, seconds: float, note: str = "") -> bool:
        """Keep that a step ran; False where the same key is already there."""
        raise NotImplementedError

    def last(self, step: str) -> tuple[datetime, datetime, str] | None:
        """(slot, at, note) of the newest record of a step."""
        raise NotImplementedError

    def failed(self, step: str, slot: datetime, at: datetime, error: str) -> None:
        """Keep that a step failed, with the text a person can act on."""
        raise NotImplementedError

    def failures(self, since: datetime) -> list[tuple[str, datetime, str]]:
        """(step, at, error) of failures not followed by a success of the same step."""
        raise NotImplementedError


class Receipts:
    def add(self, receipt: Receipt) -> bool:
        raise NotImplementedError

    def of(self, instruction: str) -> list[Receipt]:
        raise NotImplementedError

    def has(self, key: str) -> bool:
        """Whether a thing (an instruction, a notice) was already sent."""
        raise NotImplementedError


class Store:
    """The store of one site."""

    site: str
    readings: Readings
    intervals: Intervals
    series: SeriesShelf
    forecasts: Forecasts
    jobs: Jobs
    runs: Runs
    facts: Facts
    as_is: AsIs
    plans: Plans
    offers: Offers
    decisions: Decisions
    floor: Floor
    rules: Rules
    events: Events
    ledger: Ledger
    journal: Journal
    steps: Steps
    receipts: Receipts

    @classmethod
    def open(cls, url: str, site: str) -> "Store":
        """Open (and migrate to the newest schema) the database at an SQLAlchemy URL. StoreError says what to do."""
        raise NotImplementedError

    @contextmanager
    def unit(self, *, durable: bool = True) -> Iterator[None]:
        """A unit of work: everything in it is kept together or not at all. On SQLite BEGIN IMMEDIATE, so what is read
        inside it cannot change before it is written. `durable`: on disk (synchronous=FULL) when the block ends; poll
        batches may do without."""
        raise NotImplementedError
        yield

    def put_meters(self, meters: Sequence[Meter]) -> None:
        raise NotImplementedError

    def meters(self) -> list[Meter]:
        raise NotImplementedError

    def note(self, key: str, value: Any = None) -> Any:
        """A small remembered value (JSON) by key: with a value, keep it; without, read it (None if there is none)."""
        raise NotImplementedError

    def size_bytes(self) -> int:
        raise NotImplementedError

    def backup(self, path: Path) -> None:
        """A consistent copy while others write."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
