"""How the meters of a plant stand to each other: which one is billed, which make up the site, which hang below which."""

from collections.abc import Iterator, Sequence

from energy.model.meter import Measures, Meter, Role


def settlement(meters: Sequence[Meter]) -> Meter | None:
    """The meter that the bill is made of; in a plant that names none, the first at the grid connection."""
    grid = [meter for meter in meters if meter.measures is Measures.GRID]
    return next((meter for meter in grid if meter.role is Role.SETTLEMENT), grid[0] if grid else None)


def counting(meters: Sequence[Meter], measures: Measures) -> list[Meter]:
    """The meters whose sum is what the whole site does of one kind, each kWh once: no check meters, none that hangs below
    another of the same kind, and none that already counts in a virtual one. At the grid it is the settlement meter."""
    if measures is Measures.GRID:
        billed = settlement(meters)
        return [] if billed is None else [billed]
    found = {m.id: m for m in meters if m.measures is measures and m.role is not Role.CHECK}
    counted_in = {part.meter for meter in found.values() for part in meter.parts}
    return [
        meter
        for meter in found.values()
        if meter.id not in counted_in and not any(up.id in found for up in upwards(meter, meters))
    ]


def upwards(meter: Meter, meters: Sequence[Meter]) -> Iterator[Meter]:
    """The meters above one, nearest first."""
    known = {one.id: one for one in meters}
    seen = {meter.id}
    above = known.get(meter.above or "")
    while above is not None and above.id not in seen:
        seen.add(above.id)
        yield above
        above = known.get(above.above or "")


def above_of(meter: Meter, meters: Sequence[Meter]) -> Meter | None:
    """The meter directly above one. What says nothing hangs below the settlement meter; check meters and virtual ones
    hang below none unless they say so, since what flows there is counted by others already."""
    if meter.above is not None:
        return next((one for one in meters if one.id == meter.above), None)
    top = settlement(meters)
    stands_alone = meter.role in (Role.CHECK, Role.VIRTUAL) or meter.measures is Measures.GRID
    return None if top is None or top.id == meter.id or stands_alone else top


def below(meter: Meter, meters: Sequence[Meter]) -> list[Meter]:
    """The meters that hang directly below one."""
    return [one for one in meters if (up := above_of(one, meters)) is not None and up.id == meter.id]


def in_order(meters: Sequence[Meter]) -> list[Meter]:
    """The virtual meters, each after those that it is made of."""
    virtual = {meter.id: meter for meter in meters if meter.parts}
    made: dict[str, Meter] = {}

    def make(meter: Meter, asked: frozenset[str]) -> None:
        for part in meter.parts:
            if part.meter in virtual and part.meter not in made and part.meter not in asked:
                make(virtual[part.meter], asked | {part.meter})
        made.setdefault(meter.id, meter)

    for meter in virtual.values():
        make(meter, frozenset({meter.id}))
    return list(made.values())
