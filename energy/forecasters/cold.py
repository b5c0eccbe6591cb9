"""The first days: a typical profile, scaled to what the meter has shown so far, with a wide band and said in words.

A profile is the shape of a day by branch (`cold.yaml`), of a price, or of a clear sky. Its level comes from what was
metered; where nothing was, from the year's energy, the roof's peak or the connection. What was metered on a day of the same
kind takes over slot by slot. Where neither a shape nor a level is known there is no forecast: nothing is invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from energy.forecasters.days import LocalSlots, closed_days, local_slots
from energy.forecasters.similar import at_step, last_mean
from energy.forecasters.sun.position import clear_sky, height, noon_early_minutes
from energy.model.forecast import LEVELS, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.model.series import Series

Floats = NDArray[np.float64]

ENOUGH_DAYS = 7  # with values: from then on similar days know better
LOOKED_AT_DAYS = 28
YEAR_HOURS = 8760.0
USED_SHARE = 0.4  # of the connection, by a plant's highest hour: connections are made with room to spare
ROOF_SHARE = 0.55  # of its peak under a clear sky, that a roof gives on a mean day: clouds, heat, angle
# One standard deviation over the mean of a day: a shape that was scaled to the meter, and one that was not.
SCALED, UNSCALED = 0.25, 0.5
OWN_DAY = 1.0  # a day of the same kind weighs as much as the profile
KINDS = ("working", "saturday", "closed")  # in the order of DayKind


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Profile:
    """The shape of each slot of past and horizon, and what it is called."""

    words: str
    shape: Floats
    level: float | None  # what one unit of shape is in the unit of the target, before anything was metered


def cold_forecast(target: Target, past: Past, horizon: Horizon) -> Forecast | None:
    """The forecast of the first days; None where no profile is known, or no level."""
    whole = at_step(past.target, horizon)
    end = min(whole.horizon.slots, max(0, whole.horizon.slot_of(horizon.start)))
    first = max(0, end - LOOKED_AT_DAYS * 24 * 60 // horizon.step_minutes)
    seen = whole.values[first:end]
    start = min(whole.horizon.time_of(first), horizon.start) if end > first else horizon.start
    span = Horizon.between(start, horizon.end, horizon.step_minutes)
    values = np.full(span.slots, np.nan)
    values[: len(seen)] = seen
    closed, _ = closed_days(past, range(span.start.year - 1, span.end.year + 2))
    slots = local_slots(span, past.zone, closed)
    profile = profile_of(target, past, span, slots)
    if profile is None:
        return None
    known = ~np.isnan(values)
    scale = measured_level(values[known], profile.shape[known])
    metered = scale is not None
    level = scale if scale is not None else profile.level
    if level is None:
        return None
    middle = blended(values, level * profile.shape, slots, span.slots - horizon.slots, horizon.step_minutes)
    days = len(np.unique(slots.day[known]))
    said = (
        f"scaled to {days} day{'s' if days != 1 else ''} of metering" if metered else "not yet scaled to any metering"
    )
    sd = (SCALED if metered else UNSCALED) * abs(level) * float(np.mean(np.abs(profile.shape)))
    return told(target, past, horizon, middle, sd, f"profile of {profile.words}, {said}")


def known_days(past: Past, horizon: Horizon) -> int:
    """On how many days of 24 hours anything was metered before the horizon, ENOUGH_DAYS at most."""
    own = past.target.horizon
    end = min(own.slots, max(0, own.slot_of(horizon.start)))
    a_day = max(1, 24 * 60 // own.step_minutes)
    places = np.flatnonzero(past.target.known[:end])
    return min(ENOUGH_DAYS, len(np.unique((end - 1 - places) // a_day)))


def profile_of(target: Target, past: Past, span: Horizon, slots: LocalSlots) -> Profile | None:
    if target is Target.PV:
        if past.latitude is None or past.longitude is None:
            return None
        shape = sky_over(span, past.latitude, past.longitude)
        level = None if past.peak_kw is None else ROOF_SHARE * past.peak_kw
        return Profile(words="a clear sky", shape=shape, level=level) if shape.any() else None
    if target is Target.CARBON:
        return Profile(words="an even day", shape=np.ones(span.slots), level=None)
    name = "price" if target is Target.PRICE else past.branch
    if name not in profiles():
        return None
    words, table = profiles()[name]
    shape = table[slots.kind, slots.minute // 60]
    level = None
    if target is Target.BASE_LOAD and past.yearly_kwh:
        level = past.yearly_kwh / YEAR_HOURS / float((5 * table[0] + table[1] + table[2]).mean() / 7)
    elif target is Target.BASE_LOAD and past.peak_kw:
        level = USED_SHARE * past.peak_kw / float(table.max())
    return Profile(words=words, shape=shape, level=level)


def measured_level(values: Floats, shape: Floats) -> float | None:
    """What one unit of the shape is, by what was metered; None where that says nothing of it (no value, or only night)."""
    return float(values.sum() / shape.sum()) if len(values) and shape.sum() > 0 else None


def blended(values: Floats, shape: Floats, slots: LocalSlots, ahead: int, step_minutes: int) -> Floats:
    """The profile over the horizon (the slots from `ahead` on), and what was metered on days of the same kind: a slot of n
    such days weighs n times as much as the profile."""
    middle = shape[ahead:].copy()
    column = slots.minute // step_minutes
    for kind in np.unique(slots.kind[ahead:]):
        of_kind = slots.kind[:ahead] == kind
        days = np.unique(slots.day[:ahead][of_kind])
        table = np.full((len(days), 24 * 60 // step_minutes), np.nan)
        table[np.searchsorted(days, slots.day[:ahead][of_kind]), column[:ahead][of_kind]] = values[:ahead][of_kind]
        if not len(days):
            continue
        count = (~np.isnan(table)).sum(axis=0)
        own = np.where(count > 0, last_mean(table, len(days)), 0.0)
        here = slots.kind[ahead:] == kind
        n, mean = count[column[ahead:][here]], own[column[ahead:][here]]
        middle[here] = (OWN_DAY * n * mean + middle[here]) / (OWN_DAY * n + 1.0)
    return middle


def told(target: Target, past: Past, horizon: Horizon, middle: Floats, sd: float, flag: str) -> Forecast:
    quantiles = {level: middle + sd * NormalDist().inv_cdf(level) for level in LEVELS}
    if target is Target.PV:  # what the sun gives at that hour, less or more; nothing at night
        quantiles = {level: middle * np.clip(1.0 + 0.6 * NormalDist().inv_cdf(level), 0.0, 1.8) for level in LEVELS}
    if target is not Target.PRICE:
        quantiles = {level: np.maximum(values, 0.0) for level, values in quantiles.items()}
    if target is Target.PV and past.peak_kw:
        quantiles = {level: np.minimum(values, past.peak_kw) for level, values in quantiles.items()}
    series = {level: Series(horizon, values, past.target.unit) for level, values in quantiles.items()}
    return Forecast(
        target=target,
        issued_at=past.known_at,
        p10=series[0.1],
        p50=series[0.5],
        p90=series[0.9],
        source="profile",
        flags=(flag,),
        quantiles=tuple(series.items()),
    )


@cache
def profiles() -> Mapping[str, tuple[str, Floats]]:
    """By name: what a profile is called, and its values (kind of day, hour), a working day's highest hour being 1."""
    import yaml

    said = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {name: (one["words"], np.array([one[kind] for kind in KINDS]) / 100.0) for name, one in said.items()}


def branches() -> tuple[str, ...]:
    """The branches that have a profile."""
    return tuple(name for name in profiles() if name != "price")


def sky_over(span: Horizon, latitude: float, longitude: float) -> Floats:
    """Global radiation on the ground under a clear sky, relative to 1 kW/m²; the mean of three instants of each slot."""
    slots = np.arange(span.slots)[:, None] + np.array([1 / 6, 0.5, 5 / 6])
    hours = 24.0 * span.start.toordinal() + span.start.hour + span.start.minute / 60 + slots * span.step_hours
    ordinal = np.floor(hours / 24).astype(np.int64)
    after_noon = hours % 24 - 12 + longitude / 15 + noon_early_minutes(ordinal) / 60
    mean: Floats = clear_sky(height(ordinal, after_noon, latitude)).mean(axis=1) / 1000.0
    return mean
