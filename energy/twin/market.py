"""An invented power market: day-ahead price and grid carbon, as pure functions of time and seed.

Both follow the residual load: what people use, less what sun and wind give. So cheap hours are mostly clean hours,
noon dips in summer, evenings are dear, Sundays are low and a sunny, windy Sunday can go below zero.
"""

import numpy as np

from energy.model.horizon import Horizon
from energy.twin.noise import Floats, normal, smooth
from energy.twin.wall import Wall, middle_hours, wall
from energy.twin.weather import irradiance, wind

COUNTRY_LATITUDE, COUNTRY_LONGITUDE = 51.0, 10.0  # the market's sun is the country's, not the plant's
# How much less is used by the hour of the week (0 is Monday, 0 o'clock): down on Friday night, lowest on Sunday.
WEEKEND = ((0, 0.6), (5, 0.0), (115, 0.0), (126, 0.42), (140, 0.42), (150, 0.75), (160, 0.75), (168, 0.6))
CLEANEST, DIRTIEST = 0.09, 0.68  # kg CO2e/kWh


def demand(at: Wall) -> Floats:
    """How much the country uses: about 0 in the mean, a morning and an evening peak, low at night and on weekends."""
    morning = np.exp(-(((at.hour - 8.5) / 2.3) ** 2))
    evening = 1.25 * np.exp(-(((at.hour - 19.0) / 2.4) ** 2))
    midday = 0.45 * np.exp(-(((at.hour - 13.0) / 3.0) ** 2))
    night = 0.85 * np.exp(-(((at.hour - 3.2) / 2.6) ** 2)) + 0.4 * np.exp(-(((at.hour - 24.5) / 2.0) ** 2))
    week_hour = at.weekday * 24.0 + at.hour
    weekend = np.interp(week_hour, [hour for hour, _ in WEEKEND], [less for _, less in WEEKEND])
    winter = 0.3 * np.cos(2.0 * np.pi * at.season)
    used: Floats = (morning + midday + evening) * (1.0 - 0.45 * weekend) - night - weekend + winter - 0.35
    return used


def residual(horizon: Horizon, seed: int, zone: str) -> tuple[Wall, Floats, Floats]:
    """Wall time, residual load, and the country's sun (0 to 1)."""
    at = wall(horizon, zone)
    # A country's clouds average out: half its own sky, half a mean one.
    sun = irradiance(horizon, seed + 1, COUNTRY_LATITUDE, COUNTRY_LONGITUDE)
    mean_sky = irradiance(horizon, seed + 2, COUNTRY_LATITUDE, COUNTRY_LONGITUDE)
    sunny = (sun + mean_sky) / 2.0 / 900.0
    return at, demand(at) - 2.3 * sunny - 0.6 * wind(horizon, seed), sunny


def price(horizon: Horizon, seed: int, zone: str) -> Floats:
    """Day-ahead price, currency/kWh, without fees."""
    at, load, sunny = residual(horizon, seed, zone)
    level = 0.099 + 0.013 * smooth(seed, "price level", at.day.astype(np.float64), 0.85)
    value = level + 0.029 * load + 0.006 * np.clip(load - 0.8, 0.0, None) ** 2
    # Quarter hours zigzag where the sun comes and goes, because blocks of an hour follow it in steps.
    ramp = (at.hour % 1.0 - 0.5) * 0.010 * np.where(at.hour < 13.0, -1.0, 1.0) * (sunny > 0.03)
    noise = 0.0018 * normal(seed, "price noise", np.floor(at.epoch_hours * 4.0).astype(np.int64))
    return np.maximum(np.where(value < 0.012, 0.012 + (value - 0.012) * 1.5, value) + ramp + noise, -0.25)


def carbon(horizon: Horizon, seed: int, zone: str) -> Floats:
    """Carbon intensity of the grid, kg CO2e/kWh, average and direct."""
    at, load, _ = residual(horizon, seed, zone)
    mix = 0.385 + 0.075 * load + 0.018 * smooth(seed, "carbon level", at.day.astype(np.float64), 0.7)
    return np.clip(mix, CLEANEST, DIRTIEST)


def believed(truth: Floats, horizon: Horizon, seed: int, name: str, *, now_hours: float, error: float) -> Floats:
    """What a forecast issued now says of the truth: exact for what has been, then off by up to `error` (one standard
    deviation) a day and a half ahead."""
    hours = middle_hours(horizon)
    ahead = np.sqrt(np.clip((hours - now_hours) / 36.0, 0.0, 1.0))
    said: Floats = truth + error * ahead * smooth(seed, f"forecast {name}", hours / 3.0, 0.8)
    return said
