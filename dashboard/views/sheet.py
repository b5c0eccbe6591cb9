"""Shift sheet: one printable page for the next eight hours, marked as seen by the shift lead."""

from datetime import datetime
from html import escape
from uuid import uuid4

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.charts.paper import sheet_picture
from energy.clock import local
from energy.reports.pages import SheetRow, ShiftSheet


def bar(page: ShiftSheet) -> None:
    """Above the paper, not printed: seen or not, print, mark as seen."""
    with st.container(key="bar", horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        if page.seen is None:
            state = f"{page.crew.capitalize()} crew, not yet marked as seen"
        else:
            state = f"Seen {f.moment(page.seen[0], page.header.zone, page.header.now)} by {page.seen[1]}"
        st.html(f'<div class="line soft">{escape(state)}</div>', width="content")
        if st.button("Print", icon=":material/print:", key="print"):
            st.session_state["print"] = uuid4().hex
        if page.seen is None and st.button("Mark as seen", type="primary", icon=":material/check:", key="seen"):
            by, role = session.who()
            session.act(f"seen|{page.sheet_id}", lambda: session.service().mark_seen(page.sheet_id, by, role))
            st.rerun()
    if nonce := st.session_state.pop("print", None):
        st.html(f"<script>/* {nonce} */ setTimeout(() => window.print(), 300)</script>", unsafe_allow_javascript=True)


def guard(page: ShiftSheet) -> str:
    """The peak guard's limit, big."""
    keep = page.target_kw if page.target_kw is not None else page.limit_kw
    zone = page.header.zone
    expected = "No forecast of the shift's peak."
    if page.peak_kw is not None:
        at = f" at {f.clock_time(page.peak_at, zone)}" if page.peak_at is not None else ""
        expected = f"Highest expected: **{f.quantity(page.peak_kw, 'kW')}**{at}, forecast."
    lines = "<br>".join(f.text(line) for line in (expected, *page.notes))
    return (
        f'<div class="guard"><div><small>Peak guard, keep below</small><b class="big">'
        f"{f.quantity(keep, 'kW')}</b></div>"
        f"<div>{lines}</div></div>"
    )


def todo(page: ShiftSheet) -> list[tuple[datetime, str, str, str]]:
    """(when, machine, job, do), in the order in which it is done."""
    found = []
    span = page.span
    for row in page.rows:
        job = f"{row.job} {row.product}, {f.sensible(row.quantity, row.unit)}"
        if row.moved_from is not None and span.holds(row.moved_from):
            found.append(
                (row.moved_from, row.machine, job, f"**do not start**; moved to {clock(row.start, page)}, see below")
            )
        if row.running:
            found.append((row.end, row.machine, job, "ends; unload"))
        elif span.holds(row.start):
            found.append((row.start, row.machine, job, f"start, until {clock(row.end, page)}"))
    return sorted(found, key=lambda item: item[0])


def clock(t: datetime, page: ShiftSheet) -> str:
    return f.moment(t, page.header.zone, page.span.start)


def moved(rows: list[SheetRow], page: ShiftSheet) -> str:
    if not rows:
        return '<div class="line">Nothing was moved in this shift.</div>'
    return "".join(
        f'<div class="line"><b>{escape(row.job)} {escape(row.product)}</b>, {escape(row.machine)}, from '
        f"{clock(row.moved_from, page)} to {clock(row.start, page)}. {f.text(row.why)}</div>"
        for row in rows
        if row.moved_from is not None
    )


def paper(page: ShiftSheet) -> None:
    zone = page.header.zone
    there = local(page.span.start, zone)
    with st.container(key="paper"):
        st.html(
            '<div style="display:flex;justify-content:space-between;align-items:baseline">'
            f'<h1 style="font-size:26px;font-weight:600;margin:0;padding:0;color:#111">Shift sheet, '
            f"{escape(page.crew)} crew</h1>"
            f'<span class="soft" style="font-size:14px">Plan in force, as of '
            f"{f.clock_time(page.header.now, zone)}</span></div>"
            f'<div class="eyebrow">{f.day(there, year=True)}, {f.span(page.span.start, page.span.end, zone)} · '
            f"{escape(page.header.name)}</div>"
        )
        st.html(guard(page))
        if page.rows:
            parts.chart(
                sheet_picture(page),
                alt="Jobs of the shift by machine; moved jobs black, their old place dashed.",
                key="sheet-chart",
            )
        parts.section("What to do")
        rows = todo(page)
        if rows:
            tick = '<span class="tick" role="img" aria-label="to tick off"></span>'
            parts.table(
                ("Time", "Machine", "Job", "Do", "Done"),
                [(f"**{clock(t, page)}**", machine, job, do, tick) for t, machine, job, do in rows],
            )
        else:
            st.html('<div class="line">Nothing starts or ends in this shift as far as the plan in force says.</div>')
        left, right = st.columns([0.55, 0.45], gap="medium")
        with left:
            parts.section("What was moved, and why")
            st.html(moved([row for row in page.rows if row.moved_from is not None], page))
        with right:
            parts.section("Whom to call")
            if page.call:
                parts.table(
                    ("", ""),
                    [(f.sentence_case(role), f"**{call}**") for role, call in page.call],
                    right=(1,),
                    head=False,
                )
            else:
                st.html('<div class="line">No numbers in config.yaml (dashboard.call).</div>')
        left, middle, right = st.columns([0.5, 0.3, 0.2], gap="medium", vertical_alignment="bottom")
        left.html(
            '<div class="soft" style="font-size:14px">Anything different on the floor? Report it under <b>'
            "Something happened</b>.</div>"
        )
        seen = "" if page.seen is None else f"{page.seen[1]}"
        middle.html(f'<div class="sign">Seen, shift lead<br>{escape(seen)}</div>')
        right.html(f'<div class="sign">Time<br>{"" if page.seen is None else f.clock_time(page.seen[0], zone)}</div>')


@parts.guarded
def show() -> None:
    page: ShiftSheet = session.sheet(None)
    parts.answered()
    bar(page)
    paper(page)


show()
