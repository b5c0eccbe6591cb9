"""The shared time axis, and the pieces that run through all panels of a picture.

x is minutes since the start of the axis, not a wall-clock time: so the hour that a clock change repeats has its own
place, the viewer's browser zone does not matter, and the labels are the plant's local time.
Panels are bands of pixels in one layered chart: strips and rows are placed in pixels, powers on a scale of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import altair as alt
import numpy as np

from dashboard import format as f
from dashboard.colours import Inks
from energy.clock import local
from energy.model.horizon import Horizon, Interval
from energy.model.series import Series

FONT = "Source Sans, Source Sans 3, Source Sans Pro, sans-serif"
DAYS_ONLY = 6 * 1440  # minutes: from here on only days have a tick
GUTTER = 104  # px left of the panels, the same on all pages


@dataclass(frozen=True)
class TimeAxis:
    """The span that a picture shows, in a zone."""

    start: datetime
    end: datetime
    zone: str
    inks: Inks

    @classmethod
    def of(cls, horizon: Horizon, zone: str, inks: Inks) -> "TimeAxis":
        return cls(horizon.start, horizon.end, zone, inks)

    @property
    def minutes(self) -> float:
        return f.minutes_between(self.start, self.end)

    def x(self, t: datetime) -> float:
        return f.minutes_between(self.start, t)

    def inside(self, interval: Interval) -> tuple[float, float] | None:
        """An interval cut to the axis; None when it lies outside."""
        left, right = max(0.0, self.x(interval.start)), min(self.minutes, self.x(interval.end))
        return (left, right) if right > left else None

    def ticks(self) -> list[tuple[float, str]]:
        """(minute, label) each 3 h of local time, 6 h beyond 50 h, each day from 6 days on; midnight reads as the day.
        None at the end."""
        every = (
            1 if self.minutes <= 10 * 60 else 3 if self.minutes <= 50 * 60 else 6 if self.minutes < DAYS_ONLY else 24
        )
        found, t, last = [], self.start, None
        while t < self.end:
            there = local(t, self.zone)
            name = f.day(there) if there.hour == 0 else f"{there:%H:%M}"
            if there.minute == 0 and there.hour % every == 0 and name != last:
                found.append((self.x(t), name))
                last = name
            t += timedelta(minutes=15)
        return found

    def midnights(self) -> list[float]:
        return [minute for minute, name in self.ticks() if ":" not in name]

    @cache  # noqa: B019 - an axis lives as long as its picture, and is hashed by its few fields
    def encode(self, field: str = "x") -> alt.X:
        """The one x axis, the same object in content for every layer."""
        ticks = self.ticks()
        words = ",".join(f"'{minute:g}':'{name}'" for minute, name in ticks)
        return alt.X(
            f"{field}:Q",
            title=None,
            scale=alt.Scale(domain=[0, self.minutes], nice=False, zero=False),
            axis=alt.Axis(
                values=[minute for minute, _ in ticks],
                labelExpr=f"({{{words}}})[datum.value]",
                grid=False,
                labelOverlap=self.minutes >= DAYS_ONLY,
                labelFlush=False,
                labelColor=self.inks.soft,
                orient="bottom",
            ),
        )


def frame(rows: Iterable[dict[str, Any]]) -> alt.InlineData:
    """The rows of a layer. Unknown is None."""
    return alt.InlineData(values=list(rows))


def drawable(layers: Iterable[alt.Chart]) -> list[alt.Chart]:
    """The layers that have something to draw."""
    return [layer for layer in layers if layer.data["values"]]


def steps(axis: TimeAxis, series: Series) -> list[dict[str, Any]]:
    """Means of slots as steps: each value twice, at the start and the end of its slot; a gap stays a gap."""
    step = series.horizon.step_minutes
    first = axis.x(series.horizon.start)
    rows = []
    for slot, value in enumerate(series.values):
        left, right = first + slot * step, first + (slot + 1) * step
        if right <= 0 or left >= axis.minutes:
            continue
        known = round(float(value), 4) if np.isfinite(value) else None
        rows += [{"x": max(0.0, left), "y": known}, {"x": min(axis.minutes, right), "y": known}]
    return rows


def band_steps(axis: TimeAxis, low: Series, high: Series) -> list[dict[str, Any]]:
    """The same for a band between two series."""
    lower, upper = steps(axis, low), steps(axis, high)
    return [{"x": a["x"], "lo": a["y"], "hi": b["y"]} for a, b in zip(lower, upper, strict=True)]


def rectangles(
    axis: TimeAxis, intervals: Iterable[Interval], band: tuple[float, float], colour: str, opacity: float = 1.0
) -> list[alt.Chart]:
    """Times shaded through a band of pixels."""
    cut = [part for interval in intervals if (part := axis.inside(interval))]
    if not cut:
        return []
    data = frame(({"x": a, "x2": b} for a, b in cut))
    return [
        alt.Chart(data)
        .mark_rect(color=colour, opacity=opacity)
        .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.value(band[0]), y2=alt.value(band[1]))
    ]


def verticals(axis: TimeAxis, top: float, bottom: float) -> list[alt.Chart]:
    """The vertical grid, drawn by ourselves so that it runs through all panels."""
    data = frame(({"x": minute} for minute, _ in axis.ticks() if minute > 0))
    return [
        alt.Chart(data)
        .mark_rule(color=axis.inks.grid, strokeWidth=1)
        .encode(x=axis.encode(), y=alt.value(top), y2=alt.value(bottom))
    ]


def now_line(axis: TimeAxis, now: datetime, top: float, bottom: float, label_y: float) -> list[alt.Chart]:
    """Where we are, through all panels, with the time beside it."""
    if not axis.start <= now < axis.end:
        return []
    data = frame([{"x": axis.x(now), "t": f"now {f.clock_time(now, axis.zone)}"}])
    late = axis.x(now) > 0.9 * axis.minutes
    base = alt.Chart(data).encode(x=axis.encode())
    return [
        base.mark_rule(color=axis.inks.text, strokeWidth=1.5, opacity=0.85).encode(
            y=alt.value(top), y2=alt.value(bottom)
        ),
        base.mark_text(
            align="right" if late else "left",
            dx=-5 if late else 5,
            fontSize=13,
            fontWeight=600,
            color=axis.inks.text,
            baseline="middle",
        ).encode(text=alt.Text("t:N"), y=alt.value(label_y)),
    ]


def words(
    axis: TimeAxis,
    rows: Iterable[tuple[float, float, str]],
    *,
    colour: str,
    align: str = "center",
    size: float = 13,
    weight: int = 400,
    halo: str = "",
) -> list[alt.Chart]:
    """Text at (minute, pixel); where it stands on lines, on a halo of the colour behind it."""
    data = frame(({"x": x, "y": y, "t": t} for x, y, t in rows))
    if not data["values"]:
        return []
    base = alt.Chart(data).encode(x=axis.encode(), y=alt.Y("y:Q", scale=None, axis=None), text=alt.Text("t:N"))
    look = {"align": align, "fontSize": size, "fontWeight": weight, "baseline": "middle"}
    under = [base.mark_text(**look, color=halo, stroke=halo, strokeWidth=4)] if halo else []
    return [*under, base.mark_text(**look, color=colour)]


def inked_words(axis: TimeAxis, rows: Iterable[tuple[float, float, str, str]], *, size: float = 13) -> list[alt.Chart]:
    """Text at (minute, pixel), each in a colour of its own."""
    return [
        alt.Chart(frame({"x": x, "y": y, "t": t, "c": c} for x, y, t, c in rows))
        .mark_text(fontSize=size, baseline="middle")
        .encode(
            x=axis.encode(),
            y=alt.Y("y:Q", scale=None, axis=None),
            text=alt.Text("t:N"),
            color=alt.Color("c:N", scale=None),
        )
    ]


def gutter(axis: TimeAxis, rows: Iterable[tuple[float, str]], *, size: float = 13, colour: str = "") -> list[alt.Chart]:
    """Names in the axis gutter, left of the panels."""
    data = frame(({"x": 0.0, "y": y, "t": t} for y, t in rows))
    return [
        alt.Chart(data)
        .mark_text(
            align="right", dx=-9, fontSize=size, color=colour or axis.inks.soft, baseline="middle", limit=GUTTER + 20
        )
        .encode(x=axis.encode(), y=alt.Y("y:Q", scale=None, axis=None), text=alt.Text("t:N"))
    ]


def hold_gutter(axis: TimeAxis, height: float) -> list[alt.Chart]:
    """An axis without words that keeps the gutter free where no panel has a y axis of its own."""
    empty = alt.Axis(
        values=[0], labelExpr="''", minExtent=GUTTER, maxExtent=GUTTER, grid=False, orient="left", title=None
    )
    scale = alt.Scale(domain=[0, 1], range=[height, 0], nice=False)
    data = frame([{"x": 0.0, "y": 0.0}])
    return [alt.Chart(data).mark_point(opacity=0).encode(x=axis.encode(), y=alt.Y("y:Q", scale=scale, axis=empty))]


def picture(axis: TimeAxis, layers: Sequence[alt.Chart], height: int) -> dict[str, Any]:
    """The layers as one chart with truly shared x, in our own look, as a Vega-Lite specification."""
    independent = {"scale": {"y": "independent", "color": "independent", "angle": "independent"}}
    return finished(alt.LayerChart(layer=drawable(layers), resolve=independent), axis.inks, height)


def finished(chart: Any, inks: Inks, height: int) -> dict[str, Any]:
    """One look for all charts: no frame, no ticks, no domain lines, no default legends."""
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec | {
        "height": height,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "config": {
            "view": {"stroke": None},
            "font": FONT,
            "axis": {
                "domain": False,
                "ticks": False,
                "labelPadding": 8,
                "labelFontSize": 13,
                "labelColor": inks.soft,
                "titleColor": inks.soft,
                "gridColor": inks.grid,
                "labelFont": FONT,
            },
            "legend": {"disable": True},
        },
    }
