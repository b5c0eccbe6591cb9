"""When the sun stands highest by the clock of a series, and how far north: read off what was generated alone.

Nobody asks a plant for its coordinates to forecast its roof, and where somebody does, the clock of the meter may still
run two hours late. What counts is when the sun is highest *in this file*.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.sun.envelope import envelope
from energy.forecasters.sun.position import clear_sky, height

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK_DAYS = 10  # of which one envelope is read
LATITUDES = np.arange(-64.0, 65.0, 4.0)
SPAN_DAYS = 40  # below which a season cannot be told from a spell of weather
MIDDLING = 48.0  # degrees; what is supposed until the season tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    noon: float  # minutes after midnight, by the clock of the series
    latitude: float

    def irradiance(self, ordinal: Ints, minute: Floats) -> Floats:
        """W/m2 under a clear sky; `ordinal` and `minute` (of the middle of a slot) broadcast."""
        return clear_sky(height(ordinal, (minute - self.noon + 720.0) % 1440.0 / 60.0 - 12.0, self.latitude))


def sky_of(lit: Floats, ordinal: Ints, minute: Floats, *, latitude: float | None = None) -> Sky | None:
    """The sky over a series (days, slots) that is zero at night: generation, or radiation that came down. None where it
    never rises above zero. `ordinal` is of each cell, `minute` of the middle of each slot."""
    profile = np.nan_to_num(envelope(lit, smooth=0.0))
    if profile.max() <= 0:
        return None
    noon = middle_of(profile, minute)
    if latitude is not None:
        return Sky(noon=noon, latitude=latitude)
    blocks = range(0, max(1, len(lit) - BLOCK_DAYS + 1), BLOCK_DAYS)
    if len(lit) < SPAN_DAYS:
        return Sky(noon=noon, latitude=MIDDLING)
    seen = np.array([np.nan_to_num(envelope(lit[at : at + BLOCK_DAYS], smooth=0.0)) for at in blocks])
    dates = np.array([ordinal[min(at + BLOCK_DAYS // 2, len(lit) - 1)] for at in blocks])
    return Sky(
        noon=noon,
        latitude=float(
            max(
                LATITUDES,
                key=lambda north: alike(seen, Sky(noon=noon, latitude=north).irradiance(dates, minute[None, :])),
            )
        ),
    )


def middle_of(profile: Floats, minute: Floats) -> float:
    """The time of day around which a profile lies, as the direction of its centre on the clock."""
    turn = 2.0 * np.pi * minute / 1440.0
    centre = np.arctan2((profile * np.sin(turn)).sum(), (profile * np.cos(turn)).sum())
    return float(centre % (2.0 * np.pi) * 1440.0 / (2.0 * np.pi))


def alike(seen: Floats, clear: Floats) -> float:
    """How well two tables go together: their correlation, without either's mean taken away."""
    size = float(np.sqrt((seen**2).sum() * (clear**2).sum()))
    return float((seen * clear).sum()) / size if size > 0 else -1.0
