"""The tree of meters: what each one counted, what the meters below it explain, and where they tell more than it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from energy.metering.tree import above_of, below
from energy.model.horizon import Interval
from energy.model.meter import IntervalEnergy, Measures, Meter, Quality
from energy.store import Store

OVER_SHARE = 0.03  # meters of class 1 and their transformers may differ by so much of what the upper one counted
OVER_KWH = 2.0  # and by the coarsest counter step on either side


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A meter in the tree over a span. `net_kwh` is what flowed down through it (for PV: less than zero where it
    generated); `below_kwh` what the meters directly below it count together, both over the `slots` that all of them
    know. None: not known, or nothing hangs below."""

    meter: Meter
    depth: int
    net_kwh: float | None
    below_kwh: float | None = None
    slots: int = 0
    silent: tuple[str, ...] = ()  # meters below it that know nothing of the span, so that the sum says nothing either
    modelled: bool = False  # a part of it is what a dead meter usually says

    @property
    def unexplained_kwh(self) -> float | None:
        """What no meter below explains; less than zero where they count more than flowed."""
        return None if self.net_kwh is None or self.below_kwh is None else self.net_kwh - self.below_kwh

    @property
    def over(self) -> bool:
        """Whether the meters below count more than can be: a ratio, a sign or a place in the tree is wrong."""
        rest = self.unexplained_kwh
        return rest is not None and self.net_kwh is not None and rest < -(OVER_KWH + OVER_SHARE * abs(self.net_kwh))


def meter_tree(store: Store, span: Interval) -> list[Node]:
    """The meters as they hang, each before those below it; check meters and virtual ones stand at the end by themselves."""
    meters = store.meters()
    said = store.intervals.of_each([m.id for m in meters], span)
    energies = {meter: {one.start: one for one in some} for meter, some in said.items()}
    roots = [meter for meter in meters if above_of(meter, meters) is None]
    tops = sorted(roots, key=lambda meter: not below(meter, meters))
    return [node for top in tops for node in _branch(top, meters, energies, 0)]


def _branch(
    meter: Meter, meters: Sequence[Meter], energies: Mapping[str, Mapping[datetime, IntervalEnergy]], depth: int
) -> list[Node]:
    children = below(meter, meters)
    nodes = [_node(meter, children, energies, depth)]
    for child in children:
        nodes += _branch(child, meters, energies, depth + 1)
    return nodes


def _node(
    meter: Meter,
    children: Sequence[Meter],
    energies: Mapping[str, Mapping[datetime, IntervalEnergy]],
    depth: int,
) -> Node:
    own = known_net(meter, energies[meter.id])
    below_kwh = {child.id: known_net(child, energies[child.id]) for child in children}
    silent = tuple(child.name for child in children if not below_kwh[child.id])
    speaking = [nets for nets in below_kwh.values() if nets]
    common = [start for start in own if all(start in nets for nets in speaking)] if speaking else list(own)
    return Node(
        meter=meter,
        depth=depth,
        net_kwh=sum(own[start] for start in common) if common else None,
        below_kwh=sum(nets[start] for nets in speaking for start in common) if speaking and common else None,
        slots=len(common),
        silent=silent,
        modelled=any(one.quality is Quality.MODELLED for one in energies[meter.id].values()),
    )


def known_net(meter: Meter, energies: Mapping[datetime, IntervalEnergy]) -> dict[datetime, float]:
    """What flowed down through a meter in each known interval, kWh."""
    return {start: net(meter, one) for start, one in energies.items() if one.quality is not Quality.MISSING}


def net(meter: Meter, one: IntervalEnergy) -> float:
    """What flowed down: import less export. A PV meter counts its own small import on the other side."""
    taken, given = one.import_kwh or 0.0, one.export_kwh or 0.0
    return -given if meter.measures is Measures.PV else taken - given
