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
from energy.reports.pages import ForecastPage, TargetForecast

SHORT = 45  # characters of a flag that fit the sentence and the chart; longer ones stand in the table
ORDER = ("base_load", "pv", "price", "carbon")
PER = {"base_load": 1.0, "pv": 1.0, "price": 1000.0, "carbon": 1000.0}


def unit(target: TargetForecast) -> str:
    """The unit on the screen: per MWh and g where kWh and kg are too small to read."""
    return {"price": target.unit.replace("/kWh", "/MWh"), "carbon": "g/kWh"}.get(target.target, target.unit)


def skill(target: TargetForecast) -> float | None:
    """How much smaller its error is than the naive one's: 0.34 is a third better; negative is worse."""
    if target.mae is None or not target.naive_mae:
        return None
    return 1.0 - target.mae / target.naive_mae


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
    size, better = level(load), skill(load)
    if load.mae is not None and size:
        first = f"{load.name} is predicted to **±{f.percent(load.mae / size, 1)}**"
        if better is not None:
            first += f", {f.percent(abs(better))} {'better' if better >= 0 else 'worse'} than last week's pattern"
        said.append(first)
    else:
        said.append(f"{load.name} has not been scored yet")
    said += [f"{t.name}: **{flag}**" for t in page.targets for flag in t.flags if len(flag) <= SHORT][:1]
    return ". ".join(said) + "."


def panel(page: ForecastPage, target: TargetForecast, inks: colours.Inks) -> Lines | None:
    if target.p50 is None:
        return None
    measured = {"pv": colours.PV, "price": inks.price_line, "carbon": inks.carbon[3]}.get(
        target.target, colours.MEASURED
    )
    drawn = [Drawn(series=target.p50, colour=inks.text, name="forecast", width=1.8)]
    if target.actual is not None:
        drawn.append(Drawn(series=target.actual, colour=measured, name="measured", width=2.6))
    band = (target.p10, target.p90) if target.p10 is not None and target.p90 is not None else None
    notes: list[tuple[datetime, str, str]] = [
        (page.header.now, flag, inks.worse) for flag in target.flags if len(flag) <= SHORT
    ][:1]
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
    if share is None:
        return f.UNKNOWN
    filled = round(80 * max(0.0, min(1.0, share)))
    bar = parts.swatch(
        '<rect y="4" width="80" height="7" rx="3.5" fill="#8884"/>'
        + (f'<rect y="4" width="{filled}" height="7" rx="3.5" fill="{colours.PLAN}"/>'),
        80,
    )
    return f'<span style="white-space:nowrap">{bar}&nbsp; {f.percent(share)}</span>'


def quality(page: ForecastPage) -> None:
    parts.section("How good it is, last seven days", "· day ahead")
    if not page.targets:
        st.caption("A forecast is scored once the day it speaks of has been measured.")
        return
    rows = []
    for target in page.targets:
        size = level(target)
        factor = PER.get(target.target, 1.0)
        small = target.mae is not None and factor * target.mae < 10
        flags = f"<span class='worse'>{f.text('; '.join(target.flags))}</span>" if target.flags else "none"
        rows.append(
            (
                target.name,
                f.quantity(None if target.mae is None else factor * target.mae, unit(target), 1 if small else 0),
                f.percent(target.mae / size, 1) if target.mae is not None and size else f.UNKNOWN,
                meter_bar(skill(target)),
                f.percent(target.coverage_80),
                target.source,
                flags,
            )
        )
    parts.table(
        (
            "Series",
            "Mean error",
            "Relative",
            "Better than last week's",
            "Within band (80 %)",
            "Made by",
            "Missing, drift",
        ),
        rows,
        right=(1, 2, 4),
    )


def meaning(page: ForecastPage) -> None:
    parts.section("What it means for the plan")
    st.html(f'<div class="line">{f.text(page.meaning or "Nothing yet: no plan rests on a forecast.")}</div>')
    parts.section("Missing inputs")
    missing = page.missing or ("None: all inputs complete.",)
    st.html("".join(f'<div class="line">{f.text(line)}</div>' for line in missing))


def part_name(name: str) -> str:
    """A component's name as the plant says it."""
    return f.sentence_case(name.removeprefix("driver ").replace("weather.", "").replace("_", " ").replace(".", " "))


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
                    component(part, page.header.zone, inks, factor),
                    alt=f"{part_name(part.name)}: from {low} to {high} {unit(target)}.",
                )


def components(page: ForecastPage) -> None:
    """What the first forecast is made of, and the others on demand."""
    for nth, target in enumerate(target for target in page.targets if target.components):
        title = f"What {target.name[0].lower()}{target.name[1:]} is made of, {unit(target)} around its mean"
        if nth == 0:
            parts.section(title)
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
    with right:
        meaning(page)
    components(page)


show()
