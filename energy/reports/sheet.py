"""Shift sheet: what a crew starts, when and where, in one page; and which of its jobs were moved."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np

from energy.clock import day_bounds, floor_to
from energy.model.horizon import Horizon, Interval
from energy.model.proposal import LoadShift, Offer, OfferState
from energy.planning.roster import CrewHours, crew_hours
from energy.planning.slots import planned_at
from energy.reports.pages import Header, SheetRow, ShiftSheet
from energy.reports.picture import event_words, target_kw
from energy.reports.prices import Prices, prices
from energy.reports.situation import Rules
from energy.reports.standing import Standing, standing
from energy.reports.words import clock_time, machine_name, moment, money, number
from energy.store import Store

NEXT = timedelta(hours=8)  # the sheet of a plant where nobody is rostered for a week
AHEAD = timedelta(days=7)


def shift_sheet(
    store: Store, rules: Rules, header: Header, start: datetime | None, call: Mapping[str, str]
) -> ShiftSheet:
    """The sheet of the crew that is at work at `start` (by default now), or of the next one."""
    crew, span, sheet_id = crew_at(rules, start or header.now)
    now = header.now
    stands = standing(store, now)
    horizon = whole_slots(span, rules.site.step_minutes)
    rows = sheet_rows(store, rules, stands, span, horizon, now) if stands else ()
    peak = peak_of(stands, horizon, now) if stands else None
    return ShiftSheet(
        header=header,
        crew=crew,
        span=span,
        rows=rows,
        limit_kw=rules.site.import_limit_kw,
        target_kw=target_kw(rules.tariff),
        peak_kw=peak[0] if peak else None,
        peak_at=peak[1] if peak else None,
        call=tuple(call.items()),
        notes=notes(store, rules, span),
        seen=seen(store, sheet_id),
        sheet_id=sheet_id,
    )


def crew_at(rules: Rules, t: datetime) -> tuple[str, Interval, str]:
    """(crew, its hours, the sheet's id) at a time: the crew at work whose hours end last, else the next one."""
    step = rules.site.step_minutes
    ahead = Horizon(floor_to(t, timedelta(minutes=step)), int(AHEAD / timedelta(minutes=step)), step)
    hours = crew_hours(rules.calendar, ahead, rules.site.zone)
    at_work = [h for h in hours if h.when.holds(t)]
    chosen = max(at_work, key=lambda h: h.when.end) if at_work else next(iter(hours), None)
    if chosen is None:
        start = floor_to(t, timedelta(minutes=step))
        return "nobody rostered", Interval(start, start + NEXT), f"nobody {start.date().isoformat()}"
    return chosen.crew, chosen.when, chosen.name


def whole_slots(span: Interval, step_minutes: int) -> Horizon:
    step = timedelta(minutes=step_minutes)
    end = floor_to(span.end, step)
    return Horizon.between(floor_to(span.start, step), end if end == span.end else end + step, step_minutes)


def sheet_rows(
    store: Store, rules: Rules, stands: Standing, span: Interval, horizon: Horizon, now: datetime
) -> tuple[SheetRow, ...]:
    """The jobs of the plan in force that run in the crew's hours and have not ended, by start; and those moved away."""
    jobs = {
        job.id: job for job in store.jobs.all(Interval(span.start - timedelta(days=2), span.end + timedelta(days=2)))
    }
    runs = {run.job: run for run in store.runs.of(Interval(span.start - timedelta(days=2), max(now, span.end)))}
    moved = {s.job: (s, offer) for offer in stands.accepted for s in offer.shifts}
    wide = Horizon(
        horizon.start - timedelta(days=2), horizon.slots + 384 * 15 // horizon.step_minutes, horizon.step_minutes
    )
    costs = prices(store, rules, wide)
    rows = []
    for posed in stands.problem.jobs:
        where = planned_at(stands.problem, stands.in_force[posed.id])
        run = runs.get(posed.id)
        if run is not None and run.end is not None and run.end <= now:
            continue
        start = run.start if run is not None else where.start
        shift, offer = moved.get(posed.id, (None, None))
        left = shift is not None and shift.old.interval.overlaps(span)
        if not (Interval(start, max(start, where.end)).overlaps(span) or left):
            continue
        job = jobs.get(posed.id)
        rows.append(
            SheetRow(
                start=start,
                end=max(start, where.end),
                machine=machine_name(rules.site, run.machine if run is not None else where.machine),
                job=posed.id,
                product=job.product if job else posed.name,
                quantity=job.quantity if job else 0.0,
                unit=job.unit if job else "",
                moved_from=shift.old.start if shift is not None else None,
                why=why(store, rules, shift, offer, costs, now) if shift is not None and offer is not None else "",
                running=run is not None,
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.start, row.machine)))


def why(store: Store, rules: Rules, shift: LoadShift, offer: Offer, costs: Prices, now: datetime) -> str:
    """What a move is good for and who accepted it, for the people who have to do it."""
    currency, zone = rules.site.currency, rules.site.zone
    parts = []
    before, after = mean_price(costs, shift.old.interval), mean_price(costs, shift.new.interval)
    if before is not None and after is not None and abs(before - after) >= 0.0005:
        word = "less" if after < before else "more"
        parts.append(f"Power costs {number(1000 * abs(before - after))} {currency}/MWh {word} then.")
    if shift.new.machine != shift.old.machine:
        parts.append(f"It stood on {machine_name(rules.site, shift.old.machine)}.")
    parts.append(f"Saves {money(offer.gain.money, currency)} (estimated).")
    said = [d for d in store.decisions.of_offer(offer.id) if d.kind in {"accept", "edit"}]
    if said:
        parts.append(f"Accepted {moment(said[-1].at, zone, now)} by the {said[-1].role or 'planner'}.")
    return " ".join(parts)


def mean_price(costs: Prices, span: Interval) -> float | None:
    """The mean price with fees over a span; None where it is not known."""
    horizon = costs.full.horizon
    values = costs.full.values[max(0, horizon.slot_of(span.start)) : max(0, horizon.slot_edge(span.end))]
    return float(np.mean(values)) if len(values) and not np.isnan(values).any() else None


def peak_of(stands: Standing, horizon: Horizon, now: datetime) -> tuple[float, datetime] | None:
    """The highest import that the plan in force expects in the rest of the crew's hours, and when."""
    problem = stands.problem.horizon
    first, last = max(0, problem.slot_of(max(now, horizon.start))), min(problem.slots, problem.slot_edge(horizon.end))
    if first >= last:
        return None
    row = stands.rows(stands.in_force).import_kw[first:last]
    best = int(np.argmax(row))
    return float(row[best]), problem.time_of(first + best)


def notes(store: Store, rules: Rules, span: Interval) -> tuple[str, ...]:
    """What else the crew must know: closed machines and events of the grid."""
    zone = rules.site.zone
    closed = [
        f"{machine_name(rules.site, c.machine)}: {c.why}, {clock_time(c.interval.start, zone)} to "
        f"{clock_time(c.interval.end, zone)}."
        for c in rules.calendar.closed_within(span, zone)
    ]
    events = [
        f"Event: {event_words(e)}, {clock_time(e.interval.start, zone)} to {clock_time(e.interval.end, zone)}."
        for e in store.events.touching(span)
        if e.state == "accepted"
    ]
    return (*events, *closed)


def seen(store: Store, sheet_id: str) -> tuple[datetime, str] | None:
    """When the shift lead marked the sheet as seen, and the role."""
    said = store.note(f"seen {sheet_id}")
    return None if said is None else (datetime.fromisoformat(said["at"]), str(said["by"]))


def accepted_jobs(store: Store, rules: Rules, sheet_id: str) -> tuple[str, ...]:
    """The accepted, moved jobs that a sheet shows: those that stood or stand in the crew's hours."""
    hours = hours_of(rules, sheet_id)
    if hours is None:
        return ()
    return tuple(
        shift.job
        for offer in store.offers.in_state(OfferState.ACCEPTED, span=hours.when)
        for shift in offer.shifts
        if shift.old.interval.overlaps(hours.when) or shift.new.interval.overlaps(hours.when)
    )


def hours_of(rules: Rules, sheet_id: str) -> CrewHours | None:
    """The crew's hours that a sheet is about; None where the roster no longer has them."""
    stamp = next((word for word in sheet_id.split() if is_day(word)), None)
    if stamp is None:
        return None
    start = day_bounds(date.fromisoformat(stamp), rules.site.zone)[0]
    step = rules.site.step_minutes
    days = Horizon(start, int(timedelta(days=2) / timedelta(minutes=step)), step)
    return next((h for h in crew_hours(rules.calendar, days, rules.site.zone) if h.name == sheet_id), None)


def is_day(word: str) -> bool:
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return True
