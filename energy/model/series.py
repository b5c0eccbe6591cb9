"""A row of values over a horizon. A gap is NaN and stays NaN until someone who may decide decides."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from energy.model.horizon import Horizon

if TYPE_CHECKING:
    import pandas as pd

# The names under which the well-known series of a site are stored; `energy_of` names a meter's.
PRICE_DAY_AHEAD = "price.day_ahead"  # currency/kWh, market price without fees
PRICE_FORECAST = "price.forecast"
CARBON_INTENSITY = "carbon.intensity"  # kg CO2e/kWh; its basis is stored beside it
CARBON_FORECAST = "carbon.forecast"
TEMPERATURE = "weather.temperature"  # degC
IRRADIANCE = "weather.irradiance"  # W/m2, global horizontal, mean of the slot
WIND_SPEED = "weather.wind_speed"  # m/s, 10 m above ground
WIND_SPEED_100M = "weather.wind_speed_100m"  # m/s, 100 m above ground
CLOUD_COVER = "weather.cloud_cover"  # % of the sky
BASE_LOAD = "load.base"  # kW, mean of the slot
PV_POWER = "pv.power"  # kW, mean of the slot, generation positive
SITE_IMPORT = "site.import"  # kW, mean of the slot
SITE_EXPORT = "site.export"  # kW, mean of the slot


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One value a slot, with its unit. Comparable and hashable by content; two NaN in the same slot are equal."""

    horizon: Horizon
    values: NDArray[np.float64]
    unit: str
    _digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        values[np.isnan(values)] = np.nan  # arithmetic makes NaN of other bits too, and a gap is a gap
        if values.shape != (self.horizon.slots,):
            raise ValueError(f"{self.horizon.slots} slots need as many values, not {values.shape}")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        head = f"{self.horizon.start.isoformat()}|{self.horizon.step_minutes}|{self.unit}|"
        digest = hashlib.blake2b(head.encode() + (values + 0.0).tobytes(), digest_size=16).digest()
        object.__setattr__(self, "_digest", digest)

    @classmethod
    def of(cls, horizon: Horizon, values: Iterable[float], unit: str) -> "Series":
        return cls(horizon, np.fromiter(values, dtype=np.float64), unit)

    @classmethod
    def unknown(cls, horizon: Horizon, unit: str) -> "Series":
        """A series of which nothing is known."""
        return cls(horizon, np.full(horizon.slots, np.nan), unit)

    @classmethod
    def constant(cls, horizon: Horizon, value: float, unit: str) -> "Series":
        return cls(horizon, np.full(horizon.slots, value), unit)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    @property
    def digest(self) -> str:
        """A stable hash of the content, the same in every process."""
        return self._digest.hex()

    @property
    def known(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.values)

    def at(self, t: datetime) -> float:
        """The value of the slot that holds an instant; NaN outside the horizon."""
        slot = self.horizon.slot_of(t)
        return float(self.values[slot]) if 0 <= slot < self.horizon.slots else float("nan")

    def over(self, horizon: Horizon) -> "Series":
        """The same values on another horizon of the same step; NaN where this one says nothing."""
        if horizon.step_minutes != self.horizon.step_minutes:
            raise ValueError(f"a step of {self.horizon.step_minutes} min is not one of {horizon.step_minutes} min")
        values = np.full(horizon.slots, np.nan)
        shift = self.horizon.slot_of(horizon.start)
        first, last = max(0, -shift), min(horizon.slots, self.horizon.slots - shift)
        if first < last:
            values[first:last] = self.values[first + shift : last + shift]
        return Series(horizon, values, self.unit)

    def filled_from(self, other: "Series") -> "Series":
        """This series with its gaps taken from another of the same unit."""
        if other.unit != self.unit:
            raise ValueError(f"cannot fill {self.unit} from {other.unit}")
        return Series(self.horizon, np.where(self.known, self.values, other.over(self.horizon).values), self.unit)

    def to_pandas(self) -> "pd.Series[Any]":
        """The values over a UTC DatetimeIndex of slot starts."""
        import pandas as pd

        index = pd.date_range(self.horizon.start, periods=self.horizon.slots, freq=f"{self.horizon.step_minutes}min")
        return pd.Series(self.values.copy(), index=index, name=self.unit)
