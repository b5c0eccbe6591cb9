"""The Gantt of the shift sheet: legible in black and white, moved jobs black."""

from datetime import timedelta
from typing import Any

import altair as alt

from dashboard import format as f
from dashboard.charts.axis import TimeAxis, frame, gutter, hold_gutter, picture, verticals, words
from dashboard.colours import LIGHT
from energy.model.horizon import Interval
from energy.reports.pages import SheetRow, ShiftSheet

ROW, BAR, FILL, LINE = 30, 19, "#E4E8EB", "#9AA2A9"
PX_PER_MINUTE = 1.17
MARGIN = timedelta(minutes=30)  # of a job moved out of the shift, so that one sees it


def sheet_picture(sheet: ShiftSheet) -> dict[str, Any]:
    """Machines below each other over the shift and an hour more."""
    shown = [row.start + MARGIN for row in sheet.rows if row.start < sheet.span.end + 3 * MARGIN]
    axis = TimeAxis(sheet.span.start, max([sheet.span.end, *shown]), sheet.header.zone, LIGHT)
    machines = sorted({row.machine for row in sheet.rows})
    middle = {machine: ROW * (k + 0.5) for k, machine in enumerate(machines)}
    height = ROW * len(machines)
    lines = frame({"y": ROW * k} for k in range(len(machines) + 1))
    layers = [
        alt.Chart(lines).mark_rule(color="#DDDDDD").encode(y=alt.Y("y:Q", scale=None, axis=None)),
        *hold_gutter(axis, height),
        *verticals(axis, 0, height),
        *gutter(axis, [(y, machine) for machine, y in middle.items()], colour="#111111"),
    ]
    for row in sheet.rows:
        layers += _row(axis, row, middle[row.machine])
    return picture(axis, layers, height)


def _row(axis: TimeAxis, row: SheetRow, y: float) -> list[alt.Chart]:
    layers = _box(axis, Interval(row.start, row.end), y, moved=row.moved_from is not None)
    cut = axis.inside(Interval(row.start, row.end))
    if cut:
        room = (cut[1] - cut[0]) * PX_PER_MINUTE
        label = next((t for t in (f"{row.job} {row.product}", row.job) if len(t) * 6.4 + 6 < room), "")
        layers += words(
            axis, [((cut[0] + cut[1]) / 2, y, label)], colour="#FFFFFF" if row.moved_from else "#111111", size=12
        )
    if row.moved_from is not None:
        old = Interval(row.moved_from, row.moved_from + (row.end - row.start))
        cut = axis.inside(old)
        if cut:
            layers += _box(axis, old, y, outline=True)
            text = f"was {f.clock_time(row.moved_from, axis.zone)}, now {f.clock_time(row.start, axis.zone)}"
            layers += words(axis, [((cut[0] + cut[1]) / 2, y, text)], colour="#111111", size=12)
    return layers


def _box(
    axis: TimeAxis, interval: Interval, y: float, *, moved: bool = False, outline: bool = False
) -> list[alt.Chart]:
    cut = axis.inside(interval)
    if not cut:
        return []
    data = frame([{"x": cut[0], "x2": cut[1], "y": y - BAR / 2, "y2": y + BAR / 2}])
    look: dict[str, Any] = {"fill": "#111111" if moved else FILL, "stroke": "#111111" if moved else LINE}
    if outline:
        look = {"filled": False, "stroke": "#111111", "strokeDash": [4, 3]}
    return [
        alt.Chart(data)
        .mark_rect(cornerRadius=2, strokeWidth=1.2, **look)
        .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.Y("y:Q", scale=None, axis=None), y2=alt.Y2("y2"))
    ]
