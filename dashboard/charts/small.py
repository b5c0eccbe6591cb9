"""Small charts: cumulative savings, promised and real, and the parts of a forecast."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import altair as alt

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import drawable, finished, frame
from dashboard.colours import Inks
from energy.clock import local
from energy.model.forecast import Component
from energy.model.savings import DaySavings, Kind
from energy.reports.pages import MonthFigures

TRUE_MINUS = "replace(format(datum.value, ','), '-', '−')"


def together(layers: Sequence[alt.Chart], inks: Inks, height: int, **resolve: str) -> dict[str, Any]:
    kept = drawable(layers)
    chart = alt.LayerChart(layer=kept, resolve={"scale": {"color": "independent", **resolve}})
    return finished(chart, inks, height)


def numbers(ticks: int, room: int, *, sign: bool = False) -> alt.Axis:
    """An axis of numbers with a true minus; the room for them is fixed, so that nothing is cut off or jumps."""
    shape = f"datum.value > 0 ? format(datum.value, '+,') : {TRUE_MINUS}" if sign else TRUE_MINUS
    return alt.Axis(tickCount=ticks, labelExpr=shape, minExtent=room, maxExtent=room)


def names_axis(names: Sequence[str], inks: Inks) -> alt.Axis:
    room = int(7.2 * max([len(name) for name in names] or [1])) + 14
    return alt.Axis(labelColor=inks.text, labelLimit=220, minExtent=room, maxExtent=room)


def cumulative(
    month: MonthFigures, days: Sequence[DaySavings], interval: tuple[float, float] | None, inks: Inks
) -> dict[str, Any]:
    """Verified savings adding up through the month, modelled on top, the interval at the end, each day below."""
    year, number = (int(part) for part in month.month.split("-"))
    last = (date(year + number // 12, number % 12 + 1, 1) - date(year, number, 1)).days
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[0.4, last + 1.6], nice=False),
        axis=alt.Axis(
            values=[1, *range(5, last - 2, 5), last],
            labelExpr=f"datum.value + '\u00a0{f.MONTHS[number - 1]}'",
            grid=False,
        ),
    )
    steps, total, modelled = [{"x": 1.0, "y": 0.0, "m": 0.0}], 0.0, 0.0
    bars = []
    for day in sorted(days, key=lambda d: d.day):
        gained, also = day.money(Kind.VERIFIED), day.money(Kind.MODELLED)
        at = float(day.day.day)
        steps.append({"x": at, "y": total, "m": total + modelled})
        total, modelled = total + gained, modelled + also
        steps.append({"x": at, "y": total, "m": total + modelled})
        bars.append(
            {
                "x": at - 0.36,
                "x2": at + 0.36,
                "y": 0.0,
                "y2": gained,
                "c": inks.day if gained >= 0 else inks.worse,
                "Day": f.day(day.day),
                "Verified": f.quantity(gained, day.currency),
            }
        )
    end = max((step["x"] for step in steps), default=1.0) + 0.9
    steps.append({"x": end, "y": total, "m": total + modelled})
    weekend = frame({"x": d - 0.5, "x2": d + 1.5} for d in range(1, last + 1) if date(year, number, d).weekday() == 5)
    data = frame(steps)
    tags = [{"x": end + 0.5, "y": total, "t": f"{f.number(total)} verified", "w": 600}]
    if modelled:
        tags.append({"x": end + 0.5, "y": total + modelled, "t": f"{f.number(modelled, sign=True)} modelled", "w": 400})
    if month.estimated:
        tags.append(
            {
                "x": end + 0.5,
                "y": total + modelled + month.estimated,
                "t": f"{f.number(month.estimated, sign=True)} estimated",
                "w": 400,
            }
        )
    spread = _apart(tags, 0.075 * max(200.0, total + modelled + month.estimated))
    high = max(1.0, *(tag["y"] for tag in tags), interval[1] if interval else 0.0)
    low = 1.3 * min(-0.06 * high, *(bar["y2"] for bar in bars), *(step["y"] for step in steps))
    y = alt.Y("y:Q", title=None, scale=alt.Scale(domain=[low, 1.08 * high], nice=False), axis=numbers(6, 52))
    layers = [
        alt.Chart(weekend).mark_rect(color=inks.night).encode(x=x, x2=alt.X2("x2")),
        alt.Chart(frame([{"y": 0.0}])).mark_rule(color=inks.axis).encode(y=y),
        alt.Chart(frame(bars))
        .mark_rect(cornerRadius=1)
        .encode(
            x=x,
            x2=alt.X2("x2"),
            y=y,
            y2=alt.Y2("y2"),
            color=alt.Color("c:N", scale=None),
            tooltip=[alt.Tooltip("Day:N"), alt.Tooltip("Verified:N")],
        ),
        alt.Chart(data if modelled else frame([]))
        .mark_line(color=colours.PLAN, strokeWidth=1.5, strokeDash=[4, 3])
        .encode(x=x, y=alt.Y("m:Q", scale=alt.Scale(domain=[low, 1.08 * high], nice=False)), order=alt.value(0)),
        alt.Chart(data).mark_line(color=colours.PLAN, strokeWidth=3).encode(x=x, y=y, order=alt.value(0)),
    ]
    if interval is not None:
        band = frame([{"x": end, "y": interval[0], "y2": interval[1]}])
        layers.append(
            alt.Chart(band)
            .mark_rule(color=colours.MEASURED, strokeWidth=7, opacity=0.5)
            .encode(x=x, y=y, y2=alt.Y2("y2"))
        )
    layers += [
        alt.Chart(frame(spread[:1]))
        .mark_text(align="left", fontSize=13, fontWeight=600, color=inks.text)
        .encode(x=x, y=y, text=alt.Text("t:N")),
        alt.Chart(frame(spread[1:]))
        .mark_text(align="left", fontSize=13, color=inks.soft)
        .encode(x=x, y=y, text=alt.Text("t:N")),
    ]
    return together(layers, inks, 290)


def _apart(tags: list[dict[str, Any]], least: float) -> list[dict[str, Any]]:
    """Labels moved up until none stands on another."""
    for below, above in pairwise(tags):
        above["y"] = max(above["y"], below["y"] + least)
    return tags


def bars(
    rows: Sequence[tuple[str, float | None, str]], inks: Inks, *, colour: str, height: int | None = None
) -> dict[str, Any]:
    """Horizontal bars from zero, each with its words right of it; an unknown one has words only."""
    data = frame(
        ({"n": name, "k": k, "v": value or 0.0, "t": text} for k, (name, value, text) in enumerate(rows)),
    )
    high = max([abs(value or 0.0) for _, value, _ in rows] or [1.0]) or 1.0
    low = min(0.0, *(value or 0.0 for _, value, _ in rows)) if rows else 0.0
    y = alt.Y("n:N", sort=[name for name, *_ in rows], title=None, axis=names_axis([name for name, *_ in rows], inks))
    x = alt.X("v:Q", axis=None, scale=alt.Scale(domain=[1.15 * low, 1.35 * high]))
    return together(
        [
            alt.Chart(data).mark_bar(color=colour, height=18).encode(x=x, y=y),
            alt.Chart(data)
            .mark_text(align="left", dx=7, fontSize=13, color=inks.text)
            .encode(x=x, y=y, text=alt.Text("t:N")),
        ],
        inks,
        height or 34 * len(rows) + 6,
    )


def component(part: Component, zone: str, inks: Inks, factor: float = 1.0, *, is_level: bool = False) -> dict[str, Any]:
    """One part of a forecast: what it adds, from zero, or the level that all add to; `factor` converts for the screen."""
    names = [_short(x, zone) for x in part.x]
    rows = [{"k": k, "x": names[k], "y": factor * y} for k, y in enumerate(part.y)]
    shown = [int(k * (len(rows) - 1) / 4) for k in range(5)] if len(rows) > 8 else list(range(len(rows)))
    words = ",".join(f"'{k}':'{names[k]}'" for k in shown)
    x = alt.X(
        "k:Q",
        title=None,
        scale=alt.Scale(nice=False),
        axis=alt.Axis(values=shown, labelExpr=f"({{{words}}})[datum.value]", grid=False, labelFlush=True),
    )
    low, high = min(row["y"] for row in rows), max(row["y"] for row in rows)
    if not is_level:
        low, high = min(0.0, low), max(0.0, high)
    room = max(0.1 * (high - low), 0.02 * max(abs(low), abs(high))) or 1.0
    y = alt.Y(
        "y:Q",
        title=None,
        scale=alt.Scale(domain=[low - room, high + room], nice=False),
        axis=numbers(3, 46, sign=not is_level),
    )
    base = alt.Chart(frame(rows)).encode(x=x, y=y)
    tips = [alt.Tooltip("x:N", title=part.name),
            alt.Tooltip("y:Q", title="level" if is_level else "adds", format=",.1f" if is_level else "+,.1f")]  # fmt: skip
    area = base.mark_area(color=colours.MEASURED, opacity=0.2, interpolate="monotone")
    return together(
        [
            *([] if is_level else [area]),
            base.mark_line(color=colours.PLAN, strokeWidth=2, interpolate="monotone").encode(tooltip=tips),
        ],
        inks,
        130,
    )


def _short(x: str, zone: str) -> str:
    """A point of a component's axis in few letters: local day and hour of an instant, "27 Apr" of a date, "Mon" of
    Monday."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", x):
        there = date.fromisoformat(x)
        return f"{there.day}{f.NBSP}{f.MONTHS[there.month - 1]}"
    if "T" in x and x[:4].isdigit():
        there = local(datetime.fromisoformat(x), zone)
        return f"{f.WEEKDAYS[there.weekday()]} {there:%H:%M}"
    return x[:3] if x in f.WEEKDAYS_LONG else x
