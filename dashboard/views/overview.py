"""Overview: what the plant draws now, what it costs, what was saved, what comes next, and what needs a hand."""

from html import escape

import numpy as np
import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.pictures import overview_picture
from dashboard.charts.power import drawn, merged
from dashboard.parts import Figure
from energy.reports.pages import Attention, Level, Overview, PowerPicture

COLOUR = {Level.URGENT: "worse", Level.WARN: "doubtful", Level.INFO: "soft"}
WORD = {Level.URGENT: "urgent", Level.WARN: "warning", Level.INFO: "to know"}


def sentence(page: Overview) -> str:
    """One sentence of state."""
    run, kw = page.running, "kW"
    if run.now_kw is None:
        since = "" if run.as_of is None else f" since {f.moment(run.as_of, page.header.zone, page.header.now)}"
        first = f"Power now is **not known{since}**; limit {f.quantity(run.limit_kw, kw)}."
    else:
        closes = (
            ""
            if run.closes_at_kw is None
            else f" the running quarter hour closes at **{f.quantity(run.closes_at_kw, kw)}**,"
        )
        first = f"**{f.quantity(run.now_kw, kw)}** now;{closes} limit {f.quantity(run.limit_kw, kw)}."
    rest = []
    if page.yesterday_verified is not None:
        rest.append(f"yesterday {f.quantity(page.yesterday_verified, page.header.currency)} verified")
    if page.silent_meters:
        rest.append(f"{f.count(len(page.silent_meters), 'meter')} silent")
    return f"{first} {f.sentence_case('; '.join(rest))}." if rest else first


def figures(page: Overview) -> list[Figure]:
    run, money, month = page.running, page.header.currency, page.month
    name = f.month_name(month.month, year=False)
    target = "no target agreed" if run.target_kw is None else f"target {f.number(run.target_kw)}"
    closes = (
        "closing value not known" if run.closes_at_kw is None else f"closes at **{f.quantity(run.closes_at_kw, 'kW')}**"
    )
    at_risk = [peak for peak in month.peak if peak.money]
    peak = sum(p.money for p in at_risk)
    peak_word = at_risk[0].state.value if at_risk else "at risk"
    return [
        Figure(
            label="Power now",
            value=f.number(run.now_kw),
            unit="kW",
            kind="measured",
            lines=(closes, f"{target}, limit {f.quantity(run.limit_kw, 'kW')}"),
        ),
        Figure(
            label="Energy cost today",
            value=f.number(page.cost_today),
            unit=money,
            kind="forecast",
            lines=_against(page),
        ),
        Figure(
            label=f"Saved in {name}",
            value=f.number(month.verified),
            unit=money,
            kind="verified",
            lines=(
                f"modelled **{f.number(month.modelled)}**, estimated **{f.quantity(month.estimated, money)}**",
                f"peak **{f.quantity(peak, money)}** {peak_word}",
            ),
        ),
        Figure(
            label="Moved energy",
            value=f.number(-month.carbon_kg_verified),
            unit="kg CO2e",
            kind="verified",
            lines=(f"{month.carbon_basis},", f"{name} so far"),
        ),
        _next(page),
    ]


def _against(page: Overview) -> tuple[str, ...]:
    if page.cost_today is None or page.cost_today_as_is is None:
        return ("not known yet: needs prices", "and a forecast of base load")
    less = page.cost_today_as_is - page.cost_today
    if abs(less) < 0.5:
        return ("the same as as-is,", "estimated")
    mark, word = ("▼", "better") if less > 0 else ("▲", "worse")
    return (
        f'<span class="{word}">{mark}&nbsp;<b class="{word}">{f.quantity(abs(less), page.header.currency)}</b></span> '
        f"{'below' if less > 0 else 'above'} as-is,",
        "estimated",
    )


def _next(page: Overview) -> Figure:
    """The next event, or else the cheapest two hours ahead."""
    head = page.header
    if page.next_event is not None:
        event = page.next_event
        running = event.interval.holds(head.now)
        when = (
            f"until {f.clock_time(event.interval.end, head.zone)}"
            if running
            else (
                f"{f.moment(event.interval.start, head.zone, head.now)} to "
                f"{f.clock_time(event.interval.end, head.zone)}"
            )
        )
        return Figure(
            label="Event running" if running else "Next event",
            value=f.number(event.kw),
            unit="kW",
            kind=event.kind.value,
            lines=(f"**{when}**", "mandatory" if event.mandatory else event.state.value),
        )
    if page.cheapest is None:
        return Figure(
            label="Cheapest 2 h", value=f.UNKNOWN, unit=f"{head.currency}/MWh", lines=("no published prices ahead",)
        )
    window, price = page.cheapest
    return Figure(
        label="Cheapest 2 h",
        value=f.number(f.per_mwh(price)),
        unit=f"{head.currency}/MWh",
        kind="published",
        lines=(
            f"{f.day_word(window.start, head.zone, head.now)} **{f.span(window.start, window.end, head.zone)}**",
            "day-ahead price",
        ),
    )


def legend(power: PowerPicture, inks: colours.Inks) -> None:
    items = [
        (parts.stroke(colours.MEASURED, 3), "import, measured"),
        (parts.stroke(inks.text), "import, forecast with band P10 to P90" if power.import_low else "import, forecast"),
        *((parts.square(inks.group(place)), name) for place, (name, _) in enumerate(merged(power.groups))),
        *([(parts.square(colours.PLAN), "offered jobs")] if drawn(power.offered) else []),
        (parts.square(inks.base_load), "base load"),
        *([(parts.square(colours.PV), "PV")] if drawn(power.pv) else []),
        *([(parts.square(colours.BATTERY), "battery")] if drawn(power.battery) else []),
        *([(parts.square(colours.EVENT), "event")] if power.events else []),
    ]
    parts.legend(("", items))


@st.fragment(run_every="15s")
@parts.guarded
def state() -> None:
    page: Overview = session.read("overview")
    parts.head("Overview", page.header, sentence(page))
    parts.figures(figures(page))


@st.fragment(run_every="60s")
@parts.guarded
def day() -> None:
    page: Overview = session.read("overview")
    if page.picture is None:
        parts.notice(
            "**No picture of the day yet.** It needs a base-load forecast, prices and jobs. Meters are "
            "collected meanwhile; "
            "`loadstone doctor` says what is missing, `loadstone step predict` and `loadstone step plan` make it now."
        )
        return
    inks = session.theme()
    legend(page.picture, inks)
    power = page.picture
    peak = float(np.nanmax(power.import_plan.values)) if power.import_plan.known.any() else None
    parts.chart(
        overview_picture(power, page.header.now, page.header.zone, page.header.currency, inks),
        alt=f"Power of today and tomorrow in kW, stacked by machine group, with import against the limit of "
        f"{f.quantity(power.limit_kw, 'kW')}; highest import expected {f.quantity(peak, 'kW')}. Price and "
        f"carbon strips below.",
        key="overview-chart",
    )


@st.fragment(run_every="15s")
@parts.guarded
def attention() -> None:
    page: Overview = session.read("overview")
    with st.container(border=True, key="attention"):
        if not page.attention:
            parts.section("Nothing needs attention")
            st.caption("No offer waits for an answer, and nothing is reported late, silent or drifting.")
            return
        parts.section("Needs attention", "· worst first")
        for nth, item in enumerate(page.attention):
            line(item, nth)


def line(item: Attention, nth: int) -> None:
    said, verb = st.columns([0.86, 0.14], vertical_alignment="center")
    icon = item.icon or "info"
    said.html(
        f'<div class="line"><span class="icon {COLOUR[item.level]}" role="img" aria-label="{WORD[item.level]}">'
        f"{escape(icon)}</span>"
        f"<b>{escape(item.title)}</b> <i>{escape(item.detail)}</i></div>"
    )
    kind = "primary" if nth == 0 and item.level is Level.URGENT else "secondary"
    if verb.button(item.verb, key=f"attention-{nth}", type=kind, width="stretch", help=item.title):
        st.switch_page(parts.VIEWS.get(item.view, parts.VIEWS["overview"]), query_params=dict(item.query) or None)


state()
day()
attention()
