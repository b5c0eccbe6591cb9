"""The data of each screen. Times are UTC (the screen shows them in `Header.zone`); None is unknown, never zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from energy.model.collector import CollectorState
from energy.model.edge import EdgeState
from energy.model.event import Event
from energy.model.fact import FactKind
from energy.model.forecast import Component
from energy.model.horizon import Horizon, Interval
from energy.model.insight import Detail, LearnedProfile, Levels, StateEnergy, StateSpan
from energy.model.insight import Drift as MachineDrift
from energy.model.job import Planned
from energy.model.meter import Meter, Quality, Reading
from energy.model.plan import GaveWay
from energy.model.proposal import Decision, FloorState, Gain, NotOffered, Offer, StandingRule
from energy.model.savings import DaySavings, JobSaving, PeakSaving
from energy.model.series import Series
from energy.model.site import Machine
from energy.reports.billing import BilledDay
from energy.reports.tree import Node
from energy.store.store import JournalEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every page needs: the plant, its zone and currency, and the plant's time."""

    site: str
    name: str
    zone: str
    currency: str
    now: datetime
    simulated: bool = False


class Level(StrEnum):
    URGENT = "urgent"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """One line of the attention list: what, the detail, and the verb that leads to `view`."""

    level: Level
    title: str
    detail: str
    verb: str
    view: str  # overview, plan, happened, sheet, forecast, meters, machines, savings, year, journal, events
    icon: str = ""
    query: tuple[tuple[str, str], ...] = ()  # what of the view: ("section", "tree"), ("meter", "m-press")


class BarState(StrEnum):
    AS_IS = "as-is"
    OFFER = "offer"
    ACCEPTED = "accepted"
    RUNNING = "running"
    PLANNED = "planned"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A job on the Gantt."""

    job: str
    product: str
    machine: str
    start: datetime
    end: datetime
    state: BarState
    quantity: float
    unit: str
    mean_kw: float
    kwh: float
    cost: float | None
    due: datetime | None
    slack_minutes: int | None
    offer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A time in which a machine is not available: "no crew", "maintenance", "breakdown"."""

    machine: str
    interval: Interval
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPicture:
    """Power over one horizon, kW, mean of the slot; use above zero. `groups` are the jobs of each machine group that
    are not offered, `offered` those that wait for an answer. battery: discharge positive, charge negative."""

    horizon: Horizon
    base_load: Series
    groups: tuple[tuple[str, Series], ...]
    offered: Series
    pv: Series
    battery: Series
    import_plan: Series
    import_low: Series | None
    import_high: Series | None
    import_as_is: Series
    import_measured: Series  # NaN in the future and where nobody knows
    price: Series  # currency/kWh, with fees
    price_market: Series  # currency/kWh, without fees
    price_published: tuple[bool, ...]
    carbon: Series  # kg/kWh
    limit_kw: float
    target_kw: float | None
    nights: tuple[Interval, ...]  # nobody rostered
    events: tuple[tuple[str, Interval], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The running quarter hour: power now, what it has so far, where it closes if nothing changes."""

    now_kw: float | None
    as_of: datetime | None
    mean_so_far_kw: float | None
    closes_at_kw: float | None
    allowed_kw: float | None  # how much could still be drawn until its end to stay at the target
    minutes_left: float
    target_kw: float | None
    limit_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    header: Header
    running: Running
    cost_today: float | None  # forecast for the whole day, in force
    cost_today_as_is: float | None
    month: "MonthFigures"
    cheapest: tuple[Interval, float] | None  # the cheapest window of two hours ahead, mean market price per kWh
    next_event: Event | None
    yesterday_verified: float | None
    silent_meters: tuple[str, ...]
    picture: PowerPicture | None
    attention: tuple[Attention, ...]
    plan_how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """Savings of a month so far, each kind apart."""

    month: str  # "2026-05"
    verified: float
    modelled: float
    assumed_start: float
    estimated: float  # accepted, not yet run
    peak: tuple[PeakSaving, ...]
    carbon_kg_verified: float
    carbon_kg_estimated: float
    carbon_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """An offer as the planner reads it."""

    offer: Offer
    published: str  # "all published; no forecast in it"
    peak: str  # "1,267 → 1,099 kW, both below the target: worth nothing"
    carbon: str
    slack: str
    requires: str
    can_accept: bool
    why_not: str = ""
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An offer that rested on forecast prices, and what became of that. Its gain holds what was estimated: before and
    after the correction, and the P10 and P90 around that."""

    offer: Offer
    came: float | None  # the same moves at the published prices, all else as estimated; None until they are published
    verified: float | None  # of its jobs, by meters; None where nothing of it was

    @property
    def inside(self) -> bool | None:
        """Whether what came lies within P10 to P90."""
        gain = self.offer.gain
        if self.came is None or gain.low is None or gain.high is None:
            return None
        return gain.low - 0.005 <= self.came <= gain.high + 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseSum:
    """The offers of a period whose prices have been published, added up; `inside` of `banded` lay within P10 to P90."""

    offers: int
    before: float  # as estimated, before it was corrected
    estimated: float
    came: float
    inside: int
    banded: int

    @classmethod
    def of(cls, promises: Sequence[Promise]) -> "PromiseSum":
        known = [p for p in promises if p.came is not None]
        judged = [p.inside for p in known if p.inside is not None]
        return cls(
            offers=len(known),
            before=sum(p.offer.gain.uncorrected for p in known),
            estimated=sum(p.offer.gain.money for p in known),
            came=sum(p.came for p in known if p.came is not None),
            inside=sum(judged),
            banded=len(judged),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of before / after."""

    name: str
    before: float | None
    after: float | None
    unit: str
    better: str  # "lower", "higher" or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRow:
    """An accepted shift on its way to the floor."""

    offer: Offer
    job: str
    state: FloorState
    since: datetime
    can_withdraw: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    header: Header
    horizon: Horizon
    machines: tuple[Machine, ...]
    bars: tuple[Bar, ...]
    blocked: tuple[Blocked, ...]
    picture: PowerPicture | None
    offers: tuple[OfferCard, ...]
    accepted: tuple[AcceptedRow, ...]
    not_offered: tuple[NotOffered, ...]
    nothing: str  # "the best was 11 EUR", where nothing is offered
    before_after: tuple[Measure, ...]
    yesterday: tuple[JobSaving, ...]
    yesterday_promised: float | None
    yesterday_verified: float | None
    tightest_slack_minutes: int | None
    all_due_kept: bool
    late_jobs: tuple[str, ...]
    how: str
    made_at: datetime | None
    degraded: tuple[str, ...]  # what was missing, in words
    gave_way: tuple[GaveWay, ...]
    together: Gain | None = (
        None  # of all open offers, where there are several; its band is narrower than theirs added up
    )
    promised: tuple[Promise, ...] = ()  # yesterday's offers that rested on forecast prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place a job could go to, and what the plan in force would then gain against the offer's old place."""

    planned: Planned
    money: float
    carbon_kg: float
    why_not: str = ""  # empty where it is feasible


@dataclass(frozen=True, slots=True, kw_only=True)
class HappenedPage:
    """What "Something happened" needs for its two fields per kind."""

    header: Header
    machines: tuple[Machine, ...]
    jobs: tuple[tuple[str, str, str], ...]  # (job, product, machine) of the running and next jobs, soonest first
    crews: tuple[str, ...]
    recent: tuple[tuple[datetime, str, str], ...]  # (when, what, answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What a fact would change: shown before it is sent."""

    kind: FactKind
    sentence: str
    moved: tuple[tuple[str, Planned, Planned | None], ...]  # (job name, from, to); None: no place in the horizon
    late: tuple[str, ...]
    voids: tuple[str, ...]  # accepted offers that it overtakes
    tell: tuple[str, ...]  # who must be told
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    start: datetime
    end: datetime
    machine: str
    job: str
    product: str
    quantity: float
    unit: str
    moved_from: datetime | None
    why: str
    running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSheet:
    header: Header
    crew: str
    span: Interval
    rows: tuple[SheetRow, ...]
    limit_kw: float
    target_kw: float | None
    peak_kw: float | None
    peak_at: datetime | None
    call: tuple[tuple[str, str], ...]  # (role, number)
    notes: tuple[str, ...]
    seen: tuple[datetime, str] | None  # when, by whom (role)
    sheet_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSkill:
    """How forecasts did that were issued so many days ahead, in the unit of the target."""

    days_ahead: int  # 1 is the day after the issue
    days: int
    mae: float
    mae_where_naive: float | None  # on the slots that the copy of the week before knows too
    naive_mae: float | None  # of the copy of the week before, on the same slots
    coverage_80: float
    bias: float  # forecast less what came
    hours: float

    @property
    def skill(self) -> float | None:
        """How much smaller the error is than the copy's: 0.34 is a third better, negative is worse."""
        if self.mae_where_naive is None or not self.naive_mae:
            return None
        return 1.0 - self.mae_where_naive / self.naive_mae


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberShare:
    """One of the models of a combined forecast: its weight now, and what it alone erred day-ahead (None: not known)."""

    name: str
    weight: float
    mae: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What comes lies outside the band on one side, since when, and by what share of the forecast."""

    since: datetime
    below: bool
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetForecast:
    """One target on the Forecast page."""

    target: str
    name: str
    unit: str
    issued_at: datetime | None
    source: str
    flags: tuple[str, ...]
    p10: Series | None
    p50: Series | None
    p90: Series | None
    actual: Series | None
    leads: tuple[LeadSkill, ...] = ()  # by days ahead, over the last 30 days
    members: tuple[MemberShare, ...] = ()  # heaviest first
    drift: Drift | None = None
    worse_lately: float | None = None  # share by which the last week's error is above the usual one
    week_before: Series | None = None  # the copy of the week before over the page
    published_until: datetime | None = None  # of a price or carbon series that is known ahead
    components: tuple[Component, ...] = ()

    @property
    def day_ahead(self) -> LeadSkill | None:
        return next((lead for lead in self.leads if lead.days_ahead == 1), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPage:
    header: Header
    targets: tuple[TargetForecast, ...]
    missing: tuple[str, ...]
    meaning: str  # what it means for the plan, in a sentence
    nights: tuple[Interval, ...] = ()  # nobody rostered


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    meter: Meter
    reading: Reading | None
    last_good: Reading | None
    age_seconds: float | None
    silent: bool
    state: str  # "good", "released", "late", "rejected", "suspect", "silent"
    detail: str
    energy_today_kwh: float | None
    day_kw: Series | None  # the last 24 h, NaN where nobody knows
    qualities: tuple[tuple[Quality, int], ...] = ()
    reads_per_minute: float | None = None
    source: str = ""
    single_source: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MetersPage:
    header: Header
    rows: tuple[MeterRow, ...]
    readings_last_hour: int
    balance_kwh: tuple[float, float] | None  # settlement meter against the sum of its parts, today
    tree: tuple[Node, ...] = ()  # today so far
    billed: tuple[BilledDay, ...] = ()  # the last weeks that the network operator has billed, newest first
    edges: tuple[EdgeState, ...] = ()  # the edge boxes, by name
    collector: CollectorState | None = None  # None: it has never said anything


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPage:
    header: Header
    row: MeterRow
    readings: tuple[Reading, ...]
    faults: tuple[tuple[str, int], ...]
    power: Series | None
    counter_power: Series | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsPage:
    header: Header
    month: MonthFigures
    days: tuple[DaySavings, ...]
    months: tuple[str, ...]  # that have accounts
    as_is_money: float | None
    real_money: float | None
    interval: tuple[float, float] | None = None  # of the verified sum
    carbon_accounts: tuple[tuple[str, float | None, str], ...] = ()  # (account, kg, what it is); never added up
    promised: tuple[Promise, ...] = ()  # offers of the month that rested on forecast prices


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakLine:
    """One demand charge in one period."""

    saving: PeakSaving
    rate_name: str
    windows: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstInterval:
    start: datetime
    kw: float
    culprits: tuple[tuple[str, float], ...]  # (machine or "base load", kW)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPage:
    header: Header
    running: Running
    year: int
    charges: tuple[PeakLine, ...]
    monthly_max: tuple[tuple[str, float | None, float | None], ...]  # ("2026-05", real kW, as-is kW)
    heat: tuple[
        tuple[float | None, ...], ...
    ]  # row k: ISO week k + 1; 168 hours of the week, max kW; None unknown or future
    windows_heat: tuple[tuple[int, int], ...]  # (week, hour of week) inside a high-load window
    worst: tuple[WorstInterval, ...]
    hours_of_use: float | None
    bill_at_this_rate: float | None
    energy_kwh: float | None
    machines: tuple[Machine, ...] = ()  # whose groups colour the culprits


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something Loadstone believes, with where it comes from. `id` names it for the "wrong" button."""

    id: str
    what: str
    value: str
    source: str
    since: date | None
    owner: str
    disputed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    header: Header
    assumptions: tuple[Assumption, ...]
    rules: tuple[StandingRule, ...]
    entries: tuple[JournalEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCard:
    event: Event
    phase: str  # "coming", "running", "past"
    baseline_kw: Series | None
    limit_kw: float | None
    actual_kw: Series | None
    planned_kw: Series | None
    delivered_kwh: float | None
    money: float | None
    kept: bool | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsPage:
    header: Header
    cards: tuple[EventCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an action did, in a sentence, and how it can be undone."""

    ok: bool
    text: str
    undo: str = ""
    possible: tuple[str, ...] = ()
    offers: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """What would help, in words, and what it would have spared in the week."""

    text: str
    kwh: float
    money: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLine:
    """One machine in a week: its energy by state, its waste, and what would help."""

    id: str
    name: str
    levels: Levels | None
    days: int  # with a record, in the week
    detail: Detail
    known_share: float
    energy: tuple[StateEnergy, ...]
    waste_idle_kwh: float
    waste_holding_kwh: float
    waste_money: float | None
    advice: tuple[Advised, ...]
    cycles: int
    spans: tuple[StateSpan, ...]
    drifts: tuple[MachineDrift, ...]

    @property
    def waste_kwh(self) -> float:
        return self.waste_idle_kwh + self.waste_holding_kwh

    @property
    def kwh(self) -> float:
        return sum(e.kwh for e in self.energy)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesPage:
    """All machines with a meter of their own in one local week (Monday to Sunday); `spans` are of that week."""

    header: Header
    week: str  # "2026-W24"
    weeks: tuple[str, ...]  # that have records, newest first
    span: Interval
    lines: tuple[MachineLine, ...]
    drifts: tuple[MachineDrift, ...]
    unmetered: tuple[str, ...]  # machines of the plant without a meter of their own
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLine:
    """A learned profile beside what is typed in (kW, of the newest run), both in kW above idle."""

    profile: LearnedProfile
    p10_kw: tuple[float, ...]
    p50_kw: tuple[float, ...]
    p90_kw: tuple[float, ...]
    typed_kw: tuple[float, ...]
    difference: float | None  # learned energy over typed-in, less one


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """One piece of work of a machine: a job run where one is known, else a cycle."""

    end: datetime
    minutes: float
    kwh: float
    what: str  # product, or "no job"
    job: str = ""
    per_unit: float | None = None  # kWh per piece (or other unit of the job)
    against_typed: float | None = None  # energy over the typed-in, less one


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePage:
    """One machine: its work of the last weeks, what was learned of it, and its drift."""

    header: Header
    line: MachineLine
    used: str  # off, shown, used
    work: tuple[Worked, ...]
    profiles: tuple[ProfileLine, ...]
    idle: tuple[tuple[date, float | None, float | None], ...]  # (day, idle kW, resting kW)
