"""EnergyService: the one face for dashboard, API and command line. A list of calls, no logic."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from energy.clock import local_date
from energy.config.kept import kept_meters as kept_files
from energy.errors import ConfigError, DecisionRefusedError, LoadstoneError, StoreError
from energy.house import House
from energy.model.commissioning import FoundMeter
from energy.model.edge import EdgeState
from energy.model.event import Event
from energy.model.fact import Fact
from energy.model.job import Planned
from energy.model.meter import Exchange, Release
from energy.model.plan import Plan
from energy.model.problem import Problem
from energy.model.proposal import Decision, Offer
from energy.model.savings import DaySavings
from energy.planning.pose import pose
from energy.ports import Scanner
from energy.reports import doubts as doubts_report
from energy.reports import events as events_report
from energy.reports import forecast as forecast_report
from energy.reports import happened as happened_report
from energy.reports import journal as journal_report
from energy.reports import machines as machines_report
from energy.reports import meters as meters_report
from energy.reports import overview as overview_report
from energy.reports import pages
from energy.reports import places as places_report
from energy.reports import plan as plan_report
from energy.reports import savings as savings_report
from energy.reports import sheet as sheet_report
from energy.reports import year as year_report
from energy.reports.edges import edge_states
from energy.reports.files import savings_file
from energy.reports.situation import first_known, gather, jobs_touched, planning_horizon
from energy.runner import InlineRunner
from energy.steps import collect as collecting
from energy.steps import commission
from energy.steps import decide as deciding
from energy.steps import dispatch as dispatching
from energy.steps import fetch as fetching
from energy.steps import judge as judging
from energy.steps import learn as learning
from energy.steps import plan as planning_step
from energy.steps import predict as predicting
from energy.steps import propose as proposing
from energy.steps import report as reporting
from energy.steps import respond as responding
from energy.steps import verify as verifying
from energy.store.store import Planning

Result = TypeVar("Result")

TRIES = 3  # plans in a row, where decisions keep coming in while they are made
FACT_SECONDS = 8.0  # a re-plan after a fact answers within the minute


class EnergyService(Protocol):
    """What the screens may ask and do. The roles and names to choose from come from the config."""

    roles: tuple[str, ...]

    def header(self) -> pages.Header: ...

    def overview(self) -> pages.Overview: ...

    def plan_page(self) -> pages.PlanPage: ...

    def places(self, offer: str, job: str) -> tuple[pages.Place, ...]:
        """The nearest feasible places for a job of an offer, priced, best first; for an edit."""
        ...

    def why_not(self, offer: str, job: str, start: datetime, machine: str) -> pages.Place:
        """A place of the planner's own, checked and priced, with why it is not possible."""
        ...

    def decide(self, decision: Decision) -> pages.Done: ...

    def happened_page(self) -> pages.HappenedPage: ...

    def consequence(self, fact: Fact) -> pages.Consequence:
        """What a fact would change, before it is sent. Solves for a few seconds at most."""
        ...

    def report(self, fact: Fact) -> pages.Done: ...

    def shift_sheet(self, start: datetime | None = None) -> pages.ShiftSheet: ...

    def mark_seen(self, sheet_id: str, by: str, role: str) -> pages.Done: ...

    def forecast_page(self) -> pages.ForecastPage: ...

    def meters_page(self) -> pages.MetersPage: ...

    def meter_page(self, meter: str) -> pages.MeterPage: ...

    def edges(self) -> tuple[EdgeState, ...]:
        """The edge boxes, by name: when each last spoke, what waits there, and what is wrong with it."""
        ...

    def doubted(self, meter: str | None = None) -> tuple[doubts_report.DoubtRow, ...]:
        """The readings in quarantine, of one meter or of all, the newest first."""
        ...

    def release(self, word: Release, until: datetime | None = None) -> pages.Done:
        """Say of a doubted reading that it is right or wrong; with `until` of all that were doubted from then to there."""
        ...

    def exchanges(self, meter: str | None = None) -> tuple[Exchange, ...]:
        """The meters that were replaced, the newest first."""
        ...

    def exchange(self, done: Exchange) -> pages.Done:
        """Say that a meter was replaced, with the stands of the old and the new one as far as they are known."""
        ...

    def machines_page(self, week: str | None = None) -> pages.MachinesPage:
        """What meters tell of all machines in a local week ("2026-W24"); by default the newest whole one."""
        ...

    def machine_page(self, machine: str) -> pages.MachinePage: ...

    def savings_page(self, month: str | None = None) -> pages.SavingsPage: ...

    def year_page(self, year: int | None = None) -> pages.YearPage: ...

    def journal_page(self) -> pages.JournalPage: ...

    def dispute(self, assumption: str, text: str, by: str, role: str) -> pages.Done: ...

    def end_rule(self, rule: str, by: str, role: str) -> pages.Done: ...

    def events_page(self) -> pages.EventsPage: ...

    def add_event(self, event: Event, by: str, role: str) -> pages.Done: ...

    def answer_event(self, event: str, accept: bool, by: str, role: str) -> pages.Done: ...

    def change_production(self, planned: Planned, by: str, role: str, why: str) -> pages.Done:
        """Production itself moves a job: as-is changes, with the cause."""
        ...

    def savings_file(self, month: str, kind: str) -> tuple[str, bytes]:
        """(file name, content) of the savings of a month as "csv", "xlsx" or "pdf"."""
        ...

    def days_with_accounts(self) -> tuple[date, ...]: ...

    def scan_meters(
        self, host: str, *, units: str = "", progress: Callable[[float, str], None] | None = None
    ) -> Sequence[FoundMeter]:
        """What answers behind an address, judged by physics. Takes from seconds to minutes."""
        ...

    def look_at_meter(self, settings: Mapping[str, object]) -> FoundMeter:
        """One meter as config.yaml would name it: its values now, the checks, the likely fixes."""
        ...

    def machines(self) -> tuple[tuple[str, str], ...]:
        """(id, name) of the machines that a meter may belong to."""
        ...

    def kept_meters(self) -> tuple[str, ...]:
        """The meters that were kept from the screens, by id."""
        ...

    def keep_meter(self, settings: Mapping[str, object], by: str, role: str) -> pages.Done: ...

    def drop_meter(self, meter: str, by: str, role: str) -> pages.Done: ...


class LoadstoneService:
    """The service of one plant on its store: steps for the scheduler, pages and actions for people."""

    def __init__(self, house: House, runner: InlineRunner) -> None:
        self.house = house
        self.runner = runner
        self.roles = house.roles
        self._collecting = threading.Lock()

    # The steps, as the scheduler calls them.

    def fetch(self) -> fetching.Fetched:
        h, now = self.house, self.house.clock.now()
        until = planning_horizon(now, h.site).end
        call = partial(
            fetching.fetch, h.store, feeds=h.feeds, orders=h.orders, programs=h.programs, now=now, until=until
        )
        return self.runner.run("fetch", call)

    def collect(self) -> collecting.Collected:
        """Counters to intervals; one at a time, or two would write the same new version of an interval."""
        h = self.house

        def call() -> collecting.Collected:
            with self._collecting:
                return collecting.collect(
                    h.store, site=h.site, now=h.clock.now(), raw_days=h.raw_days, raw_bytes=h.raw_bytes
                )

        return self.runner.run("collect", call)

    def predict(self) -> predicting.Predicted:
        h, now = self.house, self.house.clock.now()
        until = planning_horizon(now, h.site).end
        call = partial(
            predicting.predict,
            h.store,
            site=h.site,
            calendar=h.calendar,
            forecasters=h.forecasters,
            now=now,
            until=until,
            history=timedelta(days=h.history_days),
        )
        return self.runner.run("predict", call)

    def respond(self) -> list[object]:
        h, now = self.house, self.house.clock.now()
        until = planning_horizon(now, h.site).end
        return list(self.runner.run("respond", partial(responding.respond, h.store, now=now, until=until)))

    def plan(self, *, touched: frozenset[str] = frozenset(), seconds: float | None = None) -> Planning:
        h, now = self.house, self.house.clock.now()
        limit = h.optimizer_seconds if seconds is None else seconds

        def call() -> Planning:
            situation = gather(h.store, h.rules, now, touched)
            return planning_step.plan(h.store, situation=situation, optimizer=h.optimizer, seconds=limit, now=now)

        return self.runner.run("plan", call)

    def propose(self, planning: Planning, *, after_fact: bool = False) -> proposing.Proposed:
        h = self.house
        call = partial(
            proposing.propose,
            h.store,
            planning=planning,
            site=h.site,
            calendar=h.calendar,
            now=h.clock.now(),
            after_fact=after_fact,
        )
        return self.runner.run("propose", call)

    def dispatch(self) -> dispatching.Dispatched:
        h = self.house
        call = partial(
            dispatching.dispatch,
            h.store,
            site=h.site,
            calendar=h.calendar,
            dispatchers=h.dispatchers,
            notifiers=h.notifiers,
            now=h.clock.now(),
        )
        return self.runner.run("dispatch", call)

    def verify(self, day: date) -> DaySavings:
        h = self.house
        call = partial(
            verifying.verify, h.store, site=h.site, calendar=h.calendar, tariff=h.tariff, day=day, now=h.clock.now()
        )
        return self.runner.run("verify", call)

    def verify_due(self) -> list[DaySavings]:
        """Account every local day that has ended and settled and has no account yet, the last two again, and those of
        which the meters' word has changed since."""
        h, now = self.house, self.house.clock.now()
        last = local_date(now - timedelta(hours=h.settle_after_hours), h.site.zone) - timedelta(days=1)
        begun = h.store.note("accounted-until")
        since = (
            local_date(datetime.fromisoformat(begun), h.site.zone) - timedelta(days=2) if begun else self._first_day()
        )
        if since is None:
            return []
        changed = h.store.note(verifying.AGAIN)
        since = min(since, verifying.first_again(h.store, h.site.zone) or since)
        accounts = [self.verify(since + timedelta(days=n)) for n in range((last - since).days + 1)]
        verifying.accounted_again(h.store, changed)
        return accounts

    def learn_due(self) -> date | None:
        """Learn of every local day that has ended and settled and was not learned yet, and of the last two again; then
        what the days say together. Returns the last day, None where there was nothing to learn."""
        h, now = self.house, self.house.clock.now()
        last = local_date(now - timedelta(hours=h.settle_after_hours), h.site.zone) - timedelta(days=1)
        days = learning.due_days(h.store, last, self._first_day)

        def call() -> date | None:
            for day in days:
                learning.learn(h.store, site=h.site, calendar=h.calendar, tariff=h.tariff, day=day, now=now)
            if days:
                learning.conclude(h.store, site=h.site, last=days[-1], now=now)
            return days[-1] if days else None

        return self.runner.run("learn", call)

    def _first_day(self) -> date | None:
        """The first local day that the settlement meter knows whole."""
        first = first_known(self.house.store)
        return local_date(first, self.house.site.zone) if first else None

    def heartbeat(self) -> proposing.Proposed:
        """The hourly round: fetch, collect, predict, respond, plan, propose, dispatch.

        A step that fails keeps no other from its turn: without feeds the plan is made of what is known, without a plan
        what was accepted is still dispatched. What went wrong first is raised when all is done."""
        wrong: list[Exception] = []
        for step in (self.fetch, self.collect, self.predict, self.respond):
            attempted(step, wrong)
        proposed = attempted(self.plan_and_propose, wrong)
        attempted(self.dispatch, wrong)
        if wrong or proposed is None:
            raise wrong[0]
        return proposed

    def plan_and_propose(
        self, *, touched: frozenset[str] = frozenset(), seconds: float | None = None, after_fact: bool = False
    ) -> proposing.Proposed:
        """Plan and offer; where somebody decided while the plan was being made, plan anew with that."""
        for _ in range(TRIES):
            proposed = self.propose(self.plan(touched=touched, seconds=seconds), after_fact=after_fact)
            if not proposed.stale:
                break
        return proposed

    def answer_facts(self) -> Planning | None:
        """Re-plan what unanswered facts touch; None where there is nothing to answer."""
        h, now = self.house, self.house.clock.now()
        touched = jobs_touched(h.store, h.rules, now)
        if not h.store.facts.unanswered():
            return None
        reporting.overtake(h.store, problem=self.problem_now(touched), now=now)
        self.plan_and_propose(touched=touched, seconds=min(FACT_SECONDS, h.optimizer_seconds), after_fact=True)
        self.dispatch()
        return h.store.plans.latest()

    def problem_now(self, touched: frozenset[str] = frozenset()) -> Problem:
        """The problem as it is at this moment."""
        return pose(gather(self.house.store, self.house.rules, self.house.clock.now(), touched)).problem

    def price(self, problem: Problem, placements: planning_step.Places) -> Plan:
        """The price of given places, the battery dispatched where it is ours."""
        return planning_step.as_given(problem, placements, self.house.optimizer)

    # What people ask.

    def header(self) -> pages.Header:
        h = self.house
        return pages.Header(
            site=h.site.id,
            name=h.site.name,
            zone=h.site.zone,
            currency=h.site.currency,
            now=h.clock.now(),
            simulated=h.simulated,
        )

    def overview(self) -> pages.Overview:
        return overview_report.overview(self.house.store, self.house.rules, self.header())

    def plan_page(self) -> pages.PlanPage:
        return plan_report.plan_page(self.house.store, self.house.rules, self.header())

    def places(self, offer: str, job: str) -> tuple[pages.Place, ...]:
        return places_report.places(self.problem_now(), self._offer(offer), job, self.price)

    def why_not(self, offer: str, job: str, start: datetime, machine: str) -> pages.Place:
        return places_report.place(self.problem_now(), self._offer(offer), job, start, machine, self.price)

    def happened_page(self) -> pages.HappenedPage:
        return happened_report.happened_page(self.house.store, self.house.rules, self.header())

    def consequence(self, fact: Fact) -> pages.Consequence:
        h = self.house
        return happened_report.consequence(h.store, h.rules, self.header(), fact, h.optimizer, seconds=4.0)

    def shift_sheet(self, start: datetime | None = None) -> pages.ShiftSheet:
        return sheet_report.shift_sheet(self.house.store, self.house.rules, self.header(), start, self.house.call)

    def forecast_page(self) -> pages.ForecastPage:
        return forecast_report.forecast_page(self.house.store, self.house.rules, self.header())

    def meters_page(self) -> pages.MetersPage:
        return meters_report.meters_page(self.house.store, self.house.rules, self.header())

    def meter_page(self, meter: str) -> pages.MeterPage:
        return meters_report.meter_page(self.house.store, self.house.rules, self.header(), meter)

    def edges(self) -> tuple[EdgeState, ...]:
        return edge_states(self.house.store, self.house.rules, self.house.clock.now())

    def doubted(self, meter: str | None = None) -> tuple[doubts_report.DoubtRow, ...]:
        return doubts_report.doubt_rows(self.house.store, self.house.clock.now(), meter)

    def exchanges(self, meter: str | None = None) -> tuple[Exchange, ...]:
        said = self.house.store.exchanges.said()
        known = [one for one in said if meter is None or one.meter == meter]
        return tuple(sorted(known, key=lambda one: one.at, reverse=True))

    def machines_page(self, week: str | None = None) -> pages.MachinesPage:
        return machines_report.machines_page(self.house.store, self.house.rules, self.header(), week)

    def machine_page(self, machine: str) -> pages.MachinePage:
        return machines_report.machine_page(self.house.store, self.house.rules, self.header(), machine)

    def savings_page(self, month: str | None = None) -> pages.SavingsPage:
        return savings_report.savings_page(self.house.store, self.house.rules, self.header(), month)

    def year_page(self, year: int | None = None) -> pages.YearPage:
        return year_report.year_page(self.house.store, self.house.rules, self.header(), year)

    def journal_page(self) -> pages.JournalPage:
        return journal_report.journal_page(self.house.store, self.house.rules, self.header())

    def events_page(self) -> pages.EventsPage:
        return events_report.events_page(self.house.store, self.house.rules, self.header())

    def savings_file(self, month: str, kind: str) -> tuple[str, bytes]:
        return savings_file(self.savings_page(month), kind)

    def days_with_accounts(self) -> tuple[date, ...]:
        today = local_date(self.house.clock.now(), self.house.site.zone)
        return tuple(a.day for a in self.house.store.ledger.days(date(today.year - 1, 1, 1), today))

    # What people do.

    def decide(self, decision: Decision) -> pages.Done:
        h = self.house
        try:
            decided = deciding.decide(
                h.store,
                decision=decision,
                pose_now=self.problem_now,
                price=self.price,
                calendar=h.calendar,
                zone=h.site.zone,
                now=h.clock.now(),
            )
        except DecisionRefusedError as refused:
            return pages.Done(ok=False, text=refused.why, possible=refused.possible)
        if not decided.again:
            # The decision is kept, whatever becomes of its instruction now: the runner records that, and the next round
            # sends it again.
            attempted(self.dispatch, [])
        return pages.Done(ok=True, text=decided.text, undo=decided.undo, offers=(decided.offer.id,))

    def report(self, fact: Fact) -> pages.Done:
        try:
            reported = reporting.report(self.house.store, fact=fact, site=self.house.site, now=self.house.clock.now())
        except LoadstoneError as error:
            return pages.Done(ok=False, text=str(error))
        return pages.Done(ok=True, text=reported.text)

    def release(self, word: Release, until: datetime | None = None) -> pages.Done:
        try:
            return pages.Done(ok=True, text=judging.release(self.house.store, word, until=until))
        except LoadstoneError as error:
            return pages.Done(ok=False, text=str(error))

    def exchange(self, done: Exchange) -> pages.Done:
        try:
            return pages.Done(ok=True, text=judging.exchange(self.house.store, done))
        except LoadstoneError as error:
            return pages.Done(ok=False, text=str(error))

    def mark_seen(self, sheet_id: str, by: str, role: str) -> pages.Done:
        h = self.house
        jobs = sheet_report.accepted_jobs(h.store, h.rules, sheet_id)
        news = dispatching.seen(h.store, jobs=jobs, sheet=sheet_id, by=by, role=role, now=h.clock.now())
        return pages.Done(ok=True, text=f"Seen, {news} moved jobs marked." if news else "Seen.")

    def dispute(self, assumption: str, text: str, by: str, role: str) -> pages.Done:
        return journal_report.dispute(self.house.store, assumption, text, by, role, self.house.clock.now())

    def end_rule(self, rule: str, by: str, role: str) -> pages.Done:
        return journal_report.end_rule(self.house.store, rule, by, role, self.house.clock.now())

    def add_event(self, event: Event, by: str, role: str) -> pages.Done:
        done = responding.add_event(self.house.store, event, by, role, self.house.clock.now())
        self.respond()
        return pages.Done(ok=True, text=done)

    def answer_event(self, event: str, accept: bool, by: str, role: str) -> pages.Done:
        try:
            text = responding.answer_event(self.house.store, event, accept, by, role, self.house.clock.now())
        except LoadstoneError as error:
            return pages.Done(ok=False, text=str(error))
        self.respond()
        return pages.Done(ok=True, text=text)

    def change_production(self, planned: Planned, by: str, role: str, why: str) -> pages.Done:
        try:
            text = reporting.change_production(self.house.store, planned, by, role, why, self.house.clock.now())
        except LoadstoneError as error:
            return pages.Done(ok=False, text=str(error))
        return pages.Done(ok=True, text=text)

    # Meters that come and go.

    def scan_meters(
        self, host: str, *, units: str = "", progress: Callable[[float, str], None] | None = None
    ) -> Sequence[FoundMeter]:
        return self._scanner("modbus").scan(host, units=units, progress=progress)

    def look_at_meter(self, settings: Mapping[str, object]) -> FoundMeter:
        return self._scanner(str(settings.get("kind", "modbus"))).look(settings)

    def machines(self) -> tuple[tuple[str, str], ...]:
        return tuple((machine.id, machine.name or machine.id) for machine in self.house.site.machines)

    def kept_meters(self) -> tuple[str, ...]:
        path = self.house.config
        return () if path is None else tuple(file.path.stem for file in kept_files(path))

    def keep_meter(self, settings: Mapping[str, object], by: str, role: str) -> pages.Done:
        h, now = self.house, self.house.clock.now()
        day = local_date(now, h.site.zone).isoformat()
        try:
            meter = commission.keep(h.store, self._written(), settings, by=by, role=role, now=now, day=day)
        except ConfigError as error:
            return pages.Done(ok=False, text="; ".join(str(mistake) for mistake in error.mistakes))
        return pages.Done(
            ok=True,
            text=f"{meter.name} is kept in meters.d/{meter.id}.yaml. The collector takes it up within seconds.",
            undo="Removing the file, or the meter here, takes it out again.",
        )

    def drop_meter(self, meter: str, by: str, role: str) -> pages.Done:
        try:
            name = commission.drop(
                self.house.store, self._written(), meter, by=by, role=role, now=self.house.clock.now()
            )
        except ConfigError as error:
            return pages.Done(ok=False, text="; ".join(str(mistake) for mistake in error.mistakes))
        return pages.Done(ok=True, text=f"{name} is no longer read. What it said stays.")

    def _scanner(self, kind: str) -> Scanner:
        scanners = self.house.scanners
        if not scanners:
            raise LoadstoneError("no scanner is installed; install Loadstone with its meters again")
        return scanners.get(kind) or scanners.get("modbus") or next(iter(scanners.values()))

    def _written(self) -> commission.Plant:
        if self.house.config is None:
            raise LoadstoneError("this plant has no config.yaml beside which a meter could be kept")
        return commission.Plant(config=self.house.config, environ=self.house.environ)

    def _offer(self, id: str) -> Offer:
        offer = self.house.store.offers.get(id)
        if offer is None:
            raise LoadstoneError(f"there is no offer {id}")
        return offer


def attempted(step: Callable[[], Result], wrong: list[Exception]) -> Result | None:
    """What a step made; None where it failed, which the runner has recorded and `wrong` now holds. Without its store
    nothing can go on."""
    try:
        return step()
    except StoreError:
        raise
    except Exception as error:
        wrong.append(error)
        return None
