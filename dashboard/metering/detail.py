"""One meter: what it says and why it is believed or not, its profile, its faults, and what was done to it."""

from html import escape

import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.axis import TimeAxis
from dashboard.charts.lines import Drawn, Lines, lines_picture
from dashboard.metering import doubted, exchanged, where
from dashboard.metering.table import SIGN, TONE, power_now, way
from dashboard.parts import Figure
from energy.clock import local
from energy.model.edge import EdgeState
from energy.model.meter import Measures, Quality, ReadingQuality
from energy.reports.pages import MeterPage, MetersPage
from energy.reports.tree import Node

NEWEST = 12
UNITS = {"voltage": "V", "current": "A", "power": "kW", "reactive": "kvar", "apparent": "kVA", "frequency": "Hz"}
READ_AS = {
    ReadingQuality.GOOD: "✓ good",
    ReadingQuality.SUSPECT: "! doubted",
    ReadingQuality.RELEASED: "✓ released",
    ReadingQuality.REJECTED: "✗ rejected",
    ReadingQuality.NO_ANSWER: "○ no answer",
}


@parts.guarded
def show(id: str, whole: MetersPage) -> None:
    page: MeterPage = session.meter(id)
    parts.head(f"Meters · {page.row.meter.name}", page.header, sentence(page))
    parts.figures(figures(page))
    trouble(page, whole)
    if doubted.events(id):
        doubted.show(page.header, id)
    power(page)
    left, right = st.columns(2, gap="medium")
    with left:
        says(page)
    with right:
        known(page, whole)
    if page.row.meter.parts:
        return
    newest(page)
    exchanged.show(page.row.meter, page.header)


def back() -> None:
    """The way back; first on the page, so that it is there whatever becomes of the rest."""
    if st.button("All meters", icon=":material/arrow_back:", type="tertiary", key="all-meters"):
        where.leave_meter()
        st.rerun()


def sentence(page: MeterPage) -> str:
    row, zone, now = page.row, page.header.zone, page.header.now
    name = row.meter.name
    if row.silent:
        last = row.last_good
        since = (
            "nothing was ever heard of it"
            if last is None
            else f"no good value since {f.moment(last.taken_at, zone, now)}"
        )
        return f"{name} is **silent**: {since}."
    made = " generates" if row.meter.measures is Measures.PV else ""
    state = f"{name}{made or ':'} **{f.quantity(power_now(row), 'kW', 1)}**, {f.age(row.age_seconds)} old."
    told = row.reading.state if row.reading is not None else ""
    machine = f" The machine says **{told}**." if told else ""
    return f"{state} {f.sentence_case(row.detail)}.{machine}" if row.detail else f"{state}{machine}"


def figures(page: MeterPage) -> list[Figure]:
    row = page.row
    reading = row.last_good or row.reading
    measured = dict(row.qualities).get(Quality.MEASURED, 0) + dict(row.qualities).get(Quality.INTERPOLATED, 0)
    slots = sum(count for _, count in row.qualities)
    stand = reading.import_kwh if reading is not None else None
    export = reading.export_kwh if reading is not None else None
    if row.meter.measures is Measures.PV and export is not None:
        stand, export = export, stand
    faults = sum(count for _, count in page.faults)
    return [
        Figure(
            label="Power now",
            value=f.number(power_now(row), 1),
            unit="kW",
            kind="measured",
            lines=(f"of {f.quantity(row.meter.connection_kw, 'kW')} that its connection carries",),
        ),
        Figure(
            label="Energy today",
            value=f.number(row.energy_today_kwh, 1 if (row.energy_today_kwh or 0) < 100 else 0),
            unit="kWh",
            kind="measured",
            lines=(f"{measured} of {f.count(slots, 'interval')} measured" if slots else "no interval yet",),
        ),
        Figure(
            label="Counter",
            value=f.number(stand, 1),
            unit="kWh",
            lines=() if export is None else (f"the other way {f.quantity(export, 'kWh', 1)}",),
        ),
        Figure(
            label="Readings",
            value=f.number(row.reads_per_minute, 1 if (row.reads_per_minute or 0) < 10 else 0),
            unit="a minute",
            lines=(f"{f.count(faults, 'fault')} in the last hour",),
        ),
    ]


def trouble(page: MeterPage, whole: MetersPage) -> None:
    """What is wrong, and what to do."""
    row = page.row
    box: EdgeState | None = next((state for state in whole.edges if state.name == row.meter.box), None)
    if box is not None and not box.well:
        parts.notice(
            f"**It comes over the edge box {box.name}, which {'; '.join(box.troubles)}.** What the box reads is kept on its "
            "own disk and comes in order.",
            level="warn",
        )
    elif row.silent and not row.meter.parts:
        parts.notice(
            "**All other meters go on;** what hangs on this one is marked, never invented. Check its power and network, then "
            "`loadstone meters read` and `loadstone doctor`.",
            level="urgent",
        )


def power(page: MeterPage) -> None:
    """Power as its register says it, and as its counter says it."""
    inks = session.theme()
    drawn = []
    if page.power is not None:
        drawn.append(Drawn(series=page.power, colour=colours.MEASURED, name="power", width=2.6))
    if page.counter_power is not None:
        drawn.append(Drawn(series=page.counter_power, colour=inks.text, name="counter", width=1.4, dash=[4, 3]))
    if not drawn:
        return
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
        key=f"meter-{page.row.meter.id}",
        alt=f"Power of {page.row.meter.name} lately, from its power register and from its counter.",
    )


def says(page: MeterPage) -> None:
    parts.section("What it says")
    newest = page.row.last_good or page.row.reading
    if newest is None:
        st.caption("It has never answered.")
        return
    rows = [
        ("power", f.quantity(newest.power_kw, "kW", 1)),
        ("import counter", f.quantity(newest.import_kwh, "kWh", 1)),
        ("export counter", f.quantity(newest.export_kwh, "kWh", 1)),
        *((name.replace("_", " "), f.quantity(value, unit_of(name), 2)) for name, value in newest.values),
        *([("machine", newest.state)] if newest.state else []),
    ]
    when = f.moment(newest.taken_at, page.header.zone, page.header.now)
    parts.table(("Quantity", f"Value at {when}"), rows, right=(1,))


def unit_of(name: str) -> str:
    return "" if name.startswith("power_factor") else UNITS.get(name.split("_", maxsplit=1)[0], "")


def known(page: MeterPage, whole: MetersPage) -> None:
    """What is known of the meter itself, and what goes wrong with it."""
    row, meter = page.row, page.row.meter
    parts.section("How it is read")
    tone = f'<span class="{TONE.get(row.state, "better")}">{SIGN.get(row.state, row.state)}</span>'
    facts = [
        ("Quality", tone + (f" {escape(row.detail)}" if row.detail else "")),
        ("Place", escape(meter.place or "not given")),
        ("Hangs below", escape(above(meter.id, whole.tree))),
        ("Profile", escape(meter.profile or ("reckoned, no wire" if meter.parts else "none named"))),
        ("Confidence", escape(confidence(row.single_source, meter.confidence))),
    ]
    if meter.box:
        facts.append(("Over box", escape(way(row, {state.name: state for state in whole.edges}))))
    if meter.parts:
        names = {other.meter.id: other.meter.name for other in whole.rows}
        made = " ".join(
            f"{'+' if part.factor >= 0 else '−'} {names.get(part.meter, part.meter)}" for part in meter.parts
        )
        facts.append(("Made of", escape(made)))
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    st.html(f'<dl class="facts pairs">{body}</dl>')
    rows = [(name, f.number(count)) for name, count in page.faults]
    parts.table(("Fault, last hour", "Times"), rows or [("none", "")], right=(1,))
    if row.qualities:
        told = [(quality.value, f.number(count)) for quality, count in row.qualities]
        parts.table(("Intervals today", "Count"), told, right=(1,))


def confidence(single: bool, told: str) -> str:
    if single:
        return f"{told}: compare with the display before you rely on it"
    return told or "nothing is said of its registers"


def above(id: str, tree: tuple[Node, ...]) -> str:
    """The meter that one hangs below, by name."""
    path: list[Node] = []
    for node in tree:
        path = [*path[: node.depth], node]
        if node.meter.id == id:
            return path[-2].meter.name if node.depth else "none, it stands by itself"
    return f.UNKNOWN


def newest(page: MeterPage) -> None:
    """The newest readings as they came."""
    if not page.readings:
        return
    with st.expander(f"The newest readings ({min(NEWEST, len(page.readings))})", type="compact", key="newest-readings"):
        parts.table(
            ("Taken at", "Power, kW", "Import, kWh", "Export, kWh", "Quality", "Note"),
            [
                (
                    f"{local(one.taken_at, page.header.zone):%H:%M:%S}",
                    f.number(one.power_kw, 2),
                    f.number(one.import_kwh, 2),
                    f.number(one.export_kwh, 2),
                    READ_AS[one.quality],
                    one.note,
                )
                for one in page.readings[:NEWEST]
            ],
            right=(1, 2, 3),
        )
