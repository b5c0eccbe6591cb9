"""What the plant draws when no job runs: buildings by weekday, weather and chance, and the compressors."""

import numpy as np

from energy.model.horizon import Horizon
from energy.model.site import Site
from energy.twin import tables
from energy.twin.noise import Floats, normal, smooth
from energy.twin.roster import DAY_MINUTES, Roster, time_of
from energy.twin.wall import wall
from energy.twin.weather import irradiance, pv_power, temperature


def utc_day(day: int) -> Horizon:
    """The minutes of a day in UTC, counted since 1970."""
    return Horizon(time_of(day * DAY_MINUTES), DAY_MINUTES, 1)


def buildings_kw(day: int, site: Site, roster: Roster, seed: int) -> Floats:
    """Buildings and everything that is no machine, for each minute of a day in UTC."""
    minutes = utc_day(day)
    at = wall(minutes, site.zone)
    kind = _kind_of_day(at.day, roster)
    curves = np.array([tables.WORKDAY_KW, tables.SATURDAY_KW, tables.SUNDAY_KW], dtype=float)
    hour = np.floor(at.hour - 0.5).astype(int) % 24  # a figure of the table stands in the middle of its hour
    share = (at.hour - 0.5) % 1.0
    curve = curves[kind, hour] * (1.0 - share) + curves[kind, (hour + 1) % 24] * share

    outside = temperature(minutes, seed, *place(site))
    climate = tables.HEATING_KW_PER_DEGREE * np.clip(tables.HEATED_BELOW - outside, 0.0, None)
    climate += tables.COOLING_KW_PER_DEGREE * np.clip(outside - tables.COOLED_ABOVE, 0.0, None)
    there = roster.anybody(day)
    climate *= np.where(there, 1.0, tables.EMPTY_SHARE)

    # Winter lighting, days that are busier than others, things switched on and off, and the flicker of a minute.
    lighting = 9.0 * np.cos(2.0 * np.pi * at.season) * there
    busy = 0.025 * smooth(seed, "busy day", at.epoch_hours / 24.0, 0.6)
    switched = 5.0 * smooth(seed, "switched", at.epoch_hours * 2.0, 0.7)
    flicker = 1.5 * normal(seed, "flicker", day * DAY_MINUTES + np.arange(DAY_MINUTES))
    drawn: Floats = np.maximum(curve * (1.0 + busy) + climate + lighting + switched + flicker, 20.0)
    return drawn


def compressors_kw(crew: bool, presses: int, blasting: int) -> float:
    """The compressors follow the machines that run on air."""
    air = tables.COMPRESSOR_PER_PRESS_KW * presses + tables.COMPRESSOR_PER_BLASTING_KW * blasting
    return (tables.COMPRESSOR_CREW_KW if crew else tables.COMPRESSOR_IDLE_KW) + air


def generated_kw(day: int, site: Site, seed: int) -> Floats:
    """What the PV roof could give, for each minute of a day in UTC."""
    minutes = utc_day(day)
    return pv_power(irradiance(minutes, seed, *place(site)), temperature(minutes, seed, *place(site)), site.pv_peak_kw)


def place(site: Site) -> tuple[float, float]:
    """Where the plant stands; somewhere in the middle of Europe where it does not say."""
    return (
        50.0 if site.latitude is None else site.latitude,
        9.0 if site.longitude is None else site.longitude,
    )


def _kind_of_day(local_days: np.ndarray, roster: Roster) -> np.ndarray:
    """0 a working day, 1 a Saturday, 2 a Sunday or a closed day."""
    kinds = {int(day): _kind(int(day), roster) for day in np.unique(local_days)}
    return np.array([kinds[int(day)] for day in local_days])


def _kind(local_day: int, roster: Roster) -> int:
    day = time_of(local_day * DAY_MINUTES).date()
    if roster.works_on(day):
        return 0
    return 1 if day.weekday() == 5 else 2
