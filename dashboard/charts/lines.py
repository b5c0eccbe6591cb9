"""Panels of lines below each other on one time axis: forecasts with their bands, events, a meter's day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import altair as alt
import numpy as np

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import (
    TimeAxis,
    frame,
    gutter,
    now_line,
    picture,
    rectangles,
    verticals,
    words,
)
from dashboard.charts.power import Panel, area, band_steps, line, y_axis
from dashboard.colours import Inks
from energy.model.horizon import Interval
from energy.model.series import Series


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One line: how thick, and dashed or not."""

    series: Series
    colour: str
    name: str
    width: float = 2.0
    dash: list[int] | None = None


@dataclass(frozen=True, kw_only=True)
class Lines:
    """One panel. `factor` converts for the screen (kWh to MWh); `limit` is drawn as a limit."""

    name: str
    unit: str
    lines: Sequence[Drawn]
    band: tuple[Series, Series] | None = None
    limit: tuple[str, float] | None = None
    factor: float = 1.0
    zero: bool = True
    height: int = 130
    notes: Sequence[tuple[datetime, str, str]] = field(default_factory=tuple)  # (when, words, colour)


def lines_picture(
    axis: TimeAxis,
    panels: Sequence[Lines],
    now: datetime,
    *,
    nights: Sequence[Interval] = (),
    marked: Sequence[Interval] = (),
) -> dict[str, Any]:
    """All panels as one chart; nights, marked times and the now-line run through."""
    height = 16 + sum(panel.height + 34 for panel in panels)
    layers = [
        *rectangles(axis, nights, (14, height), axis.inks.night),
        *rectangles(axis, marked, (14, height), colours.EVENT, 0.2),
        *verticals(axis, 14, height),
    ]
    top = 16.0
    for panel in panels:
        layers += _panel(axis, panel, top + 26)
        top += panel.height + 34
    layers += now_line(axis, now, 0, height, 7)
    return picture(axis, layers, int(height))


def _panel(axis: TimeAxis, lines: Lines, top: float) -> list[alt.Chart]:
    drawn = [_scaled(item.series, lines.factor) for item in lines.lines]
    band = tuple(_scaled(series, lines.factor) for series in lines.band) if lines.band else ()
    scale = _scale([*drawn, *band], lines, top)
    ticks = scale.ticks()
    layers = [
        alt.Chart(frame({"y": v} for v in ticks))
        .mark_rule(color=axis.inks.grid, strokeWidth=1)
        .encode(y=alt.Y("y:Q", scale=scale.scale, axis=_axis(scale, axis.inks), title=None)),
        *gutter(axis, _title(lines, top), colour=axis.inks.text),
    ]
    if band:
        layers.append(area(axis, scale, band_steps(axis, *band), axis.inks.band, 0.22))
    if lines.limit is not None:
        layers += _limit(axis, scale, *lines.limit)
    for item, series in zip(lines.lines, drawn, strict=True):
        layers += line(axis, scale, series, item.colour, item.width, dash=item.dash, halo=1.2)
    for when, text, colour in lines.notes:
        layers += words(
            axis,
            [(axis.x(when) - 0.006 * axis.minutes, top + 2, text)],
            colour=colour,
            align="right",
            weight=600,
            halo=axis.inks.page,
        )
    return layers


def _title(lines: Lines, top: float) -> list[tuple[float, str]]:
    """Name and unit in the gutter, below each other where they are long."""
    name = f"{lines.name}, {lines.unit}"
    return [(top - 14, name)] if len(name) < 17 else [(top - 22, f"{lines.name},"), (top - 6, lines.unit)]


def _limit(axis: TimeAxis, scale: Panel, name: str, kw: float) -> list[alt.Chart]:
    rule = (
        alt.Chart(frame([{"y": kw}]))
        .mark_rule(color=colours.LIMIT, strokeWidth=2)
        .encode(y=alt.Y("y:Q", scale=scale.scale, axis=None))
    )
    text = [(axis.minutes * 0.996, scale.y(kw) - 9, f"{name} {f.quantity(kw, 'kW')}")]
    return [rule, *words(axis, text, colour=colours.LIMIT, align="right", weight=600, halo=axis.inks.page)]


def _scaled(series: Series, factor: float) -> Series:
    return series if factor == 1.0 else Series(series.horizon, factor * series.values, series.unit)


def _scale(all_series: Sequence[Series], lines: Lines, top: float) -> Panel:
    values = np.concatenate([series.values for series in all_series]) if all_series else np.array([0.0])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if lines.limit is not None:
        high = max(high, 1.08 * lines.limit[1])
    margin = 0.08 * max(high - low, 1e-6, 0.02 * abs(high))
    low = min(0.0, low) if lines.zero else low - margin
    return Panel(top, top + lines.height, low, max(high + margin, low + 1e-6))


def _axis(panel: Panel, inks: Inks) -> alt.Axis:
    axis = y_axis(panel, inks)
    axis.values = [v for v in panel.ticks() if panel.y(v) > panel.top - 1]
    axis.labelExpr = "replace(format(datum.value, ','), '-', '−')"
    return axis
