"""What the site would have drawn had the moved jobs run at their as-is starts.

    counterfactual = metered net − the load of accepted, moved jobs as run + their load at their as-is start

but never earlier than was physically possible. A battery that follows its own rule would have acted otherwise in the
counterfactual: what it would have done is simulated for both, and the difference is added to the metered net, so that
what was really metered stays the ground of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy.model.horizon import Horizon
from energy.model.series import Series
from energy.model.site import Battery, BatteryRule

Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """What the meters said of a span: mean kW of each slot, NaN where nobody knows."""

    imported: Series
    exported: Series
    site_load: Series | None = None  # consumption behind the meter; needed only where there is a battery
    generation: Series | None = None

    @property
    def net(self) -> Row:
        return np.asarray(self.imported.values - np.nan_to_num(self.exported.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Prices of each slot, currency/kWh, and the carbon of an imported kWh, kg."""

    import_price: Row
    export_price: Row
    carbon: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Import and export of each slot, kW, and what is in the battery at the end, kWh."""

    imported: Row
    exported: Row
    stored_kwh: float


def flows(net: Row, stored_kwh: float = 0.0) -> Flows:
    return Flows(imported=np.maximum(0.0, net), exported=np.maximum(0.0, -net), stored_kwh=stored_kwh)


def moved_load(as_run: Row, horizon: Horizon, ran_at: datetime, as_is_start: datetime, factor: float = 1.0) -> Row:
    """A run's load, kW, as it would have stood at another start: the same shape, moved by whole minutes; `factor` scales
    the energy (another machine)."""
    shift = (as_is_start - ran_at).total_seconds() / 60.0 / horizon.step_minutes
    edges = np.arange(horizon.slots + 1, dtype=np.float64)
    energy = np.concatenate([[0.0], np.cumsum(np.nan_to_num(as_run))])
    moved = np.interp(edges - shift, edges, energy, left=0.0, right=energy[-1])
    return np.asarray(np.diff(moved) * factor)


def follow_rule(battery: Battery, surplus_kw: Row, stored_kwh: float, hours: float) -> tuple[Row, float]:
    """The battery's power (discharge positive, charge negative) under self-consumption for each slot of generation less
    load, and what is in it at the end. Unknown slots are rest."""
    power = np.zeros(len(surplus_kw))
    for slot, surplus in enumerate(np.nan_to_num(surplus_kw)):
        if surplus > 0:
            room = (battery.capacity_kwh - stored_kwh) / battery.charge_efficiency / hours
            charge = min(surplus, battery.charge_kw, max(0.0, room))
            stored_kwh += charge * battery.charge_efficiency * hours
            power[slot] = -charge
        elif surplus < 0:
            there = max(0.0, stored_kwh - battery.min_kwh) * battery.discharge_efficiency / hours
            discharge = min(-surplus, battery.discharge_kw, there)
            stored_kwh -= discharge / battery.discharge_efficiency * hours
            power[slot] = discharge
    return power, stored_kwh


def counterfactual(
    metered: Metered, removed: Sequence[Row], added: Sequence[Row], *, battery: Battery | None, stored_kwh: float
) -> tuple[Flows, float]:
    """The flows without the moves, and how much more (negative: less) would be left in the battery at the end, kWh."""
    change = np.sum([*added, *[-row for row in removed]], axis=0) if (added or removed) else np.zeros(len(metered.net))
    if battery is None or battery.rule is not BatteryRule.SELF_CONSUMPTION or metered.site_load is None:
        return flows(metered.net + change), 0.0
    generation = metered.generation.values if metered.generation is not None else np.zeros(len(change))
    surplus = generation - metered.site_load.values
    hours = metered.imported.horizon.step_hours
    real, left = follow_rule(battery, surplus, stored_kwh, hours)
    other, left_other = follow_rule(battery, surplus - change, stored_kwh, hours)
    return flows(metered.net + change - (other - real)), left_other - left


def cost(flow: Flows, money: Money, hours: float) -> tuple[float, float]:
    """(money, kg CO2e) of the slots that are known: import at its price, export paid, carbon of the import."""
    known = ~np.isnan(flow.imported)
    bill = (flow.imported * money.import_price - flow.exported * money.export_price)[known].sum() * hours
    return float(bill), float((flow.imported * money.carbon)[known].sum() * hours)
