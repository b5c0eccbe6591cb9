"""An offer as a card, with its four answers: accept, refuse, edit, withdraw."""

from datetime import timedelta
from html import escape

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from energy.clock import local, wall_to_utc
from energy.model.job import Planned
from energy.model.proposal import Decision, DecisionKind, Gain, LoadShift, Offer, Scope
from energy.reports.pages import AcceptedRow, Done, Header, OfferCard, Place, PlanPage

LEAST_SPREAD = 1.0  # currency; a band that is narrower says nothing

REASONS = (
    "quality",
    "crew",
    "material not there in time",
    "customer wants it earlier",
    "setup or tooling",
    "too little gain",
    "other",
)
SCOPES = {
    Scope.THIS_TIME: "this time",
    Scope.THIS_WEEK: "this week",
    Scope.ALWAYS_JOB: "always for this product",
    Scope.ALWAYS_MACHINE: "always for this machine",
}


def decide(
    header: Header,
    offer: Offer,
    kind: DecisionKind,
    *,
    reason: str = "",
    scope: Scope | None = None,
    places: tuple[Planned, ...] = (),
) -> Done:
    """Send one decision: the id is made once for this card and action, so a double click is one decision."""
    by, role = session.who()
    chosen = "|".join(f"{p.job} {p.machine} {p.start.isoformat()}" for p in places)
    key = f"{offer.id}|{offer.version}|{kind.value}|{chosen}"
    decision = Decision(
        id=session.once(key),
        offer=offer.id,
        version=offer.version,
        kind=kind,
        by=by,
        role=role,
        at=header.now,
        reason=reason,
        scope=scope,
        places=places,
    )
    return session.act(key, lambda: session.service().decide(decision))


def machine_names(page: PlanPage) -> dict[str, str]:
    return {machine.id: machine.name for machine in page.machines}


def move(shift: LoadShift, page: PlanPage) -> str:
    """As "06:45 → 11:15, job 2051, 8.4 t, 917 kWh"."""
    names, zone = machine_names(page), page.header.zone
    old, new = f.clock_time(shift.old.start, zone), f.clock_time(shift.new.start, zone)
    machine = ""
    if shift.old.machine != shift.new.machine:
        machine = (
            f", {names.get(shift.old.machine, shift.old.machine)} → "
            f"**{names.get(shift.new.machine, shift.new.machine)}**"
        )
    goods = f", {f.sensible(shift.quantity, shift.unit)}" if shift.quantity else ""
    return f"{old} → **{new}**{machine}, job {shift.job}{goods}, {f.quantity(shift.kwh, 'kWh')}"


def spread(gain: Gain) -> str:
    """As "31 to 74", where the gain is uncertain by more than rounding; else empty."""
    if gain.low is None or gain.high is None or gain.high - gain.low < LEAST_SPREAD:
        return ""
    return f"{f.number(gain.low)} to {f.number(gain.high)}"


def facts(card: OfferCard) -> str:
    gain = card.offer.gain
    rows = [
        ("Price", card.published),
        ("Peak", card.peak),
        ("CO2e", card.carbon),
        ("Slack left", card.slack),
        ("Requires", card.requires),
    ]
    if spread(gain):
        alone = f"; {f.number(gain.uncorrected)} by the forecast alone" if gain.optimism >= LEAST_SPREAD / 2 else ""
        rows.insert(1, ("Band", f"**{f.number(gain.low)} to {f.number(gain.high)}** (P10 to P90){alone}"))
    return "".join(f"<dt>{name}</dt><dd>{f.text(value)}</dd>" for name, value in rows if value)


def card(page: PlanPage, card: OfferCard) -> None:
    """One offer and its buttons."""
    header, offer = page.header, card.offer
    with st.container(border=True, key=f"offer-{offer.id}"):
        first = min(shift.new.start for shift in offer.shifts)
        day = f.day_word(first, header.zone, header.now)
        when = f.day(local(first, header.zone)) if day in ("today", "tomorrow") else ""
        where = f"Offer {offer.number} · {day}{', ' + when if when else ''}"
        word = "against an assumed start" if offer.assumed_start else "estimated"
        moves = "<br>".join(f.text(move(shift, page)) for shift in offer.shifts)
        st.html(
            f'<div class="offer"><div><div class="eyebrow">{escape(where)}</div><h4>{escape(offer.headline)}</h4>'
            f'<div class="line">{moves}</div></div>'
            f'<div class="gain">{f.number(offer.gain.money)} <small>{escape(header.currency)}</small><i>'
            f"{word}</i>{f'<i>{band}</i>' if (band := spread(offer.gain)) else ''}</div>"
            f'<p>{escape(offer.reason)}</p></div><dl class="facts">{facts(card)}</dl>'
        )
        buttons(page, card)


@parts.guarded
def buttons(page: PlanPage, card: OfferCard) -> None:
    header, offer = page.header, card.offer
    with st.container(horizontal=True, vertical_alignment="center", key=f"answers-{offer.id}"):
        if st.button(
            "Accept",
            key=f"accept-{offer.id}",
            type="primary",
            icon=":material/check:",
            disabled=not card.can_accept,
            help=card.why_not or f"Accept offer {offer.number}: {offer.headline}",
        ):
            decide(header, offer, DecisionKind.ACCEPT)
            st.rerun()
        with st.popover("Refuse", key=f"refuse-box-{offer.id}"):
            refuse(header, offer)
        with st.popover("Edit", key=f"edit-box-{offer.id}"):
            edit(page, offer)
        st.html(
            f'<div class="line soft">expires <b>{f.moment(offer.expires_at, header.zone, header.now)}</b>, '
            f"{f.until(offer.expires_at, header.now)}</div>",
            width="content",
        )
    if not card.can_accept and card.why_not:
        parts.notice(f"**Cannot be accepted alone.** {card.why_not}", level="warn")


def refuse(header: Header, offer: Offer) -> None:
    """A reason from a short list, free text, and how far it reaches."""
    reason = st.pills("Why not?", REASONS, default=REASONS[0], required=True, key=f"reason-{offer.id}")
    text = st.text_input("In your words (optional)", key=f"words-{offer.id}", max_chars=300)
    scope = st.selectbox("For how long?", list(SCOPES), format_func=SCOPES.__getitem__, key=f"scope-{offer.id}")
    if scope in (Scope.ALWAYS_JOB, Scope.ALWAYS_MACHINE):
        st.caption(
            "Becomes a standing rule, listed under Assumptions with what it costs a year, and can be ended there."
        )
    if st.button("Refuse this offer", key=f"refuse-{offer.id}", type="primary"):
        decide(header, offer, DecisionKind.REFUSE, reason=f"{reason}: {text}" if text else str(reason), scope=scope)
        st.rerun()


def edit(page: PlanPage, offer: Offer) -> None:
    """A place of one's own: the nearest feasible ones, priced; and any other, with why it is not possible."""
    header = page.header
    names = machine_names(page)
    jobs = {shift.job: shift for shift in offer.shifts}
    job = next(iter(jobs))
    if len(jobs) > 1:
        job = st.selectbox("Which job?", list(jobs), format_func=lambda id: jobs[id].name, key=f"edit-job-{offer.id}")
    if not st.toggle(
        "Show possible places",
        key=f"edit-open-{offer.id}",
        help="Each is checked against the plan in force and priced.",
    ):
        st.caption("Each place is checked against the plan in force and priced anew.")
        return
    found = session.places(offer.id, job)
    possible = {label(place, header, names): place for place in found if not place.why_not}
    own = "another time …"
    chosen = st.radio("Nearest feasible places", [*possible, own], key=f"edit-place-{offer.id}")
    place = possible.get(chosen) if chosen != own else another(header, offer, jobs[job], names)
    if place is None:
        return
    if place.why_not:
        parts.notice(f"**Not possible:** {place.why_not}.", level="warn")
        return
    if chosen == own:
        st.caption(f"Possible: {f.quantity(place.money, header.currency)} estimated.")
    if st.button("Accept with this place", key=f"edit-{offer.id}", type="primary"):
        rest = tuple(shift.new for shift in offer.shifts if shift.job != job)
        decide(header, offer, DecisionKind.EDIT, places=(place.planned, *rest))
        st.rerun()


def label(place: Place, header: Header, names: dict[str, str]) -> str:
    when = f.moment(place.planned.start, header.zone, header.now)
    return (
        f"{when}, {names.get(place.planned.machine, place.planned.machine)}: "
        f"{f.quantity(place.money, header.currency)}, "
        f"{f.quantity(-place.carbon_kg, 'kg', sign=True)}"
    )


def another(header: Header, offer: Offer, shift: LoadShift, names: dict[str, str]) -> Place | None:
    """A start of the planner's own, checked at once."""
    there = local(shift.new.start, header.zone)
    day = st.date_input("Day", there.date(), key=f"edit-day-{offer.id}")
    time = st.time_input("Start", there.time(), step=timedelta(minutes=15), key=f"edit-time-{offer.id}")
    machines = sorted({shift.old.machine, shift.new.machine})
    machine = (
        st.selectbox("Machine", machines, format_func=lambda id: names.get(id, id), key=f"edit-machine-{offer.id}")
        if len(machines) > 1
        else machines[0]
    )
    if day and time:
        return session.read("why_not", offer.id, shift.job, wall_to_utc(day, time, header.zone), machine)
    return None


def accepted_list(page: PlanPage) -> None:
    """What was accepted and how far it has come, with withdraw where it is still possible."""
    if not page.accepted:
        return
    parts.section("Accepted", "· on the way to the floor")
    for row in page.accepted:
        accepted(page, row)


@parts.guarded
def accepted(page: PlanPage, row: AcceptedRow) -> None:
    header, offer = page.header, row.offer
    said, button = st.columns([0.86, 0.14], vertical_alignment="center")
    since = f.moment(row.since, header.zone, header.now)
    moves = "; ".join(move(shift, page) for shift in offer.shifts)
    note = f"; {row.note}" if row.note else ""
    said.html(
        f'<div class="line"><b>{escape(row.job)}</b>{f.kind(row.state.value)} <i>{f.text(moves)}; since '
        f"{since}{escape(note)}; "
        f"{f.quantity(offer.gain.money, header.currency)} estimated</i></div>"
    )
    if row.can_withdraw and button.button(
        "Withdraw",
        key=f"withdraw-{offer.id}-{row.job}",
        width="stretch",
        help=f"Take back the acceptance of {offer.headline}",
    ):
        decide(header, offer, DecisionKind.WITHDRAW)
        st.rerun()
