"""Events: what the grid asks for, coming, running and past: baseline, limit, what was drawn, and the money."""

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from energy.clock import floor_to
from energy.model.event import Commitment, Event, EventKind, EventState
from energy.model.horizon import Horizon, Interval
from energy.model.series import SITE_IMPORT, Series
from energy.reports.meter_state import running
from energy.reports.pages import EventCard, EventsPage, Header
from energy.reports.situation import Rules
from energy.reports.standing import Standing, standing
from energy.reports.words import clock_time, kw, money, number
from energy.store import Store

PAST = timedelta(days=60)
COMING = timedelta(days=30)
AROUND = timedelta(hours=3)

Row = NDArray[np.float64]


def events_page(store: Store, rules: Rules, header: Header) -> EventsPage:
    """All events of two months: running first, then coming, then past, newest first."""
    now = header.now
    stands = standing(store, now)
    events = store.events.touching(Interval(now - PAST, now + COMING))
    commitments = {c.event: c for c in store.events.commitments(Interval(now - PAST, now + COMING))}
    cards = [card(store, rules, stands, event, commitments.get(event.id), now) for event in events]
    order = {"running": 0, "coming": 1, "past": 2}

    def key(one: EventCard) -> tuple[int, float]:
        start = one.event.interval.start.timestamp()
        return order[one.phase], -start if one.phase == "past" else start

    return EventsPage(header=header, cards=tuple(sorted(cards, key=key)))


def phase_of(event: Event, now: datetime) -> str:
    if now < event.interval.start:
        return "coming"
    return "running" if now < event.interval.end else "past"


def card(
    store: Store, rules: Rules, stands: Standing | None, event: Event, commitment: Commitment | None, now: datetime
) -> EventCard:
    """One event with its rows three hours around it."""
    step = rules.site.step_minutes
    start = floor_to(event.interval.start - AROUND, timedelta(minutes=step))
    horizon = Horizon(start, int((event.interval.end + AROUND - start) / timedelta(minutes=step)), step)
    actual = store.series.get(SITE_IMPORT, horizon)
    over = np.arange(horizon.slots) < horizon.slot_of(now)
    measured = Series(horizon, np.where(over, actual.values, np.nan), "kW")
    planned = planned_import(stands, horizon)
    baseline = baseline_of(event, commitment, stands, horizon)
    limit = commitment.limit_kw if commitment is not None else event.kw if event.kind is EventKind.LIMIT else None
    phase = phase_of(event, now)
    drawn = measured if phase != "coming" else planned
    delivered = delivered_kwh(event, baseline, measured) if phase != "coming" else None
    kept = kept_limit(event, limit, measured) if phase == "past" and event.state is EventState.ACCEPTED else None
    worth = money_of(event, baseline, delivered, drawn)
    return EventCard(
        event=event,
        phase=phase,
        baseline_kw=baseline,
        limit_kw=limit,
        actual_kw=measured if measured.known.any() else None,
        planned_kw=planned,
        delivered_kwh=delivered,
        money=worth,
        kept=kept,
        sentence=sentence(store, rules, event, phase, limit, delivered, worth, kept, planned, now),
    )


def planned_import(stands: Standing | None, horizon: Horizon) -> Series | None:
    """The import that the plan in force expects; None where it does not reach."""
    if stands is None:
        return None
    row = Series(stands.problem.horizon, stands.rows(stands.in_force).import_kw, "kW").over(horizon)
    return row if row.known.any() else None


def baseline_of(
    event: Event, commitment: Commitment | None, stands: Standing | None, horizon: Horizon
) -> Series | None:
    """The as-is import that a reduction counts from: the committed one, else what is expected now."""
    if event.kind is EventKind.LIMIT:
        return None
    if commitment is not None and commitment.baseline_kw:
        row = np.full(horizon.slots, np.nan)
        first = horizon.slot_of(commitment.interval.start)
        row[first : first + len(commitment.baseline_kw)] = commitment.baseline_kw
        return Series(horizon, row, "kW")
    if stands is None:
        return None
    expected = Series(stands.problem.horizon, np.array(stands.planning.as_is.import_kw), "kW").over(horizon)
    return expected if expected.known.any() else None


def inside(event: Event, horizon: Horizon) -> slice:
    return slice(max(0, horizon.slot_of(event.interval.start)), max(0, horizon.slot_edge(event.interval.end)))


def below_baseline(event: Event, baseline: Series | None, drawn: Series | None) -> Row | None:
    """How far below the baseline each slot of the event is, kW, at most what was asked; None where nothing is known."""
    if baseline is None or drawn is None:
        return None
    part = inside(event, drawn.horizon)
    less = baseline.values[part] - drawn.values[part]
    return None if np.isnan(less).all() else np.clip(less, 0.0, event.kw)


def delivered_kwh(event: Event, baseline: Series | None, measured: Series) -> float | None:
    """The energy below the baseline so far, at most what was asked; known slots only."""
    less = below_baseline(event, baseline, measured)
    return None if less is None else float(np.nansum(less) * measured.horizon.step_hours)


def money_of(event: Event, baseline: Series | None, delivered: float | None, drawn: Series | None) -> float | None:
    """What the event pays: for what was delivered, or would be by the plan."""
    if event.price_per_kwh is None:
        return None
    if delivered is None:
        less = below_baseline(event, baseline, drawn)
        if less is None or drawn is None:
            return None
        delivered = float(np.nansum(less) * drawn.horizon.step_hours)
    return delivered * event.price_per_kwh


def kept_limit(event: Event, limit: float | None, measured: Series) -> bool | None:
    """Whether the mean import of every slot of the event stayed at or below the limit; None where a slot is unknown."""
    values = measured.values[inside(event, measured.horizon)]
    if limit is None or not len(values):
        return None
    if np.any(values > limit + 0.5):
        return False
    return None if np.isnan(values).any() else True


def sentence(
    store: Store,
    rules: Rules,
    event: Event,
    phase: str,
    limit: float | None,
    delivered: float | None,
    worth: float | None,
    kept: bool | None,
    planned: Series | None,
    now: datetime,
) -> str:
    """What it means now, in a sentence."""
    currency = rules.site.currency
    if event.state in {EventState.DECLINED, EventState.CANCELLED}:
        return f"It was {event.state}; nothing was changed for it."
    match phase:
        case "running":
            return while_running(store, rules, event, limit, now)
        case "past":
            words = {
                True: "The limit was kept.",
                False: "The limit was not kept.",
                None: "It is not known whether it was kept.",
            }
            said = words[kept] if event.kind is EventKind.LIMIT else ""
            if event.kind is EventKind.REDUCTION:
                asked = event.kw * event.interval.hours
                said = (
                    "What was delivered is not known: no baseline or no meter."
                    if delivered is None
                    else f"Delivered {number(delivered)} kWh of the {number(asked)} kWh asked."
                )
            return f"{said} Worth {money(worth, currency)}." if worth is not None else said
        case _:
            return before_it(rules, event, limit, worth, planned)


def while_running(store: Store, rules: Rules, event: Event, limit: float | None, now: datetime) -> str:
    quarter = running(store, rules, now)
    if quarter.closes_at_kw is None:
        return "Import is not known: the settlement meter is silent. Keep to the plan."
    if limit is None:
        return f"The running quarter hour closes at {kw(quarter.closes_at_kw)}."
    left = quarter.closes_at_kw - limit
    shed = f"{kw(left)} must be shed" if left > 0 else "nothing is to be shed"
    until = clock_time(event.interval.end, rules.site.zone)
    return f"The running quarter hour closes at {kw(quarter.closes_at_kw)}, limit {kw(limit)} until {until}; {shed}."


def before_it(rules: Rules, event: Event, limit: float | None, worth: float | None, planned: Series | None) -> str:
    """What a coming event means for the plan in force."""
    values = planned.values[inside(event, planned.horizon)] if planned is not None else np.array([])
    known = values[~np.isnan(values)]
    if not len(known):
        return "The plan does not reach it yet; what it takes is known once it does."
    top = f"The plan expects {kw(float(np.max(known)))} at most"
    value = f" It is worth {money(worth, rules.site.currency)} with the plan as it is." if worth is not None else ""
    if limit is None:
        return f"{top}.{value}"
    fits = (
        "the limit is kept as planned"
        if np.max(known) <= limit + 0.5
        else f"{kw(float(np.max(known)) - limit)} above the limit"
    )
    return f"{top}; {fits}.{value}"
