"""What the meters say of the whole site: the billed grid meter, and all that generates or stores, each kWh once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from energy.metering.site import SiteMeters
from energy.metering.tree import counting, settlement
from energy.model.horizon import Horizon
from energy.model.meter import Measures, Meter
from energy.model.series import Series

if TYPE_CHECKING:
    from energy.store.store import Store


def billed_power(store: "Store", meter: str, horizon: Horizon) -> tuple[Series, Series]:
    """Mean import and export power of each slot, kW, as the network operator bills it; where that has not come yet, as
    our own meter measured it."""
    own, billed = store.intervals.power(meter, horizon), store.billed.power(meter, horizon)
    taken, given = (
        Series(horizon, np.where(said.known, said.values, ours.values), ours.unit)
        for said, ours in zip(billed, own, strict=True)
    )
    return taken, given


def flow_of(store: "Store", meters: Sequence[Meter], measures: Measures, horizon: Horizon) -> tuple[Series, Series]:
    """Import and export, kW, of all meters that make up one kind; unknown where one of them is."""
    powers = [store.intervals.power(meter.id, horizon) for meter in counting(meters, measures)]
    if not powers:
        return Series.unknown(horizon, "kW"), Series.unknown(horizon, "kW")
    taken, given = (Series(horizon, np.sum([power[way].values for power in powers], axis=0), "kW") for way in (0, 1))
    return taken, given


def site_meters(store: "Store", horizon: Horizon) -> SiteMeters | None:
    """Grid, generation and battery of the site over a horizon; None without a meter at the grid."""
    meters = store.meters()
    grid = settlement(meters)
    if grid is None:
        return None
    imported, exported = billed_power(store, grid.id, horizon)
    pv, battery = counting(meters, Measures.PV), counting(meters, Measures.BATTERY)
    charge, discharge = flow_of(store, meters, Measures.BATTERY, horizon) if battery else (None, None)
    return SiteMeters(
        imported=imported,
        exported=exported,
        generation=flow_of(store, meters, Measures.PV, horizon)[1] if pv else None,
        charge=charge,
        discharge=discharge,
    )
