"""Readings in quarantine, event by event: what came, why it is doubted, what lay on the wire, and a word on it."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.metering import where
from dashboard.views.add_meter import fitting
from energy.clock import local
from energy.model.meter import Reading, Release
from energy.reports.doubts import DoubtEvent, DoubtRow, doubt_events
from energy.reports.pages import Done, Header

SHOWN = 25  # events; the newest
LISTED = 12  # readings of one event
RAW_LINES = 24
WHY = {
    True: ("a surge that was real", "works on the line were announced", "the display says the same", "other"),
    False: ("gateway answered for another meter", "meter was being replaced", "works on the line", "other"),
}


def events(meter: str | None = None) -> tuple[DoubtEvent, ...]:
    return doubt_events(session.read("doubted", meter))


def waiting(found: Sequence[DoubtEvent]) -> list[DoubtEvent]:
    return [event for event in found if event.open]


@parts.guarded
def show(header: Header, meter: str | None = None) -> None:
    """The events of one meter, or of all."""
    found = events(meter)
    still = waiting(found)
    spoken = [event for event in found if not event.open]
    count = sum(len(event.rows) for event in still)
    parts.section(
        "Doubted readings",
        f"· {f.number(count)} {'waits' if count == 1 else 'wait'} for a word" if count else "· none waits for a word",
    )
    if not found:
        parts.notice(
            "**Nothing is doubted.** A reading that says what cannot be (a counter that goes back, more power than the "
            "connection carries) is kept here with what lay on the wire, and makes no energy until somebody releases it."
        )
        return
    able = fitting(session.who()[1], session.roles())
    if still and not able:
        people = f.listed([role for role in session.roles() if fitting(role, session.roles())])
        parts.notice(
            f"**Released or rejected by the plant's energy people.** You act as {session.who()[1]}; choose {people} at the "
            "foot of the menu if that is you.",
            level="warn",
        )
    for event in still[:SHOWN]:
        card(event, header, able=able, alone=meter is not None)
    if len(still) > SHOWN:
        st.caption(f"{len(still) - SHOWN} older events; they come up as these are answered.")
    if spoken:
        with st.expander(f"Answered ({len(spoken)})", type="compact", key=f"answered-{meter or 'all'}"):
            for event in spoken[:SHOWN]:
                card(event, header, able=able, alone=meter is not None)


def id_of(event: DoubtEvent) -> str:
    return f"{event.meter.id}-{event.first:%Y%m%d%H%M%S%f}"


def card(event: DoubtEvent, header: Header, *, able: bool, alone: bool) -> None:
    id = id_of(event)
    with st.container(border=True, key=f"doubt-{id}"):
        st.html(words(event, header, alone=alone))
        if able:
            answers(event, header)
        with st.expander("Readings, and what lay on the wire", type="compact", key=f"doubt-wire-{id}"):
            readings(event, header)
            wire(event.rows[0], header)


def answers(event: DoubtEvent, header: Header) -> None:
    """Both answers to what waits; of what was answered the other one, for who has changed their mind."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"doubt-answers-{id_of(event)}"):
        for right in (True, False):
            if event.open or (event.word is not None and event.word.right is not right):
                judge(event, header, right=right)


def words(event: DoubtEvent, header: Header, *, alone: bool) -> str:
    """An event in a title, its values and why."""
    name = escape(event.meter.name) if alone else where.link(event.meter)
    said = "" if event.word is None else f'<p class="soft">{escape(spoken(event.word, header))}</p>'
    reasons = [
        f"{reason}{f' ({f.number(count)} of them)' if len(event.reasons) > 1 else ''}"
        for reason, count in event.reasons[:3]
    ]
    return (
        f'<div class="doubt"><h4>{name} <small>{escape(when(event, header))}</small></h4>'
        f"<p><b>{escape(f.sentence_case('; '.join(reasons) or 'no reason was kept'))}.</b></p>"
        f"<p>{escape(values(event))}</p>{said}</div>"
    )


def when(event: DoubtEvent, header: Header) -> str:
    """As "38 readings from Tue 10:12 to 10:31"."""
    first = f.moment(event.first, header.zone, header.now)
    if len(event.rows) == 1:
        return f"one reading at {first}"
    same = local(event.first, header.zone).date() == local(event.last, header.zone).date()
    last = f.clock_time(event.last, header.zone) if same else f.moment(event.last, header.zone, header.now)
    return f"{f.number(len(event.rows))} readings from {first} to {last}"


def values(event: DoubtEvent) -> str:
    """What the readings say, as ranges."""
    parts_: list[str] = []
    for name, unit, of in (
        ("import counter", "kWh", lambda r: r.import_kwh),
        ("export counter", "kWh", lambda r: r.export_kwh),
        ("power", "kW", lambda r: r.power_kw),
    ):
        known = [value for row in event.rows if (value := of(row.reading)) is not None]
        if known and (name != "export counter" or any(known)):
            low, high = min(known), max(known)
            text = f.quantity(low, unit, 1)
            parts_.append(
                f"{name} {text if high - low < 0.05 else f'{f.number(low, 1)} to {f.quantity(high, unit, 1)}'}"
            )
    limit = event.meter.connection_kw
    tail = f"; the connection carries {f.quantity(limit, 'kW')}" if limit < float("inf") else ""
    return f"{f.sentence_case(', '.join(parts_)) or 'No value that could be read'}{tail}."


def spoken(word: Release, header: Header) -> str:
    who = word.by if word.by == word.role or not word.role else f"{word.by} ({word.role})"
    done = "Released" if word.right else "Rejected"
    why = f": {word.why}" if word.why else ""
    return f"{done} by {who}, {f.moment(word.at, header.zone, header.now)}{why}"


def judge(event: DoubtEvent, header: Header, *, right: bool) -> None:
    """One of the two answers: asked for a reason, and said once more what it does."""
    id, verb = id_of(event), "Release" if right else "Reject"
    count = len(event.rows)
    these = "this reading" if count == 1 else f"these {f.number(count)} readings"
    with st.popover(
        verb,
        key=f"{verb.lower()}-box-{id}",
        icon=":material/check:" if right else ":material/close:",
        help=f"{verb} {these} of {event.meter.name}",
    ):
        st.html(f'<div class="line"><b>{verb} {these}?</b> <i>{escape(consequence(right, count))}</i></div>')
        reason = st.pills("Why", WHY[right], key=f"{verb.lower()}-why-{id}")
        more = st.text_input("In your words", key=f"{verb.lower()}-words-{id}", max_chars=200)
        why = ": ".join(part for part in (reason, more.strip()) if part and part != "other")
        if st.button(
            f"{verb} {'it' if count == 1 else f'all {f.number(count)}'}",
            key=f"{verb.lower()}-{id}",
            type="primary",
            disabled=not why,
            help=None if why else "Say why first: it is kept with your name",
        ):
            say(event, header, right=right, why=why)
            st.rerun()


def consequence(right: bool, count: int) -> str:
    if right:
        of = "it" if count == 1 else "them"
        return f"Energy is made of {of} from the next round on, and days already accounted are stated anew."
    never = "It is never used" if count == 1 else "They are never used"
    return f"{never}; what the counter says before and after bridges the gap where it can. You may change your mind."


def say(event: DoubtEvent, header: Header, *, right: bool, why: str) -> Done:
    """Tell the service, once a click; the same word after another one is a new word."""
    by, role = session.who()
    word = Release(meter=event.meter.id, taken_at=event.first, right=right, at=header.now, by=by, role=role, why=why)
    until = event.last if len(event.rows) > 1 else None
    before = sum(len(row.words) for row in event.rows)
    key = f"release|{event.meter.id}|{event.first.isoformat()}|{event.last.isoformat()}|{right}|{before}"
    return session.act(key, lambda: session.service().release(word, until))


def readings(event: DoubtEvent, header: Header) -> None:
    """The first and the last readings of an event."""
    rows = event.rows if len(event.rows) <= LISTED else (*event.rows[: LISTED // 2], *event.rows[-LISTED // 2 :])
    parts.table(
        ("Taken at", "Import, kWh", "Export, kWh", "Power, kW", "Why"),
        [reading_row(row.reading, row.reason, header) for row in rows],
        right=(1, 2, 3),
    )
    if len(rows) < len(event.rows):
        st.caption(f"{f.number(len(event.rows) - len(rows))} between them are not listed.")


def reading_row(reading: Reading, reason: str, header: Header) -> tuple[str, ...]:
    taken = f"{f.day(local(reading.taken_at, header.zone))} {local(reading.taken_at, header.zone):%H:%M:%S}"
    stands = (f.number(value, 2) for value in (reading.import_kwh, reading.export_kwh))
    return (taken, *stands, f.number(reading.power_kw, 1), reason)


def wire(row: DoubtRow, header: Header) -> None:
    """What lay on the wire of one reading: address, hexadecimal, and the number in it."""
    taken = local(row.reading.taken_at, header.zone)
    if not row.raw:
        st.caption("What lay on the wire was not kept: its kind of meter tells values alone.")
        return
    parts.section("On the wire", f"· at {taken:%H:%M:%S}, addresses from 0")
    shown = [(line.where, line.what, "" if line.number is None else f"{line.number}") for line in row.raw[:RAW_LINES]]
    cells = "".join(
        f"<div><span>{escape(place)}</span><code>{escape(what)}</code><small>{number}</small></div>"
        for place, what, number in shown
    )
    st.html(f'<div class="wire">{cells}</div>')
    if len(row.raw) > RAW_LINES:
        st.caption(f"{len(row.raw) - RAW_LINES} more.")
