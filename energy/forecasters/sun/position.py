"""Where the sun stands, and what it sends through a clear sky.

Declination and equation of time: Spencer, "Fourier series representation of the position of the sun", Search 2 (1971) 172,
good to 0.04° and half a minute.
Irradiance: Haurwitz, "Insolation in relation to cloudiness and cloud density", J. Meteorology 2 (1945) 154: of the models
that need the sun's height alone the one that fits measurements best (Reno, Hansen, Stein, SAND2012-2389).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST_DAY = np.datetime64("0001-01-01")


def day_angle(ordinal: Ints) -> Floats:
    """How far the year has come, in radians, of dates as ordinals."""
    dates = FIRST_DAY + (np.asarray(ordinal, dtype=np.int64) - 1)
    since = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    angle: Floats = 2.0 * np.pi * since / 365.0
    return angle


def declination(ordinal: Ints) -> Floats:
    """How far north of the equator the sun stands, in radians."""
    g = day_angle(ordinal)
    angle: Floats = (
        0.006918 - 0.399912 * np.cos(g) + 0.070257 * np.sin(g) - 0.006758 * np.cos(2 * g) + 0.000907 * np.sin(2 * g)
        - 0.002697 * np.cos(3 * g) + 0.00148 * np.sin(3 * g)
    )  # fmt: skip
    return angle


def noon_early_minutes(ordinal: Ints) -> Floats:
    """The equation of time: by how many minutes the sun is highest before twelve of the mean solar time."""
    g = day_angle(ordinal)
    turn = (
        0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g) - 0.040849 * np.sin(2 * g)
    )  # fmt: skip
    minutes: Floats = turn * 24 * 60 / (2.0 * np.pi)
    return minutes


def height(ordinal: Ints, hours_after_noon: Floats, latitude: float) -> Floats:
    """The sine of the sun's height above the horizon; negative at night. Arrays broadcast."""
    north, turn = np.deg2rad(latitude), np.deg2rad(15.0) * hours_after_noon
    tilt = declination(ordinal)
    sine: Floats = np.sin(north) * np.sin(tilt) + np.cos(north) * np.cos(tilt) * np.cos(turn)
    return sine


def clear_sky(sine: Floats) -> Floats:
    """Global irradiance on level ground under a clear sky, W/m2, by the sine of the sun's height."""
    up = np.maximum(sine, 1e-3)
    sent: Floats = np.where(sine > 0, 1098.0 * up * np.exp(-0.057 / up), 0.0)
    return sent
