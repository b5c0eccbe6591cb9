"""Respond: demand-response events become commitments that the next plan keeps (mandatory) or prices."""

from datetime import datetime

import numpy as np

from energy.errors import LoadstoneError
from energy.model.event import Commitment, Event, EventKind, EventState
from energy.model.horizon import Interval
from energy.model.plan import Plan
from energy.store import Store
from energy.store.store import JournalEntry, Planning


def respond(store: Store, *, now: datetime, until: datetime) -> list[Commitment]:
    """Commit to every accepted or mandatory event that touches the horizon. A reduction counts from the as-is import that
    was expected when it was first committed; a commitment once made keeps its baseline."""
    made: list[Commitment] = []
    span = Interval(now, max(now, until))
    kept = {c.event: c for c in store.events.commitments(span)}
    latest = store.plans.latest()
    with store.unit():
        for event in store.events.touching(span):
            if event.mandatory and event.state is EventState.OPEN:
                store.events.set_state(event.id, EventState.ACCEPTED, now)
            elif event.state is not EventState.ACCEPTED:
                continue
            if event.id in kept:
                continue
            commitment = commit(event, latest)
            if commitment is not None:
                store.events.commit(commitment, now)
                made.append(commitment)
    return made


def commit(event: Event, latest: Planning | None) -> Commitment | None:
    """An event as a limit of import; None for a reduction of which no baseline is known yet."""
    penalty = None if event.mandatory else (event.price_per_kwh or 0.0)
    if event.kind is EventKind.LIMIT:
        return Commitment(
            event=event.id, interval=event.interval, limit_kw=event.kw, penalty_per_kwh=penalty, reason="limit"
        )
    baseline = baseline_kw(event.interval, latest.as_is, latest) if latest else ()
    if not baseline:
        return None
    limit = max(0.0, float(np.mean(baseline)) - event.kw)
    return Commitment(
        event=event.id,
        interval=event.interval,
        limit_kw=limit,
        penalty_per_kwh=penalty,
        baseline_kw=baseline,
        reason=f"mean as-is import {np.mean(baseline):.0f} kW less {event.kw:.0f} kW",
    )


def baseline_kw(span: Interval, as_is: Plan, planning: Planning) -> tuple[float, ...]:
    """The as-is import of each slot of a span; empty where the plan does not reach over all of it."""
    horizon = planning.problem.horizon
    first, last = horizon.slot_of(span.start), horizon.slot_edge(span.end)
    return as_is.import_kw[first:last] if 0 <= first < last <= horizon.slots else ()


def add_event(store: Store, event: Event, by: str, role: str, now: datetime) -> str:
    """Keep an event that a person typed in. A mandatory one is accepted at once; any other waits for an answer."""
    if event.interval.end <= now:
        raise LoadstoneError("the event is over already: choose a time to come")
    if event.kw < 0:
        raise LoadstoneError("the power of an event cannot be negative")
    with store.unit():
        new = store.events.put(event)
        if new:
            store.journal.write(
                JournalEntry(
                    at=now,
                    who=by,
                    role=role,
                    what="event entered",
                    subject=event.text or event.id,
                    detail=f"{event.kind} {event.kw:.0f} kW",
                )
            )
    if not new:
        return "The event is already known."
    return "The event is mandatory: the next plan keeps it." if event.mandatory else "The event waits for your answer."


def answer_event(store: Store, id: str, accept: bool, by: str, role: str, now: datetime) -> str:
    """Say yes or no to an event. Raises LoadstoneError where there is none to answer."""
    with store.unit():
        event = store.events.get(id)
        if event is None:
            raise LoadstoneError(f"there is no event {id}")
        if event.mandatory and not accept:
            raise LoadstoneError("a mandatory event cannot be declined")
        if event.answer_by is not None and now > event.answer_by:
            raise LoadstoneError("the time to answer is over")
        state = EventState.ACCEPTED if accept else EventState.DECLINED
        store.events.set_state(id, state, now)
        store.journal.write(
            JournalEntry(at=now, who=by, role=role, what=f"event {state}", subject=event.text or event.id)
        )
    return "Accepted: the next plan keeps it." if accept else "Declined."
