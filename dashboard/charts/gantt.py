"""The Gantt: jobs by machine. As-is as outline, offers full blue, accepted with a tick, running hatched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import altair as alt

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import TimeAxis, frame, gutter, inked_words, words
from dashboard.colours import Inks
from energy.model.horizon import Interval
from energy.model.site import Machine
from energy.reports.pages import Bar, BarState, Blocked

ROW = 30
SHARE = 0.72  # of the row that a bar fills
ON_PLAN = "#FFFFFF"
CHARACTER = 6.6  # px of a character at 12.5 px, generously


@dataclass(frozen=True)
class Rows:
    """The rows of the machines, in pixels."""

    top: float
    machines: tuple[str, ...]

    @property
    def bottom(self) -> float:
        return self.top + ROW * len(self.machines)

    def middle(self, machine: str) -> float:
        return self.top + ROW * (self.machines.index(machine) + 0.5)

    def edges(self, machine: str) -> tuple[float, float]:
        half = ROW * SHARE / 2
        return self.middle(machine) - half, self.middle(machine) + half


def gantt(
    axis: TimeAxis,
    machines: Sequence[Machine],
    bars: Iterable[Bar],
    blocked: Iterable[Blocked],
    now: datetime,
    *,
    top: float,
    px_per_minute: float,
) -> tuple[list[alt.Chart], Rows]:
    """The layers of the Gantt and its rows. `px_per_minute` is a guess at the width, to fit labels into bars."""
    rows = Rows(top, tuple(machine.id for machine in machines))
    shown = [bar for bar in bars if bar.machine in rows.machines and axis.inside(Interval(bar.start, bar.end))]
    layers = [*_lines(axis, rows), *_blocked(axis, rows, blocked, px_per_minute)]
    layers += gutter(axis, [(rows.middle(m.id), m.name) for m in machines], size=14, colour=axis.inks.text)
    solid = [bar for bar in shown if bar.state is not BarState.AS_IS]
    layers += _outlines(axis, rows, [bar for bar in shown if bar.state is BarState.AS_IS], solid)
    layers += _bars(axis, rows, solid)
    layers += _hatch(axis, rows, [bar for bar in solid if bar.state is BarState.RUNNING], px_per_minute)
    layers += _labels(axis, rows, shown, now, px_per_minute)
    layers += _due(axis, rows, [bar for bar in solid if bar.state is BarState.OFFER], solid, px_per_minute)
    return layers, rows


def _lines(axis: TimeAxis, rows: Rows) -> list[alt.Chart]:
    data = frame({"y": rows.top + ROW * k} for k in range(len(rows.machines) + 1))
    return [
        alt.Chart(data).mark_rule(color=axis.inks.grid, strokeWidth=1).encode(y=alt.Y("y:Q", scale=None, axis=None))
    ]


def _blocked(axis: TimeAxis, rows: Rows, blocked: Iterable[Blocked], px_per_minute: float) -> list[alt.Chart]:
    """No crew fills its row; maintenance and breakdowns are grey bars with their word."""
    areas, names = [], []
    for time in blocked:
        cut = axis.inside(time.interval)
        if time.machine not in rows.machines or cut is None:
            continue
        crew, middle = "crew" in time.why, rows.middle(time.machine)
        upper, lower = (middle - ROW / 2, middle + ROW / 2) if crew else rows.edges(time.machine)
        ground = axis.inks.no_crew if crew else axis.inks.maintenance
        areas.append({"x": cut[0], "x2": cut[1], "y": upper, "y2": lower, "c": ground})
        if (cut[1] - cut[0]) * px_per_minute > len(time.why) * CHARACTER + 8:
            ink = axis.inks.faint if crew else axis.inks.text
            names.append(((cut[0] + cut[1]) / 2, middle, time.why, ink))
    return [_boxes(axis, areas), *inked_words(axis, names, size=12)]


def _boxes(axis: TimeAxis, areas: list[dict[str, Any]], radius: float = 0) -> alt.Chart:
    """Boxes in pixel rows, each in a colour of its own."""
    return (
        alt.Chart(frame(areas))
        .mark_rect(cornerRadius=radius)
        .encode(
            x=axis.encode(),
            x2=alt.X2("x2"),
            y=alt.Y("y:Q", scale=None, axis=None),
            y2=alt.Y2("y2"),
            color=alt.Color("c:N", scale=None),
        )
    )


def _place(axis: TimeAxis, rows: Rows, bar: Bar) -> dict[str, float]:
    cut = axis.inside(Interval(bar.start, bar.end)) or (0.0, 0.0)
    upper, lower = rows.edges(bar.machine)
    return {"x": cut[0], "x2": cut[1], "y": upper, "y2": lower}


def _fill(inks: Inks, state: BarState) -> str:
    return {
        BarState.OFFER: colours.PLAN,
        BarState.ACCEPTED: inks.accepted,
        BarState.DONE: inks.past,
    }.get(state, inks.planned)


def _bars(axis: TimeAxis, rows: Rows, bars: Sequence[Bar]) -> list[alt.Chart]:
    columns = ("x", "x2", "y", "y2", "c", "Job", "Time", "Quantity", "Power", "Energy", "Cost", "Due", "Slack", "State")
    data = frame(
        (
            {
                **_place(axis, rows, bar),
                "c": _fill(axis.inks, bar.state),
                "Job": f"{bar.job} {bar.product}",
                "Time": f.span(bar.start, bar.end, axis.zone),
                "Quantity": f.sensible(bar.quantity, bar.unit),
                "Power": f.quantity(bar.mean_kw, "kW"),
                "Energy": f.quantity(bar.kwh, "kWh"),
                "Cost": f.number(bar.cost),
                "Due": f.UNKNOWN if bar.due is None else f.moment(bar.due, axis.zone, axis.start),
                "Slack": f.duration(bar.slack_minutes),
                "State": bar.state.value,
            }
            for bar in bars
        ),
    )
    if not bars:
        return []
    return [
        alt.Chart(data)
        .mark_rect(cornerRadius=3)
        .encode(
            x=axis.encode(),
            x2=alt.X2("x2"),
            y=alt.Y("y:Q", scale=None, axis=None),
            y2=alt.Y2("y2"),
            color=alt.Color("c:N", scale=None),
            tooltip=[alt.Tooltip(f"{name}:N") for name in columns[5:]],
        )
    ]


def _outlines(axis: TimeAxis, rows: Rows, as_is: Sequence[Bar], solid: Sequence[Bar]) -> list[alt.Chart]:
    """Where production had it, and a thin arrow to the new place."""
    if not as_is:
        return []
    data = frame(_place(axis, rows, bar) for bar in as_is)
    layers = [
        alt.Chart(data)
        .mark_rect(filled=False, stroke=axis.inks.as_is, strokeWidth=1.5, strokeDash=[4, 3], cornerRadius=3)
        .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.Y("y:Q", scale=None, axis=None), y2=alt.Y2("y2"))
    ]
    new = {bar.job: bar for bar in solid}
    arrows = [_arrow(axis, rows, bar, new[bar.job]) for bar in as_is if bar.job in new]
    arrows = [arrow for arrow in arrows if arrow]
    if arrows:
        lines = frame(arrows)
        layers += [
            alt.Chart(lines)
            .mark_rule(color=axis.inks.as_is, strokeWidth=1.2)
            .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.Y("y:Q", scale=None, axis=None), y2=alt.Y2("y2")),
            alt.Chart(lines)
            .mark_point(shape="triangle", size=46, filled=True, color=axis.inks.as_is, opacity=1)
            .encode(
                x=axis.encode("x2"),
                y=alt.Y("y2:Q", scale=None, axis=None),
                angle=alt.Angle("turn:Q", scale=None),
            ),
        ]
    return layers


def _arrow(axis: TimeAxis, rows: Rows, old: Bar, new: Bar) -> dict[str, float] | None:
    """From the old place's edge to the new one's; None where they overlap on one machine."""
    a, b = _place(axis, rows, old), _place(axis, rows, new)
    if b["x"] >= a["x2"]:
        x, x2, turn = a["x2"], b["x"] - 4, 90
    elif b["x2"] <= a["x"]:
        x, x2, turn = a["x"], b["x2"] + 4, 270
    elif old.machine != new.machine:
        x = x2 = (max(a["x"], b["x"]) + min(a["x2"], b["x2"])) / 2
        turn = 180 if rows.middle(new.machine) > rows.middle(old.machine) else 0
    else:
        return None
    return {"x": x, "x2": x2, "y": rows.middle(old.machine), "y2": rows.middle(new.machine), "turn": turn}


def _hatch(axis: TimeAxis, rows: Rows, running: Sequence[Bar], px_per_minute: float) -> list[alt.Chart]:
    """Slanted strokes cut to the bar: a running job, told without colour."""
    lines = []
    lean, gap = 11.0 / px_per_minute, 7.5 / px_per_minute
    for bar in running:
        place = _place(axis, rows, bar)
        left, right = place["x"], place["x2"]
        height = place["y2"] - place["y"]
        foot = left - lean + gap
        while foot < right:
            start, end = max(foot, left), min(foot + lean, right)
            if end > start:
                low = place["y2"] - (start - foot) / lean * height
                high = place["y2"] - (end - foot) / lean * height
                lines.append({"x": start, "x2": end, "y": low, "y2": high})
            foot += gap
    if not lines:
        return []
    return [
        alt.Chart(frame(lines))
        .mark_rule(color=axis.inks.hatch, strokeWidth=1, opacity=0.75)
        .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.Y("y:Q", scale=None, axis=None), y2=alt.Y2("y2"))
    ]


def _label(bar: Bar, px: float) -> str:
    """Job and product, or the job alone when the bar is short, or nothing."""
    if bar.state is BarState.AS_IS:
        return "as-is" if px > 36 else ""
    tick = "✓ " if bar.state is BarState.ACCEPTED else ""
    for text in (f"{tick}{bar.job} {bar.product}", f"{tick}{bar.job}"):
        if len(text) * CHARACTER + 8 < px:
            return text
    return ""


def _labels(axis: TimeAxis, rows: Rows, bars: Sequence[Bar], now: datetime, px_per_minute: float) -> list[alt.Chart]:
    """Labels in the bars; those of running jobs stand right of the now-line."""
    halos, found = [], []
    for bar in bars:
        place = _place(axis, rows, bar)
        left, right = place["x"], place["x2"]
        if bar.state is BarState.DONE:
            continue
        if bar.state is BarState.RUNNING and left < axis.x(now) < right:
            left = max(left, axis.x(now) + 4 / px_per_minute)
        text = _label(bar, (right - left) * px_per_minute)
        if text:
            at = ((left + right) / 2, rows.middle(bar.machine) + 0.5, text)
            halos += [at] if bar.state is BarState.RUNNING else []
            found.append((*at, _ink(axis.inks, bar.state)))
    under = words(axis, halos, colour=axis.inks.planned, size=12.5, halo=axis.inks.planned)
    return [*under, *inked_words(axis, found, size=12.5)]


def _ink(inks: Inks, state: BarState) -> str:
    return {BarState.OFFER: ON_PLAN, BarState.ACCEPTED: inks.on_accepted, BarState.AS_IS: inks.soft}.get(
        state, inks.text
    )


def _due(
    axis: TimeAxis, rows: Rows, offers: Sequence[Bar], bars: Sequence[Bar], px_per_minute: float
) -> list[alt.Chart]:
    """Until when an offered job must be done: a tick with words, where nothing stands in the way."""
    marks = []
    for bar in offers:
        if bar.due is None or not axis.start < bar.due < axis.end:
            continue
        x = axis.x(bar.due)
        room = x + 64 / px_per_minute
        others = [_place(axis, rows, other) for other in bars if other.machine == bar.machine]
        if all(other["x2"] <= x - 2 or other["x"] >= room for other in others) and room < axis.minutes:
            marks.append((x, bar))
    if not marks:
        return []
    data = frame(
        ({"x": x, "y": rows.edges(bar.machine)[0] - 2, "y2": rows.edges(bar.machine)[1] + 2} for x, bar in marks),
    )
    texts = [
        (x + 5 / px_per_minute, rows.middle(bar.machine), f"due {f.clock_time(bar.due, axis.zone)}")
        for x, bar in marks
        if bar.due is not None
    ]
    return [
        alt.Chart(data)
        .mark_rule(color=axis.inks.text, strokeWidth=2)
        .encode(x=axis.encode(), y=alt.Y("y:Q", scale=None, axis=None), y2=alt.Y2("y2")),
        *words(axis, texts, colour=axis.inks.text, align="left", size=12),
    ]
