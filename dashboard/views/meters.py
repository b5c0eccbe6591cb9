"""Meters: who answers and what is wrong, then the table, how they hang together, what is doubted, the bill, the boxes."""

import streamlit as st

from dashboard import format as f
from dashboard import parts, session
from dashboard.metering import bill, boxes, detail, doubted, table, tree, where
from dashboard.parts import Figure
from dashboard.views import add_meter
from energy.model.meter import Measures, Role
from energy.reports.doubts import DoubtEvent
from energy.reports.pages import MeterRow, MetersPage


def explained(page: MetersPage) -> float | None:
    """The part of the settlement meter's energy today that its parts explain."""
    return None if page.balance_kwh is None or not page.balance_kwh[0] else page.balance_kwh[1] / page.balance_kwh[0]


def sentence(page: MetersPage) -> str:
    if not page.rows:
        return "No meter yet."
    silent = [row for row in page.rows if row.silent]
    total = len(page.rows)
    if not silent:
        first = f"All **{f.count(total, 'meter')}** answer."
    else:
        are = "is" if len(silent) == 1 else "are"
        answering = f.sentence_case(f.small(total - len(silent)))
        billed = ", the settlement meter among them" if any(row.meter.role is Role.SETTLEMENT for row in silent) else ""
        first = f"{answering} of **{f.count(total, 'meter')}** answer; **{f.small(len(silent))} {are} silent{billed}**."
    share = explained(page)
    return first if share is None else f"{first} The sub‑meters explain {f.percent(share)} of the site's energy today."


def figures(page: MetersPage) -> list[Figure]:
    answering = sum(not row.silent for row in page.rows)
    site = next((row for row in page.rows if row.meter.role is Role.SETTLEMENT), None)
    power = site.reading.power_kw if site is not None and site.reading is not None and not site.silent else None
    share, balance = explained(page), page.balance_kwh
    rest = None if balance is None else balance[0] - balance[1]
    doubtful = sum(row.state in table.DOUBTFUL for row in page.rows)
    age = f"settlement meter, {f.age(site.age_seconds)} old" if site is not None else "no settlement meter"
    return [
        Figure(
            label="Answering",
            value=f.number(answering),
            unit=f"of {len(page.rows)}",
            lines=(
                f"{f.count(doubtful, 'value')} doubtful",
                f"{f.number(page.readings_last_hour / 60)} readings a minute",
            ),
        ),
        Figure(label="Site power", value=f.number(power), unit="kW", kind="measured", lines=(age, checked(page, site))),
        Figure(
            label="Explained by sub-meters",
            value=f.number(None if share is None else 100 * share),
            unit="%",
            kind="measured",
            lines=("not known today", "while one of them is silent")
            if rest is None
            else (f"{f.quantity(rest, 'kWh')} not explained,", "today so far"),
        ),
        backlog(page),
    ]


def checked(page: MetersPage, site: MeterRow | None) -> str:
    """How far the check meter at the grid agrees with the settlement meter today."""
    check = next((r for r in page.rows if r.meter.role is Role.CHECK and r.meter.measures is Measures.GRID), None)
    if check is None or site is None or not site.energy_today_kwh or check.energy_today_kwh is None:
        return ""
    off = abs(check.energy_today_kwh / site.energy_today_kwh - 1)
    return f"{check.meter.name} agrees to {f.percent(off, 1)}"


def backlog(page: MetersPage) -> Figure:
    waits = [state for state in page.edges if state.edge is not None and state.edge.backlog.waiting]
    oldest = max((state.oldest_for for state in waits if state.oldest_for is not None), default=None)
    lines = (
        ("all that was read is here",)
        if not waits
        else (
            f"at {f.listed([state.name for state in waits])},",
            "" if oldest is None else f"the oldest {f.duration(oldest.total_seconds() / 60)} old",
        )
    )
    return Figure(label="Backlog", value=f.number(boxes.waiting(page)), unit="readings", lines=lines)


def labels(page: MetersPage, found: tuple[DoubtEvent, ...]) -> dict[str, str]:
    """The sections with what waits in each."""
    over = sum(node.over for node in page.tree)
    waits = len(doubted.waiting(found))
    differ = sum(day.differs for day in page.billed)
    troubled = sum(not state.well for state in page.edges)
    stopped = page.collector is not None and page.collector.stopped
    return {
        "meters": f"Meters {len(page.rows)}",
        "tree": f"Tree: {over} over" if over else "Tree",
        "doubted": f"Doubted {waits}" if waits else "Doubted",
        "bill": f"Bill: {differ} differ{'s' if differ == 1 else ''}" if differ else "Bill",
        "boxes": "Collector stopped" if stopped else f"Edge boxes: {troubled} wrong" if troubled else "Edge boxes",
    }


@st.fragment(run_every="15s")
@parts.guarded
def state() -> None:
    page: MetersPage = session.read("meters_page")
    parts.head("Meters", page.header, sentence(page))
    if page.rows:
        parts.figures(figures(page))


@parts.guarded
def sections() -> None:
    page: MetersPage = session.read("meters_page")
    if not page.rows:
        parts.notice(
            "**No meter is configured or none has been read yet.** `loadstone collect` reads them; until then "
            "nothing is measured and nothing is invented."
        )
        add_meter.button()
        return
    named = labels(page, doubted.events())
    st.session_state["meters-section"] = where.section()
    st.segmented_control(
        "Section",
        list(named),
        format_func=lambda name: named.get(name, name),
        required=True,
        key="meters-section",
        label_visibility="collapsed",
        on_change=lambda: where.go(st.session_state["meters-section"]),
    )
    section(where.section(), page)


@parts.guarded
def section(name: str, page: MetersPage) -> None:
    if name == "tree":
        tree.show(page, session.theme())
    elif name == "doubted":
        doubted.show(page.header)
    elif name == "bill":
        bill.show(page)
    elif name == "boxes":
        boxes.show()
    else:
        table.show(page)


@parts.guarded
def one(id: str) -> None:
    detail.back()
    detail.show(id, session.read("meters_page"))


if not add_meter.flow():
    chosen = where.one_meter()
    if chosen is None:
        state()
        sections()
    else:
        one(chosen)
