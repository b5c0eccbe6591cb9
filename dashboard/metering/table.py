"""The table of meters, worst first; on a phone the same as a list."""

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd
import streamlit as st

from dashboard import colours, session
from dashboard import format as f
from dashboard.charts.spark import sparkline
from dashboard.metering import where
from dashboard.views import add_meter
from energy.model.edge import EdgeState
from energy.model.meter import Measures, Role
from energy.reports.pages import MeterRow, MetersPage

WORST = {"silent": 0, "suspect": 1, "rejected": 2, "late": 3, "released": 4, "good": 5}
SIGN = {
    "silent": "○ silent",
    "suspect": "! doubtful",
    "rejected": "✗ rejected",
    "late": "◔ late",
    "released": "✓ released",
    "good": "✓ good",
}
TONE = {"silent": "worse", "suspect": "doubtful", "rejected": "doubtful", "late": "doubtful"}
DOUBTFUL = ("suspect", "rejected", "late")
NOT_USED = "newest value not used "  # the sign says so already
SPARK = 140  # px
ON_A_PHONE = 60  # meters that the list has; the worst come first


def ordered(page: MetersPage) -> list[MeterRow]:
    """Worst first; of equals the settlement meter first."""
    roles = list(Role)
    return sorted(page.rows, key=lambda row: (WORST.get(row.state, 1), roles.index(row.meter.role), row.meter.name))


def power_now(row: MeterRow) -> float | None:
    """Power as the plant speaks of it: a PV meter's generation is positive."""
    if row.silent or row.reading is None or row.reading.power_kw is None:
        return None
    return -row.reading.power_kw if row.meter.measures is Measures.PV else row.reading.power_kw


def role(row: MeterRow) -> str:
    return "Σ virtual" if row.meter.role is Role.VIRTUAL else row.meter.role.value


def boxes_by_name(page: MetersPage) -> dict[str, EdgeState]:
    return {state.name: state for state in page.edges}


def way(row: MeterRow, boxes: Mapping[str, EdgeState]) -> str:
    """The edge box that a meter comes over, and what waits there of all its meters."""
    name = row.meter.box
    if not name:
        return ""
    state = boxes.get(name)
    if state is None or state.edge is None:
        return f"{name}, never heard"
    waiting = state.edge.backlog.waiting
    return f"{name}, {f.number(waiting)} wait" if waiting else name


def remark(row: MeterRow) -> str:
    parts = f"made of {f.count(len(row.meter.parts), 'meter')}" if row.meter.parts else ""
    told = row.meter.confidence if row.single_source else ""
    why = row.detail.removeprefix(NOT_USED)
    shown = why.strip("()") if why != row.detail else row.detail
    return shown or "; ".join(part for part in (told, parts) if part)


def text(name: str, width: int, *, right: bool = False) -> object:
    return st.column_config.TextColumn(name, width=width, alignment="right" if right else "left")


COLUMNS = {
    "Meter": text("Meter", 132),
    "Place": text("Place", 122),
    "Role": text("Role", 76),
    "Power now": text("Power now", 78, right=True),
    "Age": text("Age", 84, right=True),
    "Quality": text("Quality", 84),
    "Last 24 h": st.column_config.ImageColumn("Last 24 h", width=SPARK),
    "Energy today": text("Energy today", 92, right=True),
    "Over box": text("Over box", 92),
    "Remark": text("Remark", 206),
}


def frame(rows: Sequence[MeterRow], boxes: Mapping[str, EdgeState], inks: colours.Inks) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "Meter": [row.meter.name for row in rows],
            "Place": [row.meter.place for row in rows],
            "Role": [role(row) for row in rows],
            "Power now": [f.quantity(power_now(row), "kW") for row in rows],
            "Age": [f.age(row.age_seconds) for row in rows],
            "Quality": [SIGN.get(row.state, row.state) for row in rows],
            "Last 24 h": [sparkline(row.day_kw, inks, SPARK) for row in rows],
            "Energy today": [f.quantity(row.energy_today_kwh, "kWh") for row in rows],
            "Over box": [way(row, boxes) for row in rows],
            "Remark": [remark(row) for row in rows],
        }
    )
    return table if any(row.meter.box for row in rows) else table.drop(columns="Over box")


def download(page: MetersPage) -> str:
    """The table as CSV, in plain numbers."""
    rows = ordered(page)
    return pd.DataFrame(
        {
            "meter": [row.meter.id for row in rows],
            "name": [row.meter.name for row in rows],
            "place": [row.meter.place for row in rows],
            "role": [row.meter.role.value for row in rows],
            "power_kw": [None if row.silent or row.reading is None else row.reading.power_kw for row in rows],
            "age_s": [row.age_seconds for row in rows],
            "state": [row.state for row in rows],
            "energy_today_kwh": [row.energy_today_kwh for row in rows],
            "box": [row.meter.box for row in rows],
            "confidence": [row.meter.confidence for row in rows],
            "remark": [remark(row) for row in rows],
        }
    ).to_csv(index=False)


def show(page: MetersPage) -> None:
    """The table with its filter, and the way to one meter."""
    rows = ordered(page)
    silent, doubtful = [r for r in rows if r.silent], [r for r in rows if r.state in DOUBTFUL]
    shown = {f"All {len(rows)}": rows, f"Silent {len(silent)}": silent, f"Doubtful {len(doubtful)}": doubtful}
    left, right = st.columns([0.55, 0.45], vertical_alignment="center")
    name = left.pills(
        "Which meters",
        list(shown),
        default=next(iter(shown)),
        required=True,
        key="which-meters",
        label_visibility="collapsed",
    )
    with right.container(horizontal=True, horizontal_alignment="right", key="meters-actions"):
        find(rows)
        st.download_button(
            "Download",
            download(page),
            "meters.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="meters-csv",
        )
        add_meter.button()
    picked = shown.get(name or "", rows)
    if not picked:
        st.caption("None.")
        return
    inks, boxes = session.theme(), boxes_by_name(page)
    id = chosen(picked, boxes, inks)
    listing(picked, boxes, inks)
    st.caption(
        "Silent meters stay in the table with a dash, never a zero; a gap in the curve is a gap in the data. "
        "Click a meter for its registers, profile, faults, and to say that it was replaced."
    )
    if id is not None:
        where.open_meter(id)
        st.rerun()


def find(rows: Sequence[MeterRow]) -> None:
    """Any meter by its name, by keyboard too."""
    names = {row.meter.id: row.meter.name for row in sorted(rows, key=lambda row: row.meter.name)}
    id = st.selectbox(
        "Open a meter",
        list(names),
        index=None,
        format_func=lambda id: names.get(id, id),
        placeholder="Open a meter …",
        key="find-meter",
        label_visibility="collapsed",
        width=190,
    )
    if id is not None:
        where.open_meter(id)
        st.rerun()


def chosen(rows: Sequence[MeterRow], boxes: Mapping[str, EdgeState], inks: colours.Inks) -> str | None:
    """The table; returns the id of the meter that was clicked."""

    def paint(words: pd.Series) -> list[str]:
        ink = {"○": inks.worse, "!": inks.doubtful, "✗": inks.doubtful, "◔": inks.doubtful, "✓": inks.better}
        return [
            f"color: {ink.get(word[:1], inks.text)}" + ("" if word[:1] == "✓" else "; font-weight: 600")
            for word in words
        ]

    with st.container(key="meters-wide"):
        event = st.dataframe(
            frame(rows, boxes, inks).style.apply(paint, subset=["Quality"]),
            hide_index=True,
            row_height=42,
            height=min(42 * len(rows) + 40, 800),
            key="meters-table",
            on_select="rerun",
            selection_mode="single-cell",
            alt="Meters with their newest values, worst first",
            column_config=COLUMNS,
        )
    cells = event["selection"]["cells"] if event else []
    return rows[cells[0][0]].meter.id if cells and cells[0][0] < len(rows) else None


def listing(rows: Sequence[MeterRow], boxes: Mapping[str, EdgeState], inks: colours.Inks) -> None:
    """The same for a phone: name, sign, power, curve; the whole line leads to the meter."""
    lines = "".join(line(row, boxes, inks) for row in rows[:ON_A_PHONE])
    more = len(rows) - ON_A_PHONE
    tail = f'<p class="soft">{more} more; find them by name above.</p>' if more > 0 else ""
    with st.container(key="meters-narrow"):
        st.html(f'<div class="phone-list">{lines}</div>{tail}')


def line(row: MeterRow, boxes: Mapping[str, EdgeState], inks: colours.Inks) -> str:
    tone = TONE.get(row.state, "better")
    told = "; ".join(part for part in (row.meter.place, way(row, boxes), remark(row)) if part)
    inner = (
        f'<b>{escape(row.meter.name)}</b><span class="{tone}">{SIGN.get(row.state, row.state)}</span>'
        f"<strong>{f.quantity(power_now(row), 'kW')}</strong>"
        f'<img alt="" src="{sparkline(row.day_kw, inks)}"><small>{escape(told)}</small>'
    )
    return where.link(row.meter, inner)
