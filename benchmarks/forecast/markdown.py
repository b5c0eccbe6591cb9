"""Tables in Markdown, and how figures are written in them."""

import math
from collections.abc import Sequence


def markdown(columns: str, rows: Sequence[Sequence[str]]) -> str:
    """A table; nothing where it has no row."""
    if not rows:
        return ""
    return "\n".join(
        [f"| {columns} |", "|---" * (columns.count("|") + 1) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    )


def percent(share: float, digits: int = 1) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.{digits}f} %"


def p_value(p: float) -> str:
    return "–" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
