"""Events: what the grid asks for, coming, running and past; typed in, accepted, declined, kept and settled."""

from datetime import time, timedelta
from html import escape

import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.axis import TimeAxis
from dashboard.charts.lines import Drawn, Lines, lines_picture
from energy.clock import local, wall_to_utc
from energy.model.event import Event, EventKind, EventState
from energy.model.horizon import Interval
from energy.reports.pages import EventCard, EventsPage, Header

PHASES = ("running", "coming", "past")
KINDS = {EventKind.LIMIT: "import at most", EventKind.REDUCTION: "this much below the baseline"}


def sentence(page: EventsPage) -> str:
    running = [card for card in page.cards if card.phase == "running"]
    coming = sorted((card for card in page.cards if card.phase == "coming"), key=lambda card: card.event.interval.start)
    zone, now = page.header.zone, page.header.now
    if running:
        event = running[0].event
        return f"**{asked(event)}** until **{f.clock_time(event.interval.end, zone)}**. {running[0].sentence}"
    if coming:
        event = coming[0].event
        answer = (
            ""
            if event.state is not EventState.OPEN or event.answer_by is None
            else f"; answer by **{f.moment(event.answer_by, zone, now)}**"
        )
        return (
            f"Next: **{asked(event)}**, {f.moment(event.interval.start, zone, now)} to "
            f"{f.clock_time(event.interval.end, zone)}{answer}."
        )
    return "No event is coming."


def asked(event: Event) -> str:
    return (
        f"Import at most {f.quantity(event.kw, 'kW')}"
        if event.kind is EventKind.LIMIT
        else f"{f.quantity(event.kw, 'kW')} less than the baseline"
    )


def facts(card: EventCard, header: Header) -> str:
    event, zone, now = card.event, header.zone, header.now
    price = (
        "mandatory"
        if event.mandatory
        else "not priced"
        if event.price_per_kwh is None
        else f"{f.number(event.price_per_kwh, 2)} {header.currency} per kWh delivered"
    )
    kept = {None: "", True: "kept", False: "**not kept**"}[card.kept]
    money = {"coming": "Expected", "running": "At stake", "past": "Settled"}[card.phase]
    answer = ""
    if event.answer_by is not None and event.state is EventState.OPEN:
        answer = f"**{f.moment(event.answer_by, zone, now)}**, {f.until(event.answer_by, now)}"
    rows = [
        ("Asked", asked(event)),
        ("Price", price),
        ("Notice", f"{f.duration(f.minutes_between(event.received_at, event.interval.start))}, from {event.program}"),
        ("Answer by", answer),
        (money, "" if card.money is None else f"**{f.quantity(card.money, header.currency)}**"),
        (
            "Delivered",
            ""
            if card.delivered_kwh is None
            else f"{f.quantity(card.delivered_kwh, 'kWh')} measured{', ' + kept if kept else ''}",
        ),
    ]
    return "".join(f"<dt>{name}</dt><dd>{f.text(value)}</dd>" for name, value in rows if value)


@parts.guarded
def picture(card: EventCard, header: Header) -> None:
    inks = session.theme()
    series = [
        *([("baseline", card.baseline_kw, inks.as_is, 1.5, [4, 3])] if card.baseline_kw is not None else []),
        *([("import, planned", card.planned_kw, inks.text, 2.0, None)] if card.planned_kw is not None else []),
        *([("import, measured", card.actual_kw, colours.MEASURED, 3.0, None)] if card.actual_kw is not None else []),
    ]
    if not series:
        st.caption("No picture: neither a baseline nor a plan covers this time yet.")
        return
    parts.legend(
        (
            "",
            [
                *(
                    (parts.stroke(colour, width, "4 3" if dash else ""), name)
                    for name, _, colour, width, dash in series
                ),
                (parts.square(colours.EVENT), "event"),
            ],
        )
    )
    limit = None if card.limit_kw is None else ("Limit", card.limit_kw)
    drawn = [
        Drawn(series=s, colour=colour, name=name, width=width, dash=dash) for name, s, colour, width, dash in series
    ]
    axis = TimeAxis.of(series[0][1].horizon, header.zone, inks)
    spec = lines_picture(
        axis,
        [Lines(name="Import", unit="kW", lines=drawn, limit=limit, height=150)],
        header.now,
        marked=[card.event.interval],
    )
    parts.chart(spec, alt=f"Import during the event: {card.sentence}", key=f"event-{card.event.id}-{card.phase}")


def answer(event: Event, accept: bool) -> None:
    by, role = session.who()
    session.act(f"event|{event.id}|{accept}", lambda: session.service().answer_event(event.id, accept, by, role))


def answers(card: EventCard) -> None:
    event = card.event
    if card.phase != "coming" or event.state is not EventState.OPEN or event.mandatory:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, accept, kind in (("Accept", True, "primary"), ("Decline", False, "secondary")):
            if st.button(
                label, key=f"{label.lower()}-{event.id}", type=kind, icon=":material/check:" if accept else None
            ):
                answer(event, accept)
                st.rerun()


def card_view(card: EventCard, header: Header) -> None:
    event, zone = card.event, header.zone
    start = local(event.interval.start, zone)
    with st.container(border=True, key=f"card-{event.id}"):
        where = f"{card.phase} · {f.day(start)}, {f.span(event.interval.start, event.interval.end, zone)}"
        left, right = st.columns([0.4, 0.6], gap="medium")
        left.html(
            f'<div class="offer"><div><div class="eyebrow">{escape(where)}</div><h4>'
            f"{escape(event.text or asked(event))}{f.kind(event.state.value)}</h4></div></div>"
            f'<div class="line" style="margin:6px 0 10px">{f.text(card.sentence)}</div><dl class="facts">'
            f"{facts(card, header)}</dl>"
        )
        with left:
            answers(card)
        with right:
            picture(card, header)


def type_in(header: Header) -> None:
    """An event as the energy manager hears of it by phone or letter."""
    there = local(header.now, header.zone)
    with st.form("new-event", border=False):
        kind = st.radio("What is asked?", list(KINDS), format_func=KINDS.__getitem__, horizontal=True, key="event-kind")
        first, second, third = st.columns(3)
        kw = first.number_input("kW", min_value=0.0, value=200.0, step=10.0, format="%.0f", key="event-kw")
        day = second.date_input("Day", there.date() + timedelta(days=1), key="event-day")
        mandatory = third.selectbox("Binding?", ("priced", "mandatory"), key="event-binding") == "mandatory"
        first, second, third = st.columns(3)
        start = first.time_input("From", time(17), step=timedelta(minutes=15), key="event-start")
        end = second.time_input("Until", time(19), step=timedelta(minutes=15), key="event-end")
        price = third.number_input(
            f"{header.currency} per kWh delivered, where priced", min_value=0.0, value=0.4, step=0.05, key="event-price"
        )
        text = st.text_input("Who asks, and why", key="event-text", max_chars=200)
        sent = st.form_submit_button("Enter the event", type="primary", key="event-enter")
    if not sent:
        return
    begin, stop = (
        wall_to_utc(day, start, header.zone),
        wall_to_utc(day if end > start else day + timedelta(days=1), end, header.zone),
    )
    problem = "It would already be over." if stop <= header.now else "Say how many kW." if kw <= 0 else ""
    if problem:
        st.error(f"Not entered: {problem}", icon=":material/block:")
        return
    key = f"event|{kind.value}|{kw}|{begin.isoformat()}|{stop.isoformat()}|{mandatory}|{price}|{text}"
    event = Event(
        id=session.once(key),
        kind=kind,
        interval=Interval(begin, stop),
        kw=kw,
        mandatory=mandatory,
        price_per_kwh=None if mandatory else price,
        text=text,
        received_at=header.now,
        state=EventState.ACCEPTED if mandatory else EventState.OPEN,
    )
    by, role = session.who()
    session.act(key, lambda: session.service().add_event(event, by, role))
    st.rerun()


@st.fragment(run_every="15s")
@parts.guarded
def state() -> None:
    page: EventsPage = session.read("events_page")
    parts.head("Events", page.header, sentence(page))


@parts.guarded
def show() -> None:
    page: EventsPage = session.read("events_page")
    parts.answered()
    if not page.cards:
        parts.notice(
            "**No event, coming or past.** Type one in when the grid operator or an aggregator calls: the next "
            "plan keeps it, or prices it and says what it costs."
        )
    for phase in PHASES:
        for card in [card for card in page.cards if card.phase == phase]:
            card_view(card, page.header)
    with st.expander("Type in an event", icon=":material/add:", key="type-in", expanded=not page.cards):
        type_in(page.header)


state()
show()
