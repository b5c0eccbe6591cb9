"""Edge boxes, each with what waits there and what is wrong with it, and the collector of this place."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.parts import Figure
from energy.model.collector import CollectorState, PollPace
from energy.model.edge import Edge, EdgeState
from energy.reports.pages import Header, MetersPage

CLOCK_SHOWN = 1.0  # seconds; what is less is the way of the message


@st.fragment(run_every="15s")
@parts.guarded
def show() -> None:
    page: MetersPage = session.read("meters_page")
    collector(page)
    parts.section("Edge boxes", "· collectors beside the machines that keep what they read while the line is down")
    if not page.edges:
        parts.notice(
            "**No edge box yet.** Where meters stand behind a line that fails, a small box beside them reads them, keeps "
            "everything on its own disk and hands it over in order. `loadstone api token NAME` makes the token for one; "
            "docs/how-to/edge-box.md has the five steps."
        )
        return
    cards = "".join(card(state, meters_of(page, state.name), page.header) for state in worst_first(page.edges))
    st.html(f'<div class="cards">{cards}</div>')


def worst_first(edges: Sequence[EdgeState]) -> list[EdgeState]:
    return sorted(edges, key=lambda state: (state.well, state.name))


def meters_of(page: MetersPage, box: str) -> list[str]:
    return [row.meter.name for row in page.rows if row.meter.box == box]


def waiting(page: MetersPage) -> int | None:
    """Readings that are on their way: at the boxes, and in the collector. None where neither ever spoke."""
    known = [state.edge.backlog.waiting for state in page.edges if state.edge is not None]
    if page.collector is not None:
        known.append(page.collector.waiting)
    return sum(known) if known else None


def card(state: EdgeState, meters: Sequence[str], header: Header) -> str:
    """A box: what is wrong first, then its facts."""
    mark = '<span class="better">✓ well</span>' if state.well else '<span class="doubtful">! needs a look</span>'
    if state.edge is None or state.silent_for is not None:
        mark = '<span class="worse">○ silent</span>'
    wrong = "".join(f"<li>{escape(f.sentence_case(trouble))}.</li>" for trouble in state.troubles)
    facts = "".join(f"<dt>{name}</dt><dd>{f.text(value)}</dd>" for name, value in told(state, meters, header))
    troubles = f'<ul class="doubtful">{wrong}</ul>' if wrong else ""
    return f'<section class="card"><h4>{escape(state.name)}{mark}</h4>{troubles}<dl class="facts pairs">{facts}</dl></section>'


def told(state: EdgeState, meters: Sequence[str], header: Header) -> list[tuple[str, str]]:
    named = (
        f.listed(list(meters[:6])) if len(meters) <= 6 else f"{f.listed(list(meters[:5]))} and {len(meters) - 5} more"
    )
    lines = [("Reads", named or "no meter of the config names it")]
    if state.edge is None:
        way_out = "`loadstone edge --config edge.yaml status` on the box says what it meets"
        return [*lines, ("Last heard", "never"), ("To do", way_out)]
    return [*lines, *facts_of(state.edge, state, header)]


def facts_of(edge: Edge, state: EdgeState, header: Header) -> list[tuple[str, str]]:
    backlog, ago = edge.backlog, (header.now - edge.seen_at).total_seconds()
    age = "" if state.oldest_for is None else f", the oldest {f.duration(state.oldest_for.total_seconds() / 60)} old"
    lost = [
        (backlog.thinned, "thinned out between the edges of intervals"),
        (backlog.dropped, "dropped"),
        (backlog.held, "refused here and held there"),
        (edge.missing, "acknowledged once and missing here"),
    ]
    gone = [f"{f.number(count)} {words}" for count, words in lost if count]
    if backlog.broken:
        gone.append(f.count(backlog.broken, "broken buffer file"))
    error = backlog.trouble or edge.trouble
    return [
        ("Last heard", f"{f.moment(edge.seen_at, header.zone, header.now)}, {f.age(max(0.0, ago))} ago"),
        (
            "Backlog",
            f"**{f.number(backlog.waiting)} readings**{age}" if backlog.waiting else "none, all is handed over",
        ),
        ("Handed over", f"{f.number(edge.received)} readings"),
        ("Let go", "; ".join(gone) or "nothing"),
        ("Clock", clock(edge.ahead_seconds)),
        ("Last error", error or "none"),
    ]


def clock(ahead: float | None) -> str:
    if ahead is None:
        return "it has not told its time"
    if abs(ahead) < CLOCK_SHOWN:
        return "the same as here"
    return f"{f.age(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


def collector(page: MetersPage) -> None:
    parts.section("Collector", "· asks the meters of this place")
    state = page.collector
    if state is None:
        parts.notice(
            "**The collector has not said anything yet.** `loadstone run` starts it with everything else, "
            "`loadstone collect` alone; it tells each minute how it does."
        )
        return
    if state.stopped:
        since = f.moment(state.at, page.header.zone, page.header.now)
        parts.notice(
            f"**The collector has stopped:** last heard {since}, and no meter that it asks answers. Counters go on, so the "
            "energy of the gap is known when it comes back. `loadstone run` or `loadstone collect` starts it; "
            "`loadstone doctor` says what is in its way.",
            level="urgent",
        )
    parts.figures(collector_figures(state, page.header))


def collector_figures(state: CollectorState, header: Header) -> list[Figure]:
    late, whole = state.lately, state.in_all
    return [
        Figure(
            label="Asks",
            value=f.number(state.meters),
            unit="meters" if state.meters != 1 else "meter",
            lines=(f"told {f.moment(state.at, header.zone, header.now)}", f"{f.number(state.kept)} readings kept"),
        ),
        Figure(
            label="Half of them within",
            value=seconds(late.late_p50_seconds),
            unit="s of the tick",
            kind="measured",
            lines=(f"99 % within **{seconds(late.late_p99_seconds)} s**", f"latest {seconds(late.latest_seconds)} s"),
        ),
        Figure(
            label="Missed ticks",
            value=f.number(None if late.missed_share is None else 100 * late.missed_share, 1),
            unit="%",
            kind="measured",
            lines=(missed(late, "lately"), missed(whole, "since it began")),
        ),
        Figure(
            label="Waiting to be kept",
            value=f.number(state.waiting),
            unit="readings",
            lines=(f"{f.number(state.dropped)} dropped since it began" if state.dropped else "none was ever dropped",),
        ),
    ]


def missed(pace: PollPace, when: str) -> str:
    return f"{f.number(pace.missed)} of {f.number(pace.polls + pace.missed)} {when}"


def seconds(value: float | None) -> str:
    return f.number(value, 2 if value is not None and value < 10 else 0)
