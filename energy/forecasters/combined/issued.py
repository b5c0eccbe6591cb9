"""What was issued, laid out beside the days: each member's earlier word, by the row at which it began."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Laid, averaged
from energy.model.forecast import Forecast, Member
from energy.model.horizon import Horizon

Floats = NDArray[np.float64]

LATE_MINUTES = 180  # an issue so much before the wall time of today's still counts for its day
HELD = 0.9  # of the cells asked for, or it says too little of them


def kept_of(issued: Sequence[Forecast], laid: Laid) -> dict[int, dict[str, Floats]]:
    """By row, what each member said (rows ahead, slots a day). Of two for one row the later one counts."""
    days, asked, kept = laid.days, laid.asked, {}
    for said in issued:
        if not said.members or days.step_minutes % said.horizon.step_minutes:
            continue
        own = unpublished(said)
        row, column = laid.cells_of(own)
        if not len(row) or (column[0] and (days.slots - column[0]) * days.step_minutes > LATE_MINUTES):
            continue
        issue = int(row[0]) + bool(column[0])
        within = (row >= issue) & (row < issue + days.ahead)
        there = np.zeros_like(asked)
        there[row[within] - issue, column[within]] = True
        if not 0 < issue < days.issue or there[asked].mean() < HELD:
            continue
        place = (row[within] - issue, column[within])
        first = said.horizon.slots - own.slots
        kept[issue] = {
            member.name: averaged(member.p50.values[first:][within], *place, (days.ahead, days.slots))
            for member in said.members
        }
    return kept


def bands_of(issued: Sequence[Forecast], laid: Laid) -> dict[int, dict[str, Floats]]:
    """By row, the P10 and P90 that were issued."""
    edges = [
        replace(said, members=tuple(Member(name=name, weight=0.0, p50=edge) for name, edge in
                                    (("P10", said.p10), ("P90", said.p90))))
        for said in issued
    ]  # fmt: skip
    return kept_of(edges, laid)


def unpublished(said: Forecast) -> Horizon:
    """The part of a forecast's horizon of which nothing was known yet when it was issued."""
    published_to: datetime | None = next((i.known_until for i in said.inputs if i.name == "target"), None)
    horizon = said.horizon
    if published_to is None or not horizon.start < published_to < horizon.end:
        return horizon
    first = horizon.slot_edge(published_to)
    return Horizon(horizon.time_of(first), horizon.slots - first, horizon.step_minutes)
