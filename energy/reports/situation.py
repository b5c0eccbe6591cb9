"""The situation that planning depends on, read from the store as it is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import day_bounds, local_date, same_wall_time
from energy.errors import LoadstoneError
from energy.metering.site import state_of_charge
from energy.metering.tree import counting, settlement
from energy.model.calendar import Calendar
from energy.model.fact import Fact, FactKind
from energy.model.forecast import Forecast, Target
from energy.model.horizon import Horizon, Interval
from energy.model.job import Job, JobState, Planned
from energy.model.meter import Measures
from energy.model.proposal import Offer, OfferState, StandingRule
from energy.model.run import JobRun
from energy.model.series import (
    BASE_LOAD,
    CARBON_FORECAST,
    CARBON_INTENSITY,
    PRICE_DAY_AHEAD,
    PV_POWER,
    SITE_IMPORT,
    Series,
)
from energy.model.site import Site
from energy.model.tariff import Tariff
from energy.planning import offer_times
from energy.planning import tariff as tariffs
from energy.planning.learned import with_learned_power
from energy.planning.optimism import LOOK_BACK_DAYS, Kept, kept_of
from energy.planning.situation import Expected, Situation
from energy.reports import scenarios
from energy.reports.models import TARGETS, troubles
from energy.store import Store
from energy.store.metered import billed_power, flow_of

LOOK_BACK = timedelta(days=3)  # how far back runs and facts can matter to a plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the config says about the plant, as the steps and reports need it."""

    site: Site
    calendar: Calendar
    tariff: Tariff
    boxes: tuple[str, ...] = ()  # edge boxes, by name


def planning_horizon(now: datetime, site: Site) -> Horizon:
    """From the next slot edge to the end of the local day after next."""
    step = timedelta(minutes=site.step_minutes)
    start = now + (-(now - datetime.fromtimestamp(0, now.tzinfo)) % step)
    return Horizon.between(start, offer_times.planning_end(now, site.zone), site.step_minutes)


def gather(store: Store, rules: Rules, now: datetime, touched: frozenset[str] = frozenset()) -> Situation:
    """Everything that planning depends on. Raises LoadstoneError where there is no price, load or carbon to plan with."""
    site, zone = rules.site, rules.site.zone
    horizon = planning_horizon(now, site)
    span = Interval(now - LOOK_BACK, horizon.end)
    notes: list[str] = []
    price, published = market_price(store, rules, horizon, now, notes)
    jobs, learned = with_learned_power(open_jobs(store, span), store.learned.profiles(), site)
    notes.extend(learned)
    accepted = accepted_places(store.offers.in_state(OfferState.ACCEPTED))
    movable = offer_times.movable_span(now, rules.calendar.rules, zone)
    peaks = peaks_so_far(store, rules, now)
    runs = tuple(store.runs.of(span))
    grid = carbon(store, horizon, zone, now, notes)
    base_load = expected(store, Target.BASE_LOAD, BASE_LOAD, horizon, notes)
    pv = expected(store, Target.PV, PV_POWER, horizon, notes) if site.pv_peak_kw else nothing(horizon)
    uncertain = {Target.BASE_LOAD: base_load, Target.PV: pv, Target.PRICE: price}
    return Situation(
        site=site,
        calendar=rules.calendar,
        tariff=rules.tariff,
        horizon=horizon,
        now=now,
        jobs=jobs,
        runs=latest_runs(runs),
        as_is={id: e for id, e in store.as_is.current().items() if id in {j.id for j in jobs}},
        accepted={id: p for id, p in accepted.items() if id in {j.id for j in jobs}},
        offered=accepted_places(store.offers.in_state(OfferState.OPEN)),
        untouchable=untouchable(store, jobs, movable, now),
        facts=tuple(store.facts.of(Interval(now - LOOK_BACK, now + timedelta(seconds=1)))),
        market_price=price,
        published=published,
        carbon=grid,
        carbon_basis=carbon_basis(store),
        base_load=base_load,
        pv=pv,
        peaks_so_far=peaks,
        commitments=tuple(store.events.commitments(Interval(horizon.start, horizon.end))),
        battery_kwh=battery_kwh(store, site, now),
        movable=movable,
        touched=touched,
        kept=() if all(published) else kept(store, zone, now),
        paths=scenarios.drawn(store, site, rules.calendar, horizon, uncertain),
        notes=tuple(notes),
    )


def kept(store: Store, zone: str, now: datetime) -> tuple[Kept, ...]:
    """How much of what forecast prices promised came, by the accounts of the last days."""
    today = local_date(now, zone)
    accounts = store.ledger.days(today - timedelta(days=LOOK_BACK_DAYS), today)
    return kept_of(choice for account in accounts for choice in account.choices)


def nothing(horizon: Horizon) -> Expected:
    return Expected(middle=Series.constant(horizon, 0.0, "kW"))


def open_jobs(store: Store, span: Interval) -> tuple[Job, ...]:
    """The jobs that are still to run or run now."""
    return tuple(j for j in store.jobs.all(span) if j.state in {JobState.RELEASED, JobState.RUNNING})


def latest_runs(runs: tuple[JobRun, ...]) -> tuple[JobRun, ...]:
    """The newest run of each job."""
    newest: dict[str, JobRun] = {}
    for run in runs:
        if run.job not in newest or run.start >= newest[run.job].start:
            newest[run.job] = run
    return tuple(newest[id] for id in sorted(newest))


def accepted_places(offers: list[Offer]) -> dict[str, Planned]:
    """Where offers put their jobs; the later offer counts."""
    return {s.job: s.new for offer in sorted(offers, key=lambda o: (o.offered_at, o.number)) for s in offer.shifts}


def untouchable(store: Store, jobs: tuple[Job, ...], movable: Interval, now: datetime) -> dict[str, str]:
    """Jobs that nobody is asked for: refused this time, or by a standing refusal."""
    why: dict[str, str] = {}
    standing = store.rules.in_force(now)
    for job in jobs:
        for rule in standing:
            if applies(rule, job):
                why[job.id] = f"standing refusal: {rule.reason or rule.subject} (until {rule.until:%Y-%m-%d})"
    for offer in store.offers.in_state(OfferState.REFUSED):
        for shift in offer.shifts:
            if movable.holds(shift.old.start):
                why.setdefault(shift.job, f"refused: {offer.state_reason}" if offer.state_reason else "refused")
    return why


def applies(rule: StandingRule, job: Job) -> bool:
    """Whether a standing refusal is about a job."""
    kind, _, name = rule.subject.partition(":")
    return {"product": job.product == name, "machine": job.planned_machine == name, "job": job.id == name}.get(
        kind, False
    )


def market_price(
    store: Store, rules: Rules, horizon: Horizon, now: datetime, notes: list[str]
) -> tuple[Expected, tuple[bool, ...]]:
    """The market price of each slot: published where it is, else forecast, with its band; and which is which."""
    if rules.tariff.fixed_per_kwh is not None:
        fixed = Series.constant(horizon, rules.tariff.fixed_per_kwh, "currency/kWh")
        return Expected(middle=fixed), (True,) * horizon.slots
    known = store.series.get(PRICE_DAY_AHEAD, horizon, as_known_at=now)
    published = tuple(bool(k) for k in known.known)
    if all(published):
        return Expected(middle=known), published
    forecast = store.forecasts.latest(Target.PRICE)
    low, middle, high = filled(store, forecast, PRICE_DAY_AHEAD, horizon, known.unit, rules.site.zone, notes)
    return (
        Expected(middle=known.filled_from(middle), low=known.filled_from(low), high=known.filled_from(high)),
        published,
    )


def filled(
    store: Store, forecast: Forecast | None, key: str, horizon: Horizon, unit: str, zone: str, notes: list[str]
) -> tuple[Series, Series, Series]:
    """A forecast's band over the horizon; what it does not reach is the same wall time of the last days known, said so."""
    unknown = Series.unknown(horizon, unit)
    low, middle, high = (
        (Series(horizon, s.over(horizon).values, unit) for s in (forecast.p10, forecast.p50, forecast.p90))
        if forecast
        else (unknown,) * 3
    )
    if bool(middle.known.all()):
        return low, middle, high
    notes.append(f"no forecast of {key} for {int((~middle.known).sum())} slots: the last days' values stand in")
    copied = last_days(store, key, horizon, unit, zone)
    if not bool(copied.filled_from(middle).known.all()):
        raise LoadstoneError(
            f"nothing is known of {key} for the hours to plan: check feed and meters (`loadstone doctor`), "
            "or import a history"
        )
    return (
        low.filled_from(middle).filled_from(copied),
        middle.filled_from(copied),
        high.filled_from(middle).filled_from(copied),
    )


def last_days(store: Store, key: str, horizon: Horizon, unit: str, zone: str) -> Series:
    """The newest known value at the same wall time of the last eight days, a week ago first."""
    copied = Series.unknown(horizon, unit)
    for days in (7, 1, 2, 3, 4, 5, 6, 8, 14):
        start = same_wall_time(horizon.start, -days, zone)
        then = store.series.get(key, Horizon(start, horizon.slots, horizon.step_minutes))
        copied = copied.filled_from(Series(horizon, then.values, unit))
    return copied


def expected(store: Store, target: Target, key: str, horizon: Horizon, notes: list[str]) -> Expected:
    """The forecast of a power over the horizon, with its band."""
    forecast = store.forecasts.latest(target)
    if forecast is not None:
        notes.extend(f"{TARGETS[target]}: {flag}" for flag in troubles(forecast.flags))
    low, middle, high = filled(store, forecast, key, horizon, "kW", "UTC", notes)
    return Expected(middle=middle, low=low, high=high)


def carbon(store: Store, horizon: Horizon, zone: str, now: datetime, notes: list[str]) -> Series:
    """Grid carbon intensity of each slot: what the feed says (measured or forecast), else our forecast."""
    known = store.series.get(CARBON_INTENSITY, horizon, as_known_at=now)
    said = store.series.get(CARBON_FORECAST, horizon, as_known_at=now)
    known = known.filled_from(Series(horizon, said.values, known.unit))
    if bool(known.known.all()):
        return known
    if store.series.info(CARBON_INTENSITY) is None:
        notes.append("no carbon feed: CO2e is counted as 0 and not shown")
        return Series.constant(horizon, 0.0, known.unit)
    _, middle, _ = filled(
        store, store.forecasts.latest(Target.CARBON), CARBON_INTENSITY, horizon, known.unit, zone, notes
    )
    return known.filled_from(middle)


def carbon_basis(store: Store) -> str:
    info = store.series.info(CARBON_INTENSITY)
    return info.basis if info and info.basis else "grid average"


def battery_kwh(store: Store, site: Site, now: datetime) -> float:
    """What is in the battery now, reckoned from the last four days of its meter."""
    if site.battery is None:
        return 0.0
    meters = store.meters()
    if not counting(meters, Measures.BATTERY):
        return site.battery.min_kwh
    step = timedelta(minutes=site.step_minutes)
    start = now - (now - datetime.fromtimestamp(0, now.tzinfo)) % step - timedelta(days=4)
    horizon = Horizon(start, int(timedelta(days=4) / step), site.step_minutes)
    charge, discharge = flow_of(store, meters, Measures.BATTERY, horizon)
    b = site.battery
    return state_of_charge(
        charge,
        discharge,
        capacity_kwh=b.capacity_kwh,
        min_kwh=b.min_kwh,
        charge_efficiency=b.charge_efficiency,
        discharge_efficiency=b.discharge_efficiency,
    )


def first_known(store: Store) -> datetime | None:
    """The first moment that the settlement meter says something of."""
    info = store.series.info(SITE_IMPORT)
    return info.first if info else None


def peaks_so_far(store: Store, rules: Rules, now: datetime) -> dict[tuple[str, str], tuple[float, float]]:
    """(charge, period) → the real peak so far and that of the as-is chain, kW, from the accounts and, since the last of
    them, from the settlement meter."""
    zone = rules.site.zone
    peaks: dict[tuple[str, str], tuple[float, float]] = {}
    today = local_date(now, zone)
    for account in store.ledger.days(today.replace(month=1, day=1), today):
        for peak in account.peaks:
            real, as_is = peaks.get((peak.charge, peak.period), (0.0, 0.0))
            peaks[peak.charge, peak.period] = (max(real, peak.real_kw), max(as_is, peak.as_is_kw))
    meter = settlement(store.meters())
    accounted = store.note("accounted-until")
    since = day_bounds(today - timedelta(days=2), zone)[0] if accounted is None else datetime.fromisoformat(accounted)
    step = timedelta(minutes=rules.site.step_minutes)
    until = now - (now - since) % step
    if meter is None or until <= since:
        return peaks
    horizon = Horizon.between(since, until, rules.site.step_minutes)
    imported, _ = billed_power(store, meter.id, horizon)
    for (charge, period), kw in tariffs.peaks_of(rules.tariff, imported, zone, rules.calendar.holidays).items():
        real, as_is = peaks.get((charge, period), (0.0, 0.0))
        peaks[charge, period] = (max(real, kw), max(as_is, kw))
    return peaks


def jobs_touched(store: Store, rules: Rules, now: datetime, more: Sequence[Fact] = ()) -> frozenset[str]:
    """The jobs that an unanswered fact (or one of `more`, not yet reported) may move: those on its machine or crew from
    now on, the job itself and what follows it; for a rush order, what stands on the machine that it needs."""
    facts = [*store.facts.unanswered(), *more]
    if not facts:
        return frozenset()
    horizon = planning_horizon(now, rules.site)
    jobs = open_jobs(store, Interval(now - LOOK_BACK, horizon.end))
    as_is = store.as_is.current()
    accepted = accepted_places(store.offers.in_state(OfferState.ACCEPTED))
    day_end = day_bounds(local_date(now, rules.site.zone) + timedelta(days=1), rules.site.zone)[1]
    touched: set[str] = set()
    for fact in facts:
        if fact.kind in {FactKind.STARTED, FactKind.STOPPED}:
            continue
        for job in jobs:
            entry = as_is.get(job.id)
            place = accepted.get(job.id) or (entry.planned if entry else None)
            machine = place.machine if place else job.planned_machine
            start = place.start if place else job.planned_start
            soon = start is None or now <= start < day_end
            on_it = fact.machine is not None and machine == fact.machine and soon
            skills = crew_skills(rules.calendar, fact.crew) if fact.crew else frozenset()
            needs_crew = bool(skills & {n.skill for n in job.needs}) and soon
            follows = fact.job is not None and any(f.job == fact.job for f in job.follows)
            if on_it or needs_crew or job.id == fact.job or follows:
                touched.add(job.id)
    return frozenset(touched)


def crew_skills(calendar: Calendar, crew: str) -> frozenset[str]:
    return frozenset(skill for shift in calendar.shifts if shift.crew == crew for skill, _ in shift.people)


def names_of(site: Site) -> Mapping[str, str]:
    """The plant's names of its machines, by id."""
    return {m.id: m.name for m in site.machines}
