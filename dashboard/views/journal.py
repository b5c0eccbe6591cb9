"""Assumptions and journal: everything Loadstone believes, with its source and a "wrong" button; and who did what."""

from html import escape

import pandas as pd
import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from energy.clock import local
from energy.model.proposal import StandingRule
from energy.reports.pages import Assumption, Header, JournalPage

SHOWN = 12


def sentence(page: JournalPage) -> str:
    if not page.assumptions:
        return "Nothing is assumed yet."
    disputed = sum(bool(item.disputed) for item in page.assumptions)
    first = f"Loadstone believes **{f.count(len(page.assumptions), 'thing')}** about this plant"
    tail = f"; **{f.count(disputed, 'is', 'are')} disputed**" if disputed else "; nobody disputes any"
    rules = f". {f.count(len(page.rules), 'standing refusal', capital=True)}." if page.rules else "."
    return first + tail + rules


def assumption(item: Assumption) -> None:
    said, button = st.columns([0.86, 0.14], vertical_alignment="center")
    since = f", since {f.day(item.since, year=True)}" if item.since else ""
    disputed = f'<br><span class="doubtful">Disputed: {escape(item.disputed)}</span>' if item.disputed else ""
    said.html(
        f'<div class="line"><b>{escape(item.what)}:</b> {escape(item.value)} <i>{escape(item.source)}{since}; '
        f"owner {escape(item.owner)}</i>{disputed}</div>"
    )
    with button.popover("Wrong?", key=f"wrong-{item.id}", width="stretch"):
        text = st.text_area(f"What is right about {item.what.lower()}?", key=f"right-{item.id}", max_chars=500)
        if st.button("Tell its owner", key=f"dispute-{item.id}", type="primary", disabled=not text):
            by, role = session.who()
            session.act(f"dispute|{item.id}|{text}", lambda: session.service().dispute(item.id, text, by, role))
            st.rerun()


@parts.guarded
def assumptions(page: JournalPage) -> None:
    parts.section("What Loadstone believes")
    if not page.assumptions:
        st.caption(
            "Powers, lead times, crew rules and tariff lines appear here with their source as soon as there are "
            "jobs and a tariff."
        )
        return
    wanted = st.text_input(
        "Find", placeholder="a machine, a product, a tariff line", key="find-assumption", label_visibility="collapsed"
    )
    found = [
        item
        for item in page.assumptions
        if wanted.lower() in f"{item.what} {item.value} {item.source} {item.owner}".lower()
    ]
    found.sort(key=lambda item: not item.disputed)
    if not found:
        st.caption("Nothing of that name.")
    for item in found[:SHOWN]:
        assumption(item)
    if len(found) > SHOWN:
        st.caption(f"{len(found) - SHOWN} more; type above to find them.")


def rule(item: StandingRule, header: Header) -> None:
    said, button = st.columns([0.86, 0.14], vertical_alignment="center")
    price = (
        "price not known"
        if item.yearly_price is None
        else f"costs {f.quantity(item.yearly_price, header.currency)} a year"
    )
    until = f.day(local(item.until, header.zone), year=True)
    said.html(
        f'<div class="line"><b>{escape(item.subject.replace(":", " "))}</b> stays where it is: {escape(item.reason)} '
        f"<i>by {escape(item.by)}, until {until}; {price}</i></div>"
    )
    if button.button(
        "End it", key=f"end-{item.id}", width="stretch", help=f"End the standing refusal for {item.subject}"
    ):
        by, role = session.who()
        session.act(f"end|{item.id}", lambda: session.service().end_rule(item.id, by, role))
        st.rerun()


@parts.guarded
def rules(page: JournalPage) -> None:
    parts.section("Standing refusals")
    if not page.rules:
        st.caption("None. A refusal with the scope “always” becomes one, with its yearly price and an end date.")
    for item in page.rules:
        rule(item, page.header)


@parts.guarded
def journal(page: JournalPage) -> None:
    parts.section("Journal", "· who did what, newest first")
    if not page.entries:
        st.caption("Nothing has been decided or reported yet.")
        return
    zone, now = page.header.zone, page.header.now
    newest = sorted(page.entries, key=lambda entry: entry.at, reverse=True)
    rows = [
        (f.moment(e.at, zone, now), e.role if e.who == e.role else f"{e.who}, {e.role}", e.what, e.subject, e.detail)
        for e in newest
    ]
    columns = ["When", "Who (unverified)", "Did", "What", "Detail"]
    if len(rows) <= 15:
        parts.table(columns, rows)
    else:
        st.dataframe(
            pd.DataFrame(rows, columns=columns),
            hide_index=True,
            row_height=38,
            height=560,
            alt="The journal, newest first",
        )
    st.caption("People appear by role; no figure is made by person or small crew.")


@parts.guarded
def show() -> None:
    page: JournalPage = session.read("journal_page")
    parts.head("Assumptions and journal", page.header, sentence(page))
    parts.answered()
    assumptions(page)
    rules(page)
    journal(page)


show()
