"""The year as a heat map: the highest quarter hour by week and hour of day on working days."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import altair as alt

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import drawable, finished, frame
from dashboard.colours import Inks, on_scale
from energy.clock import local
from energy.reports.pages import YearPage

WEEKS = 53


def week_of(t: datetime, zone: str) -> int:
    """The row of the heat map that holds an instant: its ISO week, from 0."""
    return local(t, zone).isocalendar().week - 1


def by_hour(heat: Sequence[Sequence[float | None]]) -> list[tuple[int, int, float]]:
    """(week, hour of day, highest kW of Monday to Friday); what nobody knows is left out."""
    cells = []
    for week, hours in enumerate(heat):
        for hour in range(24):
            known = [v for day in range(5) if (v := hours[day * 24 + hour]) is not None]
            if known:
                cells.append((week, hour, max(known)))
    return cells


def outlines(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """High-load windows as rectangles (first week, week after, first hour, hour after)."""
    hours: dict[int, set[int]] = {}
    for week, hour in windows:
        hours.setdefault(week, set()).add(hour % 24)
    found: list[list[int]] = []
    for week in sorted(hours):
        first, last = min(hours[week]), max(hours[week]) + 1
        if found and found[-1][1] == week and found[-1][2:] == [first, last]:
            found[-1][1] = week + 1
        else:
            found.append([week, week + 1, first, last])
    return [(a, b, c, d) for a, b, c, d in found]


def heat_map(page: YearPage, inks: Inks) -> tuple[dict[str, Any], float, float]:
    """The chart, and the kW at the ends of its scale."""
    cells = by_hour(page.heat)
    values = [kw for *_, kw in cells] or [0.0, 1.0]
    low, high = min(values), max(values)
    zone, now = page.header.zone, page.header.now
    today = week_of(now, zone) if local(now, zone).year == page.year else WEEKS
    months = [(date(page.year, m, 1).isocalendar().week - 1 if m > 1 else 0, f.MONTHS[m - 1]) for m in range(1, 13)]
    names = ",".join(f"'{week}':'{name}'" for week, name in months)
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[0, WEEKS], nice=False),
        axis=alt.Axis(
            values=[week for week, _ in months],
            labelExpr=f"({{{names}}})[datum.value]",
            grid=False,
            labelAlign="left",
            labelFlush=False,
        ),
    )
    clock = alt.Axis(
        values=[0, 6, 12, 18, 24],
        labelExpr="(datum.value < 10 ? '0' : '') + datum.value + ':00'",
        grid=False,
        minExtent=48,
        maxExtent=48,
    )
    y = alt.Y("y:Q", title=None, scale=alt.Scale(domain=[24, 0], nice=False), axis=clock)
    data = frame(
        (
            {
                "x": w,
                "x2": w + 1,
                "y": h,
                "y2": h + 1,
                "c": on_scale(kw, low, high, inks.heat),
                "Week": w + 1,
                "Hour": f"{h:02d}:00 to {h + 1:02d}:00",
                "Highest": f.quantity(kw, "kW"),
            }
            for w, h, kw in cells
        ),
    )
    box = {"x2": alt.X2("x2"), "y2": alt.Y2("y2")}
    worst = frame(
        (
            {"x": (w := week_of(item.start, zone)), "x2": w + 1, "y": (h := local(item.start, zone).hour), "y2": h + 1}
            for item in page.worst
        ),
    )
    window = frame(({"x": a, "x2": b, "y": c, "y2": d} for a, b, c, d in outlines(page.windows_heat)))
    last = max([week for week, *_ in cells] or [-1]) + 1
    ground = frame([{"x": 0, "x2": WEEKS, "y": 0, "y2": 24}])  # what nobody knows
    mark = frame(
        [{"x": min(last, today + 1), "y": 12, "t": f"today, week {today + 1}"}] if today < WEEKS and cells else [],
    )
    tips = [alt.Tooltip("Week:Q"), alt.Tooltip("Hour:N"), alt.Tooltip("Highest:N")]
    layers = [
        alt.Chart(ground).mark_rect(color=inks.night).encode(x=x, y=y, **box),
        alt.Chart(data)
        .mark_rect(stroke=inks.page, strokeWidth=1)
        .encode(x=x, y=y, **box, color=alt.Color("c:N", scale=None), tooltip=tips),
        alt.Chart(window)
        .mark_rect(filled=False, stroke=colours.LIMIT, strokeWidth=2, cornerRadius=2)
        .encode(x=x, y=y, **box),
        alt.Chart(worst).mark_rect(filled=False, stroke=inks.text, strokeWidth=2).encode(x=x, y=y, **box),
        alt.Chart(mark).mark_rule(color=inks.text, strokeWidth=1.5).encode(x=x),
        alt.Chart(mark)
        .mark_text(align="left", dx=8, fontSize=13, color=inks.soft)
        .encode(x=x, y=y, text=alt.Text("t:N")),
    ]
    kept = drawable(layers)
    return finished(alt.LayerChart(layer=kept), inks, 300), low, high
