"""A load that was once measured, played back through a meter on the plant's clock."""

from collections.abc import Mapping

import numpy as np

from energy.clock import Clock
from energy.model.series import Series
from energy.twin.stand import Stand


class LoadReplay:
    """A power source that follows given loads: each meter draws the mean power (kW, import positive) of the slot
    that is now, and its counters say the energy since the start of its series. Before the start and after the end
    nothing flows. A gap in a series is refused: a meter that stands still would be an invented load."""

    def __init__(self, loads: Mapping[str, Series], clock: Clock) -> None:
        self._clock = clock
        self._loads = dict(loads)
        self._sums: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for meter, load in loads.items():
            gaps = np.flatnonzero(np.isnan(load.values))
            if gaps.size:
                where = load.horizon.time_of(int(gaps[0])).isoformat()
                raise ValueError(f"the load of meter {meter} has {gaps.size} gaps, the first at {where}; fill them")
            energy = load.values * load.horizon.step_hours
            both = (np.maximum(energy, 0.0), np.maximum(-energy, 0.0))
            self._sums[meter] = tuple(np.concatenate([[0.0], np.cumsum(part)]) for part in both)  # type: ignore[assignment]  # two of them

    def stand(self, meter: str) -> Stand:
        """The counters and the power of a meter now."""
        load = self._loads[meter]
        horizon = load.horizon
        position = (self._clock.now() - horizon.start) / horizon.step
        position = min(max(position, 0.0), float(horizon.slots))
        slot = int(position)
        running = 0 <= slot < horizon.slots and self._clock.now() >= horizon.start
        kw = float(load.values[slot]) if running else 0.0
        imported, exported = self._sums[meter]
        hours = (position - slot) * horizon.step_hours
        return Stand(
            import_kwh=float(imported[slot]) + max(kw, 0.0) * hours,
            export_kwh=float(exported[slot]) + max(-kw, 0.0) * hours,
            power_kw=kw,
        )
