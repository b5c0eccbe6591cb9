"""What is expected: a middle, a band, and how it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from energy.model.horizon import Horizon
from energy.model.series import Series


class Target(StrEnum):
    """What is forecast."""

    BASE_LOAD = "base_load"  # kW
    PRICE = "price"  # currency/kWh, market price without fees
    PV = "pv"  # kW
    CARBON = "carbon"  # kg CO2e/kWh


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """An issued forecast: P10, P50 and P90 on one horizon, made from what was known at `issued_at`.

    `source` names the forecaster that really made it; `flags` say what was missing or fell back, in words.
    """

    target: Target
    issued_at: datetime
    p10: Series
    p50: Series
    p90: Series
    source: str
    flags: tuple[str, ...] = ()

    @property
    def horizon(self) -> Horizon:
        return self.p50.horizon

    @property
    def degraded(self) -> bool:
        return bool(self.flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a forecaster may see: the target so far, and drivers by name, each as known at `known_at`.

    `target` ends where the forecast begins, or earlier; its gaps are NaN and are not learned. Drivers reach over the
    horizon of the forecast where they are known there. `zone` and `country` place the local calendar.
    """

    target: Series
    drivers: tuple[tuple[str, Series], ...]
    known_at: datetime
    zone: str
    country: str = ""
    holidays: tuple[str, ...] = ()  # ISO dates, the plant's own closed days


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One readable part of a forecast (trend, daily, weekly …) over its horizon or cycle, for the screen."""

    name: str
    x: tuple[str, ...]
    y: tuple[float, ...]
    unit: str
