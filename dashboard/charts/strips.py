"""Price and carbon strips: one cell a slot on a perceptual scale, with the mean of some hours written in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import altair as alt
import numpy as np

from dashboard import format as f
from dashboard.charts.axis import TimeAxis, frame, gutter, inked_words, words
from dashboard.colours import on_scale, readable_on
from energy.model.series import Series

HEIGHT = 21


@dataclass(frozen=True, kw_only=True)
class Strip:
    """What a strip shows, in thousandths of its unit (EUR/MWh, g/kWh). What is not published is forecast."""

    name: str
    unit: str
    series: Series
    scale: Sequence[str]
    published: Sequence[bool] = ()

    @property
    def values(self) -> np.ndarray:
        return 1000.0 * self.series.values

    def colour(self, value: float) -> str:
        return on_scale(value, float(np.nanmin(self.values)), float(np.nanmax(self.values)), self.scale)

    def known(self, slot: int) -> bool:
        return slot >= len(self.published) or bool(self.published[slot])


def strip(axis: TimeAxis, it: Strip, top: float) -> list[alt.Chart]:
    """One strip; a perforated edge marks what is forecast."""
    name = gutter(axis, [(top + HEIGHT / 2, f"{it.name}, {it.unit}")])
    if not np.isfinite(it.values).any():
        return [*name, *words(axis, [(axis.minutes / 2, top + HEIGHT / 2, "not known")], colour=axis.inks.faint)]
    return [*_cells(axis, it, top), *_perforation(axis, it, top), *name, *_labels(axis, it, top)]


def _cells(axis: TimeAxis, it: Strip, top: float) -> list[alt.Chart]:
    horizon = it.series.horizon
    low, high = float(np.nanmin(it.values)), float(np.nanmax(it.values))
    cells = []
    for slot, value in enumerate(it.values):
        t = horizon.time_of(slot)
        left, right = axis.x(t), axis.x(t + horizon.step)
        if np.isfinite(value) and right > 0 and left < axis.minutes:
            cells.append(
                {
                    "x": max(0.0, left),
                    "x2": min(axis.minutes, right + 2),  # overlap against hairlines
                    "c": on_scale(float(value), low, high, it.scale),
                    "when": f.span(t, t + horizon.step, axis.zone),
                    "what": f.quantity(float(value), it.unit),
                    "kind": "published" if it.known(slot) else "forecast",
                }
            )
    return [
        alt.Chart(frame(cells))
        .mark_rect()
        .encode(
            x=axis.encode(),
            x2=alt.X2("x2"),
            y=alt.value(top),
            y2=alt.value(top + HEIGHT),
            color=alt.Color("c:N", scale=None),
            tooltip=[
                alt.Tooltip("when:N", title="Time"),
                alt.Tooltip("what:N", title=it.name),
                alt.Tooltip("kind:N", title="Known as"),
            ],
        )
    ]


def _perforation(axis: TimeAxis, it: Strip, top: float) -> list[alt.Chart]:
    horizon = it.series.horizon
    spans = [
        {"x": max(0.0, axis.x(horizon.time_of(slot))), "x2": min(axis.minutes, axis.x(horizon.time_of(slot + 1)))}
        for slot in range(horizon.slots)
        if not it.known(slot) and 0 <= axis.x(horizon.time_of(slot)) < axis.minutes
    ]
    if not spans:
        return []
    edge = frame([{"x": spans[0]["x"], "x2": spans[-1]["x2"]}])
    return [
        alt.Chart(edge)
        .mark_rule(color=axis.inks.page, strokeWidth=3, strokeDash=[3, 4])
        .encode(x=axis.encode(), x2=alt.X2("x2"), y=alt.value(y))
        for y in (top + 1, top + HEIGHT - 1)
    ]


def _labels(axis: TimeAxis, it: Strip, top: float) -> list[alt.Chart]:
    """The mean of each two or three hours, black or white by lightness; the first of the forecast says so."""
    horizon = it.series.horizon
    every = timedelta(hours=2 if axis.minutes <= 40 * 60 else 3)
    found = []
    said = False
    t = axis.start
    while t + every <= axis.end:
        first, after = max(0, horizon.slot_of(t)), max(0, horizon.slot_of(t + every))
        part = it.values[first:after]
        if part.size and np.isfinite(part).all():
            word = f.number(float(part.mean()))
            if not said and not it.known((first + after) // 2):
                word, said = "forecast", True
            ink = readable_on(it.colour(float(part[part.size // 2])))
            found.append((axis.x(t + every / 2), top + HEIGHT / 2 + 0.5, word, ink))
        t += every
    return inked_words(axis, found, size=12.5)
