"""Meters: who answers, how old each value is, what it says, and the last day; worst first, one click for the rest."""

import pandas as pd
import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.axis import TimeAxis
from dashboard.charts.lines import Drawn, Lines, lines_picture
from dashboard.charts.spark import sparkline
from dashboard.parts import Figure
from dashboard.views import add_meter
from energy.model.meter import Measures, Role
from energy.reports.pages import MeterPage, MeterRow, MetersPage

WORST = {"silent": 0, "suspect": 1, "late": 2, "good": 3}
SIGN = {"silent": "○ silent", "suspect": "! doubtful", "late": "◔ late", "good": "✓ good"}


def ordered(page: MetersPage) -> list[MeterRow]:
    """Worst first; of equals the settlement meter first."""
    roles = list(Role)
    return sorted(page.rows, key=lambda row: (WORST.get(row.state, 1), roles.index(row.meter.role), row.meter.name))


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
        first = f"{answering} of **{f.count(total, 'meter')}** answer; **{f.small(len(silent))} {are} silent**."
    share = explained(page)
    return first if share is None else f"{first} The sub‑meters explain {f.percent(share)} of the site's energy today."


def figures(page: MetersPage) -> list[Figure]:
    answering = sum(not row.silent for row in page.rows)
    site = next((row for row in page.rows if row.meter.role is Role.SETTLEMENT), None)
    power = site.reading.power_kw if site is not None and site.reading is not None and not site.silent else None
    share, balance = explained(page), page.balance_kwh
    rest = None if balance is None else balance[0] - balance[1]
    doubtful = sum(row.state == "suspect" for row in page.rows)
    return [
        Figure(
            label="Answering",
            value=f.number(answering),
            unit=f"of {len(page.rows)}",
            lines=(f"{f.count(doubtful, 'value')} doubtful",),
        ),
        Figure(
            label="Site power",
            value=f.number(power),
            unit="kW",
            kind="measured",
            lines=("settlement meter,", f"{f.age(site.age_seconds)} old" if site is not None else "none configured"),
        ),
        Figure(
            label="Explained by sub-meters",
            value=f.number(None if share is None else 100 * share),
            unit="%",
            kind="measured",
            lines=(f"{f.quantity(rest, 'kWh')} not explained,", "today so far"),
        ),
        Figure(
            label="Readings",
            value=f.number(page.readings_last_hour),
            unit="last hour",
            lines=(f"{f.number(page.readings_last_hour / 60)} a minute",),
        ),
    ]


def text(name: str, width: int, *, right: bool = False) -> object:
    return st.column_config.TextColumn(name, width=width, alignment="right" if right else "left")


COLUMNS = {
    "Meter": text("Meter", 134),
    "Place": text("Place", 128),
    "Role": text("Role", 76),
    "Power now": text("Power now", 82, right=True),
    "Age": text("Age", 86, right=True),
    "Quality": text("Quality", 84),
    "Last 24 h": st.column_config.ImageColumn("Last 24 h", width=190),
    "Energy today": text("Energy today", 92, right=True),
    "Remark": text("Remark", 196),
}


def frame(rows: list[MeterRow], inks: colours.Inks) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Meter": [row.meter.name for row in rows],
            "Place": [row.meter.place for row in rows],
            "Role": [row.meter.role.value for row in rows],
            "Power now": [f.quantity(power_now(row), "kW") for row in rows],
            "Age": [f.age(row.age_seconds) for row in rows],
            "Quality": [SIGN.get(row.state, row.state) for row in rows],
            "Last 24 h": [sparkline(row.day_kw, inks) for row in rows],
            "Energy today": [f.quantity(row.energy_today_kwh, "kWh") for row in rows],
            "Remark": [remark(row) for row in rows],
        }
    )


def power_now(row: MeterRow) -> float | None:
    """Power as the plant speaks of it: a PV meter's generation is positive."""
    if row.silent or row.reading is None or row.reading.power_kw is None:
        return None
    return -row.reading.power_kw if row.meter.measures is Measures.PV else row.reading.power_kw


def remark(row: MeterRow) -> str:
    own = "profile rests on a single source" if row.single_source else ""
    return "; ".join(part for part in (row.detail, own) if part)


def download(rows: list[MeterRow]) -> str:
    """The table as CSV, in plain numbers."""
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
        }
    ).to_csv(index=False)


def chosen(rows: list[MeterRow], inks: colours.Inks) -> str | None:
    """The table; returns the id of the meter that was clicked."""

    def paint(words: pd.Series) -> list[str]:
        ink = {"○": inks.worse, "!": inks.doubtful, "◔": inks.doubtful, "✓": inks.better}
        return [
            f"color: {ink.get(word[:1], inks.text)}; font-weight: 600" if word[:1] != "✓" else f"color: {inks.better}"
            for word in words
        ]

    table = frame(rows, inks)
    event = st.dataframe(
        table.style.apply(paint, subset=["Quality"]),
        hide_index=True,
        row_height=42,
        height=min(42 * len(rows) + 40, 690),
        key="meters-table",
        on_select="rerun",
        selection_mode="single-cell",
        alt="Meters with their newest values, worst first",
        column_config=COLUMNS,
    )
    cells = event["selection"]["cells"] if event else []
    return rows[cells[0][0]].meter.id if cells and cells[0][0] < len(rows) else None


@parts.guarded
def detail(id: str) -> None:
    page: MeterPage = session.meter(id)
    row, inks = page.row, session.theme()
    parts.section(row.meter.name, f"· {row.meter.place or 'no place given'} · {row.source or row.meter.profile}")
    if row.silent:
        last = row.last_good
        since = (
            "nothing was ever heard"
            if last is None
            else f"the last good value is of {f.moment(last.taken_at, page.header.zone, page.header.now)}"
        )
        parts.notice(
            f"**This meter is silent:** {since}. All other meters go on; what hangs on this one is marked, "
            f"never invented. "
            "Check its power and network, then `loadstone meters read` and `loadstone doctor`.",
            level="urgent",
        )
    if page.power is not None or page.counter_power is not None:
        drawn = [
            *(
                [Drawn(series=page.power, colour=colours.MEASURED, name="power", width=2.6)]
                if page.power is not None
                else []
            ),
            *(
                [Drawn(series=page.counter_power, colour=inks.text, name="counter", width=1.4, dash=[4, 3])]
                if page.counter_power is not None
                else []
            ),
        ]
        parts.legend(
            (
                "",
                [
                    (parts.stroke(colours.MEASURED, 2.6), "power as the meter says it"),
                    (parts.stroke(inks.text, 1.4, "4 3"), "power from its counter"),
                ],
            )
        )
        axis = TimeAxis.of(drawn[0].series.horizon, page.header.zone, inks)
        parts.chart(
            lines_picture(axis, [Lines(name="Power", unit="kW", lines=drawn, height=160)], page.header.now),
            key=f"meter-{id}",
            alt=f"Power of {row.meter.name} over the last day, from its power register and from its counter.",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        registers(page)
    with right:
        faults(page)


def registers(page: MeterPage) -> None:
    parts.section("What it says")
    newest = page.row.last_good or page.row.reading
    if newest is None:
        st.caption("It has never answered.")
        return
    rows = [
        ("power", f.quantity(newest.power_kw, "kW", 1)),
        ("import counter", f.quantity(newest.import_kwh, "kWh", 1)),
        ("export counter", f.quantity(newest.export_kwh, "kWh", 1)),
        *((name.replace("_", " "), f.number(value, 2)) for name, value in newest.values),
    ]
    when = f.moment(newest.taken_at, page.header.zone, page.header.now)
    parts.table(("Quantity", f"Value at {when}"), rows, right=(1,))


def faults(page: MeterPage) -> None:
    parts.section("Faults by kind", f"· {f.number(page.row.reads_per_minute)} reads a minute")
    rows = [(name, f.number(count)) for name, count in page.faults]
    parts.table(("Fault, last 24 h", "Times"), rows or [("none", "")], right=(1,))
    if page.row.qualities:
        parts.table(
            ("Quarter hours today", "Count"),
            [(quality.value, f.number(count)) for quality, count in page.row.qualities],
            right=(1,),
        )


@st.fragment(run_every="15s")
@parts.guarded
def state() -> None:
    page: MetersPage = session.read("meters_page")
    parts.head("Meters", page.header, sentence(page))
    if page.rows:
        parts.figures(figures(page))


@parts.guarded
def show() -> None:
    page: MetersPage = session.read("meters_page")
    inks, rows = session.theme(), ordered(page)
    if not rows:
        parts.notice(
            "**No meter is configured or none has been read yet.** `loadstone collect` reads them; until then "
            "nothing is measured and nothing is invented."
        )
        add_meter.button()
        return
    silent, doubtful = [r for r in rows if r.silent], [r for r in rows if r.state in ("suspect", "late")]
    shown = {f"All {len(rows)}": rows, f"Silent {len(silent)}": silent, f"Doubtful {len(doubtful)}": doubtful}
    left, right = st.columns([0.6, 0.4], vertical_alignment="center")
    name = left.segmented_control(
        "Which meters",
        list(shown),
        default=next(iter(shown)),
        required=True,
        key="which-meters",
        label_visibility="collapsed",
    )
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Download",
            download(rows),
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
    id = chosen(picked, inks)
    st.caption(
        "Silent meters stay in the table with a dash, never a zero; a gap in the curve is a gap in the data. "
        "Click a row for registers, profile and faults."
    )
    if id is not None:
        detail(id)


if not add_meter.flow():
    state()
    show()
