"""Invented weather: temperature, sun and wind as pure functions of time and seed."""

import numpy as np

from energy.model.horizon import Horizon
from energy.twin.noise import Floats, smooth
from energy.twin.wall import middle_hours

CLEAR_SKY_W = 1080.0  # W/m2 on the ground with the sun overhead
WARMEST_HOUR = 15.0  # of the sun's own day


def sun_height(hours: Floats, latitude: float, longitude: float) -> Floats:
    """The sine of the sun's height (Cooper's declination, no equation of time); below zero it is night."""
    year_day = (hours / 24.0) % 365.2425
    declination = np.radians(23.45) * np.sin(2.0 * np.pi * (year_day + 284.0) / 365.0)
    hour_angle = np.radians(15.0 * (hours % 24.0 + longitude / 15.0 - 12.0))
    place = np.radians(latitude)
    height: Floats = np.sin(place) * np.sin(declination) + np.cos(place) * np.cos(declination) * np.cos(hour_angle)
    return height


def sky(hours: Floats, seed: int) -> Floats:
    """The part of the sunlight that comes through, 0.12 to 1: fine and dull days, and clouds that pass."""
    season = np.cos(2.0 * np.pi * (hours / 24.0 / 365.2425 - 0.5))  # 1 at midsummer
    fine = 1.5 * smooth(seed, "sky day", hours / 24.0, 0.6)
    passing = 0.7 * smooth(seed, "sky hour", hours, 0.5) + 0.25 * smooth(seed, "sky minutes", hours * 6.0, 0.4)
    return 0.12 + 0.88 / (1.0 + np.exp(-(fine + passing + 0.35 + 0.6 * season)))


def irradiance(horizon: Horizon, seed: int, latitude: float = 50.0, longitude: float = 9.0) -> Floats:
    """Global horizontal irradiance, W/m2."""
    hours = middle_hours(horizon)
    height = np.clip(sun_height(hours, latitude, longitude), 0.0, None)
    return CLEAR_SKY_W * height**1.15 * sky(hours, seed)


def temperature(horizon: Horizon, seed: int, latitude: float = 50.0, longitude: float = 9.0) -> Floats:
    """Air temperature, degC: season, time of day (wider on fine days), and a walk over days."""
    hours = middle_hours(horizon)
    season = -np.cos(2.0 * np.pi * (hours / 24.0 - 20.0) / 365.2425)
    sun_hour = hours + longitude / 15.0
    day = np.cos(2.0 * np.pi * (sun_hour - WARMEST_HOUR) / 24.0)
    fine = 1.0 / (1.0 + np.exp(-smooth(seed, "sky day", hours / 24.0, 0.6)))
    mean = 10.0 - 0.5 * (latitude - 49.0)
    return mean + 9.0 * season + (1.8 + 3.4 * fine) * day + 2.8 * smooth(seed, "warm day", hours / 24.0, 0.75)


def wind(horizon: Horizon, seed: int) -> Floats:
    """How windy the country is: mean 0, variance about 1."""
    return smooth(seed, "wind", middle_hours(horizon) / 6.0, 0.88)


def pv_power(irradiance_w: Floats, temperature_c: Floats, peak_kw: float) -> Floats:
    """What a flat roof of that peak power gives, kW: hot cells give less, wires and inverters keep a part."""
    cell = temperature_c + irradiance_w * 0.025
    return peak_kw * np.clip(irradiance_w / 1000.0 * 0.9 * (1.0 - 0.0038 * (cell - 25.0)), 0.0, 0.97)
