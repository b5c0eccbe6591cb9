"""Price and carbon strips: one cell a slot on a perceptual scale, with the mean of some hours written in."""

from collections.abc import Sequence
from datetime import timedelta

import altair as alt
import numpy as np

from dashboard import format as f
from dashboard.charts.axis import TimeAxis, frame, gutter, words
from dashboard.colours import on_scale, readable_on
from energy.model.series import Series

HEIGHT = 21


def strip(
    axis: TimeAxis,
    series: Series,
    *,
    top: float,
    name: str,
    unit: str,
    scale: Sequence[str],
    published: Sequence[bool] = (),
) -> list[alt.Chart]:
    """One strip. What is forecast and not published is drawn at half height, so that it can be told apart."""
    values = 1000.0 * series.values
    if not np.isfinite(values).any():
        middle = top + HEIGHT / 2
        return [
            *gutter(axis, [(middle, f"{name}, {unit}")]),
            *words(
                axis, [(axis.minutes / 2, middle, f"no {name[0].lower() + name[1:]} known")], colour=axis.inks.faint
            ),
        ]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    horizon = series.horizon
    cells, labels = [], []
    for slot, value in enumerate(values):
        left, right = axis.x(horizon.time_of(slot)), axis.x(horizon.time_of(slot + 1))
        if not np.isfinite(value) or right <= 0 or left >= axis.minutes:
            continue
        known = slot >= len(published) or published[slot]
        t = horizon.time_of(slot)
        cells.append(
            {
                "x": max(0.0, left),
                "x2": min(axis.minutes, right + 2),
                "c": on_scale(float(value), low, high, scale),
                "y": top if known else top + HEIGHT / 2,
                "y2": top + HEIGHT,
                "when": f.span(t, t + horizon.step, axis.zone),
                "what": f.quantity(float(value), unit),
                "kind": "published" if known else "forecast",
            }
        )
    every = timedelta(hours=2 if axis.minutes <= 40 * 60 else 3)
    t = axis.start
    while t + every <= axis.end:
        first, last = horizon.slot_of(t), horizon.slot_of(t + every)
        part = values[max(0, first) : max(0, last)]
        if len(part) and np.isfinite(part).all():
            mean = float(part.mean())
            middle = values[max(0, (first + last) // 2)]
            ink = readable_on(on_scale(float(middle), low, high, scale))
            labels.append((axis.x(t + every / 2), f.number(mean), ink))
        t += every
    data = frame(cells, ("x", "x2", "c", "y", "y2", "when", "what", "kind"))
    layers = [
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=axis.encode(),
            x2=alt.X2("x2"),
            y=alt.Y("y:Q", scale=None, axis=None),
            y2=alt.Y2("y2"),
            color=alt.Color("c:N", scale=None),
            tooltip=[
                alt.Tooltip("when:N", title="Time"),
                alt.Tooltip("what:N", title=name),
                alt.Tooltip("kind:N", title="Known as"),
            ],
        ),
        *gutter(axis, [(top + HEIGHT / 2, f"{name}, {unit}")]),
    ]
    for ink in sorted({ink for *_, ink in labels}):
        rows = [(x, top + HEIGHT / 2 + 0.5, text) for x, text, own in labels if own == ink]
        layers += words(axis, rows, colour=ink, size=12.5)
    return layers
