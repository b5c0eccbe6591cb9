"""What is expected: a middle, a band, and how it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from energy.model.horizon import Horizon
from energy.model.series import Series


class Target(StrEnum):
    """What is forecast."""

    BASE_LOAD = "base_load"  # kW
    PRICE = "price"  # currency/kWh, market price without fees
    PV = "pv"  # kW
    CARBON = "carbon"  # kg CO2e/kWh


# The levels at which a forecast tells its quantiles; what lies between two of them is read off the straight line.
LEVELS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the models that a combined forecast is made of, with what it said alone and how much it weighs."""

    name: str
    weight: float  # the weights of all members add up to 1
    p50: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A series that a forecast was made from, as it was known then."""

    name: str
    known_until: datetime | None  # end of its last known slot; None where it knew nothing
    digest: str

    @classmethod
    def of(cls, name: str, series: Series) -> "Input":
        known = series.known.nonzero()[0]
        until = series.horizon.time_of(int(known[-1]) + 1) if len(known) else None
        return cls(name=name, known_until=until, digest=series.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """An issued forecast: P10, P50 and P90 on one horizon, made from what was known at `issued_at`.

    `source` names the forecaster that really made it; `flags` say what was missing or fell back, in words.
    `quantiles` are by rising level, P10, P50 and P90 among them; empty where a forecaster tells no more than these.
    """

    target: Target
    issued_at: datetime
    p10: Series
    p50: Series
    p90: Series
    source: str
    flags: tuple[str, ...] = ()
    quantiles: tuple[tuple[float, Series], ...] = ()
    members: tuple[Member, ...] = ()
    inputs: tuple[Input, ...] = ()

    @property
    def horizon(self) -> Horizon:
        return self.p50.horizon

    @property
    def degraded(self) -> bool:
        return bool(self.flags)

    def at(self, level: float) -> Series:
        """The quantile of a level between 0 and 1, on the straight line between the two told next to it; beyond the
        outermost told levels it is the outermost one."""
        told = self.quantiles or ((0.1, self.p10), (0.5, self.p50), (0.9, self.p90))
        levels = [each for each, _ in told]
        above = int(np.clip(np.searchsorted(levels, level), 1, len(told) - 1))
        (low, below), (high, over) = told[above - 1 : above + 1]
        share = min(1.0, max(0.0, (level - low) / (high - low)))
        if share in (0.0, 1.0):  # a told level is told to the last digit
            return over if share else below
        between = np.minimum(below.values + share * (over.values - below.values), over.values)
        return Series(self.horizon, between, self.p50.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a forecaster may see: the target so far, and drivers by name, each as known at `known_at`.

    `target` ends where the forecast begins, or earlier; its gaps are NaN and are not learned. Drivers reach over the
    horizon of the forecast where they are known there. `zone` and `country` place the local calendar. `issued` are
    earlier forecasts of the same target, as they were issued, oldest first: what their errors say of members and bands.
    """

    target: Series
    drivers: tuple[tuple[str, Series], ...]
    known_at: datetime
    zone: str
    country: str = ""
    holidays: tuple[str, ...] = ()  # ISO dates, the plant's own closed days
    issued: tuple[Forecast, ...] = ()
    latitude: float | None = None  # degrees north; with the longitude it says where the sun stands
    longitude: float | None = None  # degrees east
    branch: str = ""  # what kind of plant it is, as `energy.forecasters.cold` names them; empty is not known
    peak_kw: float | None = None  # of a load what the connection may draw, of PV what the roof gives at its best
    yearly_kwh: float | None = None  # of a load, as the plant was told by its bills


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One readable part of a forecast (trend, daily, weekly …) over its horizon or cycle, for the screen."""

    name: str
    x: tuple[str, ...]
    y: tuple[float, ...]
    unit: str
