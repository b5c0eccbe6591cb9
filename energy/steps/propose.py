"""Propose: what the plan would change becomes a few still offers to a planner.

Offers for the next day open when its prices are published and close when the plant fixes its plan; in between only a fact
opens one. An open offer keeps its identity, text and gain; it is replaced only where a better plan gains more than the set
margin, and otherwise kept, or withdrawn with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from energy.clock import local, local_date
from energy.model.calendar import Calendar
from energy.model.horizon import Interval
from energy.model.job import Cause, Job
from energy.model.plan import HowFound
from energy.model.problem import Placement, Problem
from energy.model.proposal import Gain, LoadShift, NotOffered, Offer, OfferState
from energy.model.site import Site
from energy.planning import offer_times
from energy.planning.bundles import Bundle, bundles, places_of, priced, with_places, worth_asking
from energy.planning.check import check, new_violations
from energy.planning.explain import how_sure, reasons
from energy.planning.gain_risk import forecast_part, gain_between
from energy.planning.slots import planned_at, slot_near
from energy.store import Store
from energy.store.store import JournalEntry, Planning


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What became of the offers in one round."""

    new: tuple[Offer, ...] = ()
    kept: tuple[Offer, ...] = ()
    ended: tuple[Offer, ...] = ()
    best_left_out: float | None = None  # the best gain that was not worth a question
    stale: bool = False  # somebody decided while the plan was being made: nothing was offered, plan anew


def propose(
    store: Store, *, planning: Planning, site: Site, calendar: Calendar, now: datetime, after_fact: bool = False
) -> Proposed:
    """Expire, keep, withdraw and open offers, given the latest plan."""
    with store.unit():
        ended = expire(store, now)
        if stale(store, planning.problem, touched=after_fact):
            return Proposed(kept=tuple(store.offers.in_state(OfferState.OPEN)), ended=tuple(ended), stale=True)
        open_now = store.offers.in_state(OfferState.OPEN)
        ended += withdraw_impossible(store, planning, open_now, now)
        open_now = store.offers.in_state(OfferState.OPEN)
        asking = after_fact or offer_times.offers_open(now, calendar.rules, site.zone)
        if not asking or planning.plan.how.found is HowFound.AS_GIVEN or not planning.checked:
            return Proposed(kept=tuple(open_now), ended=tuple(ended))
        found = bundles(planning.problem, planning.plan)
        kept, left = worth_asking(found, calendar.rules.least_gain)
        best = max((b.gain.money for b in left), default=None)
        kept = chosen(kept, calendar.rules.at_most_open)
        if not after_fact and not better(store, planning, open_now, kept, calendar, site, now):
            note_left_out(store, planning, left, now)
            return Proposed(kept=tuple(open_now), ended=tuple(ended), best_left_out=best)
        made, still, replaced = publish(store, planning, kept, open_now, site, calendar, now)
        note_left_out(store, planning, left, now)
        return Proposed(new=tuple(made), kept=tuple(still), ended=(*ended, *replaced), best_left_out=best)


def stale(store: Store, problem: Problem, *, touched: bool) -> bool:
    """Whether decisions have been made since a plan's problem was posed: a job accepted, taken back or refused that the
    problem does not know as such. (A fact may move what was refused.)"""
    accepted = {s.job for offer in store.offers.in_state(OfferState.ACCEPTED) for s in offer.shifts}
    refused = {
        (s.job, slot_near(problem.horizon, s.old.start))
        for offer in store.offers.in_state(OfferState.REFUSED)
        for s in offer.shifts
    }
    return any(
        job.accepted != (job.id in accepted)
        or (not touched and job.fixed is None and (job.id, job.in_force.start) in refused)
        for job in problem.jobs
    )


def end(store: Store, offer: Offer, state: OfferState, reason: str, now: datetime) -> Offer:
    """Close an offer, with the reason, and write it down."""
    ended = store.offers.put(replace(offer, state=state, state_reason=reason), now)
    store.journal.write(
        JournalEntry(
            at=now, who="Loadstone", role="system", what=f"offer {state}", subject=offer.headline, detail=reason
        )
    )
    return ended


def expire(store: Store, now: datetime) -> list[Offer]:
    """Offers that nobody answered in time. Expired is not refused."""
    late = [o for o in store.offers.in_state(OfferState.OPEN) if o.expires_at <= now]
    return [end(store, o, OfferState.EXPIRED, "nobody answered in time", now) for o in late]


def withdraw_impossible(store: Store, planning: Planning, open_now: Sequence[Offer], now: datetime) -> list[Offer]:
    """Offers that a change of the plant has made impossible, or whose jobs production has moved since."""
    problem = planning.problem
    known = {job.id: job for job in problem.jobs}
    before = check(problem, priced(problem, places_of(problem)))
    ended = []
    standing = {o.id: o for o in open_now}
    for offer in open_now:
        why = ""
        for shift in offer.shifts:
            job = known.get(shift.job)
            if job is None:
                why = f"job {shift.job} is no longer open in the production plan"
            elif job.in_force.machine != shift.old.machine or job.in_force.start != slot_near(
                problem.horizon, shift.old.start
            ):
                why = f"production has moved job {shift.job}"
        if not why:
            needed = with_requirements(offer, standing)
            places = with_places(
                problem,
                {s.job: placement(problem, s) for o in needed for s in o.shifts if s.job in known},
                [s.job for o in needed for s in o.shifts if s.job in known],
            )
            broken = new_violations(before, check(problem, priced(problem, places)))
            why = broken[0].what if broken else ""
        if why:
            ended.append(end(store, offer, OfferState.WITHDRAWN, why, now))
    return ended


def with_requirements(offer: Offer, offers: Mapping[str, Offer]) -> list[Offer]:
    """An offer and the open ones that it requires."""
    found, todo = {offer.id: offer}, list(offer.requires)
    while todo:
        id = todo.pop()
        if id in offers and id not in found:
            found[id] = offers[id]
            todo += offers[id].requires
    return list(found.values())


def placement(problem: Problem, shift: LoadShift) -> Placement:
    """A load shift's new place in the slots of a problem."""
    start = slot_near(problem.horizon, shift.new.start)
    return Placement(job=shift.job, machine=shift.new.machine, start=start, mode=shift.new.mode)


def chosen(kept: Sequence[Bundle], at_most: int) -> list[Bundle]:
    """The first bundles of the order, at most so many, each with what it requires."""
    return list(kept[:at_most])


def better(
    store: Store,
    planning: Planning,
    open_now: Sequence[Offer],
    kept: Sequence[Bundle],
    calendar: Calendar,
    site: Site,
    now: datetime,
) -> bool:
    """Whether the new bundles are worth disturbing what stands: nothing was offered for that day yet, or the gain grows
    by more than the margin."""
    if not open_now:  # what was offered for that day is answered: nobody is asked twice
        return bool(kept) and not offered_for(store, offer_times.movable_span(now, calendar.rules, site.zone), now)
    problem = planning.problem
    shifts = {s.job: placement(problem, s) for o in open_now for s in o.shifts}
    standing = priced(problem, with_places(problem, shifts, shifts))
    gain_open = gain_between(problem, priced(problem, places_of(problem)), standing).money
    return sum(b.gain.money for b in kept) > gain_open + calendar.rules.better_by


def offered_for(store: Store, day: Interval, now: datetime) -> list[Offer]:
    """The offers already made for a local day."""
    recent = store.offers.offered(Interval(now - timedelta(days=2), now + timedelta(seconds=1)))
    return [o for o in recent if any(day.holds(s.old.start) for s in o.shifts)]


def publish(
    store: Store,
    planning: Planning,
    kept: Sequence[Bundle],
    open_now: Sequence[Offer],
    site: Site,
    calendar: Calendar,
    now: datetime,
) -> tuple[list[Offer], list[Offer], list[Offer]]:
    """Open the new offers, keep those that say the same, withdraw those that a better plan replaces."""
    jobs = {job.id: job for job in store.jobs.all()}
    as_is = store.as_is.current()
    same: dict[int, Offer] = {}
    for number, bundle in enumerate(kept):
        match = next((o for o in open_now if says_the_same(planning.problem, o, bundle, planning)), None)
        if match is not None:
            same[number] = match
    kept_ids = {o.id for o in same.values()}
    replaced = [
        end(store, o, OfferState.WITHDRAWN, "a better plan was found", now) for o in open_now if o.id not in kept_ids
    ]
    day = local_date(now, site.zone)
    number = len(offered_for_day(store, now, site.zone))
    sentences = reasons(planning.problem, planning.plan)
    offers: dict[int, Offer] = dict(same)
    made = []
    for index, bundle in enumerate(kept):
        if index in same:
            continue
        number += 1
        shifts = tuple(load_shift(planning, jobs.get(id), id) for id in bundle.jobs)
        first = min(min(s.old.start, s.new.start) for s in shifts)
        offer = Offer(
            id=f"{day.isoformat()}-{number}-{planning.digest[:6]}",
            site=site.id,
            version=0,
            number=number,
            shifts=shifts,
            requires=tuple(offers[r].id for r in bundle.requires if r in offers),
            gain=bundle.gain,
            headline=headline(shifts, site),
            reason=" ".join(
                [
                    *(sentences[s.job].sentence for s in shifts if s.job in sentences),
                    *how_sure(bundle.gain, site.currency),
                ]
            ),
            slack_minutes=slack(shifts),
            plan=planning.digest,
            offered_at=now,
            expires_at=offer_times.expiry(now, first, calendar.rules, site.zone),
            assumed_start=any(as_is[id].cause is Cause.ASSUMED for id in bundle.jobs if id in as_is),
            rests_on=forecast_part(planning.problem, bundle.change),
        )
        if offer.expires_at <= now:
            continue
        offers[index] = store.offers.put(offer, now)
        made.append(offers[index])
        store.journal.write(
            JournalEntry(
                at=now,
                who="Loadstone",
                role="system",
                what="offer made",
                subject=offer.headline,
                detail=f"{offer.gain.money:.0f} {site.currency} estimated",
            )
        )
    return made, list(same.values()), replaced


def offered_for_day(store: Store, now: datetime, zone: str) -> list[Offer]:
    """The offers made on the local day of now, for their numbers."""
    recent = store.offers.offered(Interval(now - timedelta(days=1), now + timedelta(seconds=1)))
    return [o for o in recent if local_date(o.offered_at, zone) == local_date(now, zone)]


def says_the_same(problem: Problem, offer: Offer, bundle: Bundle, planning: Planning) -> bool:
    """Whether a bundle moves the same jobs to the same places as an open offer."""
    if set(offer.jobs) != set(bundle.jobs):
        return False
    return all(placement(problem, s) == planning.plan.placement(s.job) for s in offer.shifts)


def load_shift(planning: Planning, job: Job | None, id: str) -> LoadShift:
    """One job's move from its place in force to the plan's."""
    problem = planning.problem
    posed, new = problem.job(id), planning.plan.placement(id)
    option = posed.option(new.machine, new.mode)
    return LoadShift(
        job=id,
        name=job.product if job else posed.name,
        old=planned_at(problem, posed.in_force),
        new=planned_at(problem, new),
        kwh=sum(option.power_kw) * problem.step_hours,
        due=job.due if job else None,
        quantity=job.quantity if job else 0.0,
        unit=job.unit if job else "",
    )


def slack(shifts: Sequence[LoadShift]) -> int | None:
    """The smallest time left between a job's new end and its due time, minutes."""
    left = [round((s.due - s.new.end).total_seconds() / 60) for s in shifts if s.due is not None]
    return min(left) if left else None


def span_words(minutes: int) -> str:
    """ "4 h 30", "45 min", "2 h"."""
    hours, rest = divmod(abs(minutes), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02d}" if rest else f"{hours} h"


def headline(shifts: Sequence[LoadShift], site: Site) -> str:
    """What moves and how far, in one line."""
    names = {m.id: m.name for m in site.machines}
    parts = []
    for shift in shifts[:2]:
        far = shift.minutes_later
        move = f"{span_words(far)} {'later' if far > 0 else 'earlier'}" if far else "same time"
        if shift.new.machine != shift.old.machine:
            move += f", on {names.get(shift.new.machine, shift.new.machine).lower()}"
        parts.append(f"{names.get(shift.old.machine, shift.old.machine)}: {shift.name.lower()} {move}")
    more = f" and {len(shifts) - 2} more" if len(shifts) > 2 else ""
    return "; ".join(parts) + more


def too_little(gain: Gain, problem: Problem) -> str:
    """Why a bundle was not worth a question; one that only looks good on a forecast may be so later."""
    least = f"the least gain of {problem.least_gain:.0f} {problem.currency}"
    if gain.uncorrected < problem.least_gain:
        return f"below {least}"
    return (
        f"{gain.uncorrected:.0f} {problem.currency} by the forecast, which is below {least} once corrected for choosing "
        "what looks cheap; worth asking again when the prices are published"
    )


def note_left_out(store: Store, planning: Planning, left: Sequence[Bundle], now: datetime) -> None:
    """What was not offered, and why, one click away."""
    problem = planning.problem
    items = []
    for bundle in left:
        for id in bundle.jobs:
            new, old = planning.plan.placement(id), problem.job(id).in_force
            there = local(problem.horizon.time_of(new.start), problem.zone)
            from_ = local(problem.horizon.time_of(old.start), problem.zone)
            items.append(
                NotOffered(
                    job=id,
                    what=f"{problem.job(id).name}: {from_:%H:%M} → {there:%a %H:%M}",
                    why=too_little(bundle.gain, problem),
                    gain=bundle.gain.money,
                )
            )
    store.offers.put_not_offered(planning.digest, items, now)
