"""Charts of peaks: monthly maxima against limit and target, and the ten worst quarter hours with what made them."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard import colours
from dashboard import format as f
from dashboard.charts.axis import frame
from dashboard.charts.small import names_axis, numbers, together
from dashboard.colours import Inks
from energy.clock import local
from energy.model.site import Machine
from energy.reports.pages import WorstInterval

BASE = "base load"
WORTH_NAMING = 0.1  # of the interval's power


def monthly_maxima(
    months: Sequence[tuple[str, float | None, float | None]], limit_kw: float, target_kw: float | None, inks: Inks
) -> tuple[dict[str, Any], float]:
    """Dots, not bars, as the scale does not start at zero; returns where it starts, for the sentence that says so."""
    known = [v for _, real, as_is in months for v in (real, as_is) if v is not None]
    low = 50 * int((min(known) - 40) // 50) if known else 0.0
    top = max([limit_kw, *known]) * 1.01
    names = [f.MONTHS[int(month.split("-")[1]) - 1] for month, *_ in months]
    x = alt.X("m:N", sort=names, title=None, axis=alt.Axis(labelAngle=0, grid=False), scale=alt.Scale(domain=names))
    y = alt.Y("y:Q", title=None, scale=alt.Scale(domain=[low, top], nice=False), axis=numbers(6, 52))
    real = [
        {"m": n, "y": v, "t": f.number(v), "y2": a} for n, (_, v, a) in zip(names, months, strict=True) if v is not None
    ]
    as_is = [{"m": n, "y": a} for n, (_, v, a) in zip(names, months, strict=True) if a is not None and a != v]
    gone = [
        {"m": n, "y": low + 0.06 * (top - low), "t": "–"}
        for n, (_, v, _) in zip(names, months, strict=True)
        if v is None
    ]
    labelled = sorted(real, key=lambda row: -row["y"])[:1] + real[-1:]
    layers = [
        alt.Chart(frame([{"y": limit_kw}])).mark_rule(color=colours.LIMIT, strokeWidth=2).encode(y=y),
        alt.Chart(frame([{"y": target_kw}] if target_kw else []))
        .mark_rule(color=colours.LIMIT, strokeWidth=1.5, strokeDash=[5, 4])
        .encode(y=y),
        alt.Chart(frame([r for r in real if r["y2"]])).mark_rule(color=inks.as_is).encode(x=x, y=y, y2=alt.Y2("y2")),
        alt.Chart(frame(as_is))
        .mark_point(
            shape="square", size=95, filled=True, color=inks.page, stroke=inks.as_is, strokeWidth=1.5, opacity=1
        )
        .encode(x=x, y=y),
        alt.Chart(frame(real)).mark_point(size=120, filled=True, color=colours.MEASURED, opacity=1).encode(x=x, y=y),
        alt.Chart(frame(labelled))
        .mark_text(dy=17, fontSize=13, fontWeight=600, color=inks.text)
        .encode(x=x, y=y, text=alt.Text("t:N")),
        alt.Chart(frame(gone)).mark_text(color=inks.soft).encode(x=x, y=y, text=alt.Text("t:N")),
    ]
    return together(layers, inks, 280), low


def groups(worst: Sequence[WorstInterval], machines: Sequence[Machine]) -> tuple[dict[str, str], list[str]]:
    """The group of each culprit, and the groups in the order of the plant; from the third on they share one name."""
    of = {key: machine.group for machine in machines for key in (machine.id, machine.name)}
    found = list(dict.fromkeys(of.get(name, name) for item in worst for name, _ in item.culprits if name != BASE))
    order = [g for g in dict.fromkeys(machine.group for machine in machines) if g in found]
    order += [g for g in found if g not in order]
    shared = order if len(order) <= 3 else [*order[:2], ", ".join(order[2:])]
    place = {group: shared[min(k, 2)] for k, group in enumerate(order)}
    return {BASE: BASE} | {
        name: place[of.get(name, name)] for item in worst for name, _ in item.culprits if name != BASE
    }, [BASE, *shared]


def paint(order: Sequence[str], inks: Inks) -> dict[str, str]:
    """Base load grey, machine groups in their quiet blues, the same as in the pictures of power."""
    return {BASE: inks.base_load} | {name: inks.group(k) for k, name in enumerate(order[1:])}


def worst_intervals(
    worst: Sequence[WorstInterval], machines: Sequence[Machine], zone: str, inks: Inks
) -> dict[str, Any]:
    """Stacked by machine group from zero, the machines that count named at the right."""
    of, order = groups(worst, machines)
    colour = paint(order, inks)
    names = {machine.id: machine.name for machine in machines}
    parts, ends = [], []
    for item in worst:
        there = local(item.start, zone)
        label = f"{f.day(there)} {there:%H:%M}"
        so_far = 0.0
        for group in order:
            kw = sum(power for name, power in item.culprits if of[name] == group)
            tip = {"What": group, "Power": f.quantity(kw, "kW")}
            parts.append({"n": label, "x": so_far, "x2": so_far + kw, "c": colour[group], **tip})
            so_far += kw
        named = sorted((part for part in item.culprits if part[0] != BASE), key=lambda part: -part[1])
        made = [names.get(name, name) for name, kw in named if kw >= WORTH_NAMING * item.kw][:3]
        ends.append({"n": label, "x": max(so_far, item.kw), "t": f.number(item.kw), "why": f.listed(made)})
    rows = [end["n"] for end in ends]
    y = alt.Y("n:N", sort=rows, title=None, axis=names_axis(rows, inks))
    high = max([end["x"] for end in ends] or [1.0])
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1.95 * high], nice=False))
    tips = [alt.Tooltip("n:N", title="When"), alt.Tooltip("What:N"), alt.Tooltip("Power:N")]
    end = alt.Chart(frame(ends)).encode(x=x, y=y)
    layers = [
        alt.Chart(frame(parts))
        .mark_bar(height=19)
        .encode(x=x, x2=alt.X2("x2"), y=y, color=alt.Color("c:N", scale=None), tooltip=tips),
        end.mark_text(align="left", dx=7, fontSize=13, fontWeight=600, color=inks.text).encode(text=alt.Text("t:N")),
        end.mark_text(align="left", dx=58, fontSize=13, color=inks.soft, limit=230).encode(text=alt.Text("why:N")),
    ]
    return together(layers, inks, 30 * max(1, len(worst)))
