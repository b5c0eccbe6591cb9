"""Values that are published ahead: a day-ahead price is known before its day, and the days after it build on it.

What is already known within the horizon helps with the rest of it. The known part itself is forecast as if it were
not, from what came before it: so an issued forecast can be held against what came, and nobody is praised for reading.
"""

from collections.abc import Callable, Sequence

import numpy as np

from energy.model.forecast import LEVELS, Forecast, Member, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

PUBLISHED_AHEAD = (Target.PRICE, Target.CARBON)
One = Callable[[Target, Past, Horizon], Forecast]


def by_parts(one: One, target: Target, past: Past, horizon: Horizon, *, published: One | None = None) -> Forecast:
    """The forecast of a horizon of which a first part may be published already; that part is made by `published`, where
    it is given."""
    known_to = min(past.target.horizon.end, horizon.end)
    slots = horizon.slot_edge(known_to)
    if target not in PUBLISHED_AHEAD or not 0 < slots < horizon.slots:
        return one(target, past, horizon)
    first = (published or one)(target, past, Horizon(horizon.start, slots, horizon.step_minutes))
    rest = one(target, past, Horizon(horizon.time_of(slots), horizon.slots - slots, horizon.step_minutes))
    return joined_forecast(first, rest, horizon)


def joined_forecast(first: Forecast, rest: Forecast, horizon: Horizon) -> Forecast:
    """Two forecasts, one after the other, as one. Its members are those of the second."""
    return Forecast(
        target=rest.target,
        issued_at=rest.issued_at,
        p10=joined(first.p10, rest.p10, horizon),
        p50=joined(first.p50, rest.p50, horizon),
        p90=joined(first.p90, rest.p90, horizon),
        source=rest.source,
        flags=tuple(dict.fromkeys((*first.flags, *rest.flags))),
        quantiles=tuple((level, joined(first.at(level), rest.at(level), horizon)) for level in LEVELS)
        if rest.quantiles
        else (),
        members=joined_members(first.members, rest.members, horizon),
        inputs=rest.inputs,
    )


def joined_members(first: Sequence[Member], rest: Sequence[Member], horizon: Horizon) -> tuple[Member, ...]:
    said = {member.name: member.p50 for member in first}
    return tuple(
        Member(
            name=member.name,
            weight=member.weight,
            p50=joined(said[member.name], member.p50, horizon) if member.name in said else member.p50.over(horizon),
        )
        for member in rest
    )


def joined(first: Series, rest: Series, horizon: Horizon) -> Series:
    return Series(horizon, np.concatenate([first.values, rest.values]), rest.unit)


def already_said(issued: Sequence[Forecast], past: Past, horizon: Horizon) -> Forecast | None:
    """What was forecast of a horizon when none of it was published yet; None where no issued forecast holds all of it."""
    for said in reversed(issued):
        published_to = next((i.known_until for i in said.inputs if i.name == "target"), None)
        begun = said.horizon.start if published_to is None else max(said.horizon.start, published_to)
        if begun <= horizon.start and said.horizon.end >= horizon.end and said.horizon.step == horizon.step:
            return Forecast(
                target=said.target,
                issued_at=past.known_at,
                p10=said.p10.over(horizon),
                p50=said.p50.over(horizon),
                p90=said.p90.over(horizon),
                source=said.source,
                quantiles=tuple((level, series.over(horizon)) for level, series in said.quantiles),
                members=tuple(Member(name=m.name, weight=m.weight, p50=m.p50.over(horizon)) for m in said.members),
                inputs=said.inputs,
            )
    return None
