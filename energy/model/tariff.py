"""The energy contract: what a kWh costs besides its market price, and what a kW of peak costs.

Grid fees and taxes are part of the tariff. A demand charge belongs to its billing period and its windows.
"""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Some hours of some days in a part of the year, in local wall time: `start` inclusive, `end` exclusive; an end of
    00:00 means midnight. Months and weekdays (0 = Monday) that are empty mean all."""

    start: time = time(0, 0)
    end: time = time(0, 0)
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    on_holidays: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRate:
    """A part of the price of a kWh of import that holds in its windows (empty: always). `per_kwh` in currency."""

    name: str
    per_kwh: float
    windows: tuple[Window, ...] = ()


class Period(StrEnum):
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRate:
    """A charge per kW of the highest import mean of `minutes` within the windows (empty: always) of a period.

    High-load windows of a grid operator are windows with months. `target_kw` is the agreed peak: a kW below it is
    worth nothing."""

    name: str
    per_kw: float
    period: Period
    windows: tuple[Window, ...] = ()
    minutes: int = 15
    target_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The contract. The price of an imported kWh = market price (or the fixed one) + all rates that hold then."""

    currency: str
    rates: tuple[EnergyRate, ...] = ()
    demand: tuple[DemandRate, ...] = ()
    fixed_per_kwh: float | None = None  # set where the contract has no market price
    export_per_kwh: float | None = 0.0  # None: the market price without fees
    market_factor: float = 1.0  # supplier's factor on the market price
    carbon_price_per_kg: float = 0.0
    valid_from: date | None = None
    source: str = ""
