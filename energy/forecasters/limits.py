"""Physical limits of what is forecast: no load or carbon below zero, no sun at night. Prices may be negative."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.bands import Band
from energy.forecasters.days import LocalSlots
from energy.model.forecast import Target

if TYPE_CHECKING:
    from energy.forecasters.similar import DayTable

NIGHT_DAYS = 21  # if a time of day gave nothing on so many days, it is night
NIGHT_SHARE = 0.002  # of the highest power: an inverter's own draw and a meter's last digit
NET_SHARE = 0.01  # of all slots below zero: then the series is a net load, and zero is no limit


def kept_within(target: Target, band: Band, ahead: LocalSlots, table: "DayTable") -> Band:
    """A band within what can be."""
    if target is Target.PRICE:
        return band
    p10, p50, p90 = band.p10, band.p50, band.p90
    known = table.values[~np.isnan(table.values)]
    if target is not Target.BASE_LOAD or (known < 0).mean() <= NET_SHARE:
        p10, p50, p90 = np.maximum(p10, 0.0), np.maximum(p50, 0.0), np.maximum(p90, 0.0)
    if target is Target.PV:
        night = dark_columns(table)[ahead.minute // table.step_minutes]
        p10, p50, p90 = (np.where(night, 0.0, values) for values in (p10, p50, p90))
        most = np.max(known)  # what the roof gave at its best; more than that is not to be expected
        p50, p90 = np.minimum(p50, most), np.minimum(p90, most)
        p10 = np.minimum(p10, p50)
    return Band(p10, p50, p90)


def dark_columns(table: "DayTable") -> NDArray[np.bool_]:
    """The times of day (columns) that are night: measured on some day, and nothing came on any of the last days."""
    rows = table.values[-NIGHT_DAYS:]
    known = ~np.isnan(rows)
    least = NIGHT_SHARE * max(float(np.nanmax(table.values)), 0.0)
    dark: NDArray[np.bool_] = known.any(axis=0) & (np.where(known, rows, 0.0).max(axis=0) <= least)
    return dark
