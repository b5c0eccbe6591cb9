"""The load panel: base load and jobs stacked, PV and discharge, import as a line against limit and target."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import altair as alt
import numpy as np

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import GUTTER, TimeAxis, band_steps, frame, steps, words
from dashboard.colours import Inks
from energy.model.series import Series
from energy.reports.pages import PowerPicture


@dataclass(frozen=True)
class Panel:
    """A band of pixels for powers, with its scale."""

    top: float
    bottom: float
    low: float
    high: float

    @property
    def scale(self) -> alt.Scale:
        return alt.Scale(domain=[self.low, self.high], range=[self.bottom, self.top], nice=False)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def ticks(self) -> list[float]:
        """Round values, some seven of them, none above the panel's top eighth."""
        raw = (self.high - self.low) / 7
        power = 10 ** np.floor(np.log10(raw))
        step = next(power * factor for factor in (1, 2, 3, 5, 10) if power * factor >= raw)
        values = np.arange(np.ceil(self.low / step) * step, self.high, step)
        return [float(v) for v in values if self.y(float(v)) > self.top + 8]


def drawn(series: Series) -> bool:
    """Whether there is enough of it to be seen."""
    return bool((np.abs(np.nan_to_num(series.values)) > 1.0).any())


def merged(groups: Iterable[tuple[str, Series]]) -> list[tuple[str, Series]]:
    """At most three tones: from the third group on, one layer with all their names."""
    listed = list(groups)
    if len(listed) <= 3:
        return listed
    rest = listed[2:]
    total = np.sum([np.nan_to_num(series.values) for _, series in rest], axis=0)
    return [*listed[:2], (", ".join(name for name, _ in rest), Series(rest[0][1].horizon, total, "kW"))]


def panel_for(picture: PowerPicture, top: float, bottom: float) -> Panel:
    """The scale that holds limit, stacks and what is below zero."""
    below = np.nan_to_num(picture.pv.values) + np.maximum(0.0, -np.nan_to_num(picture.battery.values))
    use = np.nan_to_num(picture.base_load.values) + np.nan_to_num(picture.offered.values)
    for _, series in picture.groups:
        use = use + np.nan_to_num(series.values)
    measured = np.nanmax(np.nan_to_num(picture.import_measured.values), initial=0.0)
    high = max(picture.limit_kw, float(use.max(initial=0.0)), measured) * 1.06
    return Panel(top, bottom, -max(0.06 * high, 1.08 * float(below.max(initial=0.0))), high)


def y_axis(panel: Panel, inks: Inks) -> alt.Axis:
    ticks = panel.ticks()
    return alt.Axis(
        orient="left",
        values=ticks,
        labelExpr="format(abs(datum.value), ',')",
        minExtent=GUTTER,
        maxExtent=GUTTER,
        grid=False,
        labelColor=inks.soft,
        title=None,
    )


def area(axis: TimeAxis, panel: Panel, rows: list[dict[str, Any]], colour: str, opacity: float = 1.0) -> alt.Chart:
    return (
        alt.Chart(frame(rows))
        .mark_area(color=colour, opacity=opacity, line=False)
        .encode(x=axis.encode(), y=alt.Y("lo:Q", scale=panel.scale, axis=None), y2=alt.Y2("hi:Q"))
    )


def line(
    axis: TimeAxis,
    panel: Panel,
    series: Series,
    colour: str,
    width: float = 2.0,
    *,
    dash: list[int] | None = None,
    halo: float = 2.0,
) -> list[alt.Chart]:
    """A step line on a halo of page colour."""
    base = alt.Chart(frame(steps(axis, series))).encode(x=axis.encode(), y=alt.Y("y:Q", scale=panel.scale, axis=None))
    look = {"strokeDash": dash} if dash else {}
    return [
        base.mark_line(color=axis.inks.page, strokeWidth=width + 1.5 * halo, strokeJoin="round"),
        base.mark_line(color=colour, strokeWidth=width, strokeJoin="round", **look),
    ]


def stack(axis: TimeAxis, panel: Panel, picture: PowerPicture) -> list[alt.Chart]:
    """Use above zero (base load, jobs, battery charging below), PV and discharge below it."""
    horizon = picture.base_load.horizon

    def between(low: np.ndarray, high: np.ndarray) -> list[dict[str, Any]]:
        return band_steps(axis, Series(horizon, low, "kW"), Series(horizon, high, "kW"))

    layers = []
    floor = np.zeros(horizon.slots)
    top = np.nan_to_num(picture.base_load.values)
    layers.append(area(axis, panel, between(floor, top), axis.inks.base_load))
    for place, (_, series) in enumerate(merged(picture.groups)):
        floor, top = top, top + np.nan_to_num(series.values)
        layers.append(area(axis, panel, between(floor, top), axis.inks.group(place)))
    floor, top = top, top + np.nan_to_num(picture.offered.values)
    if picture.offered.values.any():
        layers.append(area(axis, panel, between(floor, top), colours.PLAN))
    charge = np.maximum(0.0, -np.nan_to_num(picture.battery.values))
    discharge = np.maximum(0.0, np.nan_to_num(picture.battery.values))
    if charge.any():
        layers.append(area(axis, panel, between(top, top + charge), colours.BATTERY))
    pv = np.nan_to_num(picture.pv.values)
    if pv.any():
        layers.append(area(axis, panel, between(-pv, 0 * pv), colours.PV))
    if discharge.any():
        layers.append(area(axis, panel, between(-pv - discharge, -pv), colours.BATTERY))
    return layers


def frame_layers(axis: TimeAxis, panel: Panel) -> list[alt.Chart]:
    """The axis of the panel, its horizontal grid and the zero line. Only this layer carries the y axis."""
    grid = frame({"y": v} for v in panel.ticks() if v)
    zero = frame([{"y": 0.0}])
    y = alt.Y("y:Q", scale=panel.scale, axis=y_axis(panel, axis.inks), title=None)
    return [
        alt.Chart(grid).mark_rule(color=axis.inks.grid, strokeWidth=1).encode(y=y),
        alt.Chart(zero)
        .mark_rule(color=axis.inks.axis, strokeWidth=1.2)
        .encode(y=alt.Y("y:Q", scale=panel.scale, axis=None)),
    ]


def limits(axis: TimeAxis, panel: Panel, picture: PowerPicture) -> list[alt.Chart]:
    """The contract limit, solid, and the agreed target, dashed, labelled in the chart."""
    rows = [("Contract limit", picture.limit_kw, [1, 0], 2.0, -9)]
    if picture.target_kw is not None and picture.target_kw < picture.limit_kw:
        rows.append(("Agreed target", picture.target_kw, [5, 4], 1.5, 11))
    layers = []
    for name, kw, dash, width, away in rows:
        y = panel.y(kw)
        layers.append(
            alt.Chart(frame([{"y": kw}]))
            .mark_rule(color=colours.LIMIT, strokeWidth=width, strokeDash=dash)
            .encode(y=alt.Y("y:Q", scale=panel.scale, axis=None))
        )
        layers += words(
            axis,
            [(axis.minutes * 0.996, y + away, f"{name} {f.quantity(kw, 'kW')}")],
            colour=colours.LIMIT,
            align="right",
            weight=600,
            halo=axis.inks.page,
        )
    return layers


def labels(axis: TimeAxis, panel: Panel, picture: PowerPicture, now: datetime) -> list[alt.Chart]:
    """Base load and PV named in the chart itself, where they are widest."""
    rows = []
    base, pv = picture.base_load, picture.pv
    away = np.array([abs(axis.x(t) - axis.x(now)) > 0.03 * axis.minutes for t in pv.horizon.times()])
    if np.nanmax(np.nan_to_num(base.values), initial=0) > 0:
        free = np.min([np.nan_to_num(s.values) for s in (base, picture.import_plan, picture.import_as_is)], axis=0)
        around = np.convolve(free, np.ones(9) / 9, mode="same")  # room for the words, not only for a point
        slot = int(np.argmax(around * (np.arange(free.size) > 0.6 * free.size)))
        rows.append((axis.x(base.horizon.time_of(slot)), panel.y(0.5 * float(free[slot])), "base load"))
    if np.nanmax(np.nan_to_num(pv.values), initial=0) > 0.05 * panel.high:
        slot = int(np.argmax(np.nan_to_num(pv.values) * away))
        found = words(
            axis,
            [(axis.x(pv.horizon.time_of(slot)), panel.y(-0.45 * float(pv.values[slot])), "PV")],
            colour="#1B2127",
            weight=600,
        )
    else:
        found = []
    return [*words(axis, rows, colour=axis.inks.text), *found]


def tooltips(axis: TimeAxis, picture: PowerPicture, top: float, bottom: float) -> alt.Chart:
    """An invisible column a slot that tells the powers of that quarter hour."""
    horizon = picture.horizon
    rows = []
    for slot in range(horizon.slots):
        t = horizon.time_of(slot)
        row = {
            "x": axis.x(t),
            "x2": axis.x(t + horizon.step),
            "when": f.span(t, t + horizon.step, axis.zone),
            "base": f.quantity(picture.base_load.at(t), "kW"),
            "plan": f.quantity(picture.import_plan.at(t), "kW"),
            "asis": f.quantity(picture.import_as_is.at(t), "kW"),
            "real": f.quantity(picture.import_measured.at(t), "kW"),
            "pv": f.quantity(picture.pv.at(t), "kW"),
            "battery": f.quantity(picture.battery.at(t), "kW", sign=True),
        }
        rows.append(row)
    titles = {
        "when": "Time",
        "real": "Import, measured",
        "plan": "Import, forecast",
        "asis": "Import as-is, forecast",
        "base": "Base load",
        "pv": "PV",
        "battery": "Battery (+ discharge)",
    }
    return (
        alt.Chart(frame(rows))
        .mark_rect(opacity=0)
        .encode(
            x=axis.encode(),
            x2=alt.X2("x2"),
            y=alt.value(top),
            y2=alt.value(bottom),
            tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()],
        )
    )
