"""The two big pictures: Overview (power over strips) and Plan (strips, Gantt and load on one time axis)."""

from datetime import datetime
from itertools import pairwise
from typing import Any

from dashboard import colours
from dashboard import format as f
from dashboard.charts import power as p
from dashboard.charts.axis import TimeAxis, gutter, hold_gutter, now_line, picture, rectangles, verticals, words
from dashboard.charts.gantt import gantt
from dashboard.charts.strips import HEIGHT, Strip, strip
from dashboard.colours import Inks
from energy.clock import local
from energy.model.horizon import Interval
from energy.reports.pages import PlanPage, PowerPicture

WIDTH = 990  # px that the panels have at 1440, to fit labels into bars; narrower screens drop some


def overview_picture(power: PowerPicture, now: datetime, zone: str, currency: str, inks: Inks) -> Any:
    """Today and tomorrow: what uses power, what makes it, and import against its limits; price and carbon below."""
    axis = TimeAxis.of(power.horizon, zone, inks)
    height, top, bottom = 408, 20, 334
    strips = bottom + 10
    panel = p.panel_for(power, top + 6, bottom)
    layers = [
        *rectangles(axis, power.nights, (0, height - 2), axis.inks.night),
        *_events(axis, power, (0, height - 2), bottom - 10),
        *verticals(axis, 0, height - 2),
        *p.frame_layers(axis, panel),
        *p.stack(axis, panel, power),
        *_band(axis, panel, power, now),
        *p.line(axis, panel, _from(power, now), axis.inks.text, 2),
        *p.line(axis, panel, power.import_measured, colours.MEASURED, 4),
        *p.limits(axis, panel, power),
        *p.labels(axis, panel, power, now),
        p.tooltips(axis, power, top, bottom),
        *gutter(axis, [(top + 12, "Power, kW")]),
        *_strips(axis, power, currency, strips),
        *words(axis, _day_names(axis, now), colour=axis.inks.text, weight=600),
        *now_line(axis, now, 14, height - 2, 21),
    ]
    return picture(axis, layers, height)


def plan_picture(page: PlanPage, inks: Inks, *, width: int = WIDTH) -> Any:
    """Strips, Gantt and load, one time axis."""
    zone, now, power = page.header.zone, page.header.now, page.picture
    axis = TimeAxis.of(page.horizon, zone, inks)
    px_per_minute = width / axis.minutes
    strips, top = 20, 20 + 2 * (HEIGHT + 6) + 22
    chart_rows, rows = gantt(axis, page.machines, page.bars, page.blocked, now, top=top, px_per_minute=px_per_minute)
    load_top = rows.bottom + 44
    height = int(load_top + 250 if power else rows.bottom + 6)
    layers = [
        *(rectangles(axis, power.nights, (strips, height), axis.inks.night) if power else []),
        *(_events(axis, power, (strips, height), rows.bottom + 14) if power else []),
        *verticals(axis, strips, height),
    ]
    if power:
        layers += _strips(axis, power, page.header.currency, strips)
    layers += chart_rows if power else [*hold_gutter(axis, height), *chart_rows]
    if power:
        panel = p.panel_for(power, load_top, height - 2)
        layers += [
            *p.frame_layers(axis, panel),
            *p.stack(axis, panel, power),
            *p.line(axis, panel, power.import_as_is, axis.inks.as_is, 1.5, dash=[4, 3], halo=1),
            *p.line(axis, panel, power.import_plan, axis.inks.text, 2),
            *p.limits(axis, panel, power),
            *p.labels(axis, panel, power, now),
            p.tooltips(axis, power, load_top, height),
            *gutter(axis, [(load_top + 6, "Power, kW")]),
        ]
    layers += now_line(axis, now, 0, height, 8)
    return picture(axis, layers, height)


def _strips(axis: TimeAxis, power: PowerPicture, currency: str, top: float) -> list[Any]:
    price = Strip(
        name="Price",
        unit=f"{currency}/MWh",
        series=power.price_market,
        scale=axis.inks.price,
        published=power.price_published,
    )
    carbon = Strip(name="CO2e", unit="g/kWh", series=power.carbon, scale=axis.inks.carbon)
    return [*strip(axis, price, top), *strip(axis, carbon, top + HEIGHT + 6)]


def _events(axis: TimeAxis, power: PowerPicture, band: tuple[float, float], label_y: float) -> list[Any]:
    """Times in which the grid asks for something, with their name where nothing else is written."""
    intervals = [interval for _, interval in power.events]
    cut = [(axis.inside(interval), name) for name, interval in power.events]
    named = [((part[0] + part[1]) / 2, label_y, name) for part, name in cut if part]
    return [
        *rectangles(axis, intervals, band, colours.EVENT, 0.22),
        *words(axis, named, colour=axis.inks.text, weight=600, size=12.5, halo=axis.inks.page),
    ]


def _band(axis: TimeAxis, panel: p.Panel, power: PowerPicture, now: datetime) -> list[Any]:
    if power.import_low is None or power.import_high is None:
        return []
    ahead = Interval(now, power.horizon.end)
    cut = p.band_steps(axis, power.import_low, power.import_high)
    cut = [row for row in cut if row["x"] >= axis.x(ahead.start) - power.horizon.step_minutes]
    return [p.area(axis, panel, cut, axis.inks.band, 0.2)]


def _from(power: PowerPicture, now: datetime) -> Any:
    """The forecast of import from the running slot on; before, what was measured speaks."""
    values = power.import_plan.values.copy()
    known = power.import_measured.known
    if known.any():
        values[: max(0, power.horizon.slot_of(now))] = float("nan")
    return type(power.import_plan)(power.horizon, values, "kW")


def _day_names(axis: TimeAxis, now: datetime) -> list[tuple[float, float, str]]:
    """As "Tuesday, today" over the middle of its day."""
    edges = [0.0, *[m for m in axis.midnights() if m > 0], axis.minutes]
    found = []
    for left, right in pairwise(edges):
        if right - left < 8 * 60:
            continue
        middle = axis.start + (axis.end - axis.start) * ((left + right) / 2 / axis.minutes)
        name = f.WEEKDAYS_LONG[local(middle, axis.zone).weekday()]
        word = f.day_word(middle, axis.zone, now)
        away = word if word in ("today", "tomorrow", "yesterday") else ""
        at = (left + right) / 2
        if 0 < axis.x(now) - at + 60 < 200:
            at -= 60
        found.append((at, 7, f"{name}, {away}" if away else name))
    return found
