"""Verify: what ran and what the meters say against what would have been. Estimated becomes verified, or says why not.

The parts add up to the total: the moved jobs of a day are put back to their as-is starts one after the other, each with its
marginal gain, until the counterfactual is reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import day_bounds, local, local_date, wall_to_utc
from energy.metering.site import job_loads, shaped, share_of_slots, site_load, state_of_charge
from energy.model.calendar import Calendar
from energy.model.fact import Fact, FactKind
from energy.model.forecast import Target
from energy.model.horizon import Horizon, Interval
from energy.model.job import AsIsEntry, Cause, Job, Mode
from energy.model.meter import Measures
from energy.model.proposal import LoadShift, Offer, OfferState
from energy.model.run import JobRun
from energy.model.savings import DayPeak, DaySavings, JobSaving, Kind, PriceChoice
from energy.model.series import CARBON_INTENSITY, PRICE_DAY_AHEAD, Series
from energy.model.site import Site
from energy.model.tariff import Tariff
from energy.planning import roster
from energy.planning import tariff as tariffs
from energy.planning.effects import until_of
from energy.planning.optimism import LEADS, choices
from energy.savings.counterfactual import Flows, Metered, Money, cost, counterfactual, moved_load
from energy.store import Store
from energy.store.metered import flow_of, site_meters

Row = NDArray[np.float64]
AS_ACCEPTED = timedelta(minutes=30)  # a start within this of the accepted one is "as accepted"
LEAST_KNOWN = 0.9  # below this share of known slots a day cannot be accounted
NOON = time(12, 0)  # until then the prices of the next day are a forecast
AGAIN = "account-again-since"  # the note of when the meters' word has changed from
AROUND = timedelta(days=1)  # jobs and the battery are looked at this far around the day


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """A moved job as it was promised and as it ran."""

    offer: Offer
    shift: LoadShift
    run: JobRun | None
    as_is_start: datetime
    as_is_cause: Cause
    kind: Kind
    counted: bool
    cause: str
    as_run: Row
    as_is: Row


def verify(store: Store, *, site: Site, calendar: Calendar, tariff: Tariff, day: date, now: datetime) -> DaySavings:
    """The account of one local day, kept in the ledger; the same inputs write nothing new, late data a newer version."""
    bounds = Interval(*day_bounds(day, site.zone))
    horizon = Horizon.between(bounds.start, bounds.end, site.step_minutes)
    wide = Horizon.between(bounds.start - AROUND, bounds.end + AROUND, site.step_minutes)
    metered, stored = read_meters(store, site, horizon)
    money, notes = read_money(store, site, calendar, tariff, horizon)
    moves = [m for m in read_moves(store, site, wide, now) if touches(m, wide, bounds)]
    account = reckon(site, day, horizon, wide, metered, stored, money, moves, notes, carbon_basis(store))
    peaks = day_peaks(site, calendar, tariff, horizon, metered, account.flows)
    found = replace(account.savings, peaks=peaks, choices=price_choices(store, site, calendar, tariff, horizon))
    with store.unit():
        store.ledger.put_day(found, now)
        until = store.note("accounted-until")
        if until is None or datetime.fromisoformat(until) < bounds.end:
            store.note("accounted-until", bounds.end.isoformat())
    return found


def account_again(store: Store, since: datetime) -> None:
    """Remember that what the meters said has changed from a time on (a file of the network operator came, a doubted reading
    was released): accounts since then are made again, as newer versions."""
    with store.unit():
        known = store.note(AGAIN)
        if not known or datetime.fromisoformat(known) > since:
            store.note(AGAIN, since.isoformat())


def first_again(store: Store, zone: str) -> date | None:
    """The first accounted local day that has to be accounted again; None where nothing changed."""
    known = store.note(AGAIN)
    if not known:
        return None
    day = local_date(datetime.fromisoformat(known), zone)
    return next((account.day for account in store.ledger.days(day, date.max)), None)


def accounted_again(store: Store, seen: str | None) -> None:
    """The accounts since `seen` were made again; what changed meanwhile waits for the next round."""
    with store.unit():
        if store.note(AGAIN) == seen:
            store.note(AGAIN, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    savings: DaySavings
    flows: Flows


def read_meters(store: Store, site: Site, horizon: Horizon) -> tuple[Metered, float]:
    """What the meters said of the day, and what was in the battery at its start."""
    flows = site_meters(store, horizon)
    if flows is None:
        nothing = Series.unknown(horizon, "kW")
        return Metered(imported=nothing, exported=nothing), 0.0
    imported, exported, generation = flows.imported, flows.exported, flows.generation
    if flows.charge is None or site.battery is None:
        return Metered(imported=imported, exported=exported, generation=generation), 0.0
    load = site_load(flows)
    before = Horizon(horizon.start - 4 * AROUND, int(4 * AROUND / horizon.step), horizon.step_minutes)
    b = site.battery
    stored = state_of_charge(
        *flow_of(store, store.meters(), Measures.BATTERY, before),
        capacity_kwh=b.capacity_kwh,
        min_kwh=b.min_kwh,
        charge_efficiency=b.charge_efficiency,
        discharge_efficiency=b.discharge_efficiency,
    )
    return Metered(imported=imported, exported=exported, site_load=load, generation=generation), stored


def read_money(
    store: Store, site: Site, calendar: Calendar, tariff: Tariff, horizon: Horizon
) -> tuple[Money, list[str]]:
    """Real prices and carbon of the day; a slot without a price is unknown, and said."""
    notes = []
    if tariff.fixed_per_kwh is not None:
        market = Series.constant(horizon, tariff.fixed_per_kwh, "currency/kWh")
    else:
        market = store.series.get(PRICE_DAY_AHEAD, horizon)
        if not market.known.all():
            notes.append(f"{int((~market.known).sum())} slots without a market price are left out")
    carbon = store.series.get(CARBON_INTENSITY, horizon)
    if not carbon.known.all():
        notes.append(f"{int((~carbon.known).sum())} slots without a carbon intensity count no CO2e")
    zone, holidays = site.zone, calendar.holidays
    return (
        Money(
            import_price=tariffs.import_price(tariff, market, zone, holidays).values,
            export_price=tariffs.export_price(tariff, market, zone, holidays).values,
            carbon=np.nan_to_num(carbon.values),
        ),
        notes,
    )


def carbon_basis(store: Store) -> str:
    info = store.series.info(CARBON_INTENSITY)
    return info.basis if info and info.basis else "grid average"


def read_moves(store: Store, site: Site, wide: Horizon, now: datetime) -> list[_Move]:
    """The accepted, moved jobs around a day, with what ran."""
    span = Interval(wide.start, wide.end)
    offers = [
        offer
        for offer in store.offers.in_state(OfferState.ACCEPTED)
        if any(s.old.interval.overlaps(span) or s.new.interval.overlaps(span) for s in offer.shifts)
    ]
    if not offers:
        return []
    jobs = {job.id: job for job in store.jobs.all()}
    as_is = store.as_is.current()
    runs = store.runs.of(span)
    loads = loads_of(store, site, runs, jobs, wide)
    facts = store.facts.of(Interval(wide.start, now + timedelta(seconds=1)))
    ended = {r.job: r.end for r in runs if r.end is not None}
    moves = []
    for offer in sorted(offers, key=lambda o: (o.offered_at, o.number)):
        for shift in offer.shifts:
            if not (shift.old.interval.overlaps(span) or shift.new.interval.overlaps(span)):
                continue
            entry, job = as_is.get(shift.job), jobs.get(shift.job)
            if entry is None or job is None:
                continue
            index = next((i for i, r in reversed(list(enumerate(runs))) if r.job == shift.job), None)
            run = runs[index] if index is not None else None
            load = loads[index] if index is not None else np.zeros(wide.slots)
            start = possible_start(entry, job, ended, facts, now)
            moves.append(a_move(store, site, offer, shift, run, load, entry, start, job, wide, facts, ended))
    return moves


def loads_of(store: Store, site: Site, runs: Sequence[JobRun], jobs: Mapping[str, Job], wide: Horizon) -> list[Row]:
    """The load of each run over the wide horizon, from the machine's meter where it has one."""
    machine_kw = {
        m.machine: shaped(store.intervals.of(m.id, Interval(wide.start, wide.end)), wide)
        for m in store.meters()
        if m.machine is not None and m.measures is Measures.MACHINE
    }
    modes: dict[tuple[str, str], Mode] = {(j.id, m.machine): m for j in jobs.values() for m in j.modes}
    idle = {m.id: m.idle_kw for m in site.machines}
    return [np.nan_to_num(row) for row in job_loads(runs, wide, machine_kw=machine_kw, idle_kw=idle, modes=modes)]


def possible_start(
    entry: AsIsEntry, job: Job, ended: Mapping[str, datetime], facts: Sequence[Fact], now: datetime
) -> datetime:
    """The as-is start, but never earlier than was physically possible: the predecessor's real end, late material, a
    breakdown of the machine."""
    start = entry.planned.start
    for follow in job.follows:
        if follow.job in ended:
            start = max(start, ended[follow.job] + timedelta(minutes=follow.at_least_minutes))
    for fact in facts:
        late = fact.kind is FactKind.MATERIAL_LATE and fact.job == job.id
        down = fact.kind is FactKind.MACHINE_DOWN and fact.machine == entry.planned.machine
        if (
            (late or down)
            and fact.at <= start + (entry.planned.end - entry.planned.start)
            and start < until_of(fact, now)
        ):
            start = max(start, until_of(fact, now))
    return start


def a_move(
    store: Store,
    site: Site,
    offer: Offer,
    shift: LoadShift,
    run: JobRun | None,
    load: Row,
    entry: AsIsEntry,
    as_is_start: datetime,
    job: Job,
    wide: Horizon,
    facts: Sequence[Fact],
    ended: Mapping[str, datetime],
) -> _Move:
    """How a moved job is known, whether it counts, and its load as run and as it would have run."""
    if run is None or run.end is None:
        kind, counted, cause = Kind.NOT_MEASURABLE, False, "did not run" if run is None else "still runs"
    else:
        kind = Kind.VERIFIED if run.kwh is not None or metered(store, run, wide) else Kind.MODELLED
        counted, cause = as_accepted(shift, run, job, facts, ended, site)
    if kind is not Kind.NOT_MEASURABLE and entry.cause is Cause.ASSUMED:
        kind = Kind.ASSUMED_START
    factor = energy_factor(job, run, entry)
    as_is = moved_load(load, wide, run.start, as_is_start, factor) if run else np.zeros(wide.slots)
    return _Move(
        offer=offer,
        shift=shift,
        run=run,
        as_is_start=as_is_start,
        as_is_cause=entry.cause,
        kind=kind,
        counted=counted,
        cause=cause,
        as_run=load,
        as_is=as_is,
    )


def metered(store: Store, run: JobRun, wide: Horizon) -> bool:
    """Whether the machine's own meter knows the run, slot by slot."""
    meter = next((m for m in store.meters() if m.machine == run.machine and m.measures is Measures.MACHINE), None)
    if meter is None:
        return False
    on = share_of_slots(run, wide) > 0
    kw = shaped(store.intervals.of(meter.id, Interval(wide.start, wide.end)), wide).values[on]
    return bool(len(kw)) and float(np.mean(~np.isnan(kw))) >= LEAST_KNOWN


def energy_factor(job: Job, run: JobRun | None, entry: AsIsEntry) -> float:
    """How much more energy the job would have taken on its as-is machine than on the one it ran on."""
    if run is None or run.machine == entry.planned.machine:
        return 1.0
    there = next((m for m in job.modes if m.machine == entry.planned.machine), None)
    here = next((m for m in job.modes if m.machine == run.machine), None)
    return there.energy_kwh / here.energy_kwh if there and here and here.energy_kwh > 0 else 1.0


def as_accepted(
    shift: LoadShift, run: JobRun, job: Job, facts: Sequence[Fact], ended: Mapping[str, datetime], site: Site
) -> tuple[bool, str]:
    """(ran as accepted or was kept from it by a known cause, the cause where it differs)."""
    late = run.start - shift.new.start
    if run.machine == shift.new.machine and abs(late) <= AS_ACCEPTED:
        return True, ""
    when = local(run.start, site.zone)
    for fact in facts:
        if (
            fact.machine in {shift.new.machine, run.machine}
            and fact.kind is FactKind.MACHINE_DOWN
            and fact.at <= run.start
        ):
            return True, f"started {when:%H:%M} because of a breakdown"
        if fact.job == job.id and fact.kind in {FactKind.MATERIAL_LATE, FactKind.QUALITY_HOLD}:
            return True, f"started {when:%H:%M}: {fact.kind}"
    waited = [f.job for f in job.follows if f.job in ended and ended[f.job] > shift.new.start]
    if waited and late > timedelta(0):
        return True, f"started {when:%H:%M} because job {waited[0]} ended late"
    return False, f"ran at {when:%H:%M} instead of {local(shift.new.start, site.zone):%H:%M}, unexplained"


def touches(move: _Move, wide: Horizon, day: Interval) -> bool:
    """Whether a move changes the load of a day, or was promised for it and never ran."""
    first, last = wide.slot_of(day.start), wide.slot_of(day.end)
    changed = bool(np.any(move.as_run[first:last] > 0) or np.any(move.as_is[first:last] > 0))
    return changed or (move.run is None and day.holds(move.shift.new.start))


def reckon(
    site: Site,
    day: date,
    horizon: Horizon,
    wide: Horizon,
    metered: Metered,
    stored_kwh: float,
    money: Money,
    moves: Sequence[_Move],
    notes: list[str],
    basis: str,
) -> _Account:
    """The day's account: real, counterfactual, and each job's part between them."""
    hours = horizon.step_hours
    first = wide.slot_of(horizon.start)
    cut = slice(first, first + horizon.slots)
    known = float(metered.imported.known.mean()) if horizon.slots else 0.0
    priced = ~np.isnan(money.import_price)
    real = Flows(
        imported=np.where(priced, metered.imported.values, np.nan),
        exported=np.where(priced, np.nan_to_num(metered.exported.values), 0.0),
        stored_kwh=stored_kwh,
    )
    safe = Money(
        import_price=np.nan_to_num(money.import_price),
        export_price=np.nan_to_num(money.export_price),
        carbon=money.carbon,
    )
    real_money, real_kg = cost(real, safe, hours)
    measurable = known >= LEAST_KNOWN
    if not measurable:
        notes.append(f"only {100 * known:.0f} % of the day is metered: not measurable")
    worth = (
        float(safe.import_price[priced].mean()) * (site.battery.discharge_efficiency if site.battery else 1.0)
        if priced.any()
        else 0.0
    )
    removed: list[Row] = []
    added: list[Row] = []

    def would_be(out: Sequence[Row], into: Sequence[Row]) -> tuple[Flows, float, float]:
        flow, more_stored = counterfactual(metered, out, into, battery=site.battery, stored_kwh=stored_kwh)
        flow = replace(
            flow,
            imported=np.where(priced, flow.imported, np.nan),
            exported=np.where(priced, np.nan_to_num(flow.exported), 0.0),
        )
        bill, kg = cost(flow, safe, hours)
        return flow, bill - more_stored * worth, kg

    standing, standing_money, standing_kg = would_be([], [])
    jobs: list[JobSaving] = []
    for move in moves:
        out, into = move.as_run[cut], move.as_is[cut]
        flow, bill, kg = would_be([*removed, out], [*added, into])
        gain, gain_kg = bill - standing_money, kg - standing_kg
        counts = measurable and move.kind is not Kind.NOT_MEASURABLE and (move.counted or gain < 0)
        jobs.append(job_saving(site, day, move, gain if measurable else None, gain_kg if measurable else None, counts))
        if counts:
            removed.append(out)
            added.append(into)
            standing, standing_money, standing_kg = flow, bill, kg
    estimated = [m for m in moves if horizon.start <= m.shift.new.start < horizon.end]
    savings = DaySavings(
        site=site.id,
        day=day,
        metered_money=real_money if measurable else None,
        counterfactual_money=standing_money if measurable else None,
        metered_carbon_kg=real_kg if measurable else None,
        counterfactual_carbon_kg=standing_kg if measurable else None,
        metered_peak_kw=peak_of(metered.imported.values),
        counterfactual_peak_kw=peak_of(standing.imported),
        import_kwh=float(np.nansum(metered.imported.values) * hours) if known > 0 else None,
        known_share=known,
        estimated_money=sum(promised(m)[0] for m in estimated),
        estimated_carbon_kg=sum(promised(m)[1] for m in estimated),
        jobs=tuple(jobs),
        currency=site.currency,
        carbon_basis=basis,
        notes=tuple(notes),
    )
    return _Account(savings=savings, flows=standing)


def peak_of(imported: Row) -> float | None:
    return float(np.nanmax(imported)) if len(imported) and not np.isnan(imported).all() else None


def promised(move: _Move) -> tuple[float, float]:
    """(money, kg) of an offer's daily gain that falls to one of its jobs: by energy."""
    total = sum(s.kwh for s in move.offer.shifts)
    share = move.shift.kwh / total if total > 0 else 1.0 / len(move.offer.shifts)
    return move.offer.gain.daily * share, move.offer.gain.carbon_kg * share


def job_saving(
    site: Site, day: date, move: _Move, gain: float | None, gain_kg: float | None, counts: bool
) -> JobSaving:
    """One line of the job table."""
    money, carbon = promised(move)
    here = local(move.shift.new.start, site.zone).date() == day
    unknown = move.kind is Kind.NOT_MEASURABLE
    return JobSaving(
        job=move.shift.job,
        offer=move.offer.id,
        day=day,
        kind=move.kind,
        promised_money=money if here else 0.0,
        promised_carbon_kg=carbon if here else 0.0,
        money=None if unknown else gain,
        carbon_kg=None if unknown else gain_kg,
        counted=counts,
        cause=move.cause,
        as_is_start=move.as_is_start.isoformat(),
        accepted_start=move.shift.new.start.isoformat(),
        real_start=move.run.start.isoformat() if move.run else "",
        kwh=float(move.as_run.sum()) * (site.step_minutes / 60.0) if move.run else None,
    )


def day_peaks(
    site: Site, calendar: Calendar, tariff: Tariff, horizon: Horizon, metered: Metered, as_is: Flows
) -> tuple[DayPeak, ...]:
    """The day's highest metered mean of each demand charge, real and as-is."""
    real = tariffs.peaks_of(tariff, metered.imported, site.zone, calendar.holidays)
    would = tariffs.peaks_of(tariff, Series(horizon, as_is.imported, "kW"), site.zone, calendar.holidays)
    return tuple(
        DayPeak(charge=charge, period=period, real_kw=kw, as_is_kw=would[charge, period])
        for (charge, period), kw in sorted(real.items())
        if (charge, period) in would
    )


def price_choices(
    store: Store, site: Site, calendar: Calendar, tariff: Tariff, horizon: Horizon
) -> tuple[PriceChoice, ...]:
    """What choosing the cheapest-looking hours of the day, of those in which somebody works, would have promised by the
    forecasts of its prices that stood at noon of the days before, and what came of it. Nothing where no price is
    forecast, and on a day of which a price is unknown."""
    if tariff.fixed_per_kwh is not None:
        return ()
    came = store.series.get(PRICE_DAY_AHEAD, horizon)
    if not came.known.all():
        return ()
    open_ = np.ones(horizon.slots, dtype=np.bool_)
    for gap in roster.nobody(calendar, horizon, site.zone):
        open_[max(0, horizon.slot_of(gap.start)) : horizon.slot_edge(gap.end)] = False
    day = local(horizon.start, site.zone).date()
    said = {}
    for lead in LEADS:
        noon = wall_to_utc(day - timedelta(days=lead), NOON, site.zone)
        forecast = store.forecasts.latest(Target.PRICE, as_known_at=noon)
        if forecast is not None and forecast.horizon.step_minutes == horizon.step_minutes:
            said[lead] = forecast.p50.over(horizon).values
    return choices(said, came.values, horizon.step_hours, open_ if open_.any() else None)
