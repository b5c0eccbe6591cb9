"""Units at the doors. Inside everything is kW, kWh, currency per kWh and kg CO2e per kWh."""

from math import isfinite

POWER_TO_KW = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
ENERGY_TO_KWH = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}
PER_ENERGY_TO_PER_KWH = {"Wh": 1e3, "kWh": 1.0, "MWh": 1e-3}


def power_kw(value: float, unit: str) -> float:
    """A power in kW from a value in W, kW or MW."""
    return value * POWER_TO_KW[unit]


def energy_kwh(value: float, unit: str) -> float:
    """An energy in kWh from a value in Wh, kWh or MWh."""
    return value * ENERGY_TO_KWH[unit]


def price_per_kwh(value: float, per: str) -> float:
    """A price per kWh from a price per Wh, kWh or MWh, in the same currency."""
    return value * PER_ENERGY_TO_PER_KWH[per]


def carbon_kg_per_kwh(grams_per_kwh: float) -> float:
    """kg CO2e per kWh from g CO2e per kWh."""
    return grams_per_kwh / 1000.0


def known(value: float | None) -> bool:
    """Whether a number says something: None, NaN and infinities do not."""
    return value is not None and isfinite(value)
