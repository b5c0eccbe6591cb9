"""Dispatch: what was accepted is told to the floor, and followed until it is finished.

accepted → dispatched → seen on the floor → started → finished. What nobody has seen in time raises its hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy.clock import local
from energy.errors import LoadstoneError
from energy.model.calendar import Calendar
from energy.model.proposal import FloorState, Instruction, LoadShift, Offer, OfferState, Receipt
from energy.model.site import Site
from energy.ports import Dispatcher, Notifier
from energy.store import Store

STARTED_ON = {FloorState.STARTED, FloorState.FINISHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """What was sent in one round, what failed, and which accepted jobs nobody on the floor has seen in time."""

    receipts: tuple[Receipt, ...] = ()
    not_seen: tuple[str, ...] = ()
    notices: int = 0


def dispatch(
    store: Store,
    *,
    site: Site,
    calendar: Calendar,
    dispatchers: Sequence[Dispatcher],
    notifiers: Sequence[Notifier],
    now: datetime,
) -> Dispatched:
    """Send what is new, follow what was sent, and give one notice per new offer."""
    receipts = send(store, instructions(store, site), site, dispatchers, now)
    not_seen = follow(store, calendar, now)
    return Dispatched(receipts=tuple(receipts), not_seen=tuple(not_seen), notices=notify(store, site, notifiers, now))


def instructions(store: Store, site: Site) -> list[Instruction]:
    """What the floor must know and has not been told: accepted jobs at their new places, and jobs that go back to their
    old ones after a withdrawal."""
    told: list[Instruction] = []
    for offer in store.offers.in_state(OfferState.ACCEPTED):
        told += [instruction(offer, s, site, back=False) for s in offer.shifts]
    for offer in store.offers.in_state(OfferState.WITHDRAWN, OfferState.OVERTAKEN):
        told += [instruction(offer, s, site, back=True) for s in offer.shifts if was_sent(store, offer, s)]
    return told


def was_sent(store: Store, offer: Offer, shift: LoadShift) -> bool:
    """Whether the floor was told of a shift while its offer was accepted."""
    return any(store.receipts.has(f"{offer.id}:{shift.job}:{version}") for version in range(1, offer.version))


def instruction(offer: Offer, shift: LoadShift, site: Site, *, back: bool) -> Instruction:
    """One sentence for the floor. Its id names the offer's version, so that a change is a new instruction."""
    target, origin = (shift.old, shift.new) if back else (shift.new, shift.old)
    start, before = local(target.start, site.zone), local(origin.start, site.zone)
    name = next((m.name for m in site.machines if m.id == target.machine), target.machine)
    text = f"{shift.job} {shift.name}: {name} at {start:%a %d %b %H:%M} (was {before:%a %H:%M})"
    return Instruction(
        id=f"{offer.id}:{shift.job}:{offer.version}", offer=offer.id, planned=target, old=origin, text=text
    )


def send(
    store: Store, all_told: Sequence[Instruction], site: Site, dispatchers: Sequence[Dispatcher], now: datetime
) -> list[Receipt]:
    """Hand over what has no receipt yet. Without any dispatcher the screens and the shift sheet are the dispatch."""
    waiting = [i for i in all_told if not store.receipts.has(i.id)]
    if not waiting:
        return []
    receipts: list[Receipt] = []
    for dispatcher in dispatchers:
        try:
            receipts += dispatcher.send(waiting, site)
        except LoadstoneError as error:
            store.steps.failed(f"dispatch {dispatcher.name}", now, now, str(error))
    if not dispatchers:
        receipts = [
            Receipt(instruction=i.id, dispatcher="screen", at=now, where="shift sheet", ok=True) for i in waiting
        ]
    with store.unit():
        for receipt in receipts:
            if not receipt.ok:
                store.steps.failed(f"dispatch {receipt.dispatcher}", now, now, receipt.note)
                continue
            store.receipts.add(receipt)
            mark_dispatched(store, next(i for i in waiting if i.id == receipt.instruction), now)
    return receipts


def mark_dispatched(store: Store, told: Instruction, now: datetime) -> None:
    state = store.floor.state(told.planned.job)
    if state is not None and state[0] is FloorState.ACCEPTED:
        store.floor.put(told.planned.job, told.offer, FloorState.DISPATCHED, now)


def follow(store: Store, calendar: Calendar, now: datetime) -> list[str]:
    """Take in what has started and finished; name the jobs that nobody has seen half the notice time before the start."""
    late: list[str] = []
    hurry = timedelta(minutes=calendar.rules.notice_minutes / 2)
    with store.unit():
        for offer in store.offers.in_state(OfferState.ACCEPTED):
            for shift in offer.shifts:
                state = store.floor.state(shift.job)
                now_state = state[0] if state else FloorState.ACCEPTED
                if now_state in {FloorState.FINISHED, FloorState.OVERTAKEN}:
                    continue
                reached = reached_by_runs(store, shift, now)
                if reached is not None and reached is not now_state:
                    store.floor.put(shift.job, offer.id, reached, now)
                elif reached is None and now_state is not FloorState.SEEN and earliest(shift) - hurry <= now:
                    late.append(shift.job)
                    if now_state is not FloorState.NOT_SEEN:
                        store.floor.put(shift.job, offer.id, FloorState.NOT_SEEN, now)
    return late


def reached_by_runs(store: Store, shift: LoadShift, now: datetime) -> FloorState | None:
    """How far the runs say that a job has come."""
    runs = store.runs.of_job(shift.job)
    if not runs:
        return None
    last = runs[-1]
    return FloorState.FINISHED if last.end is not None and last.end <= now else FloorState.STARTED


def earliest(shift: LoadShift) -> datetime:
    return min(shift.old.start, shift.new.start)


def notify(store: Store, site: Site, notifiers: Sequence[Notifier], now: datetime) -> int:
    """One notice per new offer; a message that could not be handed over is tried again in the next round."""
    sent = 0
    for offer in store.offers.in_state(OfferState.OPEN):
        key = f"notice:{offer.id}"
        if not notifiers or store.receipts.has(key):
            continue
        until = local(offer.expires_at, site.zone)
        subject = f"{site.name}: offer {offer.number}, {offer.gain.money:,.0f} {site.currency}, answer by {until:%H:%M}"
        delivered = False
        for notifier in notifiers:
            try:
                notifier.notify(subject, f"{offer.headline}\n{offer.reason}\nAnswer by {until:%a %d %b %H:%M}.")
                delivered = True
            except LoadstoneError as error:
                store.steps.failed(f"notice {notifier.name}", now, now, str(error))
        if delivered:
            store.receipts.add(Receipt(instruction=key, dispatcher="notice", at=now, where="", ok=True))
            sent += 1
    return sent


def seen(store: Store, *, jobs: Sequence[str], sheet: str, by: str, role: str, now: datetime) -> int:
    """The shift lead has seen the sheet with these accepted jobs. Returns how many that was news for."""
    news = 0
    with store.unit():
        for offer in store.offers.in_state(OfferState.ACCEPTED):
            for shift in offer.shifts:
                state = store.floor.state(shift.job)
                if shift.job in jobs and (state is None or state[0] not in {FloorState.SEEN, *STARTED_ON}):
                    store.floor.put(shift.job, offer.id, FloorState.SEEN, now, f"{role}, {by}")
                    news += 1
        store.note(f"seen {sheet}", {"at": now.isoformat(), "by": role})
    return news
