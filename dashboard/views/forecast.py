"""Forecast: bands and actuals on one axis, how good they are, what they are made of and what is missing."""

from datetime import datetime

import numpy as np
import streamlit as st

from dashboard import colours, parts, session
from dashboard import format as f
from dashboard.charts.axis import TimeAxis
from dashboard.charts.lines import Drawn, Lines, lines_picture
from dashboard.charts.small import component
from energy.clock import local
from energy.reports.models import TARGETS, component_words, forecaster_words, model_words, remarks, troubles
from energy.reports.pages import Drift, ForecastPage, TargetForecast

SHORT = 45  # characters of a flag that fit the sentence and the chart; longer ones stand under the missing inputs
LEVELS = ("trend", "trend so far")  # the parts that the others add to
ORDER = ("base_load", "pv", "price", "carbon")
PER = {"base_load": 1.0, "pv": 1.0, "price": 1000.0, "carbon": 1000.0}


def unit(target: TargetForecast) -> str:
    """The unit on the screen: per MWh and g where kWh and kg are too small to read."""
    return {"price": target.unit.replace("/kWh", "/MWh"), "carbon": "g/kWh"}.get(target.target, target.unit)


def level(target: TargetForecast) -> float | None:
    """The mean size of what is forecast, for relative errors."""
    if target.p50 is None or not np.isfinite(target.p50.values).any():
        return None
    return float(np.nanmean(np.abs(target.p50.values)))


def sentence(page: ForecastPage) -> str:
    if not page.targets:
        return "No forecast yet."
    said = []
    load = next((t for t in page.targets if t.target == "base_load"), page.targets[0])
    size, scored = level(load), load.day_ahead
    if scored is not None and size:
        first = f"{load.name} is predicted to **±{f.percent(scored.mae / size, 1)}**"
        if (better := scored.skill) is not None:
            first += f", {f.percent(abs(better))} {'better' if better >= 0 else 'worse'} than last week's pattern"
        said.append(first)
    else:
        said.append(f"{load.name} has not been scored yet")
    drifting = [drifts(page, t) for t in page.targets if t.drift is not None]
    flagged = [f"{t.name}: **{flag}**" for t in page.targets for flag in troubles(t.flags) if len(flag) <= SHORT]
    said += (drifting or flagged)[:1]
    return ". ".join(said) + "."


def drifts(page: ForecastPage, target: TargetForecast) -> str:
    """PV has been **31 % below** its forecast since 10:00."""
    drift = target.drift
    if drift is None:
        return ""
    side = "below" if drift.below else "above"
    far = side if drift.share is None else f"{f.percent(abs(drift.share))} {side}"
    return f"{target.name} has been **{far}** its forecast since {since(page, drift)}"


def since(page: ForecastPage, drift: Drift) -> str:
    return f.moment(drift.since, page.header.zone, page.header.now)


def panel(page: ForecastPage, target: TargetForecast, inks: colours.Inks) -> Lines | None:
    if target.p50 is None:
        return None
    measured = {"pv": colours.PV, "price": inks.price_line, "carbon": inks.carbon[3]}.get(
        target.target, colours.MEASURED
    )
    drawn = []
    if target.week_before is not None:
        drawn.append(Drawn(series=target.week_before, colour=inks.soft, name="last week", width=1.2, dash=[3, 3]))
    drawn.append(Drawn(series=target.p50, colour=inks.text, name="forecast", width=1.8))
    if target.actual is not None:
        drawn.append(Drawn(series=target.actual, colour=measured, name="measured", width=2.6))
    band = (target.p10, target.p90) if target.p10 is not None and target.p90 is not None else None
    notes: list[tuple[datetime, str, str]] = []
    if target.drift is not None:
        notes.append((page.header.now, f"drift since {since(page, target.drift)}", inks.worse))
    elif target.published_until is not None:
        until = f.moment(target.published_until, page.header.zone, page.header.now)
        notes.append((min(target.published_until, target.p50.horizon.end), f"published until {until}", inks.soft))
    else:
        notes += [(page.header.now, flag, inks.worse) for flag in troubles(target.flags) if len(flag) <= SHORT][:1]
    return Lines(
        name=target.name,
        unit=unit(target),
        lines=drawn,
        band=band,
        factor=PER.get(target.target, 1.0),
        zero=target.target in ("pv",),
        height=150 if target.target == "base_load" else 110,
        notes=notes,
    )


@parts.guarded
def picture(page: ForecastPage) -> None:
    inks = session.theme()
    shown = sorted(
        (t for t in page.targets if t.p50 is not None), key=lambda t: ORDER.index(t.target) if t.target in ORDER else 9
    )
    panels = [made for target in shown if (made := panel(page, target, inks))]
    if not panels:
        parts.notice(
            "**No forecast to draw yet.** The heartbeat makes one every hour; `loadstone step predict` makes one now."
        )
        return
    horizon = shown[0].p50.horizon
    parts.legend(
        (
            "",
            [
                (parts.stroke(colours.MEASURED, 2.6), "base load measured"),
                (parts.stroke(colours.PV, 2.6), "PV measured"),
                (parts.stroke(inks.price_line, 2.6), "price published"),
                (parts.stroke(inks.carbon[3], 2.6), "grid carbon published"),
                (parts.stroke(inks.text), "forecast, P50"),
                (parts.square(inks.maintenance), "band P10 to P90"),
                (parts.stroke(inks.soft, 1.2, "3 3"), "last week's pattern"),
            ],
        )
    )
    names = f.listed([target.name for target in shown])
    parts.chart(
        lines_picture(TimeAxis.of(horizon, page.header.zone, inks), panels, page.header.now, nights=page.nights),
        key="forecast-chart",
        alt=f"{names}: forecast with its band and what was measured, below each other on one time axis.",
    )


def meter_bar(share: float | None) -> str:
    """How much better than last week's pattern, as a small bar and a number."""
    return f.UNKNOWN if share is None else weight_bar(share)


def weight_bar(share: float) -> str:
    """A share as a small bar and a number."""
    filled = round(80 * max(0.0, min(1.0, share)))
    bar = parts.swatch(
        '<rect y="4" width="80" height="7" rx="3.5" fill="#8884"/>'
        + (f'<rect y="4" width="{filled}" height="7" rx="3.5" fill="{colours.PLAN}"/>'),
        80,
    )
    return f'<span style="white-space:nowrap">{bar}&nbsp; {f.percent(share)}</span>'


def quality(page: ForecastPage) -> None:
    days = max((t.day_ahead.days for t in page.targets if t.day_ahead is not None), default=0)
    parts.section("How good it is" + (f", last {days} days" if days > 1 else ""), "· issued the day before")
    if not page.targets:
        st.caption("A forecast is scored once the day it speaks of has been measured.")
        return
    names = ("Series", "Mean error", "Relative", "Better than last week's", "Within band (80 %)", "Drift", "Made by")
    parts.table(names, [quality_row(page, target) for target in page.targets], right=(1, 2, 4))
    for target in page.targets:
        if said := remarks(target.flags):
            st.html(
                f'<div class="line"><span class="soft">{f.text(target.name)}:</span> {f.text("; ".join(said))}</div>'
            )


def quality_row(page: ForecastPage, target: TargetForecast) -> tuple[str, ...]:
    scored, size, factor = target.day_ahead, level(target), PER.get(target.target, 1.0)
    mae = None if scored is None else factor * scored.mae
    return (
        target.name,
        f.quantity(mae, unit(target), 1 if mae is not None and mae < 10 else 0),
        f.percent(scored.mae / size, 1) if scored is not None and size else f.UNKNOWN,
        meter_bar(None if scored is None else scored.skill),
        f.percent(None if scored is None else scored.coverage_80),
        drift_words(page, target),
        f.text(f.sentence_case(forecaster_words(target.source))),
    )


def drift_words(page: ForecastPage, target: TargetForecast) -> str:
    if target.drift is not None:
        return f"<span class='worse'>since {since(page, target.drift)}</span>"
    if target.worse_lately is not None:
        return f"<span class='worse'>error {f.percent(target.worse_lately)} up this week</span>"
    return "none" if target.day_ahead is not None else f.UNKNOWN


def further(page: ForecastPage) -> None:
    """How far ahead a forecast is good for something, and which models carry it."""
    by_lead = [target for target in page.targets if len(target.leads) > 1]
    mixed = [target for target in page.targets if len(target.members) > 1]
    if by_lead:
        leads = sorted({lead.days_ahead for target in by_lead for lead in target.leads})
        parts.section("Better than last week's pattern, by days ahead", "· in brackets the share within the 80 % band")
        parts.table(
            ("Series", *(f"{lead} day{'s' if lead > 1 else ''} ahead" for lead in leads)),
            [(target.name, *(lead_cell(target, lead) for lead in leads)) for target in by_lead],
            right=tuple(range(1, len(leads) + 1)),
        )
    if mixed:
        parts.section("Which models carry it", "· weight now, and what each alone was off the day before")
        rows = [
            (
                target.name if nth == 0 else "",
                f.text(f.sentence_case(model_words(member.name))),
                weight_bar(member.weight),
                f.quantity(own, unit(target), 1 if own is not None and own < 10 else 0),
            )
            for target in mixed
            for nth, member in enumerate(target.members)
            for own in [None if member.mae is None else PER.get(target.target, 1.0) * member.mae]
        ]
        parts.table(("Series", "Model", "Weight", "Mean error alone"), rows, right=(3,))


def lead_cell(target: TargetForecast, ahead: int) -> str:
    lead = next((lead for lead in target.leads if lead.days_ahead == ahead), None)
    if lead is None:
        return f.UNKNOWN
    return f"{f.percent(lead.skill)} ({f.percent(lead.coverage_80)})"


def meaning(page: ForecastPage) -> None:
    parts.section("What it means for the plan")
    st.html(f'<div class="line">{f.text(page.meaning or "Nothing yet: no plan rests on a forecast.")}</div>')
    parts.section("Missing inputs")
    missing = page.missing or ("None: all inputs complete.",)
    st.html("".join(f'<div class="line">{f.text(line)}</div>' for line in missing))


def part_name(name: str) -> str:
    """A component's name as the plant says it."""
    return f.sentence_case(component_words(name))


@parts.guarded
def made_of(page: ForecastPage, target: TargetForecast) -> None:
    """The parts of a forecast that can be read, as small plots."""
    inks, factor = session.theme(), PER.get(target.target, 1.0)
    for start in range(0, len(target.components), 4):
        for column, part in zip(st.columns(4), target.components[start : start + 4], strict=False):
            with column:
                st.html(f'<div class="soft" style="font-size:15px">{f.text(part_name(part.name))}</div>')
                low, high = f.number(factor * min(part.y)), f.number(factor * max(part.y))
                parts.chart(
                    component(part, page.header.zone, inks, factor, is_level=part.name in LEVELS),
                    alt=f"{part_name(part.name)}: from {low} to {high} {unit(target)}.",
                )


def components(page: ForecastPage) -> None:
    """What the first forecast is made of, and the others on demand."""
    for nth, target in enumerate(target for target in page.targets if target.components):
        title = f"What {TARGETS.get(target.target, target.name)} is made of, {unit(target)}"
        if nth == 0:
            parts.section(title, "· a level, and what each part adds to it")
            made_of(page, target)
            continue
        with st.expander(title, type="compact", key=f"parts-{target.target}"):
            made_of(page, target)


@parts.guarded
def show() -> None:
    page: ForecastPage = session.read("forecast_page")
    issued = max((t.issued_at for t in page.targets if t.issued_at is not None), default=None)
    there = local(page.header.now, page.header.zone)
    made = "" if issued is None else f" · made {f.moment(issued, page.header.zone, page.header.now)}"
    parts.head("Forecast", page.header, sentence(page), when=f"{f.day(there, year=True)}, {there:%H:%M}{made}")
    picture(page)
    left, right = st.columns([0.72, 0.28], gap="large")
    with left:
        quality(page)
        further(page)
    with right:
        meaning(page)
    components(page)


show()
