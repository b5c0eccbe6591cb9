"""Wind by its power curve: what the turbine gave in such a forecast wind, and for the first hours what it gives now."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.combined.days import Days
from energy.forecasters.combined.members import NotItsKindError
from energy.forecasters.combined.members.sun import blocks_of, gives_at_night, view
from energy.forecasters.sun.clock import Drift, drift_of_wind
from energy.forecasters.sun.drivers import directions, windy
from energy.forecasters.sun.fading import with_last_error
from energy.forecasters.sun.findings import clock_words
from energy.forecasters.sun.nearest import Feature, Nearness, as_known, median_of_like

Floats = NDArray[np.float64]

TOGETHER = 10  # earlier issues that share one look at the clock of the weather
NEARNESS = Nearness(hours=4.0, days=60.0, most_days=180)
BLIND = Nearness(hours=4.0, days=3.0, most_days=30)
# The wind now, before and after: hours later, hours it is blurred by, width in its standard deviations.
BESIDE = ((0.0, 0.5, 0.3), (1.5, 1.0, 0.7), (-1.5, 1.0, 0.7))
TURN_WIDTH = 1.0  # of the direction as a point on a circle of radius one
FADING_HOURS = 8.0


class WindyDays:
    name = "wind"
    least_days = 3

    def forecast(self, days: Days, issues: Sequence[int]) -> Floats:
        if not gives_at_night(days.y[: days.issue]):
            raise NotItsKindError("it gives nothing at night: this is no wind")
        return np.concatenate([told_together(days, block) for block in blocks_of(issues, TOGETHER)])

    def remarks(self, days: Days) -> tuple[str, ...]:
        wind = windy(days.drivers, days.issue)
        if wind is None:
            return ()
        drift = drift_of_wind(days.y[: days.issue], wind[: days.issue], days.step_minutes)
        return clock_words("wind", drift, days.step_minutes)


def told_together(days: Days, issues: Sequence[int]) -> Floats:
    wind = windy(days.drivers, issues[0])
    drift = Drift()
    if wind is not None:
        drift = drift_of_wind(days.y[: issues[0]], wind[: issues[0]], days.step_minutes)
    told = told_of(days, wind, drift, issues, days.ahead)
    before = told_of(days, wind, drift, [max(1, issue - 1) for issue in issues], 1)
    return with_last_error(told, before, days.y, issues, hours=FADING_HOURS)


def told_of(days: Days, wind: Floats | None, drift: Drift, issues: Sequence[int], ahead: int) -> Floats:
    told = np.full((len(issues), ahead, days.slots), np.nan)
    if wind is not None:
        told = median_of_like(days.y, features_of(days, wind, drift, issues, ahead), issues, ahead, NEARNESS)
    if np.isnan(told).any():
        told = np.where(np.isnan(told), median_of_like(days.y, (), issues, ahead, BLIND), told)
    return told


def features_of(days: Days, wind: Floats, drift: Drift, issues: Sequence[int], ahead: int) -> tuple[Feature, ...]:
    an_hour, made = days.slots / 24.0, []
    size = max(float(np.nanstd(wind[: issues[0]])), 1e-12)
    for later, blur, width in BESIDE:
        seen, asked = as_known(wind, view(drift.slots + later * an_hour, blur * an_hour), issues, ahead)
        made.append(Feature(examples=seen, asked=asked, width=width * size))
    turn = directions(days.drivers)
    if turn is not None:
        for way in (np.sin, np.cos):
            seen, asked = as_known(way(np.deg2rad(turn)), view(drift.slots, an_hour), issues, ahead)
            made.append(Feature(examples=seen, asked=asked, width=TURN_WIDTH))
    return tuple(made)
