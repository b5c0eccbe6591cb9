"""Offers as a planner reads them, and what became of accepted ones on the floor."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from energy.model.proposal import FloorState, LoadShift, Offer, OfferState
from energy.planning.check import check_placements, new_violations
from energy.planning.price_site import window_peak_kw
from energy.reports.pages import AcceptedRow, OfferCard
from energy.reports.situation import Rules
from energy.reports.standing import Places, Standing, moved
from energy.reports.words import MINUS, kw, listed, moment, money, number, span
from energy.store import Store


def cards(store: Store, rules: Rules, standing: Standing, now: datetime) -> tuple[OfferCard, ...]:
    """The open offers, by number."""
    return tuple(card(store, rules, standing, offer, now) for offer in standing.open)


def card(store: Store, rules: Rules, standing: Standing, offer: Offer, now: datetime) -> OfferCard:
    required = [o for id in offer.requires if (o := store.offers.get(id)) is not None]
    missing = [o for o in required if o.state is not OfferState.ACCEPTED]
    before = dict(standing.in_force) | moved(standing.problem, standing.in_force, missing)
    after = before | moved(standing.problem, before, [offer])
    why_not = stands_in_the_way(standing, missing, before, after)
    return OfferCard(
        offer=offer,
        published=published(standing, offer),
        peak=peak(standing, before, after, rules.site.currency),
        carbon=carbon(offer, standing.problem.carbon_basis),
        slack=slack(offer.shifts, rules.site.zone, now),
        requires=listed([f"offer {o.number} ({o.headline})" for o in required]) or "nothing else",
        can_accept=not why_not,
        why_not=why_not,
        decisions=tuple(store.decisions.of_offer(offer.id)),
    )


def stands_in_the_way(standing: Standing, missing: Sequence[Offer], before: Places, after: Places) -> str:
    """Why an offer cannot be accepted by itself now; empty where it can."""
    if missing:
        return f"It needs {listed([f'offer {o.number} ({o.headline})' for o in missing])}, not accepted yet."
    problem = standing.problem
    places = [[places[job.id] for job in problem.jobs] for places in (before, after)]
    broken = new_violations(check_placements(problem, places[0]), check_placements(problem, places[1]))
    return f"It is no longer possible: {broken[0].what}." if broken else ""


def published(standing: Standing, offer: Offer) -> str:
    """How much of the gain rests on prices that are a forecast."""
    problem = standing.problem
    slots = [
        slot
        for shift in offer.shifts
        for place in (shift.old, shift.new)
        for slot in range(problem.horizon.slot_of(place.start), problem.horizon.slot_edge(place.end))
        if 0 <= slot < problem.slots
    ]
    if all(problem.price_published[slot] for slot in slots):
        return "all published; no forecast in it"
    return f"{100 * offer.gain.forecast_share:.0f} % of the energy's worth rests on forecast prices"


def peak(standing: Standing, before: Places, after: Places, currency: str) -> str:
    """What the offer does to the peak that counts, and what that is worth."""
    was, is_ = standing.rows(before).import_kw, standing.rows(after).import_kw
    windows = standing.problem.demand
    if not windows:
        top, new = float(np.max(was)), float(np.max(is_))
        return "no change" if abs(top - new) < 0.5 else f"{number(top)} → {kw(new)}; peaks cost nothing"
    changes = [(window_peak_kw(w, was), window_peak_kw(w, is_), w) for w in windows]
    top, new, window = max(
        changes, key=lambda c: (abs(max(c[0], c[2].floor_kw) - max(c[1], c[2].floor_kw)), abs(c[0] - c[1]))
    )
    if abs(top - new) < 0.5:
        return "no change"
    worth = (max(top, window.floor_kw) - max(new, window.floor_kw)) * window.per_kw
    said = f"{number(top)} → {kw(new)}"
    if abs(worth) < 0.005:
        word = "the target" if window.floor_kw == window.target_kw else "what is paid for already"
        return f"{said}, both below {word}: worth nothing"
    if worth < 0:
        return f"{said}: costs {money(-worth, currency)} more ({window.name})"
    return f"{said}: worth {money(worth, currency)} if it stays the highest ({window.name})"


def carbon(offer: Offer, basis: str) -> str:
    kg = -offer.gain.carbon_kg
    sign = "+" if kg > 0.5 else ""
    return f"{sign}{number(kg)} kg, {basis.split(',', maxsplit=1)[0]}, estimated"


def slack(shifts: Sequence[LoadShift], zone: str, now: datetime) -> str:
    """The tightest time left until a due time."""
    dues = [(s.due - s.new.end, s.due) for s in shifts if s.due is not None]
    if not dues:
        return "no due time"
    left, due = min(dues)
    minutes = left.total_seconds() / 60
    when = moment(due, zone, now)
    return f"{span(minutes)} to due {when}" if minutes >= 0 else f"{MINUS}{span(minutes)}: late, due {when}"


def accepted_rows(
    store: Store, rules: Rules, offers: Sequence[Offer], since: datetime, now: datetime
) -> tuple[AcceptedRow, ...]:
    """Accepted shifts that have not ended before `since`, by their new start."""
    rows = []
    for offer in offers:
        first = min(min(s.old.start, s.new.start) for s in offer.shifts)
        last_call = first - timedelta(minutes=rules.calendar.rules.notice_minutes)
        for shift in offer.shifts:
            if shift.new.end <= since:
                continue
            state, at, note = store.floor.state(shift.job) or (FloorState.ACCEPTED, offer.offered_at, "")
            gone = state in {FloorState.STARTED, FloorState.FINISHED, FloorState.OVERTAKEN}
            can = now <= last_call and not gone
            rows.append(
                AcceptedRow(
                    offer=offer,
                    job=f"{shift.job} {shift.name}",
                    state=state,
                    since=at,
                    can_withdraw=can,
                    note=note or (f"can be withdrawn until {moment(last_call, rules.site.zone, now)}" if can else ""),
                )
            )
    return tuple(sorted(rows, key=lambda row: (min(s.new.start for s in row.offer.shifts), row.job)))
