"""Values that are published ahead: a day-ahead price is known before its day, and the days after it build on it.

What is already known within the horizon helps with the rest of it. The known part itself is forecast as if it were
not, from what came before it: so an issued forecast can be held against what came, and nobody is praised for reading.
"""

from collections.abc import Callable

import numpy as np

from energy.model.forecast import Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

PUBLISHED_AHEAD = (Target.PRICE, Target.CARBON)


def by_parts(
    one: Callable[[Target, Past, Horizon], Forecast], target: Target, past: Past, horizon: Horizon
) -> Forecast:
    """The forecast of a horizon of which a first part may be published already."""
    known_to = min(past.target.horizon.end, horizon.end)
    slots = horizon.slot_edge(known_to)
    if target not in PUBLISHED_AHEAD or not 0 < slots < horizon.slots:
        return one(target, past, horizon)
    first = one(target, past, Horizon(horizon.start, slots, horizon.step_minutes))
    rest = one(target, past, Horizon(horizon.time_of(slots), horizon.slots - slots, horizon.step_minutes))
    return Forecast(
        target=target,
        issued_at=past.known_at,
        p10=joined(first.p10, rest.p10, horizon),
        p50=joined(first.p50, rest.p50, horizon),
        p90=joined(first.p90, rest.p90, horizon),
        source=rest.source,
        flags=tuple(dict.fromkeys((*first.flags, *rest.flags))),
    )


def joined(first: Series, rest: Series, horizon: Horizon) -> Series:
    return Series(horizon, np.concatenate([first.values, rest.values]), rest.unit)
