"""A sparkline as an SVG image: the last day of a meter, a gap drawn as a dotted base line."""

from urllib.parse import quote

import numpy as np

from dashboard import colours
from dashboard.colours import Inks
from energy.model.series import Series

WIDTH, HEIGHT = 190, 30


def sparkline(series: Series | None, inks: Inks, width: int = WIDTH) -> str:
    """A data URI. Unknown is dotted on the base line, never drawn as zero."""
    values = series.values if series is not None else np.array([])
    known = values[np.isfinite(values)]
    base = HEIGHT - 2.5
    shapes = ""
    if known.size:
        low, high = min(0.0, float(known.min())), float(known.max())
        size = (high - low) or 1.0
        for first, last in _runs(np.isfinite(values)):
            points = [
                (_x(k, values.size, width), base - (values[k] - low) / size * (HEIGHT - 6)) for k in range(first, last)
            ]
            points.append((_x(last, values.size, width), points[-1][1]))
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            shapes += (
                f'<polygon points="{points[0][0]:.1f},{base} {line} {points[-1][0]:.1f},{base}" '
                f'fill="{colours.MEASURED}" opacity=".22"/>'
            )
            shapes += f'<polyline points="{line}" fill="none" stroke="{colours.MEASURED}" stroke-width="1.6"/>'
    for first, last in _runs(~np.isfinite(values)) if values.size else [(0, 1)]:
        left, right = _x(first, values.size or 1, width), _x(last, values.size or 1, width)
        shapes += (
            f'<path d="M{left:.1f} {base}H{max(right, left + 3):.1f}" stroke="{inks.worse}" '
            f'stroke-width="2" stroke-dasharray="2 3"/>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} '
        f'{HEIGHT}" preserveAspectRatio="none">{shapes}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


def _x(k: int, count: int, width: int) -> float:
    return width * k / count


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """[first, after) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
