"""Decide: what a planner says to an offer, checked again at that moment and kept.

A decision is kept only if the plan in force with it breaks no rule that was not broken before; else the planner is told
which rule, and what would cure it. Everything happens in one unit of work, so that two planners cannot accept offers that
clash, and a double click is one decision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy.clock import local
from energy.errors import DecisionRefusedError
from energy.model.calendar import Calendar
from energy.model.job import Planned
from energy.model.plan import Plan, Violation
from energy.model.problem import Placement, Problem
from energy.model.proposal import (
    Decision,
    DecisionKind,
    FloorState,
    LoadShift,
    Offer,
    OfferState,
    Scope,
    StandingRule,
)
from energy.planning.bundles import places_of
from energy.planning.check import check, new_violations
from energy.planning.explain import why_not
from energy.planning.gain_risk import Change, forecast_part, told_gain
from energy.planning.slots import slot_near
from energy.store import Store
from energy.store.store import JournalEntry

WROTE = {
    DecisionKind.ACCEPT: "offer accepted",
    DecisionKind.REFUSE: "offer refused",
    DecisionKind.EDIT: "offer edited and accepted",
    DecisionKind.WITHDRAW: "acceptance withdrawn",
}
WEEK = timedelta(days=7)
ALWAYS = timedelta(days=365)

Price = Callable[[Problem, Sequence[Placement]], Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision did: the offer as it now stands, and a sentence for the planner. `again` marks a decision that was
    already known."""

    offer: Offer
    text: str
    undo: str = ""
    again: bool = False


def decide(
    store: Store,
    *,
    decision: Decision,
    pose_now: Callable[[], Problem],
    price: Price,
    calendar: Calendar,
    zone: str,
    now: datetime,
) -> Decided:
    """Keep a decision, or raise DecisionRefusedError that says why not and what would be possible.

    `pose_now` gives the problem as it is at this moment (read inside the unit of work); `price` prices given places.
    """
    with store.unit():
        if store.decisions.get(decision.id) is not None:
            offer = known(store, decision.offer)
            return Decided(offer=offer, text=f"{offer.headline}: already {offer.state}.", again=True)
        offer = known(store, decision.offer)
        match decision.kind:
            case DecisionKind.ACCEPT:
                decided = accept(store, offer, pose_now(), price, calendar, zone, now)
            case DecisionKind.REFUSE:
                decided = refuse(store, offer, decision, zone, now)
            case DecisionKind.EDIT:
                decided = edit(store, offer, decision, pose_now(), price, calendar, zone, now)
            case DecisionKind.WITHDRAW:
                decided = withdraw(store, offer, decision, pose_now, price, calendar, zone, now)
        store.decisions.add(decision)
        store.journal.write(
            JournalEntry(
                at=now,
                who=decision.by,
                role=decision.role,
                what=WROTE[decision.kind],
                subject=offer.headline,
                detail=decision.reason,
            )
        )
        return decided


def known(store: Store, id: str) -> Offer:
    offer = store.offers.get(id)
    if offer is None:
        raise DecisionRefusedError(f"There is no offer {id}.")
    return offer


def must_be_open(store: Store, offer: Offer, zone: str, now: datetime) -> None:
    """An answer needs an open offer; anything else says what became of it."""
    if offer.state is OfferState.OPEN and now >= offer.expires_at:
        raise DecisionRefusedError(
            f"This offer expired at {local(offer.expires_at, zone):%H:%M}.",
            ["the next offers come when the next day's prices are published"],
        )
    if offer.state is OfferState.OPEN:
        return
    last = store.decisions.of_offer(offer.id)
    who = f" by {last[-1].by} ({last[-1].role}) at {local(last[-1].at, zone):%H:%M}" if last else ""
    why = f": {offer.state_reason}" if offer.state_reason and not last else ""
    raise DecisionRefusedError(f"This offer is already {offer.state}{who}{why}.")


def accept(
    store: Store, offer: Offer, problem: Problem, price: Price, calendar: Calendar, zone: str, now: datetime
) -> Decided:
    """Take an offer into the plan in force."""
    must_be_open(store, offer, zone, now)
    missing = [
        o for id in offer.requires if (o := store.offers.get(id)) is not None and o.state is not OfferState.ACCEPTED
    ]
    if missing:
        names = ", ".join(f"offer {o.number} ({o.headline})" for o in missing)
        still = [f"accept offer {o.number} first" for o in missing if o.state is OfferState.OPEN]
        raise DecisionRefusedError(f"It needs {names}, which is not accepted.", still)
    broken, _, _ = tried(problem, offer.shifts, price)
    if broken:
        raise DecisionRefusedError(f"It is no longer possible: {broken[0].what}.", cures(store, offer, problem, price))
    taken = store.offers.put(replace(offer, state=OfferState.ACCEPTED, state_reason=""), now)
    put_on_floor(store, taken, now)
    return Decided(offer=taken, text=f"Accepted: {offer.headline}.", undo=undo_until(taken, calendar, zone))


def put_on_floor(store: Store, offer: Offer, now: datetime) -> None:
    for shift in offer.shifts:
        store.floor.put(shift.job, offer.id, FloorState.ACCEPTED, now)


def tried(problem: Problem, shifts: Sequence[LoadShift], price: Price) -> tuple[list[Violation], Plan, Plan]:
    """(what would newly be broken, the plan in force, the plan in force with the shifts). A job that the problem no
    longer holds, or whose place has changed, is a violation of its own."""
    places = places_of(problem)
    standing = price(problem, [places[j.id] for j in problem.jobs])
    gone = [s.job for s in shifts if s.job not in places]
    if gone:
        lost = [
            Violation(rule="job", subject=j, slot=None, what=f"job {j} is no longer open in the production plan")
            for j in gone
        ]
        return lost, standing, standing
    moved_on = [
        s
        for s in shifts
        if (places[s.job].machine, places[s.job].start) != (s.old.machine, slot_near(problem.horizon, s.old.start))
    ]
    if moved_on:
        lost = [
            Violation(
                rule="job",
                subject=s.job,
                slot=None,
                what=f"job {s.job} is no longer where it was when this was offered",
            )
            for s in moved_on
        ]
        return lost, standing, standing
    for shift in shifts:
        places[shift.job] = place_of(problem, shift.new)
    free = replace(
        problem, jobs=tuple(replace(j, fixed=None) if j.id in {s.job for s in shifts} else j for j in problem.jobs)
    )
    after = price(free, [places[j.id] for j in free.jobs])
    before = check(problem, standing)
    return new_violations(before, check(free, after)), standing, after


def place_of(problem: Problem, planned: Planned) -> Placement:
    return Placement(
        job=planned.job, machine=planned.machine, start=slot_near(problem.horizon, planned.start), mode=planned.mode
    )


def cures(store: Store, offer: Offer, problem: Problem, price: Price) -> list[str]:
    """The smallest addition that would make an offer possible: one other open offer."""
    for other in store.offers.in_state(OfferState.OPEN):
        if other.id == offer.id or any(s.job not in places_of(problem) for s in other.shifts):
            continue
        broken, _, _ = tried(problem, (*other.shifts, *offer.shifts), price)
        if not broken:
            return [f"accept offer {other.number} ({other.headline}) first"]
    return []


def refuse(store: Store, offer: Offer, decision: Decision, zone: str, now: datetime) -> Decided:
    """Say no, for this time or longer; an "always" becomes a listed rule with its yearly price and an end."""
    must_be_open(store, offer, zone, now)
    refused = store.offers.put(replace(offer, state=OfferState.REFUSED, state_reason=decision.reason), now)
    withdraw_dependents(store, refused, now)
    text = f"Refused: {offer.headline}. It will not be offered again."
    if decision.scope in {Scope.THIS_WEEK, Scope.ALWAYS_JOB, Scope.ALWAYS_MACHINE}:
        for rule in standing_rules(offer, decision, now):
            store.rules.add(rule)
        text = (
            f"Refused: {offer.headline}. It stands ({decision.scope}) and is listed with its price under Assumptions."
        )
    return Decided(offer=refused, text=text)


def withdraw_dependents(store: Store, refused: Offer, now: datetime) -> None:
    """Offers that need a refused one can no longer be accepted: they are taken back, with the reason."""
    for other in store.offers.in_state(OfferState.OPEN):
        if refused.id in other.requires:
            why = f"it needs offer {refused.number} ({refused.headline}), which was refused"
            withdrawn = store.offers.put(replace(other, state=OfferState.WITHDRAWN, state_reason=why), now)
            store.journal.write(
                JournalEntry(
                    at=now, who="Loadstone", role="system", what="offer withdrawn", subject=other.headline, detail=why
                )
            )
            withdraw_dependents(store, withdrawn, now)


def standing_rules(offer: Offer, decision: Decision, now: datetime) -> list[StandingRule]:
    """The rules that a refusal with a wider scope makes. Its yearly price is the offer's gain on each of 250 days."""
    subjects: dict[str, None] = {}
    for shift in offer.shifts:
        match decision.scope:
            case Scope.ALWAYS_MACHINE:
                subjects[f"machine:{shift.old.machine}"] = None
            case Scope.ALWAYS_JOB | Scope.THIS_WEEK:
                subjects[f"product:{shift.name}"] = None
            case _:
                pass
    week = decision.scope is Scope.THIS_WEEK
    return [
        StandingRule(
            id=f"{decision.id}-{number}",
            subject=subject,
            decision=decision.id,
            reason=decision.reason,
            by=decision.role,
            since=now,
            until=now + (WEEK if week else ALWAYS),
            yearly_price=None if week else offer.gain.daily * 250 / len(subjects),
        )
        for number, subject in enumerate(subjects)
    ]


def edit(
    store: Store,
    offer: Offer,
    decision: Decision,
    problem: Problem,
    price: Price,
    calendar: Calendar,
    zone: str,
    now: datetime,
) -> Decided:
    """The planner's own places, checked and priced at once, taken into the plan in force."""
    must_be_open(store, offer, zone, now)
    own = {p.job: p for p in decision.places}
    if not own or not set(own) <= set(offer.jobs):
        raise DecisionRefusedError("An edit needs a place for a job of this offer.")
    shifts = tuple(replace(s, new=own.get(s.job, s.new)) for s in offer.shifts)
    open_ones = [problem.job(s.job) for s in shifts if s.job in places_of(problem)]
    for job in open_ones:
        place = own.get(job.id)
        words = why_not(problem, job, place.machine, slot_near(problem.horizon, place.start)) if place else ""
        if words and "allowed" not in words:
            raise DecisionRefusedError(f"Not possible: {words}.", ["choose one of the places that are offered"])
    broken, before, after = tried(problem, shifts, price)
    if broken:
        raise DecisionRefusedError(f"Not possible: {broken[0].what}.", ["choose one of the places that are offered"])
    gain = told_gain(problem, before, after)
    edited = replace(
        offer,
        shifts=shifts,
        gain=gain,
        rests_on=forecast_part(problem, Change.between(problem, before, after)),
        state=OfferState.ACCEPTED,
        state_reason="edited by the planner",
    )
    taken = store.offers.put(edited, now)
    put_on_floor(store, taken, now)
    return Decided(
        offer=taken,
        text=f"Accepted at your own time, {gain.money:,.0f} {problem.currency} estimated.",
        undo=undo_until(taken, calendar, zone),
    )


def withdraw(
    store: Store,
    offer: Offer,
    decision: Decision,
    pose_now: Callable[[], Problem],
    price: Price,
    calendar: Calendar,
    zone: str,
    now: datetime,
) -> Decided:
    """Take an acceptance back, until the notice time before the first start it touches."""
    if offer.state is not OfferState.ACCEPTED:
        raise DecisionRefusedError(f"Only an accepted offer can be withdrawn; this one is {offer.state}.")
    last_call = last_call_of(offer, calendar)
    if now > last_call:
        raise DecisionRefusedError(
            f"The notice time began at {local(last_call, zone):%a %H:%M}; the floor goes by it now.",
            ["report what happened instead"],
        )
    dependents = [o for o in store.offers.in_state(OfferState.ACCEPTED) if offer.id in o.requires]
    if dependents:
        names = ", ".join(f"offer {o.number} ({o.headline})" for o in dependents)
        raise DecisionRefusedError(f"{names} needs it.", [f"withdraw offer {o.number} first" for o in dependents])
    problem = pose_now()
    back = tuple(replace(s, old=s.new, new=s.old) for s in offer.shifts if s.job in places_of(problem))
    broken, _, _ = tried(problem, back, price) if back else ([], None, None)
    if broken:
        raise DecisionRefusedError(f"It cannot be taken back: {broken[0].what}.")
    gone = store.offers.put(
        replace(offer, state=OfferState.WITHDRAWN, state_reason=f"by the planner: {decision.reason}".rstrip(": ")), now
    )
    for shift in offer.shifts:
        store.floor.put(shift.job, offer.id, FloorState.OVERTAKEN, now, "withdrawn by the planner")
    return Decided(offer=gone, text=f"Withdrawn: {offer.headline}. The jobs are back at their old places.")


def undo_until(offer: Offer, calendar: Calendar, zone: str) -> str:
    """Until when an acceptance can be taken back, in words."""
    return f"It can be withdrawn until {local(last_call_of(offer, calendar), zone):%a %H:%M}."


def last_call_of(offer: Offer, calendar: Calendar) -> datetime:
    """Until when an acceptance can be taken back."""
    first = min(min(s.old.start, s.new.start) for s in offer.shifts)
    return first - timedelta(minutes=calendar.rules.notice_minutes)
