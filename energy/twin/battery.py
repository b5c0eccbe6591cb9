"""The battery of the plant under its own controller."""

from dataclasses import dataclass

from energy.model.site import Battery


@dataclass(slots=True)
class Store:
    """What is in the battery. Its controller charges from surplus and discharges whenever the plant would import."""

    battery: Battery
    stored_kwh: float

    def step(self, residual_kw: float, hours: float) -> tuple[float, float]:
        """Charge and discharge (kW, at the terminals) over a step in which the plant less its PV draws
        `residual_kw`; at most one of them is above zero."""
        b = self.battery
        if residual_kw < 0.0:
            room_kw = max(0.0, b.capacity_kwh - self.stored_kwh) / b.charge_efficiency / hours
            charge_kw = min(-residual_kw, b.charge_kw, room_kw)
            self.stored_kwh += charge_kw * b.charge_efficiency * hours
            return charge_kw, 0.0
        left_kw = max(0.0, self.stored_kwh - b.min_kwh) * b.discharge_efficiency / hours
        discharge_kw = min(residual_kw, b.discharge_kw, left_kw)
        self.stored_kwh -= discharge_kw / b.discharge_efficiency * hours
        return 0.0, discharge_kw
