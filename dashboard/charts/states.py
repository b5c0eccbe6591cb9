"""Machines over a week: what each did, and what a product draws over its run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import altair as alt

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import TimeAxis, drawable, finished, frame, gutter, hold_gutter, now_line, picture, verticals
from dashboard.charts.small import names_axis, numbers, together
from dashboard.colours import Inks
from energy.clock import local
from energy.model.horizon import Interval
from energy.model.insight import Drift, PowerState, StateEnergy, StateSpan
from energy.reports.pages import MachineLine, MachinesPage, ProfileLine, Worked

ROW, FULL = 34, 22.0
HEIGHTS = {  # of the row, so that a state is told by its height too
    PowerState.RUNNING: 1.0,
    PowerState.HOLDING: 0.62,
    PowerState.IDLE: 0.34,
    PowerState.OFF: 0.08,
    PowerState.UNKNOWN: 0.34,
}
POINTS = 400  # drawn at most


def tone(state: PowerState, inks: Inks) -> str:
    """The colour of a state; the same on all pictures of machines."""
    return {
        PowerState.RUNNING: colours.MEASURED,
        PowerState.HOLDING: inks.doubtful,
        PowerState.IDLE: inks.as_is,
        PowerState.OFF: inks.base_load,
        PowerState.UNKNOWN: inks.worse,
    }[state]


def state_bands(page: MachinesPage, inks: Inks) -> dict[str, Any]:
    """One row a machine: high for running, lower for holding and idle, a line for off, open for unknown."""
    axis = TimeAxis(page.span.start, page.span.end, page.header.zone, inks)
    top, height = 8.0, 8.0 + ROW * len(page.lines)
    known, unknown = [], []
    for k, line in enumerate(page.lines):
        base = top + ROW * k + (ROW + FULL) / 2
        for span in line.spans:
            if (box := _box(axis, span, base, line.name, inks)) is not None:
                (unknown if span.state is PowerState.UNKNOWN else known).append(box)
    tips = [alt.Tooltip(f"{name}:N") for name in ("Machine", "State", "Time", "Energy")]
    place = {
        "x": axis.encode(),
        "x2": alt.X2("x2"),
        "y": alt.Y("y:Q", scale=None, axis=None),
        "y2": alt.Y2("y2"),
        "color": alt.Color("c:N", scale=None),
        "tooltip": tips,
    }
    rules = frame({"y": top + ROW * k + (ROW + FULL) / 2} for k in range(len(page.lines)))
    layers = [
        *hold_gutter(axis, height),
        *verticals(axis, top, height),
        alt.Chart(rules).mark_rule(color=inks.grid).encode(y=alt.Y("y:Q", scale=None, axis=None)),
        *gutter(axis, [(top + ROW * (k + 0.5), line.name) for k, line in enumerate(page.lines)], colour=inks.text),
        alt.Chart(frame(known)).mark_rect().encode(**place),
        alt.Chart(frame(unknown)).mark_rect(filled=False, strokeDash=[2, 3], strokeWidth=1.4).encode(**place),
        *now_line(axis, page.header.now, top, height, 4),
    ]
    return picture(axis, layers, int(height))


def _box(axis: TimeAxis, span: StateSpan, base: float, name: str, inks: Inks) -> dict[str, Any] | None:
    cut = axis.inside(Interval(span.start, span.end))
    if cut is None:
        return None
    return {
        "x": cut[0],
        "x2": cut[1],
        "y": base - FULL * HEIGHTS[span.state],
        "y2": base,
        "c": tone(span.state, inks),
        "Machine": name,
        "State": span.state.value,
        "Time": f"{f.day(local(span.start, axis.zone))} {f.span(span.start, span.end, axis.zone)}",
        "Energy": f.quantity(span.kwh, "kWh", 1),
    }


def energy_split(lines: Sequence[MachineLine], inks: Inks) -> dict[str, Any]:
    """The energy of each machine in the week, by state, one bar after the other."""
    rows = []
    for line in lines:
        at = 0.0
        for state in (PowerState.RUNNING, PowerState.HOLDING, PowerState.IDLE, PowerState.OFF):
            it = next((e for e in line.energy if e.state is state), StateEnergy(state=state, hours=0, kwh=0, money=0))
            if it.kwh > 0:
                rows.append({"n": line.name, "x": at, "x2": at + it.kwh, "c": tone(state, inks), "State": state.value,
                             "Energy": f.quantity(it.kwh, "kWh"), "Hours": f.quantity(it.hours, "h", 1)})  # fmt: skip
            at += it.kwh
    names = [line.name for line in lines]
    y = alt.Y("n:N", sort=names, title=None, axis=names_axis(names, inks))
    tips = [alt.Tooltip("State:N"), alt.Tooltip("Energy:N"), alt.Tooltip("Hours:N")]
    x = alt.X("x:Q", title=None, axis=numbers(5, 20))
    bars = alt.Chart(frame(rows)).mark_bar(height=15).encode(
        x=x, x2=alt.X2("x2"), y=y, color=alt.Color("c:N", scale=None), tooltip=tips
    )  # fmt: skip
    return together([bars], inks, 30 * len(lines) + 30)


def power_profile(line: ProfileLine, inks: Inks) -> dict[str, Any]:
    """Learned power over the run (P50 with its band from P10 to P90) and the typed-in one, kW above idle."""
    learned = _steps(line.p50_kw)
    band = [
        {"x": a["x"], "lo": a["y"], "hi": b["y"]} for a, b in zip(_steps(line.p10_kw), _steps(line.p90_kw), strict=True)
    ]
    typed = _steps(line.typed_kw)
    high = 1.08 * max([*line.p90_kw, *line.typed_kw, 1.0])
    low = 0.75 * min([*line.p10_kw, *line.typed_kw, high])
    scale = alt.Scale(domain=[low, high], nice=False)
    y = alt.Y("y:Q", title=None, scale=scale, axis=numbers(4, 40))
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[0, 100], nice=False),
        axis=alt.Axis(values=[0, 25, 50, 75, 100], labelExpr="datum.value + ' %'", grid=False),
    )
    layers = [
        alt.Chart(frame(band))
        .mark_area(color=colours.MEASURED, opacity=0.28)
        .encode(x=x, y=alt.Y("lo:Q", title=None, scale=scale, axis=numbers(4, 40)), y2=alt.Y2("hi")),
        alt.Chart(frame(learned)).mark_line(color=inks.primary, strokeWidth=2.6).encode(x=x, y=y, order=alt.value(0)),
        alt.Chart(frame(typed))
        .mark_line(color=inks.text, strokeWidth=1.6, strokeDash=[5, 3])
        .encode(x=x, y=y, order=alt.value(0)),
    ]
    return together(layers, inks, 170)


def _steps(values: Sequence[float]) -> list[dict[str, Any]]:
    """Means of equal parts of a run as steps over 0 to 100 %."""
    size = 100.0 / max(1, len(values))
    return [
        {"x": round(size * (k + edge), 3), "y": round(v, 3)} for k, v in enumerate(values) for edge in (0, 1)
    ]  # fmt: skip


def work_over_time(
    work: Sequence[Worked], drift: Drift | None, zone: str, inks: Inks
) -> tuple[dict[str, Any], str] | None:
    """Each piece of work by day: its energy against the typed-in, in %, else per piece, else kWh; with what it is."""
    shown = list(work)[-POINTS:]
    if len(shown) < 2:
        return None
    typed = [w for w in shown if w.against_typed is not None]
    if len(typed) > 0.8 * len(shown):
        rows = [(w, 100.0 * (w.against_typed or 0.0)) for w in typed]
        unit, what = "%", "Energy of each run against the typed-in"
    else:
        rows, unit, what = [(w, w.kwh) for w in shown], "kWh", "Energy of each run"
    first, last = shown[0].end, shown[-1].end
    days = max(1.0, (last - first).total_seconds() / 86400.0)

    def at(t: datetime) -> float:
        return float((t - first).total_seconds() / 86400.0)

    data = [
        {"x": at(w.end), "y": round(v, 3), "When": f"{f.day(local(w.end, zone))} {f.clock_time(w.end, zone)}",
         "What": w.what, "Job": w.job or f.UNKNOWN, "Energy": f.quantity(w.kwh, "kWh", 1),
         "Shown": f.quantity(v, unit, 1, sign=unit == "%")}
        for w, v in rows
    ]  # fmt: skip
    values = sorted(v for _, v in rows)
    low, high = values[len(values) // 50], values[-1 - len(values) // 50]
    room = 0.15 * (high - low) or 1.0
    domain = [min(low - room, 0.0 if unit == "kWh" else low - room), high + room]
    y = alt.Y("y:Q", title=None, scale=alt.Scale(domain=domain, nice=False, clamp=True),
              axis=numbers(5, 44, sign=unit == "%"))  # fmt: skip
    marks = sorted({0, round(days / 3), round(2 * days / 3), int(days)})
    words = ",".join(f"'{m}':'{f.day(local(first + timedelta(days=m), zone))}'" for m in marks)
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(domain=[-0.02 * days, 1.02 * days], nice=False),
        axis=alt.Axis(values=marks, labelExpr=f"({{{words}}})[datum.value]", grid=False, labelFlush=True),
    )
    names = [alt.Tooltip(f"{name}:N") for name in ("When", "What", "Job", "Energy", "Shown")]
    layers = [
        alt.Chart(frame(data))
        .mark_circle(size=46, opacity=0.75, color=colours.MEASURED)
        .encode(x=x, y=y, tooltip=names)
    ]
    if drift is not None and drift.since > first:
        mark = frame([{"x": at(drift.since), "t": f"{100 * drift.size:+.1f} % since"}])
        layers += [
            alt.Chart(mark).mark_rule(color=inks.worse, strokeWidth=1.6).encode(x=x),
            alt.Chart(mark)
            .mark_text(align="right", dx=-5, fontSize=13, fontWeight=600, color=inks.worse, baseline="top")
            .encode(x=x, y=alt.value(2), text=alt.Text("t:N")),
        ]
    return together(layers, inks, 210), f"{what}, {unit}"


def work_by_product(work: Sequence[Worked], inks: Inks) -> dict[str, Any] | None:
    """How much energy a run of each product takes: one dot a run, a line at the middle."""
    shown = list(work)[-POINTS:]
    if not shown:
        return None
    names = sorted({w.what for w in shown})
    dots = frame({"n": w.what, "x": round(w.kwh, 2), "Energy": f.quantity(w.kwh, "kWh", 1), "Job": w.job or f.UNKNOWN,
                  "Takes": f.duration(w.minutes)} for w in shown)  # fmt: skip
    middles = []
    for name in names:
        own = sorted(w.kwh for w in shown if w.what == name)
        middles.append({"n": name, "x": round(own[len(own) // 2], 2)})
    y = alt.Y("n:N", sort=names, title=None, axis=names_axis(names, inks))
    x = alt.X("x:Q", title=None, scale=alt.Scale(zero=True), axis=numbers(5, 20))
    tips = [alt.Tooltip("Energy:N"), alt.Tooltip("Takes:N"), alt.Tooltip("Job:N")]
    layers = [
        alt.Chart(dots).mark_circle(size=52, opacity=0.45, color=colours.MEASURED).encode(x=x, y=y, tooltip=tips),
        alt.Chart(frame(middles)).mark_tick(color=inks.text, thickness=2.5, size=20).encode(x=x, y=y),
    ]
    return finished(alt.LayerChart(layer=drawable(layers)), inks, 34 * len(names) + 30)
